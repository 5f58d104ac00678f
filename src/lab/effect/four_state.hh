// SPDX-License-Identifier: Apache-2.0
// The four-state Markov chain of netem's `loss state` (Salsano, Ludovici, Ordine, Giannuzzi:
// "Definition of a general and intuitive loss model for packet networks", 2012):
//   1 gap: received          ways out: p13 to 3, p14 to 4
//   2 burst: received        p23 to 3
//   3 burst: lost            p31 to 1, p32 to 2
//   4 gap: lost, alone       always to 1
// A frame meets the state that the frame before has led to.
#pragma once

#include "core/random.hh"
#include "lab/effect/wire.hh"
#include "lab/link_quality.hh"

namespace lanyard::lab {

class FourState final : public Effect {
 public:
  FourState(const RandomStream& dice, Wire& next) : Effect(next), dice_(dice) {}
  void set(const LossModel& model) { model_ = model; }
  void carry(Instant at, Packet frame) override {
    move();
    if (state_ == State::burst_lost || state_ == State::gap_lost)
      next().drop(at, std::move(frame), DropReason::link_loss);
    else
      next().carry(at, std::move(frame));
  }

 private:
  enum class State : std::uint8_t { gap, burst, burst_lost, gap_lost };
  void move() {
    const std::uint64_t number = dice_.below(whole_share);
    switch (state_) {
      case State::gap:
        if (number < model_.p14)
          state_ = State::gap_lost;
        else if (number < std::uint64_t{model_.p14} + model_.p13)
          state_ = State::burst_lost;
        break;
      case State::burst:
        if (number < model_.p23) state_ = State::burst_lost;
        break;
      case State::burst_lost:
        if (number < model_.p32)
          state_ = State::burst;
        else if (number < std::uint64_t{model_.p32} + model_.p31)
          state_ = State::gap;
        break;
      case State::gap_lost:
        state_ = State::gap;
        break;
    }
  }

  LossModel model_;
  RandomStream dice_;
  State state_ = State::gap;
};

}  // namespace lanyard::lab
