// SPDX-License-Identifier: Apache-2.0
// setsockopt and getsockopt: which of Linux's options is which of ours.
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "lab/drill/calls.hh"

namespace lanyard::lab::drill {

namespace {

using Kind = Expression::Kind;
using socket::Option;

struct Row {
  std::int64_t level, name;
  Option option;
};

// Newer than the C library's headers.
constexpr std::int64_t tcp_inq = 36, tcp_fastopen_connect = 30, tcp_fastopen_no_cookie = 34;

constexpr Row rows[] = {
    {SOL_SOCKET, SO_REUSEADDR, Option::reuse_address},
    {SOL_SOCKET, SO_REUSEPORT, Option::reuse_port},
    {SOL_SOCKET, SO_KEEPALIVE, Option::keep_alive},
    {SOL_SOCKET, SO_BROADCAST, Option::broadcast},
    {SOL_SOCKET, SO_LINGER, Option::linger},
    {SOL_SOCKET, SO_SNDBUF, Option::send_buffer},
    {SOL_SOCKET, SO_RCVBUF, Option::receive_buffer},
    {SOL_SOCKET, SO_SNDBUFFORCE, Option::send_buffer},
    {SOL_SOCKET, SO_RCVBUFFORCE, Option::receive_buffer},
    {SOL_SOCKET, SO_ERROR, Option::error},
    {SOL_SOCKET, SO_TYPE, Option::type},
    {SOL_SOCKET, SO_DOMAIN, Option::domain},
    {SOL_SOCKET, SO_PROTOCOL, Option::protocol},
    {SOL_SOCKET, SO_ACCEPTCONN, Option::is_listening},
    {SOL_SOCKET, SO_OOBINLINE, Option::out_of_band_inline},
    {SOL_SOCKET, SO_PRIORITY, Option::priority},
    {SOL_SOCKET, SO_MARK, Option::mark},
    {SOL_SOCKET, SO_MAX_PACING_RATE, Option::pacing_rate_max},
    {SOL_SOCKET, SO_RCVLOWAT, Option::receive_low_water},
    {IPPROTO_TCP, TCP_NODELAY, Option::no_delay},
    {IPPROTO_TCP, TCP_MAXSEG, Option::max_segment},
    {IPPROTO_TCP, TCP_CORK, Option::cork},
    {IPPROTO_TCP, TCP_KEEPIDLE, Option::keep_idle},
    {IPPROTO_TCP, TCP_KEEPINTVL, Option::keep_interval},
    {IPPROTO_TCP, TCP_KEEPCNT, Option::keep_count},
    {IPPROTO_TCP, TCP_SYNCNT, Option::syn_count},
    {IPPROTO_TCP, TCP_LINGER2, Option::linger2},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, Option::defer_accept},
    {IPPROTO_TCP, TCP_WINDOW_CLAMP, Option::window_clamp},
    {IPPROTO_TCP, TCP_INFO, Option::tcp_info},
    {IPPROTO_TCP, TCP_QUICKACK, Option::quick_ack},
    {IPPROTO_TCP, TCP_CONGESTION, Option::congestion},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, Option::user_timeout},
    {IPPROTO_TCP, TCP_FASTOPEN, Option::fast_open},
    {IPPROTO_TCP, tcp_fastopen_connect, Option::fast_open_connect},
    {IPPROTO_TCP, tcp_fastopen_no_cookie, Option::fast_open_without_cookie},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, Option::not_sent_low_water},
    {IPPROTO_IP, IP_TTL, Option::hop_limit},
    {IPPROTO_IP, IP_TOS, Option::traffic_class},
    {IPPROTO_IP, IP_MTU, Option::mtu},
    {IPPROTO_IP, IP_RECVERR, Option::receive_errors},
    {IPPROTO_IP, IP_FREEBIND, Option::free_bind},
    {IPPROTO_IP, IP_MTU_DISCOVER, Option::dont_fragment},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, Option::dont_fragment},
    {IPPROTO_IPV6, IPV6_V6ONLY, Option::v6_only},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, Option::hop_limit},
    {IPPROTO_IPV6, IPV6_TCLASS, Option::traffic_class},
    {IPPROTO_IPV6, IPV6_RECVERR, Option::receive_errors},
    {IPPROTO_IPV6, IPV6_MTU, Option::mtu},
};

const Row* find_row(const Arguments& a) {
  const std::int64_t level = a.number(1), name = a.number(2);
  const auto found = std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) {
    return row.level == level && row.name == name;
  });
  return found == std::end(rows) ? nullptr : found;
}

bool is_timeout(const Arguments& a) {
  const std::int64_t name = a.number(2);
  return a.number(1) == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

bool is_zerocopy(const Arguments& a) {
  constexpr std::int64_t so_zerocopy = 60;
  return a.number(1) == SOL_SOCKET && a.number(2) == so_zerocopy;
}

// {tv_sec=1, tv_usec=0}; no time at all is for ever.
Duration timeout_of(const Expression& said) {
  const Expression& value = Arguments::first_of(said);
  if (value.kind != Kind::structure) Arguments::wrong(said.mark, "expected {tv_sec=1, tv_usec=0}");
  const std::int64_t seconds = Arguments::field_number(value, "tv_sec", 0);
  const std::int64_t micros = Arguments::field_number(value, "tv_usec", 0);
  const Duration time = Duration::seconds(std::clamp<std::int64_t>(seconds, 0, 1'000'000'000)) +
                        Duration::microseconds(std::clamp<std::int64_t>(micros, 0, 999'999));
  return time == Duration::zero() ? Duration::infinite() : time;
}

socket::Linger linger_of(const Expression& said) {
  const Expression& value = Arguments::first_of(said);
  const auto either = [&](std::string_view a, std::string_view b) {
    const std::int64_t number = Arguments::field_number(value, a, -1);
    return number >= 0 ? number : Arguments::field_number(value, b, 0);
  };
  if (value.kind != Kind::structure) {
    Arguments::wrong(said.mark, "expected {onoff=1, linger=0}");
  }
  const std::int64_t seconds = std::clamp<std::int64_t>(either("l_linger", "linger"), 0, 1'000'000);
  return {either("l_onoff", "onoff") != 0, Duration::seconds(seconds)};
}

bool is_buffer(Option option) {
  return option == Option::send_buffer || option == Option::receive_buffer;
}

// SO_MAX_PACING_RATE has 32 bits or 64, and in both all ones for no bound.
bool is_short_rate(const Arguments& a, const Row& row, std::int64_t size) {
  return row.option == Option::pacing_rate_max && a.size() > 4 && size < 8;
}

// An option that is not in the table, although the level is: Linux has it, or nobody has.
[[noreturn]] void unknown(const Arguments& a) {
  const Expression& name = a.at(2);
  Arguments::unsupported(name.mark,
                         fmt::format("the socket option `{}` is not supported",
                                     name.text.empty() ? std::to_string(a.number(2)) : name.text));
}

std::string value_text(const socket::OptionValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return "\"" + *text + "\"";
  if (const auto* linger = std::get_if<socket::Linger>(&value)) {
    return fmt::format("{{onoff={}, linger={}}}", linger->is_on ? 1 : 0,
                       linger->timeout / Duration::seconds(1));
  }
  return "a structure";
}

bool is_same(const socket::OptionValue& value, const Expression& said) {
  const Expression& wanted = Arguments::first_of(said);
  if (const auto* text = std::get_if<std::string>(&value)) return *text == wanted.text;
  if (const auto* linger = std::get_if<socket::Linger>(&value)) {
    const socket::Linger expected = linger_of(said);
    return expected.is_on == linger->is_on && expected.timeout == linger->timeout;
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return *number == Arguments::number_of(wanted);
  }
  return true;
}

}  // namespace

SystemCalls::Answer SystemCalls::set_option(const Arguments& a) {
  a.expect_count(4, 5);
  Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  if (is_timeout(a)) {
    Duration& timeout =
        a.number(2) == SO_RCVTIMEO ? descriptor->receive_timeout : descriptor->send_timeout;
    timeout = timeout_of(a.at(3));
    return Returned{};
  }
  if (a.number(1) == IPPROTO_TCP && a.number(2) == tcp_inq) {
    const std::int64_t value = a.pointed(3);
    if (value < 0 || value > 1) return failed(Errno::invalid);
    descriptor->tells_queue = value != 0;
    return Returned{};
  }
  if (is_zerocopy(a)) {
    const std::int64_t value = a.pointed(3);
    if (value < 0 || value > 1) return failed(Errno::invalid);
    descriptor->copies.is_asked = value != 0;
    return Returned{};
  }
  if (a.number(1) == SOL_SOCKET && a.number(2) == SO_TIMESTAMPING)
    return ask_for_stamps(a, *descriptor);
  const Row* row = find_row(a);
  if (row == nullptr) unknown(a);
  const Expression& value = Arguments::first_of(a.at(3));
  if (row->option == Option::linger) {
    return returned(sockets_.set_option(now_, descriptor->handle, row->option, linger_of(a.at(3))));
  }
  if (value.kind == Kind::text) {
    return returned(sockets_.set_option(now_, descriptor->handle, row->option, value.text));
  }
  std::int64_t number = Arguments::number_of(value);
  if (row->option == Option::dont_fragment) number = number == IP_PMTUDISC_DONT ? 0 : 1;
  if (a.size() > 4 && is_short_rate(a, *row, a.number(4)) && number == UINT32_MAX) number = -1;
  return returned(sockets_.set_option(now_, descriptor->handle, row->option, number));
}

SystemCalls::Answer SystemCalls::get_option(const Arguments& a) {
  a.expect_count(4, 5);
  const Descriptor* descriptor = find(a.number(0));
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  if (is_timeout(a)) return Returned{};
  const Row* row = find_row(a);
  if (row == nullptr) unknown(a);
  auto value = sockets_.get_option(now_, descriptor->handle, row->option);
  if (!value) return failed(value.error());
  // Linux's numbers of kinds of sockets and families.
  if (row->option == Option::type) {
    const std::int64_t kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW};
    *value = kinds[std::get<std::int64_t>(*value)];
  } else if (row->option == Option::domain) {
    *value = std::int64_t{descriptor->family == Family::ipv4 ? AF_INET : AF_INET6};
  }
  if (a.size() > 4 && is_short_rate(a, *row, a.pointed(4)))
    *value = static_cast<std::int64_t>(std::min<std::uint64_t>(
        static_cast<std::uint64_t>(std::get<std::int64_t>(*value)), UINT32_MAX));
  const bool is_told = a.is_ellipsis(3) || (is_buffer(row->option) && !setup_.strict.buffers);
  if (is_told || Arguments::first_of(a.at(3)).kind == Kind::ellipsis) return Returned{};
  if (!is_same(*value, a.at(3))) {
    Arguments::failed(a.at(3).mark, fmt::format("the option is {}", value_text(*value)));
  }
  return Returned{};
}

}  // namespace lanyard::lab::drill
