// SPDX-License-Identifier: Apache-2.0
// Datagram sockets between the pair and the stack: UDP, raw, and ICMP echo. The pair holds the
// bytes, so that read, recv and poll work natively; the facts of each datagram wait beside it.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include <cerrno>

#include "guest/supervisor.hh"

namespace lanyard::guest {

namespace {

constexpr int datagrams_per_turn = 256;

// What SIOCOUTQ says of one datagram of this size: the kernel's true size of its buffer.
int measure_charge(std::size_t size) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return 0;
  const Descriptor from(pair[0]), to(pair[1]);
  const std::vector<char> bytes(size);
  int charge = 0;
  if (send(from.get(), bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
    ioctl(from.get(), SIOCOUTQ, &charge);
  return charge;
}

short state_of(const Descriptor& descriptor) {
  pollfd look{descriptor.get(), POLLRDHUP, 0};
  return poll(&look, 1, 0) > 0 ? look.revents : short{0};
}

}  // namespace

// What the program wrote with write or send, without an address.
void Supervisor::pull_datagrams(VirtualSocket& socket) {
  if (!socket.ours.is_open()) return;
  for (int turn = 0; turn < datagrams_per_turn; ++turn) {
    const ssize_t got = recv(socket.ours.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0) return;
    // Nothing: an empty datagram, or the end.
    if (got == 0 && (state_of(socket.ours) & (POLLHUP | POLLRDHUP)) != 0) return;
    const Bytes bytes(buffer_.data(), static_cast<std::size_t>(got));
    const auto sent = host_.sockets->send_to(now(), socket.handle, bytes, socket.sticky);
    socket.wrote_at = now();
    was_touched_ = true;
    // The program has been told that it was sent; SO_ERROR and the next receive know better.
    if (!sent) socket.error = sent.error();
  }
  mark_dirty(socket);
}

// What came from the network, as long as the pair has room; the rest waits in the stack's queue.
void Supervisor::push_datagrams(VirtualSocket& socket) {
  if (!socket.ours.is_open() || socket.is_closed) return;
  for (int turn = 0; turn < datagrams_per_turn; ++turn) {
    if (socket.carried.empty()) {
      const auto got = host_.sockets->receive_from(now(), socket.handle, MutableBytes(buffer_));
      if (!got) {
        if (got.error() != Errno::try_again) socket.error = got.error();
        break;
      }
      socket.carried.push_back(
          {std::string(text_of(Bytes(buffer_).first(got->bytes))), got->facts});
    }
    const CarriedDatagram& next = socket.carried.front();
    const ssize_t sent =
        send(socket.ours.get(), next.bytes.data(), next.bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent >= 0) {
      resynchronise(socket);
      socket.queued.push_back({next.facts, charge_of(next.bytes.size()), std::nullopt});
    }
    socket.carried.pop_front();
  }
  if (socket.error || host_.sockets->readiness(socket.handle).failed) tell_of_error(socket);
}

// What SIOCOUTQ says of a datagram of this size in a pair.
int Supervisor::charge_of(std::size_t size) {
  const auto known = charges_.find(size);
  return known != charges_.end() ? known->second : (charges_[size] = measure_charge(size));
}

// The program may have taken datagrams natively: what the pair still counts tells how many are
// left.
void resynchronise(VirtualSocket& socket) {
  int charged = 0;
  if (socket.queued.empty() || ioctl(socket.ours.get(), SIOCOUTQ, &charged) != 0) return;
  int expected = 0;
  for (const QueuedDatagram& datagram : socket.queued) expected += datagram.charge;
  while (!socket.queued.empty() && expected > charged) {
    expected -= socket.queued.front().charge;
    socket.queued.pop_front();
  }
}

}  // namespace lanyard::guest
