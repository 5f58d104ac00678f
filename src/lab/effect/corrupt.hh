// SPDX-License-Identifier: Apache-2.0
// One bit of some frames is turned over, any bit, the Ethernet header's too. As with netem the
// frame check sequence does not notice: it is as if the damage happened inside a machine.
#pragma once

#include "lab/effect/dice.hh"
#include "lab/effect/wire.hh"

namespace lanyard::lab {

class Corrupt final : public Effect {
 public:
  Corrupt(const RandomStream& stream, Wire& next) : Effect(next), dice_({}, stream) {}
  void set(const Fate& fate) { dice_.set(fate); }
  void carry(Instant at, Packet frame) override {
    const bool strikes = dice_.strikes();
    const std::uint64_t where = dice_.stream().next();
    if (strikes && frame.size() > 0) {
      finish_checksum(frame);
      frame.linear();
      frame.offload.checksum_good = false;
      frame.mutable_front()[(where >> 3U) % frame.size()] ^=
          static_cast<std::uint8_t>(1U << (where & 7U));
    }
    next().carry(at, std::move(frame));
  }

 private:
  Dice dice_;
};

}  // namespace lanyard::lab
