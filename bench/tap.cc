// SPDX-License-Identifier: Apache-2.0
// Our stack and the kernel's at the two ends of a TAP with offloads, in a network namespace of this
// program's own. Exit status 3: not allowed here.
#include <sched.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "bench/kernel_stream.hh"
#include "bench/measure.hh"
#include "device/event_loop.hh"
#include "device/stack_driver.hh"
#include "device/tap.hh"
#include "socket/sockets.hh"
#include "stack/stack.hh"

namespace lanyard::bench {
namespace {

void enter_namespace() {
  if (unshare(CLONE_NEWNET) == 0) return;
  const uid_t user = getuid();
  const gid_t group = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) refuse("no network namespaces here");
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << fmt::format("0 {} 1", user);
  std::ofstream("/proc/self/gid_map") << fmt::format("0 {} 1", group);
}

stack::InterfaceConfig interface_of(const device::FrameDevice& device) {
  stack::InterfaceConfig config;
  config.mac = MacAddress{{2, 0, 0, 0, 0, 2}};
  config.makes_link_local = false;
  config.takes_checksums = device.abilities().takes_checksums;
  config.super_segment_bytes_max = device.abilities().super_segment_bytes_max;
  return config;
}

// Writes whenever there is room, until all is sent and the one octet that says so has come back.
class Sender : public device::Driven {
 public:
  Sender(device::EventLoop& loop, device::FrameDevice& device, std::uint64_t bytes)
      : loop_(loop),
        stack_(stack::Config{}, Seed(1), 1, nullptr),
        interface_(stack_.add_interface(interface_of(device))),
        sockets_(stack_),
        driver_(loop, stack_, interface_, device, nullptr),
        left_(bytes),
        span_(64 * 1024, 'x') {
    stack_.add_address(loop.now(), interface_, {IpAddress::v4(10, 9, 0, 2), 24});
    loop.drive(this);
    socket_ = *sockets_.open(Family::ipv4, socket::Type::stream);
    (void)sockets_.connect(loop.now(), socket_, Endpoint{IpAddress::v4(10, 9, 0, 1), 7000});
  }
  void run_until(Instant now) override {
    driver_.run_until(now);
    while (left_ > 0) {
      const std::size_t size = std::min<std::uint64_t>(left_, span_.size());
      const auto sent = sockets_.send(now, socket_, Bytes(span_).first(size));
      if (!sent && sent.error() != Errno::try_again) give_up(errno_text(sent.error()));
      if (!sent) break;
      left_ -= *sent;
      driver_.run_until(now);
    }
    if (left_ > 0) return;
    const auto answer = sockets_.receive(now, socket_, MutableBytes(span_).first(1));
    if (answer) loop_.stop();
  }
  [[nodiscard]] Instant next_deadline() const override { return driver_.next_deadline(); }

 private:
  device::EventLoop& loop_;
  stack::Stack stack_;
  std::uint32_t interface_;
  socket::Sockets sockets_;
  device::StackDriver driver_;
  socket::Handle socket_{};
  std::uint64_t left_;
  std::vector<std::uint8_t> span_;
};

double tcp_stream_tap(Amount amount) {
  const std::uint64_t bytes = amount.of(1'500, 20) * 1'000'000;
  enter_namespace();
  auto tap = device::Tap::open("lanyard0");
  if (!tap) refuse(tap.error());
  const char* const set_up =
      "ip link set lo up && ip link set lanyard0 mtu 1500 up && "
      "ip addr add 10.9.0.1/24 dev lanyard0";
  if (std::system(set_up) != 0) give_up("ip(8) failed");
  const pid_t server = fork();
  if (server == 0) {
    serve_stream(7000, bytes);
    usleep(500'000);  // until the answer has been read
    _exit(0);
  }
  usleep(100'000);  // until it listens
  device::EventLoop loop;
  Sender sender(loop, **tap, bytes);
  const double start = seconds_now();
  loop.run();
  const double seconds = seconds_now() - start;
  waitpid(server, nullptr, 0);
  return static_cast<double>(bytes) * 8 / seconds / 1e9;
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run({{"tcp_stream_tap", tcp_stream_tap}}, count, arguments);
}
