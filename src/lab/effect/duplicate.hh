// SPDX-License-Identifier: Apache-2.0
// Some frames arrive twice, the copy right behind the frame. It takes none of the link's rate:
// whoever copied it stands behind the queue.
#pragma once

#include "lab/effect/dice.hh"
#include "lab/effect/wire.hh"

namespace lanyard::lab {

class Duplicate final : public Effect {
 public:
  Duplicate(const RandomStream& stream, Wire& next) : Effect(next), dice_({}, stream) {}
  void set(const Fate& fate) { dice_.set(fate); }
  void carry(Instant at, Packet frame) override {
    Packet copy;
    if (dice_.strikes()) copy = frame.share();
    next().carry(at, std::move(frame));
    if (copy) next().carry(at, std::move(copy));
  }

 private:
  Dice dice_;
};

}  // namespace lanyard::lab
