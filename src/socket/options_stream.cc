// SPDX-License-Identifier: Apache-2.0
// Options of a stream socket, of its connection or listener. Keep-alive times are in seconds,
// user_timeout in milliseconds, sizes in bytes.
#include "socket/option_values.hh"
#include "socket/table.hh"

// Each switch names the options of a stream socket; its default refuses all others, new ones too.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace lanyard::socket {

namespace {

constexpr std::int64_t keep_alive_seconds_most = 32767;  // tcp(7): MAX_TCP_KEEPIDLE
constexpr std::int64_t keep_alive_probes_most = 127;

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

Result<void> set_one(Sockets::Table& table, Stream& stream, tcp::Settings& options, Option option,
                     std::int64_t value) {
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

}  // namespace

Result<void> set_stream_option(Sockets::Table& table, Instant now, Stream& stream, Option option,
                               std::int64_t value) {
  if (option == Option::quick_ack) {
    if (stream.connection != tcp::ConnectionId::none)
      table.stack.tcp().set_quick_ack(now, stream.connection, value != 0);
    return {};
  }
  tcp::Settings options = options_of(table, stream);
  const auto set = set_one(table, stream, options, option, value);
  if (set) apply(table, now, stream, options);
  return set;
}

Result<std::int64_t> get_stream_option(Sockets::Table& table, const Stream& stream, Option option) {
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

Result<void> set_congestion(Sockets::Table& table, Instant now, Stream& stream,
                            std::string_view name) {
  const auto kind = congestion::kind_of(name);
  if (!kind) return unexpected(Errno::no_such_entry);
  auto options = options_of(table, stream);
  options.congestion = *kind;
  apply(table, now, stream, options);
  return {};
}

std::string_view get_congestion(Sockets::Table& table, const Stream& stream) {
  return congestion::to_text(options_of(table, stream).congestion);
}

TcpInfo tcp_info(Sockets::Table& table, Instant now, const Stream& stream) {
  TcpInfo info;
  if (stream.listener != tcp::ListenerId::none) {
    info.state = static_cast<std::uint8_t>(tcp::State::listen);
    return info;
  }
  if (stream.connection == tcp::ConnectionId::none) return info;
  return table.stack.tcp().info(now, stream.connection);
}

}  // namespace lanyard::socket
