// SPDX-License-Identifier: Apache-2.0
// Socket options. What is not in these switches for a kind of socket is refused (no_such_option),
// never kept and ignored. Units are those of the manual pages: keep-alive times in seconds,
// user_timeout in milliseconds, sizes in bytes.
#include <algorithm>
#include <utility>

#include "socket/table.hh"

// Each switch names the options of its kind of socket; its default refuses all others, new ones
// too.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace lanyard::socket {

namespace {

constexpr std::int64_t buffer_bytes_least = 2304;  // socket(7): SO_RCVBUF's least
constexpr std::int64_t buffer_bytes_most = 64 * 1024 * 1024;
constexpr std::int64_t keep_alive_seconds_most = 32767;  // tcp(7): MAX_TCP_KEEPIDLE
constexpr std::int64_t keep_alive_probes_most = 127;

using Value = Result<std::int64_t>;

bool within(std::int64_t value, std::int64_t least, std::int64_t most) {
  return value >= least && value <= most;
}

// socket(7): the kernel doubles the value, to leave room for its own book-keeping, and shows the
// doubled one.
std::uint32_t buffer_size(std::int64_t value, std::int64_t least = buffer_bytes_least) {
  return static_cast<std::uint32_t>(std::clamp(value * 2, least, buffer_bytes_most));
}

tcp::Settings options_of(Sockets::Table& table, const Stream& stream) {
  if (stream.connection != tcp::ConnectionId::none)
    return table.stack.tcp().settings(stream.connection);
  return *stream.options;
}

void apply(Sockets::Table& table, Instant now, Stream& stream, const tcp::Settings& options) {
  stream.options = table.stack.tcp().keep(options);
  if (stream.listener != tcp::ListenerId::none) table.stack.tcp().set(stream.listener, options);
  if (stream.connection != tcp::ConnectionId::none)
    table.stack.tcp().set(now, stream.connection, options);
}

Result<void> set_keep_alive(tcp::Settings& options, Option option, std::int64_t value) {
  const std::int64_t most =
      option == Option::keep_count ? keep_alive_probes_most : keep_alive_seconds_most;
  if (!within(value, 1, most)) return unexpected(Errno::invalid);
  if (option == Option::keep_idle) options.keep_alive_idle = Duration::seconds(value);
  if (option == Option::keep_interval) options.keep_alive_interval = Duration::seconds(value);
  if (option == Option::keep_count)
    options.keep_alive_probes_max = static_cast<std::uint32_t>(value);
  return {};
}

Result<void> set_stream_option(Sockets::Table& table, Stream& stream, tcp::Settings& options,
                               Option option, std::int64_t value) {
  if (const auto done = set_opening_option(table, stream, options, option, value)) return *done;
  const bool is_on = value != 0;
  switch (option) {  // NOLINT: the rest is for other kinds of sockets
    case Option::keep_alive:
      options.keep_alive = is_on;
      return {};
    case Option::out_of_band_inline:
      options.urgent_inline = is_on;
      return {};
    case Option::no_delay:
      options.no_delay = is_on;
      return {};
    case Option::cork:
      options.cork = is_on;
      return {};
    case Option::receive_errors:
      options.reports_soft_errors = is_on;
      return {};
    case Option::send_buffer:
      options.send_buffer_bytes = buffer_size(value, 2 * buffer_bytes_least);
      return {};
    case Option::receive_buffer:
      options.receive_buffer_bytes = buffer_size(value);
      return {};
    case Option::keep_idle:
    case Option::keep_interval:
    case Option::keep_count:
      return set_keep_alive(options, option, value);
    case Option::max_segment:
      if (value != 0 && !within(value, 88, 32767)) return unexpected(Errno::invalid);
      options.mss_max = static_cast<std::uint16_t>(value);
      return {};
    case Option::user_timeout:
      if (value < 0) return unexpected(Errno::invalid);
      options.user_timeout = Duration::milliseconds(value);
      return {};
    case Option::window_clamp:
      if (value < 0 || (value == 0 && stream.connection != tcp::ConnectionId::none))
        return unexpected(Errno::invalid);
      options.window_clamp = static_cast<std::uint32_t>(value);
      return {};
    case Option::not_sent_low_water:
      options.not_sent_low_water = value < 0 ? UINT32_MAX : static_cast<std::uint32_t>(value);
      return {};
    case Option::pacing_rate_max:
      options.pacing_rate_max = static_cast<std::uint64_t>(value);
      return {};
    case Option::hop_limit:
      if (value != -1 && !within(value, 1, 255)) return unexpected(Errno::invalid);
      options.hop_limit = value == -1 ? 0 : static_cast<std::uint8_t>(value);
      return {};
    case Option::traffic_class:
      options.traffic_class = static_cast<std::uint8_t>(value);
      return {};
    default:
      return unexpected(Errno::no_such_option);
  }
}

Value get_stream_option(Sockets::Table& table, const Stream& stream, Option option) {
  const tcp::Settings options = options_of(table, stream);
  if (const auto opening = get_opening_option(options, option)) return *opening;
  const bool is_connected = stream.connection != tcp::ConnectionId::none;
  switch (option) {
    case Option::keep_alive:
      return options.keep_alive;
    case Option::out_of_band_inline:
      return options.urgent_inline;
    case Option::no_delay:
      return options.no_delay;
    case Option::cork:
      return options.cork;
    case Option::receive_errors:
      return options.reports_soft_errors;
    case Option::send_buffer:
      return options.send_buffer_bytes;
    case Option::receive_buffer:
      return options.receive_buffer_bytes;
    case Option::keep_idle:
      return options.keep_alive_idle / Duration::seconds(1);
    case Option::keep_interval:
      return options.keep_alive_interval / Duration::seconds(1);
    case Option::keep_count:
      return options.keep_alive_probes_max;
    case Option::max_segment:
      if (is_connected) return table.stack.tcp().info(Instant::start(), stream.connection).snd_mss;
      return options.mss_max == 0 ? 536 : options.mss_max;
    case Option::user_timeout:
      return options.user_timeout.count_ms();
    case Option::window_clamp:
      return options.window_clamp;
    case Option::not_sent_low_water:
      return options.not_sent_low_water;
    case Option::pacing_rate_max:
      return static_cast<std::int64_t>(options.pacing_rate_max);
    case Option::quick_ack:
      return is_connected ? table.stack.tcp().is_quick_ack(stream.connection) : 1;
    case Option::hop_limit:
      return options.hop_limit == 0 ? table.stack.config().internet.default_hop_limit
                                    : options.hop_limit;
    case Option::traffic_class:
      return options.traffic_class;
    default:
      return unexpected(Errno::no_such_option);
  }
}

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

Result<TcpInfo> tcp_info(Sockets::Table& table, Instant now, const Entry& entry) {
  const auto* stream = std::get_if<Stream>(&entry.shape);
  if (stream == nullptr) return unexpected(Errno::no_such_option);
  TcpInfo info;
  if (stream->listener != tcp::ListenerId::none) {
    info.state = static_cast<std::uint8_t>(tcp::State::listen);
    return info;
  }
  if (stream->connection == tcp::ConnectionId::none) return info;
  return table.stack.tcp().info(now, stream->connection);
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
  auto& stream = std::get<Stream>(entry.shape);
  if (option == Option::quick_ack) {
    if (stream.connection != tcp::ConnectionId::none) {
      table.stack.tcp().set_quick_ack(now, stream.connection, value != 0);
    }
    return {};
  }
  tcp::Settings options = options_of(table, stream);
  const auto set = set_stream_option(table, stream, options, option, value);
  if (set) apply(table, now, stream, options);
  return set;
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
    if (option == Option::congestion && entry.type == Type::stream) {
      auto& stream = std::get<Stream>(entry.shape);
      const auto kind = congestion::kind_of(*text);
      if (!kind) return unexpected(Errno::no_such_entry);
      auto options = options_of(table, stream);
      options.congestion = *kind;
      apply(table, now, stream, options);
      return {};
    }
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
  if (option == Option::tcp_info) {
    const auto info = tcp_info(table, now, entry);
    if (!info) return unexpected(info.error());
    return OptionValue(*info);
  }
  const auto* stream = std::get_if<Stream>(&entry.shape);
  if (option == Option::linger && stream != nullptr) return OptionValue(stream->linger());
  if (option == Option::congestion && stream != nullptr)
    return OptionValue(std::string(congestion::to_text(options_of(table, *stream).congestion)));
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
