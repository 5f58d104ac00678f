// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/rack.hh"

#include <algorithm>

namespace lanyard::tcp {

namespace {
constexpr std::uint8_t persist_recoveries = 16;
constexpr std::uint8_t steps_max = 255;
}  // namespace

// RFC 8985 6.2 [RFC8985-6-a].
void Rack::take(const Delivery& delivery) {
  if (delivery.octets == 0) return;
  if (delivery.has_original && before(delivery.low_original, high_)) {
    has_seen_reordering_ = true;
    ++reorderings_;
    disorder_ = std::max(disorder_, static_cast<std::uint32_t>(high_ - delivery.low_original));
  }
  if (after(delivery.high_end, high_)) high_ = delivery.high_end;
  if (!delivery.newest) return;
  if (has_delivery_ && !newest_.is_before(*delivery.newest)) return;
  has_delivery_ = true;
  newest_ = *delivery.newest;
  round_trip_ = delivery.now - newest_.at;
}

void Rack::take_duplicate(SequenceNumber una, SequenceNumber next) {
  if (has_duplicate_round_ && before(una, duplicate_round_)) return;
  has_duplicate_round_ = true;
  duplicate_round_ = next;
  if (steps_ < steps_max) ++steps_;
  persist_ = persist_recoveries;
}

void Rack::recovered() {
  if (persist_ > 0 && --persist_ == 0) steps_ = 1;
}

// The window starts at a quarter of the least round trip, and grows up to the smoothed one. While
// nothing has come out of order, three segments above a gap are proof enough (RFC 5681).
Duration Rack::reordering_window(const Path& path) const {
  if (!has_seen_reordering_ && (path.is_recovering || path.has_enough_held))
    return Duration::zero();
  return std::min(path.least_round_trip / 4 * steps_, path.smoothed_round_trip);
}

}  // namespace lanyard::tcp
