// SPDX-License-Identifier: Apache-2.0
// Each frame takes longer or shorter than the link's delay by a draw of its own; never less than
// nothing. Frames may overtake one another, as with netem, unless they are to stay in order.
#pragma once

#include <algorithm>

#include "lab/effect/distribution.hh"
#include "lab/effect/wire.hh"

namespace lanyard::lab {

// Stands behind Delay: it takes back at most what that has added.
class JitterEffect final : public Effect {
 public:
  JitterEffect(const RandomStream& dice, std::span<const std::int64_t> table, Wire& next)
      : Effect(next), distribution_(dice, table) {}
  void set(const Jitter& jitter, Duration delay) {
    jitter_ = jitter;
    delay_ = delay;
  }
  void set_table(std::span<const std::int64_t> table) { distribution_.set_table(table); }
  void carry(Instant at, Packet frame) override {
    const Duration more = Duration::nanoseconds(distribution_.draw(jitter_));
    Instant arrives = at + std::max(more, Duration::zero() - delay_);
    if (jitter_.in_order) arrives = std::max(arrives, last_);
    last_ = std::max(last_, arrives);
    next().carry(arrives, std::move(frame));
  }

 private:
  Distribution distribution_;
  Jitter jitter_;
  Duration delay_;
  Instant last_;
};

}  // namespace lanyard::lab
