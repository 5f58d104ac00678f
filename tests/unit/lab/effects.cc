// SPDX-License-Identifier: Apache-2.0
// The effects of a link, one by one and in a row, to the nanosecond.
#include <gtest/gtest.h>

#include <vector>

#include "lab/effect/delay.hh"
#include "lab/effect/drop_tail.hh"
#include "lab/effect/loss.hh"
#include "lab/effect/rate.hh"

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;

Packet frame_of(std::size_t bytes) {
  const std::vector<std::uint8_t> zeros(bytes);
  return Packet::copy_of(zeros);
}

struct Far final : Wire {
  void carry(Instant at, Packet) override { arrived.push_back(at.count_ns()); }
  void drop(Instant, Packet, DropReason why) override { dropped.push_back(why); }
  std::vector<std::int64_t> arrived;
  std::vector<DropReason> dropped;
};

TEST(Delay, AddsTheSameToEveryFrame) {
  Far far;
  Delay delay(20_ms, far);
  delay.carry(Instant::at_ns(5), frame_of(60));
  delay.set(1_ms);
  delay.carry(Instant::at_ns(7), frame_of(60));
  EXPECT_EQ(far.arrived, (std::vector<std::int64_t>{20'000'005, 1'000'007}));
}

TEST(Rate, SendsOneFrameAfterTheOther) {
  Far far;
  Rate rate(50'000'000, far);  // 1500 bytes take 240 us
  rate.carry(Instant::start(), frame_of(1500));
  rate.carry(Instant::start(), frame_of(1500));
  rate.carry(Instant::at_ns(1'000'000), frame_of(750));
  EXPECT_EQ(far.arrived, (std::vector<std::int64_t>{240'000, 480'000, 1'120'000}));
}

TEST(Rate, RoundsUpToTheNanosecondAndNeverOverflows) {
  Far far;
  EXPECT_EQ(Rate(3, far).takes(1), Duration::nanoseconds(2'666'666'667));
  EXPECT_EQ(Rate(1'000'000'000'000'000, far).takes(1), 1_ns);
  EXPECT_EQ(Rate(0, far).takes(65535), 0_ns);
  EXPECT_EQ(Rate(1, far).takes(65600), Duration::seconds(524'800));
}

TEST(DropTail, BytesThatWaitAreBoundedAndTheFrameBeingSentIsNotCounted) {
  Far far;
  Rate rate(8'000'000, far);  // a byte a microsecond
  DropTail queue(2000, rate);
  for (int i = 0; i < 4; ++i) queue.carry(Instant::start(), frame_of(1000));
  EXPECT_EQ(far.arrived, (std::vector<std::int64_t>{1'000'000, 2'000'000, 3'000'000}));
  EXPECT_EQ(far.dropped, std::vector{DropReason::queue_full});
  // At 1 ms the second is begun: there is room for one more.
  queue.carry(Instant::at_ns(1'000'000), frame_of(1000));
  queue.carry(Instant::at_ns(1'000'000), frame_of(1));
  EXPECT_EQ(far.arrived.back(), 4'000'000);
  EXPECT_EQ(far.dropped.size(), 2U);
}

TEST(DropTail, WithoutARateNothingWaits) {
  Far far;
  Rate rate(0, far);
  DropTail queue(1, rate);
  for (int i = 0; i < 100; ++i) queue.carry(Instant::start(), frame_of(1500));
  EXPECT_EQ(far.arrived.size(), 100U);
}

TEST(Loss, IsAsFrequentAsSaidAndTheSameForTheSameSeed) {
  std::vector<std::int64_t> first;
  for (int run = 0; run < 2; ++run) {
    Far far;
    Loss loss(10'000'000, Seed(7).branch("link r1 -- dc").branch("loss").stream(), far);
    for (int i = 0; i < 100'000; ++i) loss.carry(Instant::at_ns(i), frame_of(1));
    // 1 % of 100,000 with a deviation of 31: five of them.
    EXPECT_NEAR(static_cast<double>(far.dropped.size()), 1000, 157);
    if (run == 0) first = far.arrived;
    EXPECT_EQ(far.arrived, first);
  }
}

TEST(Loss, NeverAndAlways) {
  Far far;
  Loss loss(0, Seed(1).stream(), far);
  for (int i = 0; i < 1000; ++i) loss.carry(Instant::start(), frame_of(1));
  EXPECT_TRUE(far.dropped.empty());
  loss.set(1'000'000'000);
  for (int i = 0; i < 1000; ++i) loss.carry(Instant::start(), frame_of(1));
  EXPECT_EQ(far.dropped.size(), 1000U);
}

TEST(Loss, ChangingTheChanceChangesNoLaterThrow) {
  Far plain, changed;
  Loss a(500'000'000, Seed(3).stream(), plain);
  Loss b(0, Seed(3).stream(), changed);
  for (int i = 0; i < 200; ++i) {
    if (i == 100) b.set(500'000'000);
    a.carry(Instant::at_ns(i), frame_of(1));
    b.carry(Instant::at_ns(i), frame_of(1));
  }
  std::erase_if(plain.arrived, [](std::int64_t at) { return at < 100; });
  std::erase_if(changed.arrived, [](std::int64_t at) { return at < 100; });
  EXPECT_EQ(plain.arrived, changed.arrived);
}

TEST(Effects, ComposeInARow) {
  Far far;
  Delay delay(20_ms, far);
  Rate rate(50'000'000, delay);
  DropTail queue(64'000, rate);
  Loss loss(0, Seed(1).stream(), queue);
  loss.carry(Instant::start(), frame_of(1500));
  loss.carry(Instant::start(), frame_of(1500));
  EXPECT_EQ(far.arrived, (std::vector<std::int64_t>{20'240'000, 20'480'000}));
}

}  // namespace
}  // namespace lanyard::lab
