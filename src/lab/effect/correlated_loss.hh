// SPDX-License-Identifier: Apache-2.0
// Loss in runs: `loss: 1% correlation 25%` (dice.hh has the definition).
#pragma once

#include "lab/effect/dice.hh"
#include "lab/effect/wire.hh"

namespace lanyard::lab {

class CorrelatedLoss final : public Effect {
 public:
  CorrelatedLoss(const RandomStream& stream, Wire& next) : Effect(next), dice_({}, stream) {}
  void set(const Fate& fate) { dice_.set(fate); }
  void carry(Instant at, Packet frame) override {
    if (dice_.strikes())
      next().drop(at, std::move(frame), DropReason::link_loss);
    else
      next().carry(at, std::move(frame));
  }

 private:
  Dice dice_;
};

}  // namespace lanyard::lab
