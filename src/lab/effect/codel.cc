// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/codel.hh"

#include "lab/effect/ecn.hh"
#include "lab/effect/roots.hh"

namespace lanyard::lab {

// RFC 8289 5.6: the next drop comes an interval divided by the square root of the number of drops
// later.
Instant CodelControl::control_law(Instant since, const CodelNumbers& numbers) const {
  const auto interval = static_cast<std::uint64_t>(numbers.interval.count_ns());
  // An interval is 10 s at most: its square fits.
  return since + Duration::nanoseconds(static_cast<std::int64_t>(
                     square_root(interval * interval / std::max(count_, 1U))));
}

// RFC 8289 5.6: the head of the queue, and whether it may be dropped: it waited longer than the
// target, as has every one for an interval.
std::optional<Packet> CodelControl::take(Instant now, Fifo& fifo, const CodelNumbers& numbers) {
  may_drop_ = false;
  if (fifo.is_empty()) {
    first_above_ = Instant::start();
    return {};
  }
  Fifo::Held head = fifo.pull();
  const Duration waited = now - head.since;
  if (waited < numbers.target || fifo.bytes() <= numbers.frame_max) {
    first_above_ = Instant::start();
  } else if (first_above_ == Instant::start()) {
    first_above_ = now + numbers.interval;
  } else if (now >= first_above_) {
    may_drop_ = true;
  }
  return std::move(head.frame);
}

bool CodelControl::strike(Instant now, std::optional<Packet>& frame, const CodelNumbers& numbers,
                          Wire& book) {
  if (numbers.marks && mark_congestion(*frame)) return true;
  book.drop(now, std::move(*frame), DropReason::dropped_early);
  return false;
}

// RFC 8289 5.5.
std::optional<Packet> CodelControl::pull(Instant now, Fifo& fifo, const CodelNumbers& numbers,
                                         Wire& book) {
  std::optional<Packet> frame = take(now, fifo, numbers);
  if (!frame) {
    is_dropping_ = false;
    return frame;
  }
  if (is_dropping_) {
    if (!may_drop_) is_dropping_ = false;
    while (is_dropping_ && now >= drop_next_) {
      ++count_;
      if (strike(now, frame, numbers, book)) {
        drop_next_ = control_law(drop_next_, numbers);
        return frame;
      }
      frame = take(now, fifo, numbers);
      if (!may_drop_)
        is_dropping_ = false;
      else
        drop_next_ = control_law(drop_next_, numbers);
    }
    return frame;
  }
  if (!may_drop_) return frame;
  if (!strike(now, frame, numbers, book)) frame = take(now, fifo, numbers);
  is_dropping_ = true;
  // If it has not been long since the last time, the rate that controlled the queue then is where
  // to begin.
  const std::uint32_t since_last = count_ - last_count_;
  count_ = since_last > 1 && now - drop_next_ < numbers.interval * 16 ? since_last : 1;
  drop_next_ = control_law(now, numbers);
  last_count_ = count_;
  return frame;
}

}  // namespace lanyard::lab
