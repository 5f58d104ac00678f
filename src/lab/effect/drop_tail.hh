// SPDX-License-Identifier: Apache-2.0
// The queue in front of a Rate: frames that wait, bounded in bytes; one that does not fit is
// dropped at the tail (RFC 2309 1). The frame being sent does not wait and does not count.
#pragma once

#include <deque>

#include "lab/effect/rate.hh"

namespace lanyard::lab {

class DropTail final : public Effect {
 public:
  DropTail(std::uint64_t bytes_max, Rate& rate)
      : Effect(static_cast<Wire&>(rate)), bytes_max_(bytes_max), rate_(rate) {}
  void set(std::uint64_t bytes_max) { bytes_max_ = bytes_max; }
  // Whether a frame that comes at `at` finds room; then it is in the queue until it is begun.
  [[nodiscard]] bool takes(Instant at, std::size_t bytes);
  void carry(Instant at, Packet frame) override;

 private:
  struct Waiting {
    Instant begins;
    std::size_t bytes = 0;
  };
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::deque<Waiting> waiting_;
  Rate& rate_;
};

}  // namespace lanyard::lab
