// SPDX-License-Identifier: Apache-2.0
// Each frame is lost with the same chance, by dice of its own: one throw a frame, also when the
// chance is 0, so that changing the chance at some moment changes no throw after it.
#pragma once

#include "core/random.hh"
#include "lab/effect/wire.hh"

namespace lanyard::lab {

class Loss final : public Effect {
 public:
  Loss(std::uint64_t parts_per_billion, const RandomStream& dice, Wire& next)
      : Effect(next), parts_per_billion_(parts_per_billion), dice_(dice) {}
  void set(std::uint64_t parts_per_billion) { parts_per_billion_ = parts_per_billion; }
  void carry(Instant at, Packet frame) override {
    if (dice_.happens(parts_per_billion_))
      next().drop(at, std::move(frame), DropReason::link_loss);
    else
      next().carry(at, std::move(frame));
  }

 private:
  std::uint64_t parts_per_billion_;
  RandomStream dice_;
};

}  // namespace lanyard::lab
