// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/user_timeout.hh"

#include <algorithm>

namespace lanyard::tcp {

namespace {

// RFC 5482 3.1: L_LIMIT at least 100 s; an hour is where gone peers begin to cost much.
constexpr Duration lower_limit = Duration::seconds(100), upper_limit = Duration::seconds(3600);
constexpr std::int64_t value_max = 0x7fff;

// ADV_UTO: what the program set, or else the system's.
Duration advertised(const transport::Config& config, const Connection& c) {
  const Duration set = c.settings->user_timeout;
  return set > Duration::zero() ? set : time_of(config.retries_max, config);
}

}  // namespace

Duration time_of(std::uint32_t retries, const transport::Config& config) {
  Duration sum;
  Duration one = config.rto_min;
  for (std::uint32_t i = 0; i <= retries; ++i) {
    sum += std::min(one, config.rto_max);
    if (one < config.rto_max) one = one * 2;
  }
  return sum;
}

// [RFC5482-3-a] 3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)), where L_LIMIT is larger than
// the RTO; CHANGEABLE is false once the program has set a time.
Duration user_timeout(const transport::Config& config, const Connection& c) {
  const Duration set = c.settings->user_timeout;
  const bool has_heard = c.rare && c.rare->remote_user_timeout > Duration::zero();
  if (set > Duration::zero() || !has_heard) return set;
  const Duration least = std::max(lower_limit, c.round_trip.timeout(config) * 2);
  const Duration wanted = std::max({advertised(config, c), c.rare->remote_user_timeout, least});
  return std::min(wanted, std::max(upper_limit, least));
}

void tell_user_timeout(Connection& c) {
  if (!c.settings->user_timeout_option) return;
  if (!c.rare) c.rare = std::make_unique<Rare>();
  c.rare->is_user_timeout_due = true;
}

// 3: in the SYN, and in the first packet that has none. 3.4: never zero.
std::optional<UserTimeout> take_user_timeout_to_tell(const transport::Config& config, Connection& c,
                                                     Flags segment) {
  if (!tells_user_timeout(c)) return std::nullopt;
  if (!segment.syn()) c.rare->is_user_timeout_due = false;
  // RFC 7413: what such a SYN carries leaves no room.
  if (segment.syn() && (c.rare->cookie || c.rare->early_bytes > 0)) return std::nullopt;
  const Duration time = advertised(config, c) + Duration::milliseconds(999);
  const std::int64_t seconds = std::max<std::int64_t>(time / Duration::seconds(1), 1);
  const bool in_minutes = seconds > value_max;
  const std::int64_t value = in_minutes ? std::min((seconds + 59) / 60, value_max) : seconds;
  return UserTimeout{in_minutes, static_cast<std::uint16_t>(value)};
}

// 3.4: zero is ignored.
void learn_user_timeout(Connection& c, const Options& options) {
  if (!c.settings->user_timeout_option || !options.user_timeout || !c.rare) return;
  const auto [in_minutes, value] = *options.user_timeout;
  if (value != 0) c.rare->remote_user_timeout = Duration::seconds(value) * (in_minutes ? 60 : 1);
}

}  // namespace lanyard::tcp
