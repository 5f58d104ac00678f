// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/calls.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>

#include "lab/drill/constants.hh"

namespace lanyard::lab::drill {

namespace {

constexpr std::int64_t type_mask = 0xf;

// Its number is taken when the script names it; until then it has this one.
constexpr std::int64_t descriptors_max = 4096;

}  // namespace

SystemCalls::SystemCalls(socket::Sockets& sockets, const Setup& setup)
    : sockets_(sockets), setup_(setup) {}

const std::map<std::string_view, SystemCalls::Call>& SystemCalls::table() {
  static const std::map<std::string_view, Call> calls{
      {"socket", &SystemCalls::open},
      {"bind", &SystemCalls::bind},
      {"listen", &SystemCalls::listen},
      {"accept", &SystemCalls::accept},
      {"accept4", &SystemCalls::accept},
      {"connect", &SystemCalls::connect},
      {"close", &SystemCalls::close},
      {"shutdown", &SystemCalls::shutdown},
      {"fcntl", &SystemCalls::control},
      {"ioctl", &SystemCalls::io_control},
      {"getsockname", &SystemCalls::name_of},
      {"getpeername", &SystemCalls::name_of},
      {"write", &SystemCalls::send},
      {"send", &SystemCalls::send},
      {"sendto", &SystemCalls::send},
      {"writev", &SystemCalls::send_vector},
      {"sendmsg", &SystemCalls::send_message},
      {"open", &SystemCalls::open_file},
      {"sendfile", &SystemCalls::send_file},
      {"pipe", &SystemCalls::make_pipe},
      {"splice", &SystemCalls::splice},
      {"read", &SystemCalls::receive},
      {"recv", &SystemCalls::receive},
      {"recvfrom", &SystemCalls::receive},
      {"readv", &SystemCalls::receive_vector},
      {"recvmsg", &SystemCalls::receive_message},
      {"setsockopt", &SystemCalls::set_option},
      {"getsockopt", &SystemCalls::get_option},
      {"poll", &SystemCalls::poll},
      {"epoll_create", &SystemCalls::watch},
      {"epoll_create1", &SystemCalls::watch},
      {"epoll_ctl", &SystemCalls::watch_one},
      {"epoll_wait", &SystemCalls::watch_wait},
  };
  return calls;
}

void SystemCalls::begin(Instant now) {
  began_at_ = now;
  gives_up_at_ = Instant::never();
  sent_ = early_ = 0;
  has_connected_ = false;
  gathered_.clear();
  opened_.reset();
}

std::optional<Returned> SystemCalls::attempt(Instant now, const CallEvent& call, Mark mark) {
  now_ = now;
  said_ = call.result.kind == Expression::Kind::number ? call.result.number : -1;
  const auto found = table().find(call.name);
  if (found == table().end()) {
    Arguments::unsupported(mark, fmt::format("the system call `{}` is not known", call.name));
  }
  return (this->*found->second)(Arguments(call, mark));
}

void SystemCalls::name_opened(std::int64_t number) {
  if (!opened_) return;
  if (opened_->handle != socket::Handle::none) current_ = opened_->handle;
  descriptors_[number] = *opened_;
  opened_.reset();
}

std::optional<socket::TcpInfo> SystemCalls::info(Instant now) const {
  if (current_ == socket::Handle::none) return std::nullopt;
  const auto value = sockets_.get_option(now, current_, socket::Option::tcp_info);
  if (!value || !std::holds_alternative<socket::TcpInfo>(*value)) return std::nullopt;
  return std::get<socket::TcpInfo>(*value);
}

Descriptor* SystemCalls::find(std::int64_t number) {
  const auto found = descriptors_.find(number);
  return found == descriptors_.end() ? nullptr : &found->second;
}

SystemCalls::Answer SystemCalls::returned(const Result<void>& result) {
  return result ? Returned{} : Returned{-1, result.error(), false};
}

// The socket has nothing to say now: EAGAIN, or wait.
SystemCalls::Answer SystemCalls::blocks(const Descriptor& descriptor, std::int64_t flags,
                                        Duration timeout) {
  if (descriptor.is_nonblocking || (flags & MSG_DONTWAIT) != 0) return failed(Errno::try_again);
  if (timeout == Duration::infinite()) return std::nullopt;
  gives_up_at_ = began_at_ + timeout;
  if (now_ >= gives_up_at_) return failed(Errno::try_again);
  return std::nullopt;
}

SystemCalls::Answer SystemCalls::open(const Arguments& a) {
  a.expect_count(3, 3);
  Descriptor descriptor;
  descriptor.family = setup_.socket_family();
  if (!a.is_ellipsis(0)) {
    const std::int64_t domain = a.number(0);
    if (domain != AF_INET && domain != AF_INET6) return failed(Errno::family_not_supported);
    descriptor.family = domain == AF_INET ? Family::ipv4 : Family::ipv6;
  }
  const std::int64_t type = a.number(1);
  constexpr std::array<std::pair<std::int64_t, socket::Type>, 3> types{
      {{SOCK_STREAM, socket::Type::stream},
       {SOCK_DGRAM, socket::Type::datagram},
       {SOCK_RAW, socket::Type::raw}}};
  bool is_known = false;
  for (const auto& [number, kind] : types) {
    if (number != (type & type_mask)) continue;
    descriptor.type = kind;
    is_known = true;
  }
  if (!is_known) return failed(Errno::socket_type_not_supported);
  descriptor.is_nonblocking = (type & SOCK_NONBLOCK) != 0;
  const auto handle =
      sockets_.open(descriptor.family, descriptor.type, static_cast<int>(a.number_or(2, 0)));
  if (!handle) return failed(handle.error());
  if (descriptors_.size() >= descriptors_max) return failed(Errno::too_many_files);
  descriptor.handle = *handle;
  opened(descriptor);
  return Returned{0, std::nullopt, true};
}

SystemCalls::Answer SystemCalls::bind(const Arguments& a) {
  a.expect_count(2, 3);
  const Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  const Endpoint local = a.is_ellipsis(1) ? Endpoint{setup_.local, setup_.bind_port}
                                          : socket_address(a.at(1)).endpoint;
  return returned(sockets_.bind(descriptor->handle, local));
}

SystemCalls::Answer SystemCalls::listen(const Arguments& a) {
  a.expect_count(2, 2);
  const Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  return returned(sockets_.listen(now_, descriptor->handle, static_cast<int>(a.number(1))));
}

SystemCalls::Answer SystemCalls::accept(const Arguments& a) {
  a.expect_count(3, 4);
  const Descriptor* listener = find(a.number(0));
  if (listener == nullptr) return failed(Errno::bad_descriptor);
  const auto accepted = sockets_.accept(now_, listener->handle);
  if (!accepted && accepted.error() == Errno::try_again) {
    return blocks(*listener, 0, listener->receive_timeout);
  }
  if (!accepted) return failed(accepted.error());
  Descriptor descriptor = *listener;
  descriptor.handle = accepted->socket;
  descriptor.copies = {.is_asked = listener->copies.is_asked};
  descriptor.is_nonblocking = (a.number_or(3, 0) & SOCK_NONBLOCK) != 0;
  opened(descriptor);
  return Returned{0, std::nullopt, true};
}

SystemCalls::Answer SystemCalls::connect(const Arguments& a) {
  a.expect_count(2, 3);
  Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  SocketAddress address;
  address.endpoint = {setup_.remote, setup_.connect_port};
  if (!a.is_ellipsis(1)) address = socket_address(a.at(1));
  if (address.is_unspecified) return returned(sockets_.disconnect(now_, descriptor->handle));
  current_ = descriptor->handle;
  const auto result = sockets_.connect(now_, descriptor->handle, address.endpoint);
  const bool waits = !result && (result.error() == Errno::in_progress ||
                                 result.error() == Errno::already_in_progress);
  if (!waits || descriptor->is_nonblocking) {
    descriptor->is_connecting = false;
    return returned(result);
  }
  descriptor->is_connecting = true;
  const Answer answer = blocks(*descriptor, 0, descriptor->send_timeout);
  if (!answer) return answer;
  return failed(Errno::in_progress);  // connect(2): what SO_SNDTIMEO makes of it
}

SystemCalls::Answer SystemCalls::close(const Arguments& a) {
  a.expect_count(1, 1);
  const Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  const socket::Handle handle = descriptor->handle;
  descriptors_.erase(a.number(0));
  for (auto& [number, other] : descriptors_) {
    std::erase_if(other.watched,
                  [&](const Watched& watched) { return watched.descriptor == a.number(0); });
  }
  if (handle == socket::Handle::none) return Returned{};
  return returned(sockets_.close(now_, handle));
}

SystemCalls::Answer SystemCalls::shutdown(const Arguments& a) {
  a.expect_count(2, 2);
  const Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  switch (a.number(1)) {
    case SHUT_RD:
      return returned(sockets_.shutdown(now_, descriptor->handle, socket::Shutdown::read));
    case SHUT_WR:
      return returned(sockets_.shutdown(now_, descriptor->handle, socket::Shutdown::write));
    case SHUT_RDWR:
      return returned(sockets_.shutdown(now_, descriptor->handle, socket::Shutdown::both));
    default:
      return failed(Errno::invalid);
  }
}

SystemCalls::Answer SystemCalls::control(const Arguments& a) {
  a.expect_count(2, 3);
  Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  switch (a.number(1)) {
    case F_GETFL:
      return Returned{O_RDWR | (descriptor->is_nonblocking ? O_NONBLOCK : 0), std::nullopt, false};
    case F_SETFL:
      descriptor->is_nonblocking = (a.number(2) & O_NONBLOCK) != 0;
      return Returned{};
    case F_GETFD:
    case F_SETFD:
      return Returned{};
    default:
      Arguments::unsupported(a.at(1).mark, "this command of fcntl is not known");
  }
}

SystemCalls::Answer SystemCalls::io_control(const Arguments& a) {
  a.expect_count(2, 3);
  Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  const std::int64_t request = a.number(1);
  std::int64_t value = 0;
  if (request == constant("SIOCINQ")) {
    value = static_cast<std::int64_t>(sockets_.readable_bytes(descriptor->handle));
  } else if (request == constant("SIOCOUTQ")) {
    value = static_cast<std::int64_t>(sockets_.unsent_bytes(descriptor->handle));
  } else if (request == constant("SIOCATMARK")) {
    value = sockets_.is_at_urgent_mark(descriptor->handle) ? 1 : 0;
  } else if (request == constant("SIOCOUTQNSD")) {
    const auto found = sockets_.get_option(now_, descriptor->handle, socket::Option::tcp_info);
    if (!found) return failed(found.error());
    value = std::get<socket::TcpInfo>(*found).notsent_bytes;
  } else if (request == constant("FIONBIO")) {
    descriptor->is_nonblocking = a.pointed(2) != 0;
    return Returned{};
  } else {
    Arguments::unsupported(a.at(1).mark, "this request of ioctl is not known");
  }
  if (!a.is_ellipsis(2) && a.size() > 2 && a.pointed(2) != value) {
    Arguments::failed(a.at(2).mark,
                      fmt::format("{} gives {}, not {}", a.name(), value, a.pointed(2)));
  }
  return Returned{};
}

SystemCalls::Answer SystemCalls::name_of(const Arguments& a) {
  a.expect_count(1, 3);
  const Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  const auto end = a.name() == "getsockname" ? sockets_.local_endpoint(descriptor->handle)
                                             : sockets_.peer_endpoint(descriptor->handle);
  if (!end) return failed(end.error());
  if (a.at(1).kind != Expression::Kind::structure) return Returned{};
  const Endpoint expected = socket_address(a.at(1)).endpoint;
  if (expected.address != end->address || expected.port != end->port) {
    Arguments::failed(a.at(1).mark, fmt::format("{} gives {}, not {}", a.name(), to_text(*end),
                                                to_text(expected)));
  }
  return Returned{};
}

}  // namespace lanyard::lab::drill
