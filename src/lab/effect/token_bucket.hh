// SPDX-License-Identifier: Apache-2.0
// A token bucket before another pace: tokens of a byte each come at a steady rate and as many are
// kept as the bucket holds; a frame goes when there are enough for all of it. So a burst goes as
// fast as the link does, and in the long run the rate is the bucket's. As netem's companion tbf.
#pragma once

#include <memory>

#include "lab/effect/pace.hh"
#include "lab/effect/roots.hh"
#include "lab/link_quality.hh"

namespace lanyard::lab {

class TokenBucket final : public Pace {
 public:
  // Full at first.
  TokenBucket(const TokenBucketSpec& spec, std::unique_ptr<Pace> behind)
      : spec_(spec), behind_(std::move(behind)), level_(full()) {}
  [[nodiscard]] Instant ready(Instant now) override { return behind_->ready(now); }
  [[nodiscard]] Instant begins(Instant now, std::size_t bytes) override {
    const Instant start = behind_->begins(now, bytes);
    fill(start);
    const std::int64_t lacking = cost(bytes) - level_;
    if (lacking <= 0) return start;
    const auto rate = static_cast<std::int64_t>(spec_.rate_bits_per_second);
    return start + Duration::nanoseconds((lacking + rate - 1) / rate);
  }
  [[nodiscard]] Instant take(Instant begins, std::size_t bytes) override {
    fill(begins);
    level_ -= cost(bytes);
    return behind_->take(begins, bytes);
  }

 private:
  // The level counts thousand-millionths of a bit, so that nothing is ever rounded away.
  static constexpr std::int64_t bit = 1'000'000'000;
  [[nodiscard]] std::int64_t full() const {
    return static_cast<std::int64_t>(spec_.burst_bytes) * 8 * bit;
  }
  // A frame larger than the bucket waits for a full one.
  [[nodiscard]] std::int64_t cost(std::size_t bytes) const {
    return std::min(static_cast<std::int64_t>(bytes) * 8 * bit, full());
  }
  void fill(Instant now) {
    if (now <= filled_at_) return;
    const Wide more = static_cast<Wide>((now - filled_at_).count_ns()) *
                      static_cast<std::int64_t>(spec_.rate_bits_per_second);
    filled_at_ = now;
    level_ = static_cast<std::int64_t>(std::min<Wide>(full(), level_ + more));
  }

  TokenBucketSpec spec_;
  std::unique_ptr<Pace> behind_;
  std::int64_t level_;
  Instant filled_at_;
};

}  // namespace lanyard::lab
