// SPDX-License-Identifier: Apache-2.0
#include "guest/diagnosis.hh"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

#include "guest/buffers.hh"
#include "guest/tracee.hh"

namespace lanyard::guest {

namespace {

using socket::Option;

constexpr std::size_t buffer_bytes = 64 * 1024;
constexpr int type_mask = 0xf;

// As getsockname does: as much as there is room for, and the size there would have been.
std::int64_t give_name(const Call& call, std::uint32_t port) {
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_pid = port;
  socklen_t room = 0;
  const bool done = read_value(call.thread, call.arguments[2], room) &&
                    write_memory(call.thread, call.arguments[1], &name,
                                 std::min<std::size_t>(room, sizeof name)) &&
                    write_value(call.thread, call.arguments[2], socklen_t{sizeof name});
  return done ? 0 : -EFAULT;
}

// Options that only change how much errors say are taken; events are not told, so nobody joins.
void set_option(const Call& call) {
  const int level = call.int_argument(1), name = call.int_argument(2);
  if (level == SOL_SOCKET) {
    call.listener->let_run(call);
    return;
  }
  const bool is_known =
      level == SOL_NETLINK &&
      (name == NETLINK_EXT_ACK || name == NETLINK_CAP_ACK || name == NETLINK_GET_STRICT_CHK);
  call.listener->reply(call, is_known ? 0 : -ENOPROTOOPT);
}

}  // namespace

Diagnosis::Diagnosis(device::EventLoop& loop, socket::Sockets& sockets, Find find)
    : loop_(loop), sockets_(sockets), find_(std::move(find)), buffer_(buffer_bytes) {}

Diagnosis::~Diagnosis() {
  for (const auto& [inode, asker] : askers_) loop_.forget(asker->ours.get());
}

std::vector<DiagnosedSocket> Diagnosis::look() const {
  std::vector<DiagnosedSocket> all;
  for (socket::SocketRow& row : sockets_.rows()) all.push_back(look_at(std::move(row)));
  return all;
}

// A socket that no program here has open has no inode, as one in TIME-WAIT.
DiagnosedSocket Diagnosis::look_at(socket::SocketRow&& row) const {
  DiagnosedSocket one;
  one.row = std::move(row);
  one.family = one.row.local.address.is_v4() ? AF_INET : AF_INET6;
  if (const VirtualSocket* found = find_(one.row.socket)) {
    one.family = found->family;
    one.inode = static_cast<std::uint32_t>(found->inode);
  }
  const auto ask = [this, handle = one.row.socket](Option option) {
    return sockets_.get_option(loop_.now(), handle, option);
  };
  const auto number = [&ask](Option option) {
    const auto value = ask(option);
    const auto* known = value ? std::get_if<std::int64_t>(&*value) : nullptr;
    return known == nullptr ? 0U : static_cast<std::uint32_t>(*known);
  };
  one.receive_buffer = number(Option::receive_buffer);
  one.send_buffer = number(Option::send_buffer);
  one.v6_only = one.family == AF_INET6 && number(Option::v6_only) != 0;
  const auto congestion = ask(Option::congestion);
  if (congestion) one.congestion = std::get<std::string>(*congestion);
  one.tcp_info = [ask]() -> std::optional<socket::TcpInfo> {
    const auto info = ask(Option::tcp_info);
    return info ? std::optional(std::get<socket::TcpInfo>(*info)) : std::nullopt;
  };
  return one;
}

void Diagnosis::open(const Call& call) {
  const int type = call.int_argument(1) & type_mask;
  const int flags = call.int_argument(1) & ~type_mask;
  if ((type != SOCK_RAW && type != SOCK_DGRAM) || (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) {
    call.listener->reply(call, Errno::socket_type_not_supported);
    return;
  }
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    call.listener->reply(call, Errno::too_many_files);
    return;
  }
  auto asker = std::make_unique<Asker>();
  asker->ours = Descriptor(pair[0]);
  asker->port = static_cast<std::uint32_t>(call.thread);
  const Descriptor theirs(pair[1]);
  fcntl(asker->ours.get(), F_SETFL, O_NONBLOCK);
  if ((flags & SOCK_NONBLOCK) != 0) fcntl(theirs.get(), F_SETFL, O_NONBLOCK);
  const std::uint64_t inode = inode_of(theirs);
  loop_.watch(asker->ours.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
              [this, inode](std::uint32_t events) { on_pair(inode, events); });
  askers_[inode] = std::move(asker);
  if (!call.listener->reply_descriptor(call, theirs.get(), (flags & SOCK_CLOEXEC) != 0))
    on_pair(inode, EPOLLHUP);
}

bool Diagnosis::handle(const Call& call, const Descriptor& theirs) {
  if (askers_.empty() || !theirs.is_open()) return false;
  const auto found = askers_.find(inode_of(theirs));
  if (found == askers_.end()) return false;
  Asker& asker = *found->second;
  switch (call.number) {
    case __NR_bind:
      bind(call, asker);
      break;
    case __NR_connect:
      call.listener->reply(call, 0);
      break;
    case __NR_getsockname:
      call.listener->reply(call, give_name(call, asker.port));
      break;
    case __NR_getpeername:
      call.listener->reply(call, give_name(call, 0));
      break;
    case __NR_setsockopt:
      set_option(call);
      break;
    case __NR_sendto:
    case __NR_sendmsg:
      send(call, asker);
      break;
    case __NR_recvfrom:
    case __NR_recvmsg:
      receive(call, theirs);
      hand_over(asker);
      break;
    case __NR_getsockopt:
      call.listener->let_run(call);
      break;
    default:
      call.listener->reply(call, Errno::not_supported);
  }
  return true;
}

// A program may choose its port; no other socket here is told apart by it.
void Diagnosis::bind(const Call& call, Asker& asker) {
  sockaddr_nl name{};
  if (call.arguments[2] < sizeof name || !read_value(call.thread, call.arguments[1], name)) {
    call.listener->reply(call, Errno::invalid);
    return;
  }
  if (name.nl_groups != 0) {
    call.listener->reply(call, Errno::not_supported);
    return;
  }
  if (name.nl_pid != 0) asker.port = name.nl_pid;
  call.listener->reply(call, 0);
}

// What is written without an address, and the end.
void Diagnosis::on_pair(std::uint64_t inode, std::uint32_t events) {
  const auto found = askers_.find(inode);
  if (found == askers_.end()) return;
  Asker& asker = *found->second;
  for (;;) {
    const ssize_t got =
        recv(asker.ours.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (got <= 0) break;
    answer(asker, Bytes(buffer_).first(static_cast<std::size_t>(got)));
  }
  hand_over(asker);
  if ((events & (EPOLLHUP | EPOLLRDHUP)) == 0) return;
  loop_.forget(asker.ours.get());
  askers_.erase(found);
}

void Diagnosis::send(const Call& call, Asker& asker) {
  Result<Buffers> buffers = Buffers{};
  if (call.number == __NR_sendmsg) {
    buffers = read_header(call.thread, call.arguments[1]);
  } else {
    buffers->parts = {{std::bit_cast<void*>(call.arguments[1]), call.arguments[2]}};
  }
  std::size_t size = 0;
  if (!buffers || !gather(call.thread, buffers->parts, MutableBytes(buffer_), size)) {
    call.listener->reply(call, buffers ? Errno::bad_address : buffers.error());
    return;
  }
  answer(asker, Bytes(buffer_).first(size));
  hand_over(asker);
  call.listener->reply(call, static_cast<std::int64_t>(size));
}

void Diagnosis::answer(Asker& asker, Bytes requests) {
  for (std::string& datagram : answer_diagnosis(requests, asker.port, look()))
    asker.answers.push_back(std::move(datagram));
}

void Diagnosis::hand_over(Asker& asker) {
  while (!asker.answers.empty()) {
    const std::string& next = asker.answers.front();
    if (::send(asker.ours.get(), next.data(), next.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return;
    asker.answers.pop_front();
  }
}

// The kernel, port 0, is who answers; a pair would name nobody.
void Diagnosis::receive(const Call& call, const Descriptor& theirs) {
  const bool has_header = call.number == __NR_recvmsg;
  const int flags = call.int_argument(has_header ? 2 : 3);
  const ssize_t full = recv(theirs.get(), buffer_.data(), buffer_.size(),
                            MSG_DONTWAIT | MSG_TRUNC | (flags & MSG_PEEK));
  if (full < 0) {
    call.listener->let_run(call);  // it waits, or says that there is nothing, as the kernel does
    return;
  }
  const auto size = static_cast<std::size_t>(full);
  Result<Buffers> buffers = Buffers{};
  if (has_header) {
    buffers = read_header(call.thread, call.arguments[1]);
  } else {
    buffers->parts = {{std::bit_cast<void*>(call.arguments[1]), call.arguments[2]}};
  }
  if (!buffers || !scatter(call.thread, buffers->parts, Bytes(buffer_).first(size))) {
    call.listener->reply(call, Errno::bad_address);
    return;
  }
  std::size_t room = 0;
  for (const iovec& part : buffers->parts) room += part.iov_len;
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  bool done = true;
  if (has_header) {
    msghdr header{};
    done = read_value(call.thread, buffers->header_at, header);
    if (buffers->name_at != 0) {
      done = done && write_memory(call.thread, buffers->name_at, &name,
                                  std::min<std::size_t>(buffers->name_size, sizeof name));
      header.msg_namelen = sizeof name;
    }
    header.msg_controllen = 0;
    header.msg_flags = size > room ? MSG_TRUNC : 0;
    done = done && write_value(call.thread, buffers->header_at, header);
  } else if (call.arguments[4] != 0) {
    done = write_memory(call.thread, call.arguments[4], &name, sizeof name) &&
           write_value(call.thread, call.arguments[5], socklen_t{sizeof name});
  }
  const bool tells_all = (flags & MSG_TRUNC) != 0;
  call.listener->reply(
      call, done ? static_cast<std::int64_t>(tells_all ? size : std::min(size, room)) : -EFAULT);
}

}  // namespace lanyard::guest
