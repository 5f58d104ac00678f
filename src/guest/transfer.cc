// SPDX-License-Identifier: Apache-2.0
// A stream's bytes between the program's pair and the stack. Our end never blocks: what the program
// does not read stays in the stack's receive queue, so that the window it advertises shrinks.
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/check.hh"
#include "guest/supervisor.hh"

namespace lanyard::guest {

namespace {

constexpr std::size_t chunk_bytes = 64 * 1024;
// Chunks moved for one socket before others get their turn.
constexpr int chunks_per_turn = 16;

bool is_over(const socket::Readiness& readiness) {
  return readiness.failed || readiness.hung_up;
}

}  // namespace

// Program to stack.
void Supervisor::pull(VirtualSocket& socket) {
  if (socket.stage != VirtualSocket::Stage::connected) return;
  if (socket.program_ended) {
    if (socket.is_closed) finish_closing(socket);
    return;
  }
  for (int turn = 0; turn < chunks_per_turn; ++turn) {
    const std::size_t room =
        std::min({host_.sockets->writable_bytes(socket.handle), chunk_bytes, buffer_.size()});
    if (room == 0) {
      // Full, or dead; a dead one takes no more from a program that is gone.
      if (socket.is_closed && is_over(host_.sockets->readiness(socket.handle)))
        finish_closing(socket);
      return;
    }
    const ssize_t got = recv(socket.ours.get(), buffer_.data(), room, MSG_DONTWAIT);
    if (got == 0) {
      program_direction_ended(socket);
      return;
    }
    if (got < 0) {
      if (errno != ECONNRESET) return;
      // The program closed with received bytes unread.
      socket.closes_by_reset = socket.is_closed = true;
      finish_closing(socket);
      return;
    }
    const Bytes bytes(buffer_.data(), static_cast<std::size_t>(got));
    const auto sent = host_.sockets->send(now(), socket.handle, bytes);
    if (!sent) {
      if (socket.is_closed) {
        finish_closing(socket);
      } else {
        show_reset(socket,
                   sent.error() == Errno::broken_pipe ? Errno::connection_reset : sent.error());
      }
      return;
    }
    CHECK(*sent == bytes.size());  // writable_bytes said so
  }
  mark_dirty(socket);
}

void Supervisor::program_direction_ended(VirtualSocket& socket) {
  if (socket.is_closed || has_hung_up(socket)) {
    socket.is_closed = true;
    finish_closing(socket);
    return;
  }
  socket.program_ended = true;
  (void)host_.sockets->shutdown(now(), socket.handle, socket::Shutdown::write);
}

// The rest of the last chunk. True if nothing is left.
bool Supervisor::push_carry(VirtualSocket& socket) {
  while (!socket.carry.empty()) {
    const ssize_t sent = send(socket.ours.get(), socket.carry.data(), socket.carry.size(),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EPIPE) {
      socket.carry.clear();  // the program has shut its reading
      return true;
    }
    if (sent < 0) return false;
    socket.carry.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

// Stack to program.
void Supervisor::push(VirtualSocket& socket) {
  if (socket.stage != VirtualSocket::Stage::connected) return;
  if (socket.is_closed) return;
  if (socket.network_ended) {
    // RFC 9293 3.10.7.4: a reset after the peer's end; the program's next write says EPIPE.
    if (is_over(host_.sockets->readiness(socket.handle))) show_broken_pipe(socket);
    return;
  }
  if (!push_carry(socket)) return;
  for (int turn = 0; turn < chunks_per_turn; ++turn) {
    const auto got = host_.sockets->receive(
        now(), socket.handle, MutableBytes(buffer_).first(std::min(chunk_bytes, buffer_.size())));
    if (!got) {
      if (got.error() != Errno::try_again) show_reset(socket, got.error());
      return;
    }
    if (*got == 0) {
      socket.network_ended = true;
      ::shutdown(socket.ours.get(), SHUT_WR);
      // With the program's direction ended too, nothing more can happen.
      if (socket.program_ended) retire(socket, VirtualSocket::Stage::over);
      return;
    }
    socket.carry.assign(text_of(Bytes(buffer_).first(*got)));
    if (!push_carry(socket)) return;
  }
  mark_dirty(socket);
}

// Fills the program's end with junk until it is not writable: so a connecting socket, and a
// listening one, poll as they should.
void Supervisor::hide_writability(const Asked& asked) {
  const int least = 1;  // the kernel makes it some 4.6 KB
  setsockopt(asked.theirs.get(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
  const std::array<char, 512> junk{};
  for (;;) {
    const ssize_t sent =
        send(asked.theirs.get(), junk.data(), junk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) return;
    asked.socket.junk += static_cast<std::size_t>(sent);
  }
}

// Takes exactly the junk away again. The larger buffer comes first, so that the program wakes to a
// pair as good as any; should its end not be found again, only that is lost.
void Supervisor::show_writability(VirtualSocket& socket) {
  int size = 0;
  socklen_t length = sizeof size;
  getsockopt(socket.ours.get(), SOL_SOCKET, SO_SNDBUF, &size, &length);
  {
    const Descriptor theirs = fetcher_.fetch(socket.last_thread, socket.last_number);
    const int half = size / 2;  // socket(7): the kernel doubles what it is told
    if (find(theirs) == &socket)
      setsockopt(theirs.get(), SOL_SOCKET, SO_SNDBUF, &half, sizeof half);
  }
  std::array<char, 4096> junk{};
  while (socket.junk > 0) {
    const ssize_t got =
        recv(socket.ours.get(), junk.data(), std::min(junk.size(), socket.junk), MSG_DONTWAIT);
    if (got <= 0) break;
    socket.junk -= static_cast<std::size_t>(got);
  }
}

// sendto with an address on a stream: Linux ignores the address once connected; the pair would
// not.
void Supervisor::send_to_stream(const Asked& asked) {
  const Call& call = asked.call;
  if (asked.socket.stage == VirtualSocket::Stage::fresh) {
    call.listener->reply(call, Errno::broken_pipe);
    return;
  }
  const std::size_t size = std::min<std::size_t>(call.arguments[2], chunk_bytes);
  if (!read_memory(call.thread, call.arguments[1], buffer_.data(), size)) {
    call.listener->reply(call, Errno::bad_address);
    return;
  }
  const ssize_t sent = send(asked.theirs.get(), buffer_.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) {
    call.listener->reply(call, sent);
  } else if (errno == EAGAIN && !asked.is_nonblocking() &&
             (call.int_argument(3) & MSG_DONTWAIT) == 0) {
    hold(asked, Waits::send);
  } else {
    call.listener->reply(call, -errno);
  }
}

}  // namespace lanyard::guest
