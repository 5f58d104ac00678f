// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/flight.hh"

#include <algorithm>
#include <memory>
#include <utility>

#include "transport/tcp/outgoing.hh"

namespace lanyard::tcp {

namespace {

SequenceNumber later(SequenceNumber a, SequenceNumber b) {
  return before(a, b) ? b : a;
}
SequenceNumber earlier(SequenceNumber a, SequenceNumber b) {
  return before(a, b) ? a : b;
}

bool contains(const SackBlock& outer, const SackBlock& inner) {
  return before_or_at(outer.left, inner.left) && before_or_at(inner.right, outer.right);
}

}  // namespace

void FlightRuns::grow(std::uint32_t wanted) {
  Block* const more = allocate_block(std::max(capacity_ * 4, wanted) * sizeof(FlightRun));
  auto* const first = static_cast<FlightRun*>(static_cast<void*>(more->data()));
  std::uninitialized_copy(begin(), end(), first);
  if (many_ != nullptr) drop_reference(many_);
  many_ = more;
  first_ = first;
  capacity_ = static_cast<std::uint32_t>(more->capacity / sizeof(FlightRun));
}

void FlightRuns::insert(std::size_t index, const FlightRun& run) {
  FlightRun* const last = extend(1);
  std::copy_backward(first_ + index, last, last + 1);
  first_[index] = run;
}

void FlightRuns::drop_front(std::size_t count) {
  std::copy(first_ + count, first_ + size_, first_);
  size_ -= static_cast<std::uint32_t>(count);
}

void Flight::sent(SequenceNumber from, SequenceNumber to, std::uint32_t mss, Instant now) {
  if (is_empty()) lost_from_ = from;
  const std::uint32_t count = std::max(segments_of(static_cast<std::uint32_t>(to - from), mss), 1U);
  Run* const first = runs_.extend(count);
  for (std::uint32_t i = 0; i < count; ++i, from = from + mss)
    std::construct_at(first + i, Run{.from = from,
                                     .to = i + 1 == count ? to : from + mss,
                                     .sent_at = now,
                                     .order = ++order_});
}

// The first run that ends after `place`.
std::size_t Flight::find(SequenceNumber place) const {
  const auto found =
      std::upper_bound(runs_.begin() + head_, runs_.end(), place,
                       [](SequenceNumber at, const Run& run) { return before(at, run.to); });
  return static_cast<std::size_t>(found - runs_.begin());
}

// The first run after a held one that is not; what was walked once is not walked again.
std::size_t Flight::past_held(std::size_t index) const {
  std::size_t past = index;
  while (past < runs_.size() && runs_[past].is_held) past += runs_[past].skip;
  runs_[index].skip = static_cast<std::uint32_t>(past - index) & 0xfff'ffffU;
  return past;
}

// Cuts a run that is not held in two, so that one begins at `place`.
void Flight::split(std::size_t index, SequenceNumber place) {
  ++splits_;
  Run rest = runs_[index];
  runs_[index].to = rest.from = place;
  rest.is_split = 1;
  runs_.insert(index + 1, rest);
}

void Flight::resent(SequenceNumber from, SequenceNumber to, Instant now) {
  std::size_t i = find(from);
  if (before(runs_[i].from, from)) split(i++, from);
  if (before_or_at(from, lost_from_)) lost_from_ = later(lost_from_, to);
  const std::uint32_t order = ++order_;
  for (; i < runs_.size() && before(runs_[i].from, to); ++i) {
    if (runs_[i].is_held) continue;
    if (after(runs_[i].to, to)) split(i, to);
    Run& run = runs_[i];
    if (run.is_lost) lost_ -= size_of(run);
    run.is_lost = 0;
    run.is_resent = 1;
    run.sent_at = now;
    run.order = order;
  }
}

// The octets of `run` before `to` have arrived.
void Flight::deliver(const Run& run, SequenceNumber to, Delivery& delivery) {
  if (delivery.octets == 0 || after(to, delivery.high_end)) delivery.high_end = to;
  delivery.octets += static_cast<std::uint32_t>(to - run.from);
  if (run.is_resent) {
    delivery.has_resent = true;
    // RFC 8985 6.2 step 2: an ACK that came too soon, or that echoes an earlier time, is that of
    // an earlier transmission.
    if (delivery.now - run.sent_at < delivery.least_round_trip) return;
    // What came out of order does not move the clock that is echoed (RFC 7323 4.3).
    const bool is_echoed = delivery.echo_ms && !run.is_held;
    const std::int64_t sent_ms = run.sent_at.since_start().count_ms();
    if (is_echoed && *delivery.echo_ms < sent_ms) return;
    if (is_echoed && *delivery.echo_ms == sent_ms) delivery.is_of_resent = true;
  } else {
    if (!delivery.has_original || before(run.from, delivery.low_original))
      delivery.low_original = run.from;
    if (!delivery.has_original || after(to, delivery.high_original_end))
      delivery.high_original_end = to;
    delivery.has_original = true;
    delivery.first_original_sent_at = std::min(delivery.first_original_sent_at, run.sent_at);
    delivery.last_original_sent_at = std::max(delivery.last_original_sent_at, run.sent_at);
  }
  const Moment moment = run.moment(to);
  if (!delivery.newest || delivery.newest->is_before(moment)) delivery.newest = moment;
}

// Runs in a row that went out once, all of which has arrived, are delivered as one: they stand in
// the order of time.
void Flight::acknowledge_plain(SequenceNumber una, Delivery& delivery) {
  std::size_t end = head_;
  while (end < runs_.size() && is_plain(runs_[end]) && !after(runs_[end].to, una)) ++end;
  if (end == head_) return;
  Run whole = runs_[end - 1];
  const Run& first = runs_[head_];
  whole.from = first.from;
  delivery.first_original_sent_at = std::min(delivery.first_original_sent_at, first.sent_at);
  deliver(whole, whole.to, delivery);
  head_ = end;
}

void Flight::acknowledge(SequenceNumber una, Delivery& delivery) {
  if (runs_.size() == 1 && head_ == 0 && is_plain(runs_[0]) && runs_[0].to == una) {
    deliver(runs_[0], una, delivery);  // the one segment of a message
    head_ = 1;
    return;
  }
  acknowledge_plain(una, delivery);
  for (; head_ < runs_.size() && before(runs_[head_].from, una); ++head_) {
    Run& run = runs_[head_];
    const SequenceNumber to = earlier(run.to, una);
    const auto gone = static_cast<std::uint32_t>(to - run.from);
    if (run.is_held) {
      held_ -= gone;
      if (to == run.to) --held_runs_;
    } else {
      if (run.is_lost) lost_ -= gone;
      deliver(run, to, delivery);
    }
    run.from = to;
    if (to != run.to) break;
    if (run.is_split) --splits_;
  }
  lost_from_ = later(lost_from_, una);
  constexpr std::size_t kept_max = 32;
  if (head_ < kept_max || head_ * 2 < runs_.size()) return;
  runs_.drop_front(head_);
  head_ = 0;
}

std::optional<SackBlock> duplicate_in(std::span<const SackBlock> blocks, SequenceNumber una) {
  if (!before(blocks[0].left, blocks[0].right)) return std::nullopt;
  const bool is_old = before_or_at(blocks[0].right, una);
  const bool is_inside = blocks.size() > 1 && contains(blocks[1], blocks[0]);
  return is_old || is_inside ? std::optional(blocks[0]) : std::nullopt;
}

// BI-54: a block that is empty, turned round, or outside what is outstanding says nothing.
void Flight::take_sack(std::span<const SackBlock> blocks, SequenceNumber una, SequenceNumber nxt,
                       Delivery& delivery) {
  for (const SackBlock& block : blocks) {
    if (!before(block.left, block.right)) continue;
    if (!after(block.left, una) || after(block.right, nxt)) continue;
    hold(block, delivery);
  }
}

void Flight::hold(SackBlock block, Delivery& delivery) {
  std::size_t i = find(block.left);
  if (i < runs_.size() && !runs_[i].is_held && before(runs_[i].from, block.left)) {
    if (splits_ < splits_max) split(i, block.left);
    ++i;  // BI-53: a peer may not cut for ever; what it said of a part is forgotten
  }
  while (i < runs_.size() && before(runs_[i].from, block.right)) {
    if (runs_[i].is_held) {
      i = past_held(i);
      continue;
    }
    if (after(runs_[i].to, block.right)) {
      if (splits_ >= splits_max) return;
      split(i, block.right);
    }
    Run& run = runs_[i];
    if (run.is_lost) lost_ -= size_of(run);
    run.is_lost = 0;
    run.is_held = 1;
    run.skip = 1;
    deliver(run, run.to, delivery);
    delivery.held += size_of(run);
    held_ += size_of(run);
    ++held_runs_;
    ++i;
  }
}

void Flight::lose(Run& run) {
  if (run.is_held || run.is_lost) return;
  run.is_lost = 1;
  lost_ += size_of(run);
  lost_from_ = lost_ == size_of(run) ? run.from : earlier(lost_from_, run.from);
}

// RFC 8985 6.2 step 5. Runs sent once stand in the order of time, and what was sent again went out
// later than all that stood before it did; so the first of the former that is too young ends it.
Losses Flight::lose(const LossRule& rule) {
  Losses found;
  for (std::size_t i = head_; i < runs_.size();) {
    Run& run = runs_[i];
    if (run.is_held) {
      i = past_held(i);
      continue;
    }
    ++i;
    const bool is_earlier = run.moment(run.to).is_before(rule.newest);
    if (!is_earlier && !run.is_resent) break;
    if (!is_earlier || run.is_lost) continue;
    const Duration left = run.sent_at + rule.wait - rule.now;
    if (left <= Duration::zero()) {
      lose(run);
      found.late = run.to;
    } else if (run.sent_at < rule.refused) {
      lose(run);
    } else {
      found.wait = std::max(found.wait, left);
    }
  }
  return found;
}

void Flight::lose_first(std::uint32_t octets) {
  if (size_of(runs_[head_]) > octets) split(head_, runs_[head_].from + octets);
  lose(runs_[head_]);
}

void Flight::lose_all() {
  for (std::size_t i = head_; i < runs_.size(); ++i) lose(runs_[i]);
}

void Flight::find_all() {
  for (std::size_t i = head_; i < runs_.size(); ++i) runs_[i].is_lost = 0;
  lost_ = 0;
}

void Flight::forget_held() {
  for (std::size_t i = head_; i < runs_.size(); ++i) {
    Run& run = runs_[i];
    if (!run.is_held) continue;
    run.is_held = 0;
    run.is_resent = 1;  // who knows which copy an ACK is about
  }
  held_ = held_runs_ = 0;
}

bool Flight::has_reneged() const {
  return !is_empty() && runs_[head_].is_held;
}

std::uint32_t Flight::resent() const {
  std::uint32_t octets = 0;
  for (std::size_t i = head_; i < runs_.size(); ++i) {
    const Run& run = runs_[i];
    if (run.is_resent && !run.is_held && !run.is_lost) octets += size_of(run);
  }
  return octets;
}

std::uint32_t Flight::held_segments(std::uint32_t mss) const {
  return held_ == 0 ? held_runs_ : std::max(held_ / mss, held_runs_);
}

std::optional<SackBlock> Flight::first_lost() const {
  if (lost_ == 0) return std::nullopt;
  std::size_t i = find(lost_from_);
  while (!runs_[i].is_lost) i = runs_[i].is_held ? past_held(i) : i + 1;
  lost_from_ = runs_[i].from;
  SackBlock lost{runs_[i].from, runs_[i].to};
  for (++i; i < runs_.size() && runs_[i].is_lost; ++i) lost.right = runs_[i].to;
  return lost;
}

}  // namespace lanyard::tcp
