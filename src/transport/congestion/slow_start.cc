// SPDX-License-Identifier: Apache-2.0
#include "transport/congestion/slow_start.hh"

#include <algorithm>

namespace lanyard::congestion {

namespace {
constexpr Duration threshold_min = Duration::milliseconds(4);   // MIN_RTT_THRESH
constexpr Duration threshold_max = Duration::milliseconds(16);  // MAX_RTT_THRESH
constexpr std::int64_t least_divisor = 8;                       // MIN_RTT_DIVISOR
constexpr std::uint8_t samples_needed = 8;                      // N_RTT_SAMPLE
constexpr std::uint32_t growth_divisor = 4;                     // CSS_GROWTH_DIVISOR
constexpr std::uint8_t conservative_rounds = 5;                 // CSS_ROUNDS
}  // namespace

void SlowStart::begin_round(std::uint32_t flight) {
  if (is_conservative_ && rounds_left_ > 0) --rounds_left_;
  last_least_ = least_;
  least_ = Duration::infinite();
  samples_ = 0;
  round_left_ = flight;
}

// [RFC9406-4-a].
void SlowStart::sample(Duration round_trip) {
  least_ = std::min(least_, round_trip);
  if (samples_ < samples_needed) ++samples_;
  if (samples_ < samples_needed) return;
  if (is_conservative_) {
    if (least_ >= baseline_) return;
    is_conservative_ = false;  // the growth was noise: on as before
    baseline_ = Duration::infinite();
    rounds_left_ = UINT8_MAX;
    return;
  }
  if (last_least_ == Duration::infinite()) return;
  const Duration grown = std::clamp(last_least_ / least_divisor, threshold_min, threshold_max);
  if (least_ < last_least_ + grown) return;
  baseline_ = least_;
  is_conservative_ = true;
  rounds_left_ = conservative_rounds;
}

// RFC 9406 4.2 bounds the step for each ACK by L segments, for the sake of bursts; an ACK here may
// stand for a super-segment, so the bound is the octets it acknowledges.
std::uint32_t SlowStart::growth(const Acknowledged& acknowledged) {
  if (!is_first_) return acknowledged.bytes;
  if (acknowledged.bytes >= round_left_) {
    begin_round(std::max(acknowledged.flight, acknowledged.bytes));
  } else {
    round_left_ -= acknowledged.bytes;
  }
  if (acknowledged.sample > Duration::zero()) sample(acknowledged.sample);
  return is_conservative_ ? acknowledged.bytes / growth_divisor : acknowledged.bytes;
}

}  // namespace lanyard::congestion
