// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/queued.hh"

namespace lanyard::lab {

void Queued::carry(Instant at, Packet frame) {
  queue_->push(at, std::move(frame), next());
  on_waits_();
  poll(at);
}

void Queued::poll(Instant now) {
  wake_at_ = Instant::never();
  while (!is_empty()) {
    if (!held_) {
      wake_at_ = pace_->ready(now);
      if (wake_at_ > now) return;
      held_ = queue_->pull(now, next());
      if (!held_) continue;
    }
    wake_at_ = pace_->begins(now, held_->size());
    if (wake_at_ > now) return;
    Packet frame = std::move(*held_);
    held_.reset();
    const Instant out = pace_->take(now, frame.size());
    next().carry(out, std::move(frame));
  }
  wake_at_ = Instant::never();
}

void Queued::set_queue(Instant now, std::unique_ptr<Queue> queue) {
  // CoDel may drop as it is asked; what it keeps comes out.
  while (queue_->packets() > 0)
    if (auto frame = queue_->pull(now, next())) queue->push(now, std::move(*frame), next());
  queue_ = std::move(queue);
  poll(now);
}

void Queued::set_pace(Instant now, std::unique_ptr<Pace> pace) {
  pace_ = std::move(pace);
  poll(now);
}

void Queued::drop_all(Instant now, DropReason reason) {
  if (held_) next().drop(now, std::move(*held_), reason);
  held_.reset();
  while (queue_->packets() > 0)
    if (auto frame = queue_->pull(now, next())) next().drop(now, std::move(*frame), reason);
  wake_at_ = Instant::never();
}

}  // namespace lanyard::lab
