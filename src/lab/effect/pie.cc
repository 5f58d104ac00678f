// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/pie.hh"

#include <algorithm>

#include "lab/effect/ecn.hh"
#include "lab/effect/roots.hh"

namespace lanyard::lab {
namespace {

constexpr std::int64_t one = std::int64_t{1} << 48U;
constexpr Duration update_every = Duration::milliseconds(15);  // T_UPDATE
constexpr Duration burst_max = Duration::milliseconds(150);    // MAX_BURST
constexpr std::int64_t ns = 1'000'000'000;

// RFC 8033 4.2: alpha 1/8 and beta 1 1/4 a second; `eighths` is how many of them.
std::int64_t weighed(Duration difference, std::int64_t eighths) {
  const Wide product = static_cast<Wide>(difference.count_ns()) * eighths * (one / 8);
  return static_cast<std::int64_t>(product / ns);
}

// RFC 8033 4.2: small steps while the chance is small.
std::int64_t tuned(std::int64_t step, std::int64_t chance) {
  if (chance < one / 1'000'000) return step / 2048;
  if (chance < one / 100'000) return step / 512;
  if (chance < one / 10'000) return step / 128;
  if (chance < one / 1'000) return step / 32;
  if (chance < one / 100) return step / 8;
  if (chance < one / 10) return step / 2;
  return step;
}

}  // namespace

std::uint64_t Pie::chance() const {
  return static_cast<std::uint64_t>((static_cast<Wide>(chance_) * ns) >> 48U);
}

// The controller's steps since the last call: nothing that it looks at has changed in between.
void Pie::catch_up(Instant now) {
  if (!is_active_) return;
  while (next_update_ <= now) {
    update();
    next_update_ += update_every;
    const bool is_still = fifo_.is_empty() && chance_ == 0 && waited_ == Duration::zero() &&
                          waited_before_ == Duration::zero();
    if (is_still && burst_allowance_ == Duration::zero()) {
      is_active_ = false;  // RFC 8033 5.3: until the queue fills again
      return;
    }
  }
}

// RFC 8033 4.2.
void Pie::update() {
  if (fifo_.is_empty()) waited_ = Duration::zero();
  std::int64_t step =
      tuned(weighed(waited_ - numbers_.target, 1) + weighed(waited_ - waited_before_, 10), chance_);
  // RFC 8033 5.5: no leap once drops are frequent. As Linux has it, a queue of 250 ms is emptied
  // fast.
  if (chance_ >= one / 10 && step > one / 50) step = one / 50;
  if (waited_ > Duration::milliseconds(250)) step += one / 50;
  chance_ += step;
  if (waited_ == Duration::zero() && waited_before_ == Duration::zero())
    chance_ -= chance_ / 50;  // RFC 8033 4.2: decays while idle
  chance_ = std::clamp<std::int64_t>(chance_, 0, one);
  if (chance_ < one / 1'000'000'000 && fifo_.is_empty()) chance_ = 0;
  waited_before_ = waited_;
  burst_allowance_ = std::max(Duration::zero(), burst_allowance_ - update_every);
  const Duration half = numbers_.target / 2;
  if (chance_ == 0 && waited_ < half && waited_before_ < half && !fifo_.is_empty())
    burst_allowance_ = burst_max;
}

// RFC 8033 4.1 and 5.4 (de-randomisation).
bool Pie::early_drop() {
  if (burst_allowance_ > Duration::zero()) return false;
  if (waited_before_ < numbers_.target / 2 && chance_ < one / 5) return false;
  if (fifo_.bytes() <= std::uint64_t{2} * numbers_.frame_max) return false;
  accumulated_ = chance_ == 0 ? 0 : accumulated_ + chance_;
  if (accumulated_ < one * 17 / 20) return false;
  const bool is_due = accumulated_ >= one * 17 / 2;
  const bool strikes =
      dice_.below(static_cast<std::uint64_t>(one)) < static_cast<std::uint64_t>(chance_);
  if (!is_due && !strikes) return false;
  accumulated_ = 0;
  return true;
}

void Pie::push(Instant now, Packet frame, Wire& book) {
  catch_up(now);
  if (!is_active_) {
    is_active_ = true;
    next_update_ = now + update_every;
    burst_allowance_ = burst_max;
    chance_ = accumulated_ = 0;
    waited_ = waited_before_ = Duration::zero();
  }
  if (fifo_.packets() >= numbers_.packets_max)
    return book.drop(now, std::move(frame), DropReason::queue_full);
  // RFC 8033 5.1: marks only while drops are rare.
  const bool is_struck = early_drop();
  const bool is_marked =
      is_struck && numbers_.marks && chance_ < one / 10 && mark_congestion(frame);
  if (is_struck && !is_marked) return book.drop(now, std::move(frame), DropReason::dropped_early);
  fifo_.push(now, std::move(frame));
}

std::optional<Packet> Pie::pull(Instant now, Wire&) {
  catch_up(now);
  if (fifo_.is_empty()) return {};
  Fifo::Held held = fifo_.pull();
  waited_ = now - held.since;
  return std::move(held.frame);
}

}  // namespace lanyard::lab
