// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/trace_pace.hh"

#include "wire/ethernet.hh"

namespace lanyard::lab {

Instant TracePace::at(std::uint64_t opportunity) const {
  const auto rounds = static_cast<std::int64_t>(opportunity / trace_.size());
  const std::int64_t in_round = trace_[opportunity % trace_.size()];
  return Instant::start() + Duration::milliseconds(rounds * trace_.back() + in_round);
}

Instant TracePace::ready(Instant now) {
  if (at(next_) >= now) return at(next_);
  // Skip whole rounds first: a lab may have been idle for a day.
  const std::int64_t round_ms = trace_.back();
  const auto rounds = static_cast<std::uint64_t>(now.since_start().count_ms() / round_ms);
  next_ = std::max(next_, (rounds == 0 ? 0 : rounds - 1) * trace_.size());
  while (at(next_) < now) ++next_;
  left_ = bytes_each;
  return at(next_);
}

Instant TracePace::take(Instant, std::size_t frame_bytes) {
  std::size_t bytes = frame_bytes - std::min(frame_bytes, ethernet::header_size);
  Instant out = at(next_);
  while (bytes > 0) {
    out = at(next_);
    const std::size_t now = std::min(bytes, left_);
    bytes -= now;
    left_ -= now;
    if (left_ > 0) break;
    ++next_;
    left_ = bytes_each;
  }
  return out;
}

}  // namespace lanyard::lab
