// SPDX-License-Identifier: Apache-2.0
// Spaces what a sender sends (SO_MAX_PACING_RATE): a burst of what the rate gives in about a
// millisecond, two segments at least, and then nothing until its time has passed, as Linux without
// a queue that paces. Octets of payload; retransmissions count as all others do.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/time.hh"

namespace lanyard::tcp {

class Pacer {
 public:
  // In octets per second; 0: nothing waits. What the old rate asked for is not waited for.
  void set(Instant now, std::uint64_t rate, std::uint32_t mss) {
    constexpr std::uint64_t burst_max = 1U << 24;
    const bool is_faster = rate > rate_ && rate_ != 0;
    rate_ = rate;
    mss_ = mss;
    burst_ = static_cast<std::uint32_t>(
        std::max<std::uint64_t>(std::min(rate / 1024, burst_max), std::uint64_t{2} * mss));
    if (is_faster) next_at_ = std::min(next_at_, now + time_of(burst_));
  }
  [[nodiscard]] bool is_on() const { return rate_ != 0; }
  // How much may go now; 0: not before next_at().
  [[nodiscard]] std::uint32_t allowed(Instant now) const {
    if (rate_ == 0) return UINT32_MAX;
    if (now >= next_at_) return burst_;
    return left_ < mss_ ? 0 : left_;
  }
  [[nodiscard]] Instant next_at() const { return next_at_; }
  void sent(Instant now, std::uint32_t octets) {
    if (rate_ == 0) return;
    if (now >= next_at_) {
      left_ = burst_;
      late_ = std::min(now - next_at_, time_of(burst_) / 2);
      next_at_ = now;
    }
    left_ -= std::min(left_, octets);
    next_at_ += time_of(octets);
    if (left_ >= mss_) return;
    // What a late timer has cost is made up for, by half a burst at most.
    next_at_ = next_at_ - late_;
    late_ = Duration::zero();
  }
  // Something waits for next_at().
  void wait(bool is_waiting) { is_waiting_ = is_waiting; }
  [[nodiscard]] bool is_waiting() const { return is_waiting_; }

 private:
  friend struct SendingFields;  // fold_sending.hh
  [[nodiscard]] Duration time_of(std::uint32_t octets) const {
    constexpr std::uint64_t ns_per_second = 1'000'000'000;
    return Duration::nanoseconds(
        static_cast<std::int64_t>((octets * ns_per_second + rate_ - 1) / rate_));
  }
  std::uint64_t rate_ = 0;
  Instant next_at_;
  Duration late_;  // by how much the burst began
  std::uint32_t mss_ = 0, burst_ = 0;
  std::uint32_t left_ = 0;  // of the burst
  bool is_waiting_ = false;
};

}  // namespace lanyard::tcp
