// SPDX-License-Identifier: Apache-2.0
// sendto, sendmsg, sendmmsg, recvfrom, recvmsg, recvmmsg.
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "guest/messages.hh"

namespace lanyard::guest {

namespace {

constexpr std::size_t control_bytes_max = 4096;
constexpr std::size_t datagrams_per_call_max = 1024;

// An entry of sendmmsg and recvmmsg: a msghdr and a length.
constexpr std::uint64_t entry_bytes = sizeof(mmsghdr);

std::int64_t answer(const Result<std::size_t>& result) {
  return result ? static_cast<std::int64_t>(*result) : -static_cast<std::int64_t>(result.error());
}

}  // namespace

Result<std::size_t> Supervisor::send_one(const Asked& asked, const Buffers& buffers) {
  const pid_t thread = asked.call.thread;
  SendControl control{.facts = asked.socket.sticky};
  if (buffers.control_at != 0 && buffers.control_size > 0) {
    std::string bytes(std::min(buffers.control_size, control_bytes_max), '\0');
    if (!read_memory(thread, buffers.control_at, bytes.data(), bytes.size()))
      return unexpected(Errno::bad_address);
    const auto parsed = parse_control(bytes, asked.socket);
    if (!parsed) return unexpected(parsed.error());
    control = *parsed;
  }
  if (buffers.name_at != 0) {
    sockaddr_storage storage{};
    if (buffers.name_size > sizeof storage) return unexpected(Errno::invalid);
    if (!read_memory(thread, buffers.name_at, &storage, buffers.name_size))
      return unexpected(Errno::bad_address);
    const auto peer = from_sockaddr(storage, buffers.name_size, asked.socket.family);
    if (!peer) return unexpected(peer.error());
    control.facts.peer = *peer;
  }
  std::size_t size = 0;
  if (!gather(thread, buffers.parts, MutableBytes(buffer_), size))
    return unexpected(Errno::bad_address);
  const std::size_t piece = control.segment_bytes == 0 ? size : control.segment_bytes;
  std::size_t at = 0;
  do {
    const Bytes bytes = Bytes(buffer_).subspan(at, std::min(piece, size - at));
    const auto sent = host_.sockets->send_to(now(), asked.socket.handle, bytes, control.facts);
    if (!sent) return unexpected(sent.error());
    at += bytes.size();
  } while (at < size);
  return size;
}

void Supervisor::send_datagram(const Asked& asked) {
  const Call& call = asked.call;
  const bool has_header = call.number == __NR_sendmsg;
  if (asked.socket.is_stream()) {
    if ((call.int_argument(has_header ? 2 : 3) & MSG_OOB) != 0) {
      send_urgent(asked);
    } else if (has_header) {
      call.listener->let_run(call);
    } else {
      send_to_stream(asked);
    }
    return;
  }
  Result<Buffers> buffers = Buffers{};
  if (has_header) {
    buffers = read_header(call.thread, call.arguments[1]);
  } else {
    buffers->parts = {{std::bit_cast<void*>(call.arguments[1]), call.arguments[2]}};
    buffers->name_at = call.arguments[4];
    buffers->name_size = static_cast<socklen_t>(call.arguments[5]);
  }
  const auto sent = buffers ? send_one(asked, *buffers) : unexpected(buffers.error());
  call.listener->reply(call, answer(sent));
}

void Supervisor::send_messages(const Asked& asked) {
  const Call& call = asked.call;
  if (asked.socket.is_stream() && (call.int_argument(3) & MSG_OOB) != 0) {
    note("sendmmsg of urgent data is not supported; sendmsg is");
    call.listener->reply(call, Errno::not_supported);
    return;
  }
  if (asked.socket.is_stream()) {
    call.listener->let_run(call);
    return;
  }
  const std::size_t count =
      std::min<std::size_t>(call.arguments[2] & 0xffffffff, datagrams_per_call_max);
  std::size_t done = 0;
  Result<std::size_t> last = std::size_t{0};
  for (; done < count; ++done) {
    const std::uint64_t entry = call.arguments[1] + done * entry_bytes;
    const auto buffers = read_header(call.thread, entry);
    last = buffers ? send_one(asked, *buffers) : unexpected(buffers.error());
    if (!last) break;
    const auto size = static_cast<unsigned>(*last);
    if (!write_value(call.thread, entry + offsetof(mmsghdr, msg_len), size)) {
      last = unexpected(Errno::bad_address);
      break;
    }
  }
  call.listener->reply(call, done > 0 ? static_cast<std::int64_t>(done) : answer(last));
}

// An entry of the error queue (MSG_ERRQUEUE): never waits.
Result<std::size_t> Supervisor::receive_queued_error(const Asked& asked, Buffers& buffers) {
  if (asked.socket.is_stream()) return unexpected(Errno::try_again);
  const auto error = host_.sockets->take_error(asked.socket.handle);
  if (!error || buffers.header_at == 0) return unexpected(Errno::try_again);
  const pid_t thread = asked.call.thread;
  const std::string control = error_as_control(now(), asked.socket, *error);
  msghdr header{};
  if (!read_value(thread, buffers.header_at, header)) return unexpected(Errno::bad_address);
  const SocketAddress name = to_sockaddr(error->destination, asked.socket.family);
  const std::size_t given = control.size() <= buffers.control_size ? control.size() : 0;
  if (buffers.name_at != 0) {
    if (!write_memory(thread, buffers.name_at, &name.storage,
                      std::min(buffers.name_size, name.size)))
      return unexpected(Errno::bad_address);
    header.msg_namelen = name.size;
  }
  header.msg_controllen = given;
  header.msg_flags = MSG_ERRQUEUE | (given < control.size() ? MSG_CTRUNC : 0);
  if (!write_memory(thread, buffers.control_at, control.data(), given) ||
      !scatter(thread, buffers.parts, error->payload) ||
      !write_value(thread, buffers.header_at, header))
    return unexpected(Errno::bad_address);
  std::size_t room = 0;
  for (const iovec& part : buffers.parts) room += part.iov_len;
  return std::min(room, error->payload.size());
}

// A datagram in buffer_.
struct Supervisor::Taken {
  std::size_t size = 0;
  socket::DatagramFacts facts;
  bool is_end = false;  // no datagram: the program has shut the direction
};

// The next datagram out of the pair. try_again: there is none. An error that only the error queue
// has (MSG_ERRQUEUE) makes a program look, but is none of a receive's business: it goes on.
Result<Supervisor::Taken> Supervisor::next_datagram(const Asked& asked, bool only_looks) {
  VirtualSocket& socket = asked.socket;
  for (bool has_pushed = false;;) {
    if (!socket.pair_name.empty()) {
      if (const auto error = take_pending_error(socket)) return unexpected(*error);
    }
    resynchronise(socket);
    if (socket.queued.empty() && !has_pushed) {
      push_datagrams(socket);
      has_pushed = true;
      continue;
    }
    if (socket.queued.empty()) break;
    if (socket.shows_error) hush(asked);
    const QueuedDatagram front = socket.queued.front();
    const bool stays = only_looks && !front.error;
    const ssize_t full = recv(asked.theirs.get(), buffer_.data(), buffer_.size(),
                              MSG_DONTWAIT | MSG_TRUNC | (stays ? MSG_PEEK : 0));
    if (full < 0) return unexpected(Errno::try_again);
    if (!stays) socket.queued.pop_front();
    if (!front.error) return Taken{.size = static_cast<std::size_t>(full), .facts = front.facts};
    if (*front.error != Errno::try_again) return unexpected(*front.error);
    if (const auto error = take_pending_error(socket)) return unexpected(*error);
  }
  // The end, after the program's own shutdown.
  if (host_.sockets->readiness(socket.handle).read_closed)
    return Taken{.size = 0, .facts = {}, .is_end = true};
  return unexpected(Errno::try_again);
}

// One datagram, with its facts, to where the program wants it. try_again: there is none.
Result<std::size_t> Supervisor::receive_one(const Asked& asked, Buffers& buffers, int flags) {
  const VirtualSocket& socket = asked.socket;
  const pid_t thread = asked.call.thread;
  const auto taken = next_datagram(asked, (flags & MSG_PEEK) != 0);
  if (!taken) return unexpected(taken.error());
  if (taken->is_end) return 0;
  std::size_t room = 0;
  for (const iovec& part : buffers.parts) room += part.iov_len;
  const std::size_t size = taken->size;
  const Bytes bytes = Bytes(buffer_).first(std::min(size, room));
  const SocketAddress name = to_sockaddr(taken->facts.peer, socket.family);
  if (!scatter(thread, buffers.parts, bytes)) return unexpected(Errno::bad_address);
  if (buffers.header_at == 0) {
    if (!give_address(thread, buffers.name_at, buffers.name_size_at, name))
      return unexpected(Errno::bad_address);
    return (flags & MSG_TRUNC) != 0 ? size : bytes.size();
  }
  msghdr header{};
  if (!read_value(thread, buffers.header_at, header)) return unexpected(Errno::bad_address);
  const std::string control = facts_as_control(socket, taken->facts);
  const std::size_t given = control.size() <= buffers.control_size ? control.size() : 0;
  if (buffers.name_at != 0) {
    if (!write_memory(thread, buffers.name_at, &name.storage,
                      std::min(buffers.name_size, name.size)))
      return unexpected(Errno::bad_address);
  }
  header.msg_namelen = buffers.name_at != 0 ? name.size : 0;
  header.msg_controllen = given;
  header.msg_flags = (size > room ? MSG_TRUNC : 0) | (given < control.size() ? MSG_CTRUNC : 0);
  if (!write_memory(thread, buffers.control_at, control.data(), given) ||
      !write_value(thread, buffers.header_at, header))
    return unexpected(Errno::bad_address);
  return (flags & MSG_TRUNC) != 0 ? size : bytes.size();
}

void Supervisor::receive_datagram(const Asked& asked) {
  const Call& call = asked.call;
  const bool has_header = call.number == __NR_recvmsg;
  const int flags = call.int_argument(has_header ? 2 : 3);
  const bool wants_error = (flags & MSG_ERRQUEUE) != 0;
  if (asked.socket.is_stream() && !wants_error) {
    const bool is_fresh = asked.socket.stage == VirtualSocket::Stage::fresh ||
                          asked.socket.stage == VirtualSocket::Stage::listening;
    if (is_fresh) {
      call.listener->reply(call, Errno::not_connected);
    } else {
      call.listener->let_run(call);
    }
    return;
  }
  Result<Buffers> buffers = Buffers{};
  if (has_header) {
    buffers = read_header(call.thread, call.arguments[1]);
  } else {
    buffers->parts = {{std::bit_cast<void*>(call.arguments[1]), call.arguments[2]}};
    buffers->name_at = call.arguments[4];
    buffers->name_size_at = call.arguments[5];
  }
  Result<std::size_t> got = unexpected(Errno::try_again);
  if (!buffers) {
    got = unexpected(buffers.error());
  } else {
    got = wants_error ? receive_queued_error(asked, *buffers) : receive_one(asked, *buffers, flags);
  }
  const bool may_wait = !wants_error && (flags & MSG_DONTWAIT) == 0 && !asked.is_nonblocking();
  if (!got && got.error() == Errno::try_again && may_wait) {
    hold(asked, Waits::receive);
    return;
  }
  settle_error(asked);
  call.listener->reply(call, answer(got));
}

// As many as there are; waits for the first only.
void Supervisor::receive_messages(const Asked& asked) {
  const Call& call = asked.call;
  if (asked.socket.is_stream()) {
    call.listener->let_run(call);
    return;
  }
  const int flags = call.int_argument(3);
  const std::size_t count =
      std::min<std::size_t>(call.arguments[2] & 0xffffffff, datagrams_per_call_max);
  std::size_t done = 0;
  Result<std::size_t> last = unexpected(Errno::try_again);
  for (; done < count; ++done) {
    const std::uint64_t entry = call.arguments[1] + done * entry_bytes;
    auto buffers = read_header(call.thread, entry);
    if (!buffers) {
      last = unexpected(buffers.error());
    } else if ((flags & MSG_ERRQUEUE) != 0) {
      last = receive_queued_error(asked, *buffers);
    } else {
      last = receive_one(asked, *buffers, flags & ~MSG_WAITFORONE);
    }
    if (!last) break;
    const auto size = static_cast<unsigned>(*last);
    if (!write_value(call.thread, entry + offsetof(mmsghdr, msg_len), size)) break;
  }
  const bool may_wait = (flags & (MSG_DONTWAIT | MSG_ERRQUEUE)) == 0 && !asked.is_nonblocking();
  if (done == 0 && !last && last.error() == Errno::try_again && may_wait) {
    hold(asked, Waits::receive);
    return;
  }
  settle_error(asked);
  call.listener->reply(call, done > 0 ? static_cast<std::int64_t>(done) : answer(last));
}

}  // namespace lanyard::guest
