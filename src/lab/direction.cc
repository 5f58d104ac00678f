// SPDX-License-Identifier: Apache-2.0
#include "lab/direction.hh"

namespace lanyard::lab {

Direction::Direction(const LinkQuality& quality, const Seed& dice, Owner& owner)
    : owner_(owner), dice_(dice), quality_(quality) {
  build(quality_);
  build_queue(Instant::start(), quality_);
}

void Direction::send(Instant now, Packet&& frame) {
  traffic.count(frame);
  if (!is_up_) return drop(now, std::move(frame), DropReason::link_down);
  const std::size_t size = frame.size();
  const bool is_whole = frame.offload.segment_bytes != 0;  // takes_whole said that it may
  if (size > bytes_max && !is_whole) return drop(now, std::move(frame), DropReason::frame_too_long);
  if (!plain_.is_it) {
    first_->carry(now, std::move(frame));
    if (queued_ != nullptr) tell_deadline();
    return;
  }
  if (plain_.tail != nullptr && !plain_.tail->takes(now, size))
    return drop(now, std::move(frame), DropReason::queue_full);
  Instant arrives = plain_.rate == nullptr ? now : plain_.rate->send(now, size);
  if (plain_.delay != nullptr) arrives = arrives + plain_.delay->delay();
  owner_.on_carried(*this, arrives, std::move(frame));
}

bool Direction::takes_whole(const Packet& frame) const {
  const bool fits = frame.front().size() + frame.offload.segment_bytes <= bytes_max;
  return fits && is_up_ && plain_.is_it && plain_.tail == nullptr && plain_.rate == nullptr;
}

void Direction::poll(Instant now) {
  if (queued_ == nullptr || queued_->next_deadline() > now) return;
  queued_->poll(now);
  tell_deadline();
}

void Direction::tell_deadline() {
  const Instant next = queued_->next_deadline();
  if (next == deadline_) return;
  deadline_ = next;
  if (next != Instant::never()) owner_.on_deadline(*this, next);
}

void Direction::cut(Instant now) {
  is_up_ = false;
  ++cuts;
  if (queued_ == nullptr) return;
  queued_->drop_all(now, DropReason::link_down);
  tell_deadline();
}

void Direction::change(Instant now, const LinkChange& change) {
  apply(change, quality_);
  build(quality_);
  build_queue(now, quality_);
}

void Direction::prepare(const LinkChange& change) {
  LinkQuality later = quality_;
  apply(change, later);
  build(later);
  build(quality_);
}

void Direction::drop(Instant, Packet frame, DropReason reason) {
  drops_.count(reason);
  owner_.on_dropped(*this, frame, reason);
}

}  // namespace lanyard::lab
