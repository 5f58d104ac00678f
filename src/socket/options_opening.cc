// SPDX-License-Identifier: Apache-2.0
// Options of a stream socket that say how a connection is opened.
#include <algorithm>

#include "socket/option_values.hh"
#include "socket/table.hh"

// Each switch names the options it is about; its default says that it is not about others.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace lanyard::socket {

namespace {

// TCP_LINGER2: seconds, negative for no FIN-WAIT-2 at all; larger than the default is the default.
Duration linger2(std::int64_t value, Duration most) {
  if (value < 0) return Duration::seconds(-1);
  return value == 0 ? most : std::min(Duration::seconds(std::min<std::int64_t>(value, 3600)), most);
}

// Linux: of what is not connected; of a client only where the machine has it on.
Result<void> set_fast_open(const Sockets::Table& table, const Stream& stream,
                           tcp::Settings& options, Option option, std::int64_t value) {
  const transport::Config& config = table.stack.config().transport;
  const bool is_closed = stream.connection == tcp::ConnectionId::none && !stream.deferred;
  if (option == Option::fast_open) {
    if (value < 0 || !is_closed) return unexpected(Errno::invalid);
    options.fast_open_pending_max =
        static_cast<std::uint16_t>(std::min<std::int64_t>({value, config.backlog_max, UINT16_MAX}));
    return {};
  }
  if (!within(value, 0, 1)) return unexpected(Errno::invalid);
  const bool is_connect = option == Option::fast_open_connect;
  if (is_connect && (config.fast_open & transport::fast_open::client) == 0)
    return unexpected(Errno::not_supported);
  if (!is_closed || (is_connect && stream.listener != tcp::ListenerId::none))
    return unexpected(Errno::invalid);
  (is_connect ? options.fast_open_connect : options.fast_open_without_cookie) = value != 0;
  return {};
}

}  // namespace

std::optional<Result<void>> set_opening_option(const Sockets::Table& table, const Stream& stream,
                                               tcp::Settings& options, Option option,
                                               std::int64_t value) {
  switch (option) {
    case Option::linger2:
      options.fin_wait_2 = linger2(value, table.stack.config().transport.fin_wait_2_timeout);
      return Result<void>{};
    case Option::dont_fragment:
      options.may_fragment = value == 0;
      return Result<void>{};
    case Option::fast_open:
    case Option::fast_open_connect:
    case Option::fast_open_without_cookie:
      return set_fast_open(table, stream, options, option, value);
    case Option::syn_count:
      if (!within(value, 1, 127)) return unexpected(Errno::invalid);
      options.syn_retries_max = static_cast<std::uint32_t>(value);
      return Result<void>{};
    case Option::defer_accept:
      options.defer_accept = Duration::seconds(std::max<std::int64_t>(value, 0));
      return Result<void>{};
    case Option::user_timeout_option:
      options.user_timeout_option = value != 0;
      return Result<void>{};
    default:
      return std::nullopt;
  }
}

std::optional<std::int64_t> get_opening_option(const tcp::Settings& options, Option option) {
  switch (option) {
    case Option::linger2:
      return options.fin_wait_2 / Duration::seconds(1);
    case Option::dont_fragment:
      return !options.may_fragment;
    case Option::fast_open:
      return options.fast_open_pending_max;
    case Option::fast_open_connect:
      return options.fast_open_connect;
    case Option::fast_open_without_cookie:
      return options.fast_open_without_cookie;
    case Option::syn_count:
      return options.syn_retries_max;
    case Option::defer_accept:
      return options.defer_accept / Duration::seconds(1);
    case Option::user_timeout_option:
      return options.user_timeout_option;
    default:
      return std::nullopt;
  }
}

}  // namespace lanyard::socket
