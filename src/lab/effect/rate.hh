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
  void set(std::uint64_t bits_per_second) {
    bits_per_second_ = bits_per_second;
    last_bytes_ = 0;
    last_takes_ = Duration::zero();
  }

  // When a frame that comes at `at` is begun.
  [[nodiscard]] Instant begins(Instant at) const { return std::max(at, free_at_); }
  // How long a frame of this size takes, rounded up to the nanosecond.
  [[nodiscard]] Duration takes(std::size_t bytes) const {
    if (bits_per_second_ == 0) return Duration::zero();
    const std::uint64_t bit_ns = static_cast<std::uint64_t>(bytes) * 8 * 1'000'000'000;
    return Duration::nanoseconds(
        static_cast<std::int64_t>((bit_ns + bits_per_second_ - 1) / bits_per_second_));
  }
  // When the last bit of a frame that comes at `at` is out.
  Instant send(Instant at, std::size_t bytes) {
    if (bytes != last_bytes_) {
      last_bytes_ = bytes;
      last_takes_ = takes(bytes);
    }
    return free_at_ = begins(at) + last_takes_;
  }
  void carry(Instant at, Packet frame) override {
    const Instant out = send(at, frame.size());
    next().carry(out, std::move(frame));
  }

 private:
  std::uint64_t bits_per_second_;
  Instant free_at_;
  // Frames come in few sizes: a division less.
  std::size_t last_bytes_ = 0;
  Duration last_takes_;
};

}  // namespace lanyard::lab
