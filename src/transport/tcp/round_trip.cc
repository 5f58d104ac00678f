// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/round_trip.hh"

namespace lanyard::tcp {

namespace {
// The clock granularity G of RFC 6298: timers are exact, so a millisecond is generous.
constexpr std::int64_t granularity_us = 1000;
constexpr std::int64_t sample_us_max = 120'000'000;
}  // namespace

// [RFC6298-2-a]: SRTT = R and RTTVAR = R/2 at first; then 7/8 and 3/4 of the old ones.
void RoundTripEstimator::sample(Duration round_trip) {
  const auto us =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(round_trip.count_us(), 1, sample_us_max));
  is_distrusted_ = false;
  if (!has_sample_) {
    has_sample_ = true;
    least_us_ = least_us_ == 0 ? us : std::min(least_us_, us);
    smoothed_us8_ = us * 8;
    variation_us4_ = us * 2;
    return;
  }
  least_us_ = std::min(least_us_, us);
  const std::uint32_t smoothed = smoothed_us8_ / 8;
  const std::uint32_t error = smoothed > us ? smoothed - us : us - smoothed;
  variation_us4_ += error - variation_us4_ / 4;
  smoothed_us8_ += us - smoothed;
}

void RoundTripEstimator::note(Duration round_trip) {
  const auto us =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(round_trip.count_us(), 1, sample_us_max));
  least_us_ = least_us_ == 0 ? us : std::min(least_us_, us);
}

// [RFC6298-2-b]: the ceiling is 60 s at least; the floor is a knob, 200 ms, and stands under the
// variation rather than under the sum, as Linux has it: on a steady path of 150 ms a delayed ACK
// (RFC 9293 3.8.6.3) is not taken for a loss.
Duration RoundTripEstimator::timeout(const transport::Config& config) const {
  if (is_distrusted_) return std::max(Duration::seconds(3), config.rto_initial);  // [RFC6298-5-a]
  if (!has_sample_) return config.rto_initial;
  const std::int64_t spread = std::max<std::int64_t>(granularity_us, variation_us4_);
  const Duration rto = Duration::microseconds(smoothed_us8_ / 8) +
                       std::max(Duration::microseconds(spread), config.rto_min);
  return std::min(rto, config.rto_max);
}

}  // namespace lanyard::tcp
