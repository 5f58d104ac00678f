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

constexpr std::size_t send_bytes_max = 64 * 1024;
constexpr std::size_t write_bytes_max = 256 * 1024;
// Calls for one socket before others get their turn.
constexpr int reads_per_turn = 4;
constexpr int writes_per_turn = 4;

bool is_over(const socket::Readiness& readiness) {
  return readiness.failed || readiness.hung_up;
}

// With the changes of a cork that stand around what is read.
ssize_t read_pair(VirtualSocket& socket, Intake& intake, std::size_t room,
                  std::vector<Slice>& slices, Corks& corks) {
  if (socket.gate == nullptr) return intake.read(socket.ours.get(), room, slices);
  const auto hold = socket.gate->lock();
  const ssize_t got = intake.read(socket.ours.get(), room, slices);
  corks = socket.gate->take_locked();
  return got;
}

}  // namespace

// Program to stack.
void Supervisor::pull(VirtualSocket& socket) {
  if (socket.stage != VirtualSocket::Stage::connected) return;
  if (socket.program_ended) {
    if (socket.is_closed) finish_closing(socket);
    return;
  }
  for (int turn = 0; turn < reads_per_turn; ++turn) {
    const std::size_t room =
        std::min(host_.sockets->writable_bytes(socket.handle), Intake::bytes_max);
    if (room == 0) {
      // Full, or dead; a dead one takes no more from a program that is gone.
      if (socket.is_closed && is_over(host_.sockets->readiness(socket.handle)))
        finish_closing(socket);
      return;
    }
    Corks corks;
    const ssize_t got = read_pair(socket, intake_, room, slices_, corks);
    const int error = errno;
    const bool ends = std::exchange(corks.ends_after, corks.ends_after && got <= 0);
    set_corks(socket, corks);
    if (got == 0) {
      program_direction_ended(socket);
      return;
    }
    socket.may_have_bytes = got > 0;
    if (got < 0) {
      if (error != ECONNRESET) return;
      // The program closed with received bytes unread.
      socket.closes_by_reset = socket.is_closed = true;
      finish_closing(socket);
      return;
    }
    if (!hand_over(socket)) return;
    set_corks(socket, {.ends_after = ends});
    // Less than asked for: there was no more, and what comes wakes us.
    if (static_cast<std::size_t>(got) < room && !socket.has_end_in_sight) {
      socket.may_have_bytes = false;
      return;
    }
  }
  mark_dirty(socket);
}

// What was read, to the stack. False: the connection is over.
bool Supervisor::hand_over(VirtualSocket& socket) {
  std::vector<Slice> slices;
  std::swap(slices, slices_);
  for (const Slice& slice : slices) {
    const auto sent = host_.sockets->send_slice(now(), socket.handle, slice);
    if (sent) {
      CHECK(*sent == slice.size());  // writable_bytes said so
      continue;
    }
    if (socket.is_closed) {
      finish_closing(socket);
    } else {
      show_reset(socket,
                 sent.error() == Errno::broken_pipe ? Errno::connection_reset : sent.error());
    }
    return false;
  }
  slices.clear();
  std::swap(slices, slices_);  // its memory serves again
  return true;
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

// Stack to program.
void Supervisor::push(VirtualSocket& socket) {
  if (socket.stage != VirtualSocket::Stage::connected) return;
  if (socket.is_closed) return;
  if (socket.network_ended) {
    // RFC 9293 3.10.7.4: a reset after the peer's end; the program's next write says EPIPE.
    if (is_over(host_.sockets->readiness(socket.handle))) show_broken_pipe(socket);
    return;
  }
  for (int turn = 0; turn < writes_per_turn; ++turn) {
    if (!push_urgent(socket)) return wait_for_room(socket);
    slices_.clear();
    const auto there = host_.sockets->peek(now(), socket.handle, write_bytes_max, slices_);
    if (!there) {
      if (there.error() != Errno::try_again) show_reset(socket, there.error());
      return;
    }
    if (*there == 0) {
      socket.network_ended = true;
      ::shutdown(socket.ours.get(), SHUT_WR);
      // With the program's direction ended too, nothing more can happen.
      if (socket.program_ended) retire(socket, VirtualSocket::Stage::over);
      return;
    }
    std::size_t offered = 0;
    const ssize_t written = write_slices(socket.ours.get(), slices_, offered);
    slices_.clear();
    // EPIPE: the program has shut its reading, and nobody wants them.
    const bool is_unwanted = written < 0 && errno == EPIPE;
    if (written < 0 && !is_unwanted) return wait_for_room(socket);
    const std::size_t taken = is_unwanted ? *there : static_cast<std::size_t>(written);
    (void)host_.sockets->skip(now(), socket.handle, taken);
    // No room: the program's reading wakes us.
    if (taken < offered) return wait_for_room(socket);
  }
  mark_dirty(socket);
}

void Supervisor::wait_for_room(VirtualSocket& socket) {
  if (std::exchange(socket.waits_for_room, true)) return;
  watch_pair(socket);
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
  const std::size_t size = std::min<std::size_t>(call.arguments[2], send_bytes_max);
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
