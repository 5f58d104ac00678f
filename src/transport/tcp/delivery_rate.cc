// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/delivery_rate.hh"

#include <algorithm>

namespace lanyard::tcp {

namespace {

bool is_before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

}  // namespace

void DeliveryRate::sent(Instant now, std::uint32_t order, bool is_first) {
  if (is_first) {
    first_sent_at_ = delivered_at_ = now;
    is_timing_ = false;
  }
  if (is_timing_) return;
  is_timing_ = true;
  is_timed_limited_ = limited_until_ != 0;
  timed_order_ = order;
  timed_delivered_ = delivered_;
  timed_delivered_at_ = delivered_at_;
  timed_first_sent_at_ = first_sent_at_;
}

void DeliveryRate::take(const Delivery& delivery, std::uint32_t flight_left) {
  if (delivery.octets == 0) return;
  delivered_ += delivery.octets;
  delivered_at_ = delivery.now;
  if (limited_until_ != 0 && delivered_ >= limited_until_) limited_until_ = 0;
  const bool is_timed =
      is_timing_ && delivery.newest && !is_before(delivery.newest->order, timed_order_);
  if (is_timed || flight_left == 0) is_timing_ = false;
  if (!is_timed) return;
  first_sent_at_ = delivery.newest->at;
  const Duration interval =
      std::max(delivery.newest->at - timed_first_sent_at_, delivery.now - timed_delivered_at_);
  // 3.3: shorter than a round trip it is not, unless an acknowledgment was mistaken for another.
  if (interval <= Duration::zero() || interval < delivery.least_round_trip) return;
  constexpr std::uint64_t ns_per_second = 1'000'000'000;
  const std::uint64_t rate = (delivered_ - timed_delivered_) * ns_per_second /
                             static_cast<std::uint64_t>(interval.count_ns());
  if (is_timed_limited_ && rate < rate_) return;
  rate_ = rate;
  is_rate_limited_ = is_timed_limited_;
}

}  // namespace lanyard::tcp
