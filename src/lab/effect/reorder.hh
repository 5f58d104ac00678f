// SPDX-License-Identifier: Apache-2.0
// Some frames skip the delay and overtake those before them, as netem's `reorder` has it. With a
// gap of n, at least n - 1 frames between two such frames keep their place.
#pragma once

#include "lab/effect/dice.hh"
#include "lab/effect/wire.hh"

namespace lanyard::lab {

class Reorder final : public Effect {
 public:
  // `past` is where a frame is that has skipped the delay.
  Reorder(const RandomStream& stream, Wire& past, Wire& next)
      : Effect(next), past_(past), dice_({}, stream) {}
  void set(const Reordering& reordering) {
    dice_.set(reordering.fate);
    gap_ = reordering.gap;
  }
  void carry(Instant at, Packet frame) override {
    const bool strikes = dice_.strikes();
    if (strikes && since_ + 1 >= gap_) {
      since_ = 0;
      past_.carry(at, std::move(frame));
    } else {
      ++since_;
      next().carry(at, std::move(frame));
    }
  }

 private:
  Wire& past_;
  Dice dice_;
  std::uint32_t gap_ = 1;
  std::uint64_t since_ = 0;
};

}  // namespace lanyard::lab
