// SPDX-License-Identifier: Apache-2.0
// How fast a link takes frames. Asked for one frame after the other, in the order of time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/time.hh"

namespace lanyard::lab {

class Pace {
 public:
  Pace() = default;
  Pace(const Pace&) = delete;
  Pace& operator=(const Pace&) = delete;
  virtual ~Pace() = default;
  // From when on some frame could be begun: then the queue is asked for it.
  [[nodiscard]] virtual Instant ready(Instant now) = 0;
  // When this one can be begun, ready(now) having come; not before `now`.
  [[nodiscard]] virtual Instant begins(Instant now, std::size_t bytes) = 0;
  // Begins it; when its last bit is out.
  [[nodiscard]] virtual Instant take(Instant begins, std::size_t bytes) = 0;
};

// So many bits a second; 0: as fast as frames come.
class SteadyPace final : public Pace {
 public:
  explicit SteadyPace(std::uint64_t bits_per_second, Instant free_at)
      : bits_per_second_(bits_per_second), free_at_(free_at) {}
  void set(std::uint64_t bits_per_second) { bits_per_second_ = bits_per_second; }
  [[nodiscard]] Instant ready(Instant now) override { return std::max(now, free_at_); }
  [[nodiscard]] Instant begins(Instant now, std::size_t) override { return ready(now); }
  [[nodiscard]] Instant take(Instant begins, std::size_t bytes) override {
    free_at_ = begins;
    if (bits_per_second_ != 0) {
      const std::uint64_t bit_ns = static_cast<std::uint64_t>(bytes) * 8 * 1'000'000'000;
      free_at_ += Duration::nanoseconds(
          static_cast<std::int64_t>((bit_ns + bits_per_second_ - 1) / bits_per_second_));
    }
    return free_at_;
  }

 private:
  std::uint64_t bits_per_second_;
  Instant free_at_;
};

}  // namespace lanyard::lab
