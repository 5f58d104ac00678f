// SPDX-License-Identifier: Apache-2.0
// Each effect against its definition, by counting: the bound stands beside each, five deviations
// unless it says otherwise, so that a right effect fails one seed in a million.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "lab/effect/black_hole.hh"
#include "lab/effect/correlated_loss.hh"
#include "lab/effect/corrupt.hh"
#include "lab/effect/delay.hh"
#include "lab/effect/distribution.hh"
#include "lab/effect/duplicate.hh"
#include "lab/effect/exact_drop.hh"
#include "lab/effect/four_state.hh"
#include "lab/effect/gilbert_elliott.hh"
#include "lab/effect/jitter.hh"
#include "lab/effect/reorder.hh"
#include "lab/effect/roots.hh"
#include "lab/effect/truncate.hh"

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;
using Shape = Jitter::Shape;

constexpr Share percent = 10'000'000;

RandomStream dice(std::string_view name = "a") {
  return Seed(42).branch(name).stream();
}

Packet frame_of(std::size_t bytes) {
  std::vector<std::uint8_t> zeros(bytes);
  zeros[12] = 0x08;  // IPv4
  return Packet::copy_of(zeros);
}

// What came out, by the number that each frame's id is.
struct Far final : Wire {
  void carry(Instant at, Packet frame) override {
    order.push_back(frame.id);
    times.push_back(at.count_ns());
    sizes.push_back(frame.size());
    last = std::move(frame);
  }
  void drop(Instant, Packet frame, DropReason why) override {
    lost.insert(frame.id);
    reason = why;
  }
  std::vector<std::uint64_t> order;
  std::vector<std::int64_t> times;
  std::vector<std::size_t> sizes;
  std::set<std::uint64_t> lost;
  DropReason reason = DropReason::none;
  Packet last;
};

// `count` frames a microsecond apart; 1 for each that was lost.
std::vector<int> fates(Wire& wire, Far& far, std::uint64_t count) {
  for (std::uint64_t i = 1; i <= count; ++i) {
    Packet frame = frame_of(60);
    frame.id = i;
    wire.carry(Instant::at_ns(static_cast<std::int64_t>(i) * 1000), std::move(frame));
  }
  std::vector<int> all(count);
  for (std::uint64_t i = 1; i <= count; ++i) all[i - 1] = far.lost.contains(i) ? 1 : 0;
  return all;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  const double middle = mean(values);
  double sum = 0;
  for (const double each : values) sum += (each - middle) * (each - middle);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// The correlation of each value with the next.
double correlation(const std::vector<double>& values) {
  const double middle = mean(values), spread = deviation(values);
  double sum = 0;
  for (std::size_t i = 0; i + 1 < values.size(); ++i)
    sum += (values[i] - middle) * (values[i + 1] - middle);
  return sum / static_cast<double>(values.size() - 1) / (spread * spread);
}

std::vector<double> as_doubles(const std::vector<int>& values) {
  return {values.begin(), values.end()};
}

Jitter jitter_of(Duration amount, Shape shape = Shape::uniform, Share correlation = 0) {
  Jitter jitter;
  jitter.amount = amount;
  jitter.shape = shape;
  jitter.correlation = correlation;
  return jitter;
}

std::vector<double> draws(const Jitter& jitter, int count) {
  Distribution distribution(dice("jitter"), {});
  std::vector<double> all;
  for (int i = 0; i < count; ++i) all.push_back(static_cast<double>(distribution.draw(jitter)));
  return all;
}

TEST(Roots, AreRoundedDown) {
  for (std::uint64_t n : {0ULL, 1ULL, 3ULL, 4ULL, 99ULL, 100ULL, 10'000'000'000'000'000ULL}) {
    const std::uint64_t root = square_root(n);
    EXPECT_LE(root * root, n);
    EXPECT_GT((root + 1) * (root + 1), n);
  }
  EXPECT_EQ(cube_root(27), 3U);
  EXPECT_EQ(cube_root(63), 3U);
  EXPECT_EQ(cube_root(static_cast<WideUnsigned>(1) << 60U), 1U << 20U);
}

// The tables against the formulas: the quantile of the normal distribution put into its
// distribution function gives the share back; Pareto by netem's formula.
TEST(Distribution, TablesAreWhatTheyAreCalled) {
  for (std::uint32_t i = 0; i < quantiles; i += 7) {
    const double z = static_cast<double>(normal_quantile(i)) / 8192;
    const double share = 0.5 * std::erfc(-z / std::sqrt(2.0));
    EXPECT_NEAR(share, (i + 0.5) / quantiles, 0.00003) << i;  // half a step of the table
    const double u = static_cast<double>(quantiles - i) / quantiles;
    const double pareto = std::min((std::pow(u, -1.0 / 3) - 1.5) * 4 / 3 * 8192, 32767.0);
    EXPECT_NEAR(static_cast<double>(pareto_quantile(i)), pareto, 1.0) << i;
    EXPECT_NEAR(static_cast<double>(paretonormal_quantile(i)), 0.25 * z * 8192 + 0.75 * pareto, 1.5)
        << i;
  }
}

TEST(Jitter, UniformIsFlatBetweenItsEnds) {
  const auto all = draws(jitter_of(5_ms), 100'000);
  // The deviation of a uniform share is a third of the square root of 3 of its half width: the
  // mean's own is 1/316 of that.
  EXPECT_NEAR(mean(all), 0, 5 * 5e6 / std::sqrt(3.0) / std::sqrt(1e5));
  EXPECT_NEAR(deviation(all), 5e6 / std::sqrt(3.0), 0.01 * 5e6);
  EXPECT_GE(*std::min_element(all.begin(), all.end()), -5e6);
  EXPECT_LE(*std::max_element(all.begin(), all.end()), 5e6);
  std::vector<int> tenths(10);
  for (const double each : all)
    ++tenths[std::min<std::size_t>(9, static_cast<std::size_t>((each + 5e6) / 1e6))];
  for (const int count : tenths) EXPECT_NEAR(count, 10'000, 475);  // five of 95
}

TEST(Jitter, NormalHasItsDeviation) {
  const auto all = draws(jitter_of(5_ms, Shape::normal), 100'000);
  EXPECT_NEAR(mean(all), 0, 5 * 5e6 / std::sqrt(1e5));
  EXPECT_NEAR(deviation(all), 5e6, 5e6 * 5 / std::sqrt(2e5));
  int inside = 0;
  for (const double each : all) inside += std::abs(each) <= 5e6 ? 1 : 0;
  EXPECT_NEAR(inside, 68'269, 5 * 147);
}

TEST(Jitter, ParetoIsLopsidedAndMostFramesAreEarly) {
  const auto all = draws(jitter_of(5_ms, Shape::pareto), 100'000);
  int early = 0;
  for (const double each : all) early += each < 0 ? 1 : 0;
  // x < 3/2 with chance 1 - (2/3)^3.
  EXPECT_NEAR(early, 100'000 * (1 - 8.0 / 27), 5 * 144);
  EXPECT_GE(*std::min_element(all.begin(), all.end()), -5e6 * 2 / 3 - 1000);
  EXPECT_LE(*std::max_element(all.begin(), all.end()), 4 * 5e6);
}

// The shape of each draw stays what it is, whatever the correlation; netem's would narrow.
TEST(Jitter, CorrelationKeepsTheShape) {
  for (const Share c : {Share{25 * percent}, Share{75 * percent}}) {
    const double wanted = static_cast<double>(c) / whole_share;
    const auto normal = draws(jitter_of(5_ms, Shape::normal, c), 200'000);
    // Successive draws hang together, so the bounds are wider: 3 %, and 0.01 for the correlation.
    EXPECT_NEAR(deviation(normal), 5e6, 0.03 * 5e6) << wanted;
    EXPECT_NEAR(correlation(normal), wanted, 0.01) << wanted;
    const auto uniform = draws(jitter_of(5_ms, Shape::uniform, c), 200'000);
    EXPECT_NEAR(deviation(uniform), 5e6 / std::sqrt(3.0), 0.03 * 5e6) << wanted;
    EXPECT_NEAR(correlation(uniform), 6 / M_PI * std::asin(wanted / 2), 0.01) << wanted;
  }
}

TEST(Jitter, NeverTakesBackMoreThanTheDelayAndKeepsOrderIfAsked) {
  for (const bool in_order : {false, true}) {
    Far far;
    JitterEffect jitter(dice(), {}, far);
    Jitter spec = jitter_of(5_ms);
    spec.in_order = in_order;
    jitter.set(spec, 1_ms);
    Delay delay(1_ms, jitter);
    fates(delay, far, 1000);
    bool has_overtaken = false;
    for (std::size_t i = 0; i < far.times.size(); ++i) {
      EXPECT_GE(far.times[i], static_cast<std::int64_t>(far.order[i]) * 1000);
      has_overtaken = has_overtaken || (i > 0 && far.times[i] < far.times[i - 1]);
    }
    EXPECT_EQ(has_overtaken, !in_order);
  }
}

TEST(Jitter, ATableOfOnesOwn) {
  const std::vector<std::int64_t> table = {8192, 16384};
  Distribution distribution(dice(), table);
  int ones = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t value = distribution.draw(jitter_of(1_ms, Shape::table));
    EXPECT_TRUE(value == 1'000'000 || value == 2'000'000) << value;
    ones += value == 1'000'000 ? 1 : 0;
  }
  EXPECT_NEAR(ones, 5000, 250);
}

TEST(CorrelatedLoss, KeepsItsShareAndHasItsCorrelation) {
  Far far;
  CorrelatedLoss loss(dice(), far);
  loss.set({.share = 5 * percent, .correlation = 60 * percent});
  const auto all = fates(loss, far, 200'000);
  // Variance of the mean grows by (1 + c) / (1 - c) = 4: deviation 0.00097.
  EXPECT_NEAR(mean(as_doubles(all)), 0.05, 0.005);
  EXPECT_NEAR(correlation(as_doubles(all)), 0.6, 0.03);
}

TEST(GilbertElliott, LosesByItsStates) {
  Far far;
  GilbertElliott loss(dice(), far);
  loss.set({.kind = LossModel::Kind::gilbert_elliott,
            .p = 1 * percent,
            .r = 20 * percent,
            .bad = 80 * percent,
            .good = percent / 10});
  const auto all = fates(loss, far, 300'000);
  const double bad = 0.01 / 0.21;
  const double wanted = bad * 0.8 + (1 - bad) * 0.001;
  // A chain with second eigenvalue 1 - p - r = 0.79: deviation of the mean below 0.0011.
  EXPECT_NEAR(mean(as_doubles(all)), wanted, 0.0055);
  // Covariance at one step: the state's, (bad - good)^2 * bad (1 - bad) * 0.79.
  const double one_step = 0.799 * 0.799 * bad * (1 - bad) * 0.79 / (wanted * (1 - wanted));
  EXPECT_NEAR(correlation(as_doubles(all)), one_step, 0.03);
}

TEST(FourState, LosesByItsStationaryShares) {
  const double p13 = 0.02, p31 = 0.3, p32 = 0.2, p23 = 0.5, p14 = 0.01;
  Far far;
  FourState loss(dice(), far);
  loss.set({.kind = LossModel::Kind::four_state,
            .p13 = 2 * percent,
            .p31 = 30 * percent,
            .p32 = 20 * percent,
            .p23 = 50 * percent,
            .p14 = 1 * percent});
  const auto all = fates(loss, far, 300'000);
  // Balance: pi1 p13 = pi3 p31, pi2 p23 = pi3 p32, pi4 = pi1 p14.
  const double pi3 = 1 / (p31 / p13 * (1 + p14) + p32 / p23 + 1);
  const double pi1 = pi3 * p31 / p13;
  EXPECT_NEAR(mean(as_doubles(all)), pi3 + pi1 * p14, 0.006);
  // A lone loss is never followed by another: bursts begin only from 1 to 3.
  int pairs = 0;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) pairs += all[i] & all[i + 1];
  EXPECT_NEAR(static_cast<double>(pairs) / 300'000, pi3 * (1 - p31 - p32), 0.004);
}

TEST(ExactDrop, DropsWhatItIsToldAndNothingElse) {
  Far far;
  ExactDrop drop(far);
  drop.set({{.first = 7, .last = 7}, {.every = 100}, {.first = 20, .last = 22}});
  fates(drop, far, 300);
  EXPECT_EQ(far.lost, (std::set<std::uint64_t>{7, 20, 21, 22, 100, 200, 300}));
}

TEST(Duplicate, TheCopyComesRightBehind) {
  Far far;
  Duplicate duplicate(dice(), far);
  duplicate.set({.share = 10 * percent});
  fates(duplicate, far, 100'000);
  EXPECT_NEAR(static_cast<double>(far.order.size()), 110'000, 5 * 95);
  std::size_t copies = 0;
  for (std::size_t i = 0; i + 1 < far.order.size(); ++i)
    if (far.order[i] == far.order[i + 1]) {
      ++copies;
      EXPECT_EQ(far.times[i], far.times[i + 1]);
    }
  EXPECT_EQ(copies, far.order.size() - 100'000);
}

TEST(Reorder, SkipsTheDelayAndRespectsTheGap) {
  Far far;
  Delay delay(10_ms, far);
  Reorder reorder(dice(), far, delay);
  reorder.set({.fate = {.share = 100 * percent}, .gap = 5});
  fates(reorder, far, 1000);
  std::vector<std::uint64_t> early;
  for (std::size_t i = 0; i < far.order.size(); ++i)
    if (far.times[i] == static_cast<std::int64_t>(far.order[i]) * 1000)
      early.push_back(far.order[i]);
  ASSERT_EQ(early.size(), 200U);  // every fifth
  for (const std::uint64_t each : early) EXPECT_EQ(each % 5, 0U);
  Far other;
  Delay long_way(10_ms, other);
  Reorder some(dice(), other, long_way);
  some.set({.fate = {.share = 25 * percent}});
  fates(some, other, 100'000);
  std::size_t skipped = 0;
  for (std::size_t i = 0; i < other.order.size(); ++i)
    skipped += other.times[i] == static_cast<std::int64_t>(other.order[i]) * 1000 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(skipped), 25'000, 5 * 137);
}

TEST(Corrupt, TurnsOneBitOverAnywhereInTheFrame) {
  Far far;
  Corrupt corrupt(dice(), far);
  corrupt.set({.share = whole_share});
  std::vector<int> bits(64 * 8);
  for (int i = 0; i < 51'200; ++i) {
    corrupt.carry(Instant::start(), Packet::copy_of(std::vector<std::uint8_t>(64)));
    int turned = 0;
    const Bytes bytes = far.last.linear();
    for (std::size_t bit = 0; bit < bits.size(); ++bit)
      if ((bytes[bit / 8] >> (bit % 8) & 1) != 0) {
        ++turned;
        ++bits[bit];
      }
    ASSERT_EQ(turned, 1);
  }
  for (const int count : bits) EXPECT_NEAR(count, 100, 60);  // six deviations: 512 are looked at
}

TEST(Corrupt, LeavesSharedBytesOfOthersAlone) {
  Far far;
  Corrupt corrupt(dice(), far);
  corrupt.set({.share = whole_share});
  const Packet original = frame_of(60);
  corrupt.carry(Instant::start(), original.share());
  EXPECT_EQ(original.front()[12], 0x08);
  std::size_t other = 0;
  for (std::size_t i = 0; i < 60; ++i) other += i != 12 && original.front()[i] != 0 ? 1 : 0;
  EXPECT_EQ(other, 0U);
}

TEST(Truncate, AnyLengthIsAsLikely) {
  Far far;
  Truncate truncate(dice(), far);
  truncate.set({.fate = {.share = whole_share}});
  fates(truncate, far, 46'000);
  std::vector<int> lengths(60);
  for (const std::size_t size : far.sizes) {
    ASSERT_GE(size, 14U);
    ASSERT_LT(size, 60U);
    ++lengths[size];
  }
  for (std::size_t i = 14; i < 60; ++i) EXPECT_NEAR(lengths[i], 1000, 5 * 32) << i;
  truncate.set({.fate = {.share = whole_share}, .bytes = 20});
  truncate.carry(Instant::start(), frame_of(60));
  EXPECT_EQ(far.sizes.back(), 20U);
}

// RFC 2923 2.1: what is too long is lost, and no message comes back.
TEST(BlackHole, SwallowsLongPacketsOnly) {
  Far far;
  BlackHole hole(far);
  hole.set(1400);
  hole.carry(Instant::start(), frame_of(1414));
  hole.carry(Instant::start(), frame_of(1415));
  EXPECT_EQ(far.sizes, std::vector<std::size_t>{1414});
  EXPECT_NE(far.reason, DropReason::none);
}

// Changing a chance changes no throw after it, and no throw of another effect.
TEST(Fates, EachEffectHasDiceOfItsOwn) {
  Far plain, changed;
  CorrelatedLoss a(dice(), plain), b(dice(), changed);
  a.set({.share = 50 * percent});
  b.set({.share = 0});
  fates(a, plain, 100);
  fates(b, changed, 100);
  b.set({.share = 50 * percent});
  plain.lost.clear();
  changed.lost.clear();
  EXPECT_EQ(fates(a, plain, 100), fates(b, changed, 100));
}

}  // namespace
}  // namespace lanyard::lab
