// SPDX-License-Identifier: Apache-2.0
// The retransmission time-out of RFC 6298, from samples of the round trip. Whole microseconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/time.hh"
#include "transport/config.hh"

namespace lanyard::tcp {

class RoundTripEstimator {
 public:
  // One measurement; Karn's rule (RFC 6298 3 [MUST-18]) is the caller's.
  void sample(Duration round_trip);
  // A measurement for the least round trip only, which leaves out what a delayed ACK adds.
  void note(Duration round_trip);
  // RFC 6298 2.3, without back-off, within the configured bounds.
  [[nodiscard]] Duration timeout(const transport::Config& config) const;
  // RFC 6298 5.7: a SYN was retransmitted, so data starts with three seconds.
  void distrust() { is_distrusted_ = true; }

  [[nodiscard]] bool has_sample() const { return has_sample_; }
  [[nodiscard]] Duration smoothed() const { return Duration::microseconds(smoothed_us8_ / 8); }
  [[nodiscard]] Duration variation() const { return Duration::microseconds(variation_us4_ / 4); }
  [[nodiscard]] Duration least() const { return Duration::microseconds(least_us_); }

 private:
  friend struct Fields;              // folded.cc
  std::uint32_t smoothed_us8_ = 0;   // SRTT times 8
  std::uint32_t variation_us4_ = 0;  // RTTVAR times 4
  std::uint32_t least_us_ = 0;
  bool has_sample_ = false;
  bool is_distrusted_ = false;
};

}  // namespace lanyard::tcp
