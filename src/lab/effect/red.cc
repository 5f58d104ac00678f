// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/red.hh"

#include "lab/effect/ecn.hh"
#include "lab/effect/roots.hh"

namespace lanyard::lab {
namespace {

constexpr std::uint32_t weight_bits = 9;  // w_q = 1/512, as the paper has it (0.002)

}  // namespace

// An idle queue counts as so many small frames that could have gone meanwhile.
void Red::average_in(Instant now) {
  if (fifo_.is_empty()) {
    const std::int64_t frame_ns = std::max<std::int64_t>(1, numbers_.frame_time.count_ns());
    std::int64_t missed = (now - idle_since_).count_ns() / frame_ns;
    for (; missed > 0 && average_ >> weight_bits != 0; --missed)
      average_ -= average_ >> weight_bits;
    if (missed > 0) average_ = 0;
    idle_since_ = now;
  }
  const std::uint64_t length = fifo_.bytes() << 16U;
  average_ = length >= average_ ? average_ + ((length - average_) >> weight_bits)
                                : average_ - ((average_ - length) >> weight_bits);
}

bool Red::strikes() {
  const std::uint64_t average = average_bytes();
  if (average < numbers_.min_bytes) {
    count_ = -1;
    return false;
  }
  if (average >= numbers_.max_bytes) {
    count_ = 0;
    return true;
  }
  ++count_;
  // p_b = chance * (average - min) / (max - min); p_a = p_b / (1 - count * p_b).
  constexpr std::uint64_t all = 1'000'000'000;
  const std::uint64_t base =
      numbers_.chance * (average - numbers_.min_bytes) / (numbers_.max_bytes - numbers_.min_bytes);
  const auto used = static_cast<std::uint64_t>(count_) * base;
  const std::uint64_t throw_of = dice_.below(all);
  if (used < all &&
      static_cast<WideUnsigned>(throw_of) * (all - used) >= static_cast<WideUnsigned>(base) * all)
    return false;
  count_ = 0;
  return true;
}

void Red::push(Instant now, Packet frame, Wire& book) {
  average_in(now);
  const bool is_struck = strikes();
  const bool is_over = average_bytes() >= numbers_.max_bytes;
  const bool is_marked = is_struck && numbers_.marks && !is_over && mark_congestion(frame);
  if (is_struck && !is_marked) return book.drop(now, std::move(frame), DropReason::dropped_early);
  if (fifo_.bytes() + frame.size() > numbers_.limit_bytes)
    return book.drop(now, std::move(frame), DropReason::queue_full);
  fifo_.push(now, std::move(frame));
}

std::optional<Packet> Red::pull(Instant now, Wire&) {
  if (fifo_.is_empty()) return {};
  std::optional<Packet> frame = std::move(fifo_.pull().frame);
  if (fifo_.is_empty()) idle_since_ = now;
  return frame;
}

}  // namespace lanyard::lab
