// SPDX-License-Identifier: Apache-2.0
// Queues and paces, each against its definition.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "lab/effect/codel.hh"
#include "lab/effect/ecn.hh"
#include "lab/effect/fq_codel.hh"
#include "lab/effect/pie.hh"
#include "lab/effect/priority.hh"
#include "lab/effect/queued.hh"
#include "lab/effect/red.hh"
#include "lab/effect/roots.hh"
#include "lab/effect/tail_queue.hh"
#include "lab/effect/token_bucket.hh"
#include "lab/effect/trace_pace.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;

// A UDP packet of so many bytes, Ethernet header and all.
Packet packet_of(std::size_t bytes, std::uint8_t traffic_class = 0, std::uint16_t port = 1000) {
  std::vector<std::uint8_t> frame(bytes);
  frame[12] = 0x08;
  ipv4::Header header;
  header.source = IpAddress::v4(10, 0, 0, 1);
  header.destination = IpAddress::v4(10, 0, 0, 2);
  header.protocol = 17;
  header.traffic_class = traffic_class;
  header.write(frame.data() + 14, bytes - 34);
  store16(frame.data() + 34, port);
  return Packet::copy_of(frame);
}

struct Far final : Wire {
  void carry(Instant at, Packet frame) override {
    times.push_back(at.count_ns());
    ids.push_back(frame.id);
    last = std::move(frame);
  }
  void drop(Instant at, Packet frame, DropReason why) override {
    lost.push_back(frame.id);
    lost_at.push_back(at.count_ns());
    reasons.push_back(why);
  }
  std::vector<std::int64_t> times, lost_at;
  std::vector<std::uint64_t> ids, lost;
  std::vector<DropReason> reasons;
  Packet last;
};

// Frames come every `gap` to a link of `rate`; the queue is woken when it asks to be.
class Line {
 public:
  Line(std::unique_ptr<Queue> queue, std::uint64_t rate, Far& to)
      : Line(std::move(queue), std::make_unique<SteadyPace>(rate, Instant::start()), to) {}
  Line(std::unique_ptr<Queue> queue, std::unique_ptr<Pace> pace, Far& to)
      : queued(
            std::move(queue), std::move(pace), [] {}, to) {}
  void send_every(Duration gap, Instant until, std::size_t bytes, std::uint8_t traffic_class = 0) {
    for (; now < until; now += gap) {
      catch_up();
      Packet frame = packet_of(bytes, traffic_class);
      frame.id = ++sent;
      queued.carry(now, std::move(frame));
    }
  }
  void catch_up() {
    while (queued.next_deadline() <= now) queued.poll(queued.next_deadline());
  }
  void empty() {
    now = Instant::at_ns(std::int64_t{1} << 60U);
    catch_up();
  }
  Queued queued;
  Instant now = Instant::at_ns(1);
  std::uint64_t sent = 0;
};

TEST(TailQueue, DoesWhatTheQueueThatNeedsNoWakingDoes) {
  Far far;
  Line line(std::make_unique<TailQueue>(2000, SIZE_MAX), 8'000'000, far);
  for (int i = 0; i < 4; ++i) line.queued.carry(line.now, packet_of(1000));
  line.empty();
  EXPECT_EQ(far.times, (std::vector<std::int64_t>{1'000'001, 2'000'001, 3'000'001}));
  EXPECT_EQ(far.reasons, std::vector{DropReason::queue_full});
}

TEST(TailQueue, CountsPackets) {
  Far far;
  Line line(std::make_unique<TailQueue>(UINT64_MAX / 2, 3), 8'000'000, far);
  for (int i = 0; i < 10; ++i) line.queued.carry(line.now, packet_of(100));
  EXPECT_EQ(far.lost.size(), 6U);  // one is being sent, three wait
}

// RFC 8289 5: nothing is dropped while frames wait less than the target.
TEST(Codel, LeavesAShortQueueAlone) {
  Far far;
  Line line(std::make_unique<Codel>(CodelNumbers{5_ms, 100_ms}, 1000), 8'000'000, far);
  line.send_every(1100_us, Instant::at_ns(10'000'000'000), 1000);
  EXPECT_TRUE(far.lost.empty());
}

// The first drop comes an interval after the wait went above the target, the next interval /
// sqrt(2) later, then / sqrt(3) ...
TEST(Codel, DropsByItsControlLaw) {
  Far far;
  Line line(std::make_unique<Codel>(CodelNumbers{5_ms, 100_ms}, 100'000), 8'000'000, far);
  line.send_every(500_us, Instant::at_ns(1'000'000'000), 1000);  // twice what the link takes
  ASSERT_GE(far.lost_at.size(), 6U);
  // The wait is above the target when the queue has 5 frames: 10 ms in; the link looks once a
  // millisecond.
  EXPECT_NEAR(static_cast<double>(far.lost_at[0]), 110e6, 3e6);
  for (std::size_t i = 1; i < 6; ++i)
    EXPECT_NEAR(static_cast<double>(far.lost_at[i] - far.lost_at[i - 1]),
                100e6 / std::sqrt(static_cast<double>(i + 0)), 2e6)
        << i;
}

TEST(Codel, MarksInsteadOfDroppingWhatUnderstands) {
  Far far;
  Line line(std::make_unique<Codel>(CodelNumbers{.target = 5_ms, .interval = 100_ms, .marks = true},
                                    100'000),
            8'000'000, far);
  line.send_every(500_us, Instant::at_ns(400'000'000), 1000, 0x02);
  EXPECT_TRUE(far.lost.empty());
}

// RFC 3168 5: ECT is marked CE and the header checksum stays right; what is not capable is not.
TEST(Ecn, MarksAndKeepsTheChecksum) {
  Packet capable = packet_of(100, 0x02), plain = packet_of(100, 0);
  EXPECT_TRUE(mark_congestion(capable));
  EXPECT_FALSE(mark_congestion(plain));
  const auto view = ipv4::View::parse(capable.front().subspan(14));
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->traffic_class(), 0x03);
  EXPECT_TRUE(view->has_good_checksum());
}

// RFC 8290: a flow that sends little is not delayed by one that fills the queue.
TEST(FqCodel, ASparseFlowIsNotDelayedByAFullOne) {
  Far far;
  FqCodel::Numbers numbers{.codel = {.target = 5_ms, .interval = 100_ms}};
  Queued queued(
      std::make_unique<FqCodel>(numbers, SipKey{1, 2}),
      std::make_unique<SteadyPace>(8'000'000, Instant::start()), [] {}, far);
  const Instant now = Instant::at_ns(1);
  for (int i = 0; i < 50; ++i) queued.carry(now, packet_of(1000, 0, 1));
  Packet sparse = packet_of(100, 0, 2);
  sparse.id = 77;
  queued.carry(now, std::move(sparse));
  while (queued.next_deadline() != Instant::never()) queued.poll(queued.next_deadline());
  ASSERT_EQ(far.ids.size(), 51U);
  const auto place = std::ranges::find(far.ids, 77U) - far.ids.begin();
  EXPECT_LE(place, 4);  // the frame being sent, then at most the old flow's quantum
}

TEST(FqCodel, TwoFullFlowsShareByBytes) {
  Far far;
  FqCodel::Numbers numbers{.codel = {.target = 10_s, .interval = 10_s}};
  FqCodel queue(numbers, SipKey{1, 2});
  for (int i = 0; i < 300; ++i) {
    Packet large = packet_of(1500, 0, 1);
    large.id = 1;
    queue.push(Instant::at_ns(1), std::move(large), far);
    Packet small = packet_of(300, 0, 2);
    small.id = 2;
    queue.push(Instant::at_ns(1), std::move(small), far);
  }
  std::map<std::uint64_t, std::size_t> bytes;
  for (int i = 0; i < 240; ++i)
    if (auto frame = queue.pull(Instant::at_ns(2), far)) bytes[frame->id] += frame->size();
  // RFC 8290 3.1: by deficit round robin they differ by two quanta at most.
  EXPECT_NEAR(static_cast<double>(bytes[1]), static_cast<double>(bytes[2]), 2 * 1514);
}

// RFC 8290 4.1: over the limit, the fattest flow loses, at its head.
TEST(FqCodel, OverItsLimitTheFattestFlowLoses) {
  Far far;
  FqCodel::Numbers numbers{.codel = {.target = 5_ms, .interval = 100_ms}, .packets_max = 20};
  FqCodel queue(numbers, SipKey{1, 2});
  for (std::uint64_t i = 1; i <= 20; ++i) {
    Packet frame = packet_of(1000, 0, 1);
    frame.id = i;
    queue.push(Instant::at_ns(1), std::move(frame), far);
  }
  Packet other = packet_of(100, 0, 2);
  other.id = 99;
  queue.push(Instant::at_ns(1), std::move(other), far);
  ASSERT_EQ(far.lost.size(), 10U);  // half of its bytes
  EXPECT_EQ(far.lost.front(), 1U);
  EXPECT_EQ(queue.packets(), 11U);
}

// RFC 8033: without congestion nothing is lost; a load of 130 % is held at the target.
TEST(Pie, HoldsTheWaitAtItsTarget) {
  Far far;
  auto pie = std::make_unique<Pie>(Pie::Numbers{.target = 15_ms, .packets_max = 10'000},
                                   Seed(1).branch("pie").stream());
  Line line(std::move(pie), 8'000'000, far);
  line.send_every(1100_us, Instant::at_ns(5'000'000'000), 1000);
  EXPECT_TRUE(far.lost.empty());
  line.send_every(769_us, Instant::at_ns(65'000'000'000), 1000);
  // Over the last 30 s: what is lost is what is too much, and the queue is near 15 frames.
  std::size_t lost = 0;
  for (const std::int64_t at : far.lost_at) lost += at > 35'000'000'000 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(lost) / (30'000 / 0.769), 1 - 0.769, 0.02);
  EXPECT_NEAR(static_cast<double>(line.queued.queue().packets()), 15, 10);
}

// Floyd and Jacobson: nothing below min, everything above max, and between them one frame in
// 1 / p_b on average, spread evenly.
TEST(Red, DropsByTheAverage) {
  Far far;
  Red red({.min_bytes = 10'000,
           .max_bytes = 30'000,
           .limit_bytes = 1'000'000,
           .chance = 100'000'000,
           .frame_time = 1_ms},
          Seed(1).branch("red").stream());
  const Instant now = Instant::at_ns(1);
  // The queue is held at 20 frames of 1000 bytes: half way, p_b = 5 %.
  for (int i = 0; i < 20; ++i) red.push(now, packet_of(1000), far);
  for (int i = 0; i < 6000; ++i) {
    red.pull(now, far);
    while (red.packets() < 20) red.push(now, packet_of(1000), far);
  }
  EXPECT_NEAR(static_cast<double>(red.average_bytes()), 19'000, 1500);
  const std::size_t before = far.lost.size();
  std::size_t pushed = 0;
  for (int i = 0; i < 40'000; ++i) {
    red.pull(now, far);
    while (red.packets() < 20) {
      red.push(now, packet_of(1000), far);
      ++pushed;
    }
  }
  const double p_b = 0.1 * (static_cast<double>(red.average_bytes()) - 10'000) / 20'000;
  // The gaps are uniform on 1 .. 1/p_b: one in (1/p_b + 1) / 2.
  const double wanted = static_cast<double>(pushed) * 2 / (1 / p_b + 1);
  EXPECT_NEAR(static_cast<double>(far.lost.size() - before), wanted, 0.08 * wanted);
}

TEST(Red, ForgetsWhileIdle) {
  Far far;
  Red red({.min_bytes = 10'000,
           .max_bytes = 30'000,
           .limit_bytes = 1'000'000,
           .chance = 100'000'000,
           .frame_time = 1_ms},
          Seed(1).branch("red").stream());
  for (int i = 0; i < 2000; ++i) {
    red.push(Instant::at_ns(1), packet_of(1000), far);
    if (red.packets() > 20) red.pull(Instant::at_ns(1), far);
  }
  EXPECT_GT(red.average_bytes(), 10'000U);
  while (red.packets() > 0) red.pull(Instant::at_ns(1), far);
  red.push(Instant::at_ns(1'000'000'000'000), packet_of(1000), far);
  EXPECT_LT(red.average_bytes(), 100U);
}

TEST(Priority, TheHigherBandAlwaysGoesFirst) {
  Far far;
  Priority queue(10);
  const std::uint8_t classes[] = {0x20, 0x00, 0xb8, 0x04, 0xc0};  // CS1, best effort, EF, LE, CS6
  for (std::uint64_t i = 0; i < 5; ++i) {
    Packet frame = packet_of(100, classes[i]);
    frame.id = i + 1;
    queue.push(Instant::start(), std::move(frame), far);
  }
  std::vector<std::uint64_t> order;
  while (auto frame = queue.pull(Instant::start(), far)) order.push_back(frame->id);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{3, 5, 2, 1, 4}));
}

// A full bucket lets its burst through at the link's rate, then its own rate holds to the byte.
TEST(TokenBucket, ABurstThenItsRate) {
  Far far;
  Line line(std::make_unique<TailQueue>(1'000'000, SIZE_MAX),
            std::make_unique<TokenBucket>(
                TokenBucketSpec{.rate_bits_per_second = 8'000'000, .burst_bytes = 5000},
                std::make_unique<SteadyPace>(0, Instant::start())),
            far);
  for (int i = 0; i < 20; ++i) line.queued.carry(Instant::at_ns(1000), packet_of(1000));
  line.empty();
  ASSERT_EQ(far.times.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_EQ(far.times[i], i < 5 ? 1000 : 1000 + static_cast<std::int64_t>(i - 4) * 1'000'000);
}

// mahimahi: every line one packet of 1500 bytes; small ones share; idle ones are lost; it begins
// again at its end.
TEST(TracePace, GivesEachOpportunityToWhoIsThere) {
  const std::vector<std::int64_t> trace = {2, 5, 5, 10};
  Far far;
  Line line(std::make_unique<TailQueue>(1'000'000, SIZE_MAX), std::make_unique<TracePace>(trace),
            far);
  for (int i = 0; i < 5; ++i) line.queued.carry(Instant::at_ns(1), packet_of(1514));
  line.empty();
  EXPECT_EQ(far.times,
            (std::vector<std::int64_t>{2'000'000, 5'000'000, 5'000'000, 10'000'000, 12'000'000}));
  Far small;
  Line shared(std::make_unique<TailQueue>(1'000'000, SIZE_MAX), std::make_unique<TracePace>(trace),
              small);
  for (int i = 0; i < 3; ++i) shared.queued.carry(Instant::at_ns(3'000'000), packet_of(764));
  shared.empty();
  EXPECT_EQ(small.times, (std::vector<std::int64_t>{5'000'000, 5'000'000, 5'000'000}));
}

TEST(Queued, ACutLosesWhatWaitsAndAChangeOfDisciplineDoesNot) {
  Far far;
  Line line(std::make_unique<TailQueue>(1'000'000, SIZE_MAX), 8'000'000, far);
  for (int i = 0; i < 5; ++i) line.queued.carry(line.now, packet_of(1000));
  line.queued.set_queue(line.now, std::make_unique<Priority>(100));
  EXPECT_EQ(line.queued.queue().packets(), 4U);
  EXPECT_TRUE(far.lost.empty());
  line.queued.drop_all(line.now, DropReason::link_down);
  EXPECT_EQ(far.lost.size(), 4U);
  EXPECT_EQ(line.queued.next_deadline(), Instant::never());
}

}  // namespace
}  // namespace lanyard::lab
