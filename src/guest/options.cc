// SPDX-License-Identifier: Apache-2.0
// setsockopt and getsockopt: implemented, or refused with the errno Linux has for it and a line
// that names it; never accepted and ignored.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "guest/option_table.hh"
#include "guest/supervisor.hh"
#include "guest/tcp_info.hh"

// Each switch names the few shapes or options it treats; its default is for all others.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace lanyard::guest {

namespace {

constexpr std::size_t value_bytes_max = 256;

using socket::Option;
using Stage = VirtualSocket::Stage;

// The bytes of an option's value, as far as they go.
struct Value {
  std::string bytes;
  template <typename T>
  [[nodiscard]] bool get(T& to) const {
    if (bytes.size() < sizeof to) return false;
    std::memcpy(&to, bytes.data(), sizeof to);
    return true;
  }
};

std::string bytes_of_int(std::int64_t number) {
  const auto value = static_cast<std::uint32_t>(number);
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

Result<std::int64_t> number_of(const Value& value, OptionShape shape) {
  int number = 0;
  if (value.get(number)) return number;
  if (shape == OptionShape::small_number && !value.bytes.empty())
    return static_cast<std::uint8_t>(value.bytes[0]);
  return unexpected(Errno::invalid);
}

// As Linux: 64 bits where they are given, or asked for, else 32.
Result<socket::OptionValue> rate_of(const Value& value) {
  std::int64_t wide = 0;
  std::uint32_t narrow = 0;
  if (value.get(wide)) return socket::OptionValue(wide);
  if (!value.get(narrow)) return unexpected(Errno::invalid);
  return socket::OptionValue(narrow == UINT32_MAX ? std::int64_t{-1} : std::int64_t{narrow});
}

std::string rate_bytes(std::int64_t number, std::size_t room) {
  if (room < sizeof number)
    return bytes_of_int(static_cast<std::int64_t>(
        std::min<std::uint64_t>(static_cast<std::uint64_t>(number), UINT32_MAX)));
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

const std::uint8_t* octets(const void* from) {
  return static_cast<const std::uint8_t*>(from);
}

Result<socket::OptionValue> group_v4(const Value& value) {
  ip_mreqn wide{};
  ip_mreq narrow{};
  if (!value.get(wide)) {
    if (!value.get(narrow)) return unexpected(Errno::invalid);
    wide.imr_multiaddr = narrow.imr_multiaddr;
    wide.imr_address = narrow.imr_interface;
  }
  socket::Group group;
  group.group = IpAddress::from_v4_bytes(octets(&wide.imr_multiaddr));
  if (wide.imr_address.s_addr != INADDR_ANY)
    group.source_interface = IpAddress::from_v4_bytes(octets(&wide.imr_address));
  group.interface = static_cast<std::uint32_t>(wide.imr_ifindex);
  return socket::OptionValue(group);
}

Result<socket::OptionValue> group_v6(const Value& value) {
  ipv6_mreq request{};
  if (!value.get(request)) return unexpected(Errno::invalid);
  socket::Group group;
  group.group = IpAddress::from_v6_bytes(octets(&request.ipv6mr_multiaddr));
  group.interface = request.ipv6mr_interface;
  return socket::OptionValue(group);
}

// IP_MULTICAST_IF: by index, or by an address of the interface.
Result<socket::OptionValue> interface_v4(const Value& value, socket::Sockets& sockets) {
  ip_mreqn wide{};
  ip_mreq narrow{};
  in_addr address{};
  if (value.get(wide)) {
    if (wide.imr_ifindex != 0) return socket::OptionValue(std::int64_t{wide.imr_ifindex});
    address = wide.imr_address;
  } else if (value.get(narrow)) {
    address = narrow.imr_interface;
  } else if (!value.get(address)) {
    return unexpected(Errno::invalid);
  }
  if (address.s_addr == INADDR_ANY) return socket::OptionValue(std::int64_t{0});
  const IpAddress wanted = IpAddress::from_v4_bytes(octets(&address));
  for (const stack::InterfaceRow& row : sockets.stack().interfaces()) {
    for (const IpPrefix& prefix : row.addresses) {
      if (prefix.address == wanted) return socket::OptionValue(std::int64_t{row.index});
    }
  }
  return unexpected(Errno::address_not_available);
}

Result<socket::OptionValue> parse(const OptionRow& row, const Value& value,
                                  socket::Sockets& sockets) {
  switch (row.shape) {
    case OptionShape::linger: {
      struct linger given {};
      if (!value.get(given)) return unexpected(Errno::invalid);
      return socket::OptionValue(
          socket::Linger{given.l_onoff != 0, Duration::seconds(given.l_linger)});
    }
    case OptionShape::rate:
      return rate_of(value);
    case OptionShape::group_v4:
      return group_v4(value);
    case OptionShape::group_v6:
      return group_v6(value);
    case OptionShape::interface_v4:
      return interface_v4(value, sockets);
    case OptionShape::icmp_filter:
      return socket::OptionValue(value.bytes);
    case OptionShape::interface_name:
    case OptionShape::text:
      return socket::OptionValue(value.bytes.substr(0, value.bytes.find('\0')));
    default: {
      const auto number = number_of(value, row.shape);
      if (!number) return unexpected(number.error());
      const bool is_one_of_six = *number >= 0 && *number <= IP_PMTUDISC_OMIT;
      if (row.shape == OptionShape::mtu_discovery && !is_one_of_six)
        return unexpected(Errno::invalid);
      return socket::OptionValue(*number);
    }
  }
}

// A datagram leaves the stack at once, so what a program's send buffer holds is what lies in the
// pair. So does a stream's urgent octet.
bool lies_in_pair(const VirtualSocket& socket, const OptionRow& row) {
  return row.option == (socket.is_stream() ? Option::out_of_band_inline : Option::send_buffer);
}

// Where the virtual socket keeps a wish about control messages.
bool* flag_of(VirtualSocket& socket, const OptionRow& row) {
  if (row.level == IPPROTO_IPV6 && row.name == IPV6_2292HOPLIMIT)
    return &socket.wants_old_hop_limit;
  switch (row.option) {
    case Option::packet_info:
      return &socket.wants_packet_info;
    case Option::receive_hop_limit:
      return &socket.wants_hop_limit;
    case Option::receive_traffic_class:
      return &socket.wants_traffic_class;
    case Option::receive_origin_destination:
      return &socket.wants_origin;
    case Option::header_included:
      return &socket.wants_ip_options;
    default:
      return &socket.wants_timestamp;
  }
}

std::int64_t set_flag(VirtualSocket& socket, const OptionRow& row, bool is_on) {
  // Echo replies carry the options of the request, and requests have none: nothing is lost.
  const bool is_echo = socket.type == SOCK_DGRAM && socket.protocol == IPPROTO_ICMP;
  const bool is_for_stream = row.option == Option::error;
  const bool is_served =
      row.option == Option::header_included ? is_echo : !socket.is_stream() || is_for_stream;
  if (!is_served) return -ENOPROTOOPT;
  *flag_of(socket, row) = is_on;
  return 0;
}

// RFC 3542 6.2: zero and the unspecified address take it back.
std::int64_t set_sticky(VirtualSocket& socket, const Value& value, socket::Sockets& sockets) {
  in6_pktinfo info{};
  if (socket.family != AF_INET6 || socket.is_stream()) return -ENOPROTOOPT;
  if (!value.get(info)) return -EINVAL;
  const IpAddress source = IpAddress::from_v6_bytes(octets(&info.ipi6_addr));
  const auto rows = sockets.stack().interfaces();
  const auto has_index = [&](const stack::InterfaceRow& row) {
    return row.index == info.ipi6_ifindex;
  };
  if (info.ipi6_ifindex != 0 && std::none_of(rows.begin(), rows.end(), has_index)) return -ENODEV;
  socket.sticky.interface = info.ipi6_ifindex;
  socket.sticky.local = source;
  return 0;
}

// Options that the stack's socket does not know of; nothing if this is none of them.
std::optional<std::int64_t> set_beside_stack(VirtualSocket& socket, const OptionRow& row,
                                             const Value& value, socket::Sockets& sockets) {
  switch (row.shape) {
    case OptionShape::empty:
      return value.bytes.empty() ? 0 : -EINVAL;
    case OptionShape::sticky_packet_info:
      return set_sticky(socket, value, sockets);
    default:
      return std::nullopt;
  }
}

std::string number_bytes(const VirtualSocket& socket, const OptionRow& row, std::int64_t number) {
  if (row.option == Option::type) number = socket.type;
  if (row.option == Option::domain) number = socket.family;
  if (row.option == Option::protocol && number == 0)
    number = socket.is_stream() ? IPPROTO_TCP : IPPROTO_UDP;
  return bytes_of_int(number);
}

Result<std::string> shown(const VirtualSocket& socket, const OptionRow& row,
                          const socket::OptionValue& value, std::size_t room) {
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return row.shape == OptionShape::rate ? rate_bytes(*number, room)
                                          : number_bytes(socket, row, *number);
  if (const auto* text = std::get_if<std::string>(&value))
    return row.shape == OptionShape::icmp_filter ? *text : *text + '\0';
  if (const auto* info = std::get_if<socket::TcpInfo>(&value)) return tcp_info_bytes(*info);
  if (const auto* set = std::get_if<socket::Linger>(&value)) {
    struct linger bytes {};
    bytes.l_onoff = set->is_on ? 1 : 0;
    bytes.l_linger = static_cast<int>(set->timeout / Duration::seconds(1));
    std::string out(sizeof bytes, '\0');
    std::memcpy(out.data(), &bytes, sizeof bytes);
    return out;
  }
  return unexpected(Errno::no_such_option);
}

// What is still known of a socket whose connection is over.
Result<std::string> shown_of_ended(const VirtualSocket& socket, const OptionRow& row) {
  switch (row.option) {
    case Option::type:
    case Option::domain:
    case Option::protocol:
      return number_bytes(socket, row, socket.protocol);
    case Option::tcp_info: {
      socket::TcpInfo closed;
      closed.state = 7;  // TCP_CLOSE
      return tcp_info_bytes(closed);
    }
    case Option::linger:
      return std::string(sizeof(struct linger), '\0');
    default:
      return bytes_of_int(0);
  }
}

std::string refusal_of(const OptionRow* row, int level, int name) {
  if (row != nullptr) return fmt::format("setsockopt {} is not supported", row->text);
  return fmt::format("setsockopt level {} option {} is not supported", level, name);
}

// The value of a setsockopt, as the program has it in memory.
Result<Value> read_option(const Call& call) {
  const int size = call.int_argument(4);
  if (size < 0) return unexpected(Errno::invalid);
  Value value;
  value.bytes.resize(std::min(static_cast<std::size_t>(size), value_bytes_max));
  if (!read_memory(call.thread, call.arguments[3], value.bytes.data(), value.bytes.size()))
    return unexpected(Errno::bad_address);
  return value;
}

}  // namespace

void Supervisor::set_option(const Asked& asked) {
  const Call& call = asked.call;
  VirtualSocket& socket = asked.socket;
  const int level = call.int_argument(1), name = call.int_argument(2);
  const OptionRow* row = find_option(level, name);
  if (row == nullptr || row->shape == OptionShape::refused) {
    note(refusal_of(row, level, name));
    call.listener->reply(call, row == nullptr ? -ENOPROTOOPT : -row->error);
    return;
  }
  if (row->shape == OptionShape::seconds_native || lies_in_pair(socket, *row)) {
    call.listener->let_run(call);
    return;
  }
  const auto value = read_option(call);
  if (!value) {
    call.listener->reply(call, value.error());
    return;
  }
  if (const auto done = set_beside_stack(socket, *row, *value, *host_.sockets)) {
    call.listener->reply(call, *done);
    return;
  }
  auto parsed = parse(*row, *value, *host_.sockets);
  if (!parsed) {
    call.listener->reply(call, parsed.error());
    return;
  }
  const auto* number = std::get_if<std::int64_t>(&*parsed);
  if (row->shape == OptionShape::flag && number != nullptr) {
    call.listener->reply(call, set_flag(socket, *row, *number != 0));
    return;
  }
  if (row->shape == OptionShape::mtu_discovery && number != nullptr) {
    parsed = socket::OptionValue(std::int64_t{*number == 2 || *number == 3});
    socket.mtu_discovery = static_cast<int>(*number);
  }
  // What was written before is queued before.
  const bool lets_go = row->option == Option::cork || row->option == Option::no_delay;
  if (lets_go && socket.is_stream()) pull(socket);
  if (socket.handle == socket::Handle::none) {
    call.listener->reply(call, Errno::invalid);  // as Linux after a reset
    return;
  }
  const bool wants_errors =
      row->option == Option::receive_errors && number != nullptr && *number != 0;
  if (wants_errors && !socket.is_stream() && !make_able_to_show_errors(asked)) {
    call.listener->reply(call, Errno::too_many_files);
    return;
  }
  const auto done = host_.sockets->set_option(now(), socket.handle, row->option, *parsed);
  // On Linux too, an IPv4 socket has none of IPv6's options.
  if (!done && done.error() == Errno::no_such_option &&
      (level != IPPROTO_IPV6 || socket.family != AF_INET))
    note(fmt::format("setsockopt {} is not supported on this socket", row->text));
  if (done && row->option == Option::cork) open_gate(socket);
  call.listener->reply(call, done);
}

void Supervisor::get_option(const Asked& asked) {
  const Call& call = asked.call;
  VirtualSocket& socket = asked.socket;
  const int level = call.int_argument(1), name = call.int_argument(2);
  const OptionRow* row = find_option(level, name);
  if (row == nullptr || row->shape == OptionShape::refused) {
    call.listener->reply(call, row == nullptr ? -ENOPROTOOPT : -row->error);
    return;
  }
  const bool asks_error = level == SOL_SOCKET && name == SO_ERROR;
  // What the pair knows, it says: time-outs, and the reset it shows.
  if (row->shape == OptionShape::seconds_native || lies_in_pair(socket, *row) ||
      (asks_error && socket.is_stream() && !socket.error && socket.stage == Stage::failed)) {
    call.listener->let_run(call);
    return;
  }
  socklen_t room = 0;
  if (!read_value(call.thread, call.arguments[4], room)) {
    call.listener->reply(call, Errno::bad_address);
    return;
  }
  Result<std::string> bytes = std::string();
  if (asks_error && !socket.is_stream() && !socket.error && !socket.shows_error)
    socket.error = take_knock(asked);
  if (asks_error && socket.error) {
    bytes = bytes_of_int(static_cast<int>(*std::exchange(socket.error, std::nullopt)));
    // The kernel's own, of the pair that was closed for it, is asked away.
    int unused = 0;
    socklen_t size = sizeof unused;
    if (socket.is_stream()) getsockopt(asked.theirs.get(), SOL_SOCKET, SO_ERROR, &unused, &size);
  } else if (row->shape == OptionShape::flag) {
    bytes = bytes_of_int(*flag_of(socket, *row) ? 1 : 0);
  } else if (row->shape == OptionShape::sticky_packet_info) {
    bytes = unexpected(Errno::no_such_option);
  } else if (row->shape == OptionShape::mtu_discovery) {
    bytes = bytes_of_int(socket.mtu_discovery);
  } else if (socket.handle == socket::Handle::none) {
    bytes = shown_of_ended(socket, *row);
  } else if (row->shape != OptionShape::empty) {
    if (socket.is_stream() && row->option == Option::tcp_info) pull(socket);
    const auto value = host_.sockets->get_option(now(), socket.handle, row->option);
    bytes = value ? shown(socket, *row, *value, room) : unexpected(value.error());
  }
  if (asks_error) settle_error(asked);
  if (!bytes) {
    call.listener->reply(call, bytes.error());
    return;
  }
  const auto given = static_cast<socklen_t>(std::min<std::size_t>(room, bytes->size()));
  const bool done = write_memory(call.thread, call.arguments[3], bytes->data(), given) &&
                    write_value(call.thread, call.arguments[4], given);
  call.listener->reply(call, done ? 0 : -EFAULT);
}

}  // namespace lanyard::guest
