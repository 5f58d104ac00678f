// SPDX-License-Identifier: Apache-2.0
// socket, bind, listen, accept, connect, shutdown.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

#include "guest/supervisor.hh"

namespace lanyard::guest {

namespace {

constexpr int type_mask = 0xf;
constexpr int type_max = 10;  // SOCK_PACKET, the last there is

socket::Type type_of(int type) {
  if (type == SOCK_STREAM) return socket::Type::stream;
  return type == SOCK_RAW ? socket::Type::raw : socket::Type::datagram;
}

int accept_flags(const Call& call) {
  return call.number == __NR_accept4 ? call.int_argument(3) : 0;
}

}  // namespace

void Supervisor::open_socket(const Call& call) {
  const int family = call.int_argument(0);
  const int type = call.int_argument(1) & type_mask;
  const int protocol = call.int_argument(2);
  if (family == AF_PACKET) {
    note("socket(AF_PACKET): packet sockets see a kernel's interfaces; use a host of kind linux");
    call.listener->reply(call, Errno::family_not_supported);
    return;
  }
  if (family == AF_NETLINK) return diagnosis_.open(call);
  const int flags = call.int_argument(1) & ~type_mask;
  if (type > type_max || (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) {
    call.listener->reply(call, Errno::invalid);
    return;
  }
  if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_RAW) {
    call.listener->reply(call, Errno::socket_type_not_supported);
    return;
  }
  look_for_unnamed();
  const Family ip = family == AF_INET6 ? Family::ipv6 : Family::ipv4;
  const auto handle = host_.sockets->open(ip, type_of(type), protocol);
  was_touched_ = true;
  if (!handle) {
    call.listener->reply(call, handle.error());
    return;
  }
  Descriptor theirs;
  VirtualSocket* socket = adopt(*handle, family, type, protocol, theirs);
  if (socket == nullptr) {
    call.listener->reply(call, Errno::too_many_files);
    return;
  }
  if ((flags & SOCK_NONBLOCK) != 0) fcntl(theirs.get(), F_SETFL, O_NONBLOCK);
  const bool closes_on_exec = (flags & SOCK_CLOEXEC) != 0;
  const bool was_given = call.listener->reply_descriptor(call, theirs.get(), closes_on_exec);
  theirs.close();
  if (!was_given) erase(*socket);
}

// A pair for a socket of the stack; the program's end is left in `theirs`. Null: no descriptors.
VirtualSocket* Supervisor::adopt(socket::Handle handle, int family, int type, int protocol,
                                 Descriptor& theirs) {
  auto socket = std::make_unique<VirtualSocket>();
  socket->family = family;
  socket->type = type;
  socket->protocol = protocol;
  const int kind = type == SOCK_STREAM ? SOCK_STREAM : SOCK_SEQPACKET;
  if (!open_pair(*socket, kind, theirs)) {
    (void)host_.sockets->close(now(), handle);
    return nullptr;
  }
  socket->handle = handle;
  if (type != SOCK_STREAM) socket->stage = VirtualSocket::Stage::connected;
  host_.sockets->set_waker(handle, this);
  by_handle_[handle] = socket.get();
  const std::uint64_t inode = socket->inode;
  return (by_inode_[inode] = std::move(socket)).get();
}

// A pair whose other end is the socket's; false: no descriptors.
bool Supervisor::open_pair(VirtualSocket& socket, int kind, Descriptor& theirs) {
  int pair[2];
  if (socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, pair) != 0) return false;
  socket.ours = Descriptor(pair[0]);
  theirs = Descriptor(pair[1]);
  fcntl(socket.ours.get(), F_SETFL, O_NONBLOCK);
  socket.inode = inode_of(theirs);
  watch_pair(socket);
  return true;
}

// A stream's pair has room nearly always: it tells of it only once it had none, or every read of
// the program would wake us.
void Supervisor::watch_pair(const VirtualSocket& socket) {
  const bool wants_room = !socket.is_stream() || socket.waits_for_room;
  const std::uint32_t room = wants_room ? EPOLLOUT : 0U;
  loop_.watch(socket.ours.get(), EPOLLIN | EPOLLRDHUP | EPOLLET | room,
              [this, inode = socket.inode](std::uint32_t events) {
                if (VirtualSocket* found = find(inode)) on_pair(*found, events);
                on_round_ended();
              });
}

Result<Endpoint> Supervisor::address_argument(const Asked& asked, std::size_t index) const {
  const auto size = static_cast<socklen_t>(asked.call.arguments.at(index + 1));
  sockaddr_storage storage{};
  if (size > sizeof storage) return unexpected(Errno::invalid);
  if (!read_memory(asked.call.thread, asked.call.arguments.at(index), &storage, size))
    return unexpected(Errno::bad_address);
  return from_sockaddr(storage, size, asked.socket.family);
}

// As the kernel: as much as there is room for, and the size there would have been.
bool Supervisor::give_address(pid_t thread, std::uint64_t to, std::uint64_t size_at,
                              const SocketAddress& address) const {
  if (to == 0) return true;
  socklen_t room = 0;
  if (!read_value(thread, size_at, room)) return false;
  return write_memory(thread, to, &address.storage, std::min(room, address.size)) &&
         write_value(thread, size_at, address.size);
}

void Supervisor::bind(const Asked& asked) {
  const auto local = address_argument(asked, 1);
  if (!local) {
    asked.call.listener->reply(asked.call, local.error());
    return;
  }
  const std::uint64_t inode = asked.socket.inode;
  look_for_closed(false);
  auto bound = host_.sockets->bind(asked.socket.handle, *local);
  if (!bound && bound.error() == Errno::address_in_use) {
    // Whoever holds the address may have closed it a moment ago.
    look_for_closed(true);
    if (find(inode) != nullptr) bound = host_.sockets->bind(asked.socket.handle, *local);
  }
  asked.call.listener->reply(asked.call, bound);
}

void Supervisor::listen(const Asked& asked) {
  VirtualSocket& socket = asked.socket;
  if (!socket.is_stream()) {
    asked.call.listener->reply(asked.call, Errno::not_supported);
    return;
  }
  look_for_closed(false);
  const auto done = host_.sockets->listen(now(), socket.handle, asked.call.int_argument(1));
  if (done && socket.stage != VirtualSocket::Stage::listening) {
    socket.stage = VirtualSocket::Stage::listening;
    hide_writability(asked);
  }
  asked.call.listener->reply(asked.call, done);
  announce(socket);
}

// One byte in the program's end for every connection that waits, so that poll, select and epoll
// tell of it.
void Supervisor::announce(VirtualSocket& listener) {
  constexpr std::size_t announced_max = 4096;
  const bool is_ready =
      !listener.undelivered.empty() || host_.sockets->readiness(listener.handle).readable;
  if (!is_ready || listener.announced >= announced_max) return;
  const char byte = 'c';
  if (send(listener.ours.get(), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) ++listener.announced;
}

void Supervisor::accept(const Asked& asked) {
  VirtualSocket& socket = asked.socket;
  if ((accept_flags(asked.call) & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) {
    asked.call.listener->reply(asked.call, Errno::invalid);
    return;
  }
  if (socket.stage != VirtualSocket::Stage::listening) {
    asked.call.listener->reply(asked.call,
                               socket.is_stream() ? Errno::invalid : Errno::not_supported);
    return;
  }
  if (socket.undelivered.empty()) {
    const auto accepted = host_.sockets->accept(now(), socket.handle);
    if (accepted) {
      socket.undelivered.push_back(*accepted);
    } else if (accepted.error() != Errno::try_again) {
      asked.call.listener->reply(asked.call, accepted.error());
      return;
    }
  }
  if (!socket.undelivered.empty()) {
    if (deliver_accepted(asked)) socket.undelivered.pop_front();
  } else if (asked.is_nonblocking()) {
    asked.call.listener->reply(asked.call, Errno::try_again);
  } else {
    hold(asked, Waits::accept);
  }
  // What is announced is what is there.
  const bool is_ready =
      !socket.undelivered.empty() || host_.sockets->readiness(socket.handle).readable;
  const std::size_t keep = is_ready ? 1 : 0;
  char bytes[64];
  while (socket.announced > keep) {
    const std::size_t want = std::min(sizeof bytes, is_ready ? 1 : socket.announced);
    const ssize_t got = recv(asked.theirs.get(), bytes, want, MSG_DONTWAIT);
    if (got <= 0) break;
    socket.announced -= static_cast<std::size_t>(got);
    if (is_ready) break;
  }
  if (is_ready && socket.announced == 0) announce(socket);
}

// Hands the first accepted connection to the waiting call. False: the call was gone, and the
// connection waits for the next.
bool Supervisor::deliver_accepted(const Asked& asked) {
  const socket::Accepted accepted = asked.socket.undelivered.front();
  const Call& call = asked.call;
  const int flags = accept_flags(call);
  const SocketAddress peer = to_sockaddr(accepted.peer, asked.socket.family);
  if (!give_address(call.thread, call.arguments[1], call.arguments[2], peer)) {
    call.listener->reply(call, Errno::bad_address);
    return false;
  }
  Descriptor theirs;
  VirtualSocket* made =
      adopt(accepted.socket, asked.socket.family, SOCK_STREAM, asked.socket.protocol, theirs);
  if (made == nullptr) {
    call.listener->reply(call, Errno::too_many_files);
    return true;  // the stack's socket is closed
  }
  made->stage = VirtualSocket::Stage::connected;
  int is_inline = 0;
  socklen_t size = sizeof is_inline;
  getsockopt(asked.theirs.get(), SOL_SOCKET, SO_OOBINLINE, &is_inline, &size);
  if (is_inline != 0)
    setsockopt(theirs.get(), SOL_SOCKET, SO_OOBINLINE, &is_inline, sizeof is_inline);
  if ((flags & SOCK_NONBLOCK) != 0) fcntl(theirs.get(), F_SETFL, O_NONBLOCK);
  if (!call.listener->reply_descriptor(call, theirs.get(), (flags & SOCK_CLOEXEC) != 0)) {
    // Undo the pair, keep the connection.
    loop_.forget(made->ours.get());
    host_.sockets->set_waker(accepted.socket, nullptr);
    by_handle_.erase(accepted.socket);
    by_inode_.erase(made->inode);
    return false;
  }
  mark_dirty(*made);
  return true;
}

void Supervisor::connect(const Asked& asked) {
  sa_family_t family = AF_UNSPEC;
  const auto size = static_cast<socklen_t>(asked.call.arguments[2]);
  if (size < sizeof family) {
    asked.call.listener->reply(asked.call, Errno::invalid);
    return;
  }
  if (!read_value(asked.call.thread, asked.call.arguments[1], family)) {
    asked.call.listener->reply(asked.call, Errno::bad_address);
    return;
  }
  if (family == AF_UNSPEC) {
    asked.call.listener->reply(asked.call, host_.sockets->disconnect(now(), asked.socket.handle));
    return;
  }
  const auto peer = address_argument(asked, 1);
  if (!peer) {
    asked.call.listener->reply(asked.call, peer.error());
    return;
  }
  look_for_closed(false);
  if (asked.socket.is_stream()) {
    connect_stream(asked, *peer);
    return;
  }
  asked.call.listener->reply(asked.call, host_.sockets->connect(now(), asked.socket.handle, *peer));
}

void Supervisor::connect_stream(const Asked& asked, const Endpoint& peer) {
  VirtualSocket& socket = asked.socket;
  if (socket.stage == VirtualSocket::Stage::failed || socket.stage == VirtualSocket::Stage::over) {
    asked.call.listener->reply(
        asked.call, std::exchange(socket.error, std::nullopt).value_or(Errno::connection_aborted));
    return;
  }
  const auto done = host_.sockets->connect(now(), socket.handle, peer);
  const bool goes_on =
      !done && (done.error() == Errno::in_progress || done.error() == Errno::already_in_progress);
  if (!goes_on) {
    // A blocking attempt that failed leaves the socket as it was.
    if (!done && socket.stage == VirtualSocket::Stage::connecting)
      socket.stage = VirtualSocket::Stage::fresh;
    asked.call.listener->reply(asked.call, done);
    if (done && socket.stage == VirtualSocket::Stage::connecting) connection_made(socket);
    return;
  }
  const bool is_first = socket.stage == VirtualSocket::Stage::fresh;
  socket.stage = VirtualSocket::Stage::connecting;
  if (!asked.is_nonblocking()) {
    hold(asked, Waits::connect);
  } else {
    if (is_first) hide_writability(asked);
    asked.call.listener->reply(asked.call, done.error());
  }
  mark_dirty(socket);  // over loopback it may be there already
}

void Supervisor::look_at_connecting(VirtualSocket& socket) {
  const socket::Readiness readiness = host_.sockets->readiness(socket.handle);
  const bool has_peer = host_.sockets->peer_endpoint(socket.handle).has_value();
  if (!has_peer && !readiness.failed && !readiness.hung_up && !readiness.writable) return;
  const auto waits = [&](const Held& held) {
    return held.inode == socket.inode && held.waits == Waits::connect;
  };
  const std::uint64_t inode = socket.inode;
  if (std::any_of(held_.begin(), held_.end(), waits)) {
    try_held(socket);
    if (find(inode) == nullptr || socket.stage != VirtualSocket::Stage::connecting) return;
  }
  if (has_peer && !readiness.failed) {
    connection_made(socket);
  } else {
    connection_failed(socket);
  }
}

void Supervisor::connection_made(VirtualSocket& socket) {
  socket.stage = VirtualSocket::Stage::connected;
  socket.local = *host_.sockets->local_endpoint(socket.handle);
  if (const auto peer = host_.sockets->peer_endpoint(socket.handle)) socket.peer = *peer;
  if (socket.junk > 0) show_writability(socket);
  mark_dirty(socket);
}

// A non-blocking attempt failed: closing our end with its junk unread makes the program's end poll
// as a failed TCP socket does; which error it was, SO_ERROR says.
void Supervisor::connection_failed(VirtualSocket& socket) {
  const auto error = host_.sockets->get_option(now(), socket.handle, socket::Option::error);
  const auto* number = error ? std::get_if<std::int64_t>(&*error) : nullptr;
  socket.error =
      number != nullptr && *number != 0 ? static_cast<Errno>(*number) : Errno::connection_refused;
  retire(socket, VirtualSocket::Stage::failed);
}

void Supervisor::shutdown(const Asked& asked) {
  VirtualSocket& socket = asked.socket;
  const int how = asked.call.int_argument(1);
  if (how < SHUT_RD || how > SHUT_RDWR) {
    asked.call.listener->reply(asked.call, Errno::invalid);
    return;
  }
  if (socket.is_stream() && socket.stage == VirtualSocket::Stage::connected) {
    // Natively: what was written goes out first, and our end then reads the end. Both directions
    // at once looks like a close, so it is remembered.
    socket.was_shut_both = socket.was_shut_both || how == SHUT_RDWR;
    asked.call.listener->let_run(asked.call);
    return;
  }
  const auto direction = how == SHUT_RD   ? socket::Shutdown::read
                         : how == SHUT_WR ? socket::Shutdown::write
                                          : socket::Shutdown::both;
  if (socket.stage == VirtualSocket::Stage::over || socket.stage == VirtualSocket::Stage::failed) {
    // A connection the peer has not ended yet may be shut again.
    const bool is_half_open = socket.was_shut_both && !socket.network_ended;
    asked.call.listener->reply(asked.call, is_half_open ? 0 : -ENOTCONN);
    return;
  }
  const auto done = host_.sockets->shutdown(now(), socket.handle, direction);
  if (socket.stage == VirtualSocket::Stage::listening && done && how != SHUT_WR) {
    // Accepts that wait are told EINVAL by the stack's socket.
    asked.call.listener->reply(asked.call, 0);
    try_held(socket);
    return;
  }
  if (!socket.is_stream() && done) {
    asked.call.listener->let_run(asked.call);
    return;
  }
  asked.call.listener->reply(asked.call, done);
}

}  // namespace lanyard::guest
