// SPDX-License-Identifier: Apache-2.0
// Two machines in one thread, joined by a link of this program's own, which loses every fiftieth
// frame. A stack asks for nothing: time, frames and chance come in as arguments, frames and the
// next deadline go out. So the hours here pass at once, and every run is the same.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "socket/sockets.hh"
#include "stack/stack.hh"

using namespace lanyard;

namespace {

struct Machine {
  explicit Machine(std::uint8_t number)
      : address(IpAddress::v4(10, 0, 0, number)), stack({}, Seed(number), number, nullptr) {
    interface = stack.add_interface({.mac = {{2, 0, 0, 0, 0, number}}, .solicits_routers = false});
    stack.add_address(Instant::start(), interface, {address, 24});
  }
  IpAddress address;
  stack::Stack stack;
  std::uint32_t interface = 0;
  socket::Sockets sockets{stack};
};

// A frame on its way takes ten milliseconds.
class Link {
 public:
  Link(Machine& a, Machine& b) : a_(a), b_(b) {}
  // Until the next frame arrives or a machine has to do something.
  bool step() {
    collect(a_, b_);
    collect(b_, a_);
    Instant next = std::min(a_.stack.next_deadline(), b_.stack.next_deadline());
    if (!under_way_.empty()) next = std::min(next, under_way_.front().arrives);
    if (next == Instant::never()) return false;
    now = std::max(now, next);
    while (!under_way_.empty() && under_way_.front().arrives <= now) {
      Machine& to = *under_way_.front().to;
      to.stack.on_frame(now, to.interface, std::move(under_way_.front().frame));
      under_way_.pop_front();
    }
    a_.stack.poll(now);
    b_.stack.poll(now);
    return true;
  }
  Instant now = Instant::start();
  int sent = 0;
  int lost = 0;

 private:
  struct Frame {
    Instant arrives;
    Machine* to;
    Packet frame;
  };
  void collect(Machine& from, Machine& to) {
    while (auto out = from.stack.take_frame()) {
      if (++sent % 50 == 0) {
        ++lost;
      } else {
        under_way_.push_back({now + Duration::milliseconds(10), &to, std::move(out->frame)});
      }
    }
  }
  Machine& a_;
  Machine& b_;
  std::deque<Frame> under_way_;
};

// What a call gave, or the end.
template <typename T>
T must(Result<T> result, const char* what) {
  if (!result) {
    std::fprintf(stderr, "%s: %s\n", what, std::string(errno_text(result.error())).c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *result;
}

}  // namespace

int main() {
  Machine alice(1), bob(2);
  Link link(alice, bob);

  const auto listener = must(bob.sockets.open(Family::ipv4, socket::Type::stream), "socket");
  must(bob.sockets.bind(listener, {IpAddress::any(Family::ipv4), 7}), "bind");
  must(bob.sockets.listen(link.now, listener, 5), "listen");

  const auto client = must(alice.sockets.open(Family::ipv4, socket::Type::stream), "socket");
  const auto begun = alice.sockets.connect(link.now, client, {bob.address, 7});
  if (!begun && begun.error() != Errno::in_progress) must(begun, "connect");
  while (!bob.sockets.readiness(listener).readable && link.step()) {
  }
  const auto server = must(bob.sockets.accept(link.now, listener), "accept").socket;
  std::printf("%s  alice is connected to bob\n", to_text(link.now).c_str());

  // Alice sends a million octets while there is room, bob counts what comes.
  std::vector<std::uint8_t> bytes(64 * 1024, 'x');
  std::size_t left = 1'000'000, received = 0;
  do {
    if (left > 0) {
      const auto sent =
          alice.sockets.send(link.now, client, Bytes(bytes).first(std::min(left, bytes.size())));
      if (sent) left -= *sent;
    }
    while (const auto got = bob.sockets.receive(link.now, server, bytes)) {
      if (*got == 0) break;
      received += *got;
    }
  } while (received < 1'000'000 && link.step());
  std::printf("%s  bob has %zu octets; %d of %d frames were lost on the way\n",
              to_text(link.now).c_str(), received, link.lost, link.sent);
  must(alice.sockets.close(link.now, client), "close");
  must(bob.sockets.close(link.now, server), "close");
  while (link.step()) {
  }
  std::printf("%s  nothing is left to do\n", to_text(link.now).c_str());
}
