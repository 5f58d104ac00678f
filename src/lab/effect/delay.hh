// SPDX-License-Identifier: Apache-2.0
// Propagation: every frame arrives the same time later.
#pragma once

#include "lab/effect/wire.hh"

namespace lanyard::lab {

class Delay final : public Effect {
 public:
  Delay(Duration delay, Wire& next) : Effect(next), delay_(delay) {}
  void set(Duration delay) { delay_ = delay; }
  [[nodiscard]] Duration delay() const { return delay_; }
  void carry(Instant at, Packet frame) override { next().carry(at + delay_, std::move(frame)); }

 private:
  Duration delay_;
};

}  // namespace lanyard::lab
