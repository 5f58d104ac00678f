// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/distribution.hh"

#include "lab/effect/roots.hh"

namespace lanyard::lab {
namespace {

constexpr std::int64_t score_scale = 128;

// The largest value a table of netem's holds.
constexpr std::int64_t value_max = 32767;

// Half a deviation's step away from zero, so that nothing drifts.
std::int64_t rounded(Wide value, std::int64_t unit) {
  return static_cast<std::int64_t>((value + (value < 0 ? -unit / 2 : unit / 2)) / unit);
}

// The index whose quantile is nearest to the score.
std::uint32_t index_of(std::int64_t score) {
  std::uint32_t low = 0, high = quantiles - 1;
  while (low < high) {
    const std::uint32_t middle = (low + high) / 2;
    // The border between two indices lies half way between their quantiles.
    const std::int64_t border =
        (normal_quantile(middle) + normal_quantile(middle + 1)) * score_scale / 2;
    if (score < border)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

}  // namespace

std::int64_t normal_quantile(std::uint32_t index) {
  return index >= 2048 ? normal_upper_half[index - 2048] : -normal_upper_half[2047 - index];
}

// x = u^(-1/3) for u = (4096 - index) / 4096, in 2^20ths: the cube root of 2^60 * 4096 / (4096 -
// index).
std::int64_t pareto_quantile(std::uint32_t index) {
  const WideUnsigned cube = (static_cast<WideUnsigned>(quantiles) << 60U) / (quantiles - index);
  const auto x = static_cast<std::int64_t>(cube_root(cube));
  const std::int64_t moved = x - (std::int64_t{3} << 19U);
  const std::int64_t value = rounded(Wide{moved} * 4 * deviation_unit, std::int64_t{3} << 20U);
  return std::min(value, value_max);
}

std::int64_t paretonormal_quantile(std::uint32_t index) {
  return rounded(Wide{normal_quantile(index)} + Wide{3} * pareto_quantile(index), 4);
}

std::int64_t Distribution::value_of(Jitter::Shape shape, std::uint32_t index) const {
  switch (shape) {
    case Jitter::Shape::uniform:
      return 0;  // drawn without a table
    case Jitter::Shape::normal:
      return normal_quantile(index);
    case Jitter::Shape::pareto:
      return pareto_quantile(index);
    case Jitter::Shape::paretonormal:
      return paretonormal_quantile(index);
    case Jitter::Shape::table:
      return table_.empty() ? 0 : table_[std::uint64_t{index} * table_.size() / quantiles];
  }
  return 0;
}

std::uint32_t Distribution::correlated_index(Share correlation) {
  const std::int64_t fresh =
      normal_quantile(static_cast<std::uint32_t>(dice_.below(quantiles))) * score_scale;
  if (!has_score_ || correlation == 0) {
    has_score_ = true;
    score_ = fresh;
  } else {
    const std::uint64_t c = correlation;
    const auto rest = static_cast<std::int64_t>(
        square_root(std::uint64_t{whole_share} * whole_share - c * c));  // of a thousand million
    const Wide mixed = Wide{score_} * static_cast<std::int64_t>(c) + Wide{fresh} * rest;
    score_ = rounded(mixed, whole_share);
  }
  return index_of(score_);
}

// Two throws for each draw whatever the shape, so that changing it changes no draw after.
std::int64_t Distribution::draw(const Jitter& jitter) {
  const std::int64_t amount = jitter.amount.count_ns();
  const std::uint32_t index = correlated_index(jitter.correlation);
  const std::uint64_t fine = dice_.next() >> 32U;
  if (jitter.shape == Jitter::Shape::uniform) {
    // 12 bits of the index and 32 more: a share of [-amount, amount].
    const std::uint64_t share = std::uint64_t{index} << 32U | fine;
    const auto span = static_cast<WideUnsigned>(2 * amount + 1);
    return static_cast<std::int64_t>((span * share) >> 44U) - amount;
  }
  std::uint32_t at = index;
  // A table longer than 4096 is used to its last entry.
  if (jitter.shape == Jitter::Shape::table && jitter.correlation == 0 && !table_.empty()) {
    const std::int64_t value = table_[(fine * table_.size()) >> 32U];
    return rounded(Wide{amount} * value, deviation_unit);
  }
  return rounded(Wide{amount} * value_of(jitter.shape, at), deviation_unit);
}

}  // namespace lanyard::lab
