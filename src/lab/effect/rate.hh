// SPDX-License-Identifier: Apache-2.0
// A link of so many bits a second: frames are sent one after another, and a frame is out when its
// last bit is. Counted are the frame's bytes as recorded, from the destination address to the end
// of the payload.
#pragma once

#include <algorithm>

#include "lab/effect/wire.hh"

namespace lanyard::lab {

class Rate final : public Effect {
 public:
  // 0 bits a second: as fast as frames come.
  Rate(std::uint64_t bits_per_second, Wire& next)
      : Effect(next), bits_per_second_(bits_per_second) {}
  void set(std::uint64_t bits_per_second) { bits_per_second_ = bits_per_second; }

  // When a frame that comes at `at` is begun.
  [[nodiscard]] Instant begins(Instant at) const { return std::max(at, free_at_); }
  // How long a frame of this size takes, rounded up to the nanosecond.
  [[nodiscard]] Duration takes(std::size_t bytes) const {
    if (bits_per_second_ == 0) return Duration::zero();
    const std::uint64_t bit_ns = static_cast<std::uint64_t>(bytes) * 8 * 1'000'000'000;
    return Duration::nanoseconds(
        static_cast<std::int64_t>((bit_ns + bits_per_second_ - 1) / bits_per_second_));
  }
  void carry(Instant at, Packet frame) override {
    free_at_ = begins(at) + takes(frame.size());
    next().carry(free_at_, std::move(frame));
  }

 private:
  std::uint64_t bits_per_second_;
  Instant free_at_;
};

}  // namespace lanyard::lab
