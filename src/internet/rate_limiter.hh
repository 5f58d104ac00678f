// SPDX-License-Identifier: Apache-2.0
// A token bucket (RFC 4443 2.4 (f), RFC 1812 4.3.2.8): so many a second, and a burst of so many.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/time.hh"

namespace lanyard::internet {

class RateLimiter {
 public:
  // A rate of 0 allows nothing.
  RateLimiter(std::uint32_t per_second, std::uint32_t burst)
      : interval_(Duration::seconds(1) / std::max(1U, per_second)),
        full_(per_second == 0 ? Duration::zero() : interval_ * std::max(1U, burst)),
        credit_(full_) {}

  // Takes one token; false if there is none.
  [[nodiscard]] bool allows(Instant now) {
    // A clock that went back adds nothing.
    if (now > last_) credit_ = std::min(full_, credit_ + std::min(full_, now - last_));
    last_ = std::max(last_, now);
    if (full_ == Duration::zero() || credit_ < interval_) return false;
    credit_ -= interval_;
    return true;
  }

 private:
  Duration interval_, full_, credit_;
  Instant last_;
};

}  // namespace lanyard::internet
