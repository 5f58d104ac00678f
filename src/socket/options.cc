// SPDX-License-Identifier: Apache-2.0
// Socket options: those of every kind of socket, those of datagrams, and who answers for the rest.
// What is not in these switches for a kind of socket is refused (no_such_option), never kept and
// ignored. Units are those of the manual pages: sizes in bytes.
#include <utility>

#include "socket/option_values.hh"
#include "socket/table.hh"

// Each switch names the options of its kind of socket; its default refuses all others, new ones
// too.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace lanyard::socket {

namespace {

using Value = Result<std::int64_t>;

Result<void> set_datagram_option(udp::Options& options, Option option, std::int64_t value) {
  const bool is_on = value != 0;
  switch (option) {
    case Option::broadcast:
      options.broadcast = is_on;
      return {};
    case Option::multicast_loop:
      options.multicast_loop = is_on;
      return {};
    case Option::dont_fragment:
      options.dont_fragment = is_on;
      return {};
    case Option::receive_errors:
      options.receives_errors = is_on;
      return {};
    case Option::receive_buffer:
      options.receive_buffer_bytes = buffer_size(value);
      return {};
    case Option::hop_limit:
      if (value != -1 && !within(value, 0, 255)) return unexpected(Errno::invalid);
      options.hop_limit = value == -1 ? 0 : static_cast<std::uint8_t>(value);
      return {};
    case Option::traffic_class:
      options.traffic_class = static_cast<std::uint8_t>(value);
      return {};
    case Option::multicast_hop_limit:
      if (value != -1 && !within(value, 0, 255)) return unexpected(Errno::invalid);
      options.multicast_hop_limit = value == -1 ? 1 : static_cast<std::uint8_t>(value);
      return {};
    case Option::multicast_interface:
      options.multicast_interface = static_cast<std::uint32_t>(value);
      return {};
    default:
      return unexpected(Errno::no_such_option);
  }
}

Value get_datagram_option(const Sockets::Table& table, const udp::Options& options, Option option) {
  switch (option) {
    case Option::broadcast:
      return options.broadcast;
    case Option::multicast_loop:
      return options.multicast_loop;
    case Option::dont_fragment:
      return options.dont_fragment;
    case Option::receive_errors:
      return options.receives_errors;
    case Option::receive_buffer:
      return options.receive_buffer_bytes;
    // A datagram leaves at once, so there is no send queue; the size says how large one may be.
    case Option::send_buffer:
      return table.stack.config().transport.udp_receive_buffer_bytes;
    case Option::hop_limit:
      return options.hop_limit == 0 ? table.stack.config().internet.default_hop_limit
                                    : options.hop_limit;
    case Option::traffic_class:
      return options.traffic_class;
    case Option::multicast_hop_limit:
      return options.multicast_hop_limit;
    case Option::multicast_interface:
      return options.multicast_interface;
    default:
      return unexpected(Errno::no_such_option);
  }
}

// Options every kind of socket has; nothing if this is not one of them.
std::optional<Result<void>> set_common_option(Sockets::Table& table, Entry& entry, Option option,
                                              std::int64_t value) {
  switch (option) {
    case Option::reuse_address:
      entry.common.reuse_address = value != 0;
      break;
    case Option::reuse_port:
      entry.common.reuse_port = value != 0;
      break;
    case Option::free_bind:
      entry.common.free_bind = value != 0;
      return Result<void>{};
    case Option::v6_only:
      if (entry.family != Family::ipv6) return unexpected(Errno::no_such_option);
      entry.common.v6_only = value != 0;
      return Result<void>{};
    case Option::priority:
    case Option::mark:
      (option == Option::mark ? entry.made_seldom().mark : entry.made_seldom().priority) =
          static_cast<std::int32_t>(value);
      return Result<void>{};
    case Option::bind_to_interface:
      if (value != 0 && !table.stack.interface(static_cast<std::uint32_t>(value)))
        return unexpected(Errno::no_such_device);
      entry.common.interface = static_cast<std::uint32_t>(value);
      return Result<void>{};
    case Option::error:
    case Option::type:
    case Option::domain:
    case Option::protocol:
    case Option::is_listening:
    case Option::mtu:
      return unexpected(Errno::no_such_option);  // may only be asked
    default:
      return std::nullopt;
  }
  const auto [reuse_address, reuse_port] =
      std::pair(entry.common.reuse_address, entry.common.reuse_port);
  if (const auto* stream = std::get_if<Stream>(&entry.shape)) {
    if (stream->binding != transport::BindingId::none)
      table.stack.tcp().set_reuse(stream->binding, reuse_address, reuse_port);
  } else if (const auto* datagram = std::get_if<Datagram>(&entry.shape)) {
    table.stack.udp().set_reuse(datagram->socket, reuse_address, reuse_port);
  }
  return Result<void>{};
}

std::int64_t take_pending_error(Sockets::Table& table, Entry& entry) {
  std::optional<Errno> error;
  if (const auto* stream = std::get_if<Stream>(&entry.shape)) {
    if (stream->connection != tcp::ConnectionId::none)
      error = table.stack.tcp().take_error(stream->connection);
  } else if (const auto* datagram = std::get_if<Datagram>(&entry.shape)) {
    error = table.stack.udp().take_error(datagram->socket);
  } else {
    error = std::exchange(std::get<std::unique_ptr<Raw>>(entry.shape)->pending_error, std::nullopt);
  }
  return error ? static_cast<std::int64_t>(*error) : 0;
}

// IP_MTU: of the path to the connected peer.
Value path_mtu(Sockets::Table& table, const Entry& entry) {
  std::optional<Endpoint> peer;
  if (const auto* stream = std::get_if<Stream>(&entry.shape)) {
    if (stream->connection != tcp::ConnectionId::none)
      peer = table.stack.tcp().remote(stream->connection);
  } else if (const auto* datagram = std::get_if<Datagram>(&entry.shape)) {
    peer = table.stack.udp().remote(datagram->socket);
  } else {
    peer = std::get<std::unique_ptr<Raw>>(entry.shape)->peer;
  }
  if (!peer) return unexpected(Errno::not_connected);
  const auto path =
      table.stack.network().find(peer->address, IpAddress::any(peer->address.family()), 0);
  if (!path) return unexpected(path.error());
  return path->mtu;
}

// What may be asked of every kind of socket; nothing if this is not one of them.
std::optional<Value> get_common_option(Sockets::Table& table, Entry& entry, Option option) {
  const auto* stream = std::get_if<Stream>(&entry.shape);
  switch (option) {
    case Option::reuse_address:
      return entry.common.reuse_address;
    case Option::reuse_port:
      return entry.common.reuse_port;
    case Option::free_bind:
      return entry.common.free_bind;
    case Option::priority:
      return entry.seldom ? entry.seldom->priority : 0;
    case Option::mark:
      return entry.seldom ? entry.seldom->mark : 0;
    case Option::bind_to_interface:
      return entry.common.interface;
    case Option::v6_only:
      if (entry.family != Family::ipv6) return unexpected(Errno::no_such_option);
      return entry.common.v6_only;
    case Option::error:
      return take_pending_error(table, entry);
    case Option::type:
      return static_cast<std::int64_t>(entry.type);
    case Option::domain:
      return static_cast<std::int64_t>(entry.family);
    case Option::protocol:
      return entry.protocol;
    case Option::is_listening:
      return stream != nullptr && stream->listener != tcp::ListenerId::none;
    case Option::mtu:
      return path_mtu(table, entry);
    default:
      return std::nullopt;
  }
}

Result<void> set_number(Sockets::Table& table, Instant now, Entry& entry, Option option,
                        std::int64_t value) {
  if (const auto done = set_common_option(table, entry, option, value)) return *done;
  if (auto* raw = std::get_if<std::unique_ptr<Raw>>(&entry.shape))
    return set_datagram_option((*raw)->options, option, value);
  if (const auto* datagram = std::get_if<Datagram>(&entry.shape)) {
    udp::Options options = table.stack.udp().options(datagram->socket);
    const auto set = set_datagram_option(options, option, value);
    if (set) table.stack.udp().set_options(datagram->socket, options);
    return set;
  }
  return set_stream_option(table, now, std::get<Stream>(entry.shape), option, value);
}

}  // namespace

Result<void> set_option(Sockets::Table& table, Instant now, Entry& entry, Option option,
                        const OptionValue& value) {
  if (const auto done = set_raw_option(entry, option, value)) return *done;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return set_number(table, now, entry, option, *number);
  }
  if (const auto* linger = std::get_if<Linger>(&value);
      linger != nullptr && option == Option::linger) {
    auto* stream = std::get_if<Stream>(&entry.shape);
    if (stream == nullptr) return unexpected(Errno::no_such_option);
    stream->set(*linger);
    return {};
  }
  if (const auto* group = std::get_if<Group>(&value)) {
    const bool join = option == Option::join_group;
    if (!join && option != Option::leave_group) return unexpected(Errno::invalid);
    return change_group(table, now, entry, join, *group);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (option == Option::congestion && entry.type == Type::stream)
      return set_congestion(table, now, std::get<Stream>(entry.shape), *text);
    if (option != Option::bind_to_interface) return unexpected(Errno::no_such_option);
    const auto index =
        text->empty() ? std::optional<std::uint32_t>(0) : table.stack.interface_of(*text);
    if (!index) return unexpected(Errno::no_such_device);
    entry.common.interface = *index;
    return {};
  }
  return unexpected(Errno::invalid);
}

Result<OptionValue> get_option(Sockets::Table& table, Instant now, Entry& entry, Option option) {
  const auto* stream = std::get_if<Stream>(&entry.shape);
  if (option == Option::tcp_info && stream != nullptr)
    return OptionValue(tcp_info(table, now, *stream));
  if (option == Option::linger && stream != nullptr) return OptionValue(stream->linger());
  if (option == Option::congestion && stream != nullptr)
    return OptionValue(std::string(get_congestion(table, *stream)));
  if (const auto raw_value = get_raw_option(entry, option)) return *raw_value;
  auto value = get_common_option(table, entry, option);
  if (!value && stream != nullptr) value = get_stream_option(table, *stream, option);
  if (!value) {
    if (const auto* datagram = std::get_if<Datagram>(&entry.shape)) {
      value = get_datagram_option(table, table.stack.udp().options(datagram->socket), option);
    } else {
      const Raw& raw = *std::get<std::unique_ptr<Raw>>(entry.shape);
      value = get_datagram_option(table, raw.options, option);
    }
  }
  if (!*value) return unexpected(value->error());
  return OptionValue(**value);
}

}  // namespace lanyard::socket
