// SPDX-License-Identifier: Apache-2.0
#include "lab/direction.hh"

namespace lanyard::lab {

void Direction::send(Instant now, Packet frame) {
  ++counters_.frames;
  counters_.bytes += frame.size();
  traffic.count(frame);
  if (!is_up_) return drop(now, std::move(frame), DropReason::link_down);
  if (frame.size() > bytes_max) return drop(now, std::move(frame), DropReason::frame_too_long);
  queue_.carry(now, std::move(frame));
}

void Direction::change(const LinkChange& change) {
  apply(change, quality_);
  delay_.set(quality_.delay);
  loss_.set(quality_.loss_parts_per_billion);
  rate_.set(quality_.rate_bits_per_second);
  queue_.set(quality_.queue_bytes);
}

void Direction::drop(Instant, Packet frame, DropReason reason) {
  ++counters_.drops[static_cast<std::size_t>(reason)];
  owner_.on_dropped(*this, frame, reason);
}

}  // namespace lanyard::lab
