// SPDX-License-Identifier: Apache-2.0
// The shapes of jitter as tables of 4096 quantiles, in 8192ths of a deviation, as netem has them;
// whole numbers throughout. A correlation of c makes the normal scores of successive draws an
// autoregression z' = c z + sqrt(1 - c^2) g, so that each draw by itself keeps its shape exactly.
// (netem averages successive draws, which narrows the shape.)
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/random.hh"
#include "lab/link_quality.hh"

namespace lanyard::lab {

inline constexpr std::int64_t deviation_unit = 8192;
inline constexpr std::uint32_t quantiles = 4096;

extern const std::array<std::int16_t, 2048> normal_upper_half;

// The quantile of (index + 1/2) / 4096.
[[nodiscard]] std::int64_t normal_quantile(std::uint32_t index);
// Pareto with exponent 3, moved and scaled as netem does: (x - 3/2) * 4/3, and at most 4
// deviations. The quantile of (index + 1) / 4096.
[[nodiscard]] std::int64_t pareto_quantile(std::uint32_t index);
// A quarter normal, three quarters Pareto.
[[nodiscard]] std::int64_t paretonormal_quantile(std::uint32_t index);

// Draws of one jitter.
class Distribution {
 public:
  // `table` must outlive it; only for Shape::table.
  Distribution(const RandomStream& dice, std::span<const std::int64_t> table)
      : dice_(dice), table_(table) {}
  void set_table(std::span<const std::int64_t> table) { table_ = table; }
  // One draw, in nanoseconds; may be negative.
  [[nodiscard]] std::int64_t draw(const Jitter& jitter);

 private:
  [[nodiscard]] std::uint32_t correlated_index(Share correlation);
  [[nodiscard]] std::int64_t value_of(Jitter::Shape shape, std::uint32_t index) const;
  RandomStream dice_;
  std::span<const std::int64_t> table_;
  std::int64_t score_ = 0;  // the normal score of the draw before, in 8192 * 128ths
  bool has_score_ = false;
};

}  // namespace lanyard::lab
