// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/pacing.hh"

#include <algorithm>

namespace lanyard::tcp {

// As Linux: twice the window in a round trip while it doubles, a fifth more than it once it grows
// slowly, so that pacing never holds growth back.
std::uint64_t pacing_rate(const Connection& c) {
  const std::uint64_t most = c.settings->is_paced() ? c.settings->pacing_rate_max : UINT64_MAX;
  if (!c.congestion || !c.round_trip.has_sample()) return most;
  const std::uint64_t window = std::max(congestion_window(c), c.sender.flight());
  const bool is_doubling = c.congestion->window() < c.congestion->threshold() / 2;
  constexpr std::uint64_t ns_per_second = 1'000'000'000, doubling = 200, growing = 120;
  const auto round_trip =
      static_cast<std::uint64_t>(std::max<std::int64_t>(c.round_trip.smoothed().count_ns(), 1));
  const std::uint64_t percent = is_doubling ? doubling : growing;
  const std::uint64_t rate = window * percent * (ns_per_second / 100) / round_trip;
  return std::clamp<std::uint64_t>(rate, 1, most);
}

void begin_pacing(Instant now, Connection& c) {
  Pacer& pacer = c.recovery->rates->pacer;
  if (c.settings->is_paced() || pacer.is_on())
    pacer.set(now, c.settings->is_paced() ? pacing_rate(c) : 0, c.mss);
}

void note_rate_of(Instant now, Connection& c, const Outgoing& outgoing, std::uint32_t mss) {
  Recovery& recovery = *c.recovery;
  recovery.rates->pacer.sent(now, outgoing.size);
  // What is sent again is numbered as one.
  const std::uint32_t runs =
      outgoing.is_retransmission ? 1 : std::max(segments_of(outgoing.size, mss), 1U);
  const std::uint32_t octets = outgoing.size + (outgoing.has_fin ? 1 : 0);
  recovery.rates->delivery.sent(now, c.sender.in_flight()->order() - runs + 1,
                                !outgoing.is_retransmission && c.sender.flight() == octets);
}

void note_output(Machine& m, Connection& c, bool has_sent, Held held) {
  Recovery& recovery = *c.recovery;
  const std::uint32_t pipe = c.sender.pipe(c.mss), window = congestion_window(c);
  const bool is_limited = pipe >= window || held == Held::by_congestion;
  if (has_sent || is_limited) recovery.note_usage(c.sender, is_limited);
  if (!is_limited && c.sender.unsent() < c.mss && c.sender.lost_bytes() == 0)
    recovery.rates->delivery.note_application_limited(pipe);
  const bool waits = held == Held::by_pacing;
  if (waits || recovery.rates->pacer.is_waiting())
    m.set_alarm(c, Alarm::held_back, waits ? recovery.rates->pacer.next_at() : Instant::never());
  recovery.rates->pacer.wait(waits);
}

}  // namespace lanyard::tcp
