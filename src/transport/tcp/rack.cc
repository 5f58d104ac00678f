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
  // RFC 7323 5.3, 4.3: what fills a gap leaves its time at the receiver, who refuses what is older
  // from now on: what was sent before a retransmission and comes after it.
  if (delivery.is_of_resent)
    refused_ = std::max(refused_, Instant::start() + Duration::milliseconds(*delivery.echo_ms));
  if (delivery.has_original && before(delivery.low_original, high_)) {
    has_seen_reordering_ = true;
    ++reorderings_;
    disorder_ = std::max(disorder_, static_cast<std::uint32_t>(high_ - delivery.low_original));
    // What lay behind the gap may have come long ago, if the ACKs that said so were lost.
    if (!delivery.is_of_resent) note_late(delivery.now - delivery.first_original_sent_at);
  }
  if (after(delivery.high_end, high_)) high_ = delivery.high_end;
  if (!delivery.newest) return;
  if (has_delivery_ && !newest_.is_before(*delivery.newest)) return;
  has_delivery_ = true;
  newest_ = *delivery.newest;
  round_trip_ = delivery.now - newest_.at;
}

// Sent `age` ago and here only now: as much later than its round trip as what was sent last took.
void Rack::note_late(Duration age) {
  if (!has_delivery_) return;
  const Duration late = age - round_trip_;
  if (late > late_ / 2) persist_ = persist_recoveries;
  late_ = std::max(late_, late);
}

void Rack::take_duplicate(SequenceNumber una, SequenceNumber next) {
  if (has_duplicate_round_ && before(una, duplicate_round_)) return;
  has_duplicate_round_ = true;
  duplicate_round_ = next;
  if (steps_ < steps_max) ++steps_;
  persist_ = persist_recoveries;
}

void Rack::recovered() {
  if (persist_ == 0 || --persist_ > 0) return;
  steps_ = 1;
  late_ = Duration::zero();
}

// What has overtaken others says little about how long those take. Where the path is known to
// reorder, the wait counts from the smoothed round trip at least.
Duration Rack::usual_round_trip(const Path& path) const {
  return has_seen_reordering_ ? std::max(round_trip_, path.smoothed_round_trip) : round_trip_;
}

// The window starts at a quarter of the least round trip, and grows up to the smoothed one. While
// nothing has come out of order, three segments above a gap are proof enough (RFC 5681). What was
// seen to come late widens it at once; the bound is larger then (RFC 8985 3.3.2 asks for one, and
// has the smoothed round trip for it), for jitter may be longer than a round trip.
Duration Rack::reordering_window(const Path& path) const {
  if (!has_seen_reordering_ && (path.is_recovering || path.has_enough_held))
    return Duration::zero();
  const Duration grown = std::min(path.least_round_trip / 4 * steps_, path.smoothed_round_trip);
  return std::max(grown, std::min(late_, path.smoothed_round_trip + path.variation * 2));
}

}  // namespace lanyard::tcp
