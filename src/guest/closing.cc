// SPDX-License-Identifier: Apache-2.0
// The ends of sockets: the program's last close, resets, and what is remembered afterwards.
#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "guest/supervisor.hh"

namespace lanyard::guest {

namespace {

// Sockets that have ended but may still be asked for their names.
constexpr std::size_t retired_max = 1024;

socket::OptionValue reset_on_close() {
  return socket::Linger{true, Duration::zero()};
}

}  // namespace

bool Supervisor::has_hung_up(const VirtualSocket& socket) const {
  if (!socket.ours.is_open()) return false;
  pollfd look{socket.ours.get(), 0, 0};
  return poll(&look, 1, 0) > 0 && (look.revents & POLLHUP) != 0;
}

// The program's last close is seen on our end of the pair, a moment before the next call of the
// same thread is. Decisions that depend on it look first. `all`: connections too, which hold ports.
void Supervisor::look_for_closed(bool all) {
  std::vector<pollfd> looks;
  std::vector<std::uint64_t> inodes;
  look_for_unnamed();
  for (const auto& [inode, socket] : by_inode_) {
    const bool holds_address =
        socket->stage != VirtualSocket::Stage::connected || !socket->is_stream();
    if (!socket->ours.is_open() || socket->is_closed || (!all && !holds_address)) continue;
    looks.push_back({socket->ours.get(), 0, 0});
    inodes.push_back(inode);
  }
  if (looks.empty() || poll(looks.data(), looks.size(), 0) <= 0) return;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if ((looks[i].revents & POLLHUP) == 0) continue;
    if (VirtualSocket* socket = find(inodes[i])) program_closed(*socket);
  }
}

void Supervisor::program_closed(VirtualSocket& socket) {
  was_touched_ = true;
  socket.is_closed = socket.has_end_in_sight = true;
  if (socket.stage == VirtualSocket::Stage::connected && socket.is_stream()) {
    const auto linger = host_.sockets->get_option(now(), socket.handle, socket::Option::linger);
    const auto* value = linger ? std::get_if<socket::Linger>(&*linger) : nullptr;
    const bool discards = value != nullptr && value->is_on && value->timeout == Duration::zero();
    if (discards && !socket.was_shut_both && !socket.network_ended) {
      finish_closing(socket);
    } else {
      pull(socket);  // what the program wrote last still goes out
    }
    return;
  }
  if (socket.stage == VirtualSocket::Stage::connected) pull_datagrams(socket);
  for (const socket::Accepted& accepted : socket.undelivered) {
    (void)host_.sockets->set_option(now(), accepted.socket, socket::Option::linger,
                                    reset_on_close());
    (void)host_.sockets->close(now(), accepted.socket);
  }
  erase(socket);
}

// All that the program wrote has been handed to the stack (or may be dropped).
void Supervisor::finish_closing(VirtualSocket& socket) {
  if (socket.closes_by_reset) {
    // RFC 9293 3.10.4, RFC 2525 2.17: closing with unread data is a reset.
    (void)host_.sockets->set_option(now(), socket.handle, socket::Option::linger, reset_on_close());
  }
  // With both directions ended, a close cannot be told from a shutdown: names stay.
  const bool may_be_open = socket.was_shut_both || socket.network_ended;
  if (may_be_open && !socket.closes_by_reset) {
    retire(socket, VirtualSocket::Stage::over);
  } else {
    erase(socket);
  }
}

// The connection was reset, or timed out. The program's end gives ECONNRESET once our end closes
// with a byte unread; if the program has written nothing unread, we put one there in its name.
void Supervisor::show_reset(VirtualSocket& socket, Errno error) {
  int unread = 0;
  if (ioctl(socket.ours.get(), FIONREAD, &unread) == 0 && unread == 0) {
    const Descriptor theirs = fetcher_.fetch(socket.last_thread, socket.last_number);
    const char byte = 0;
    if (find(theirs) == &socket) send(theirs.get(), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  // ECONNRESET the kernel says by itself, once; another error is ours to say.
  if (error != Errno::connection_reset) socket.error = error;
  retire(socket, VirtualSocket::Stage::failed);
}

// A reset after the peer's end was read: closing our end with nothing unread in it leaves reads at
// the end, and makes writes fail with EPIPE.
void Supervisor::show_broken_pipe(VirtualSocket& socket) {
  while (recv(socket.ours.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT) > 0) continue;
  retire(socket, VirtualSocket::Stage::failed);
}

void Supervisor::retire(VirtualSocket& socket, VirtualSocket::Stage stage) {
  if (const auto local = host_.sockets->local_endpoint(socket.handle)) socket.local = *local;
  if (const auto peer = host_.sockets->peer_endpoint(socket.handle)) socket.peer = *peer;
  socket.stage = stage;
  shut_gate(socket);
  loop_.forget(socket.ours.get());
  socket.ours.close();
  by_handle_.erase(socket.handle);
  host_.sockets->set_waker(socket.handle, nullptr);
  (void)host_.sockets->close(now(), std::exchange(socket.handle, socket::Handle::none));
  socket.carried.clear();
  was_touched_ = true;
  retired_.push_back(socket.inode);
  if (retired_.size() <= retired_max) return;
  by_inode_.erase(retired_.front());
  retired_.pop_front();
}

void Supervisor::erase(VirtualSocket& socket) {
  was_touched_ = true;
  shut_gate(socket);
  if (socket.ours.is_open()) loop_.forget(socket.ours.get());
  if (socket.handle != socket::Handle::none) {
    by_handle_.erase(socket.handle);
    host_.sockets->set_waker(socket.handle, nullptr);
    (void)host_.sockets->close(now(), socket.handle);
  }
  named_.erase(socket.inode);
  by_inode_.erase(socket.inode);
}

}  // namespace lanyard::guest
