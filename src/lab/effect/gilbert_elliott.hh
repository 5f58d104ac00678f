// SPDX-License-Identifier: Apache-2.0
// Bursts of loss by the chain of Gilbert and Elliott: two states, good and bad; a frame is lost
// with the chance of the present state, then the state changes with chance p (good to bad) or r
// (bad to good). In the long run the share p / (p + r) of frames meets the bad state. netem writes
// its arguments `gemodel p r 1-h 1-k`: here `bad` is its 1-h and `good` its 1-k.
#pragma once

#include "core/random.hh"
#include "lab/effect/wire.hh"
#include "lab/link_quality.hh"

namespace lanyard::lab {

class GilbertElliott final : public Effect {
 public:
  GilbertElliott(const RandomStream& dice, Wire& next) : Effect(next), dice_(dice) {}
  void set(const LossModel& model) { model_ = model; }
  void carry(Instant at, Packet frame) override {
    const bool is_lost = dice_.happens(is_bad_ ? model_.bad : model_.good);
    if (dice_.happens(is_bad_ ? model_.r : model_.p)) is_bad_ = !is_bad_;
    if (is_lost)
      next().drop(at, std::move(frame), DropReason::link_loss);
    else
      next().carry(at, std::move(frame));
  }

 private:
  LossModel model_;
  RandomStream dice_;
  bool is_bad_ = false;
};

}  // namespace lanyard::lab
