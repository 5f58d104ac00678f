// SPDX-License-Identifier: Apache-2.0
// Segments that are spaced (SO_MAX_PACING_RATE), and what TCP_INFO says about rates.
#include "transport/tcp/pacer.hh"

#include <gtest/gtest.h>

#include "auditor.hh"
#include "harness.hh"
#include "invariants/pace_rule.hh"

namespace lanyard::test {

using tcp::Pacer;

namespace {

constexpr std::uint32_t full = 1448;
constexpr std::uint64_t ten_mbit = 1'250'000;  // octets per second

// From a to b over 1 Gbit/s, or what `path_rate` says, and back; b reads at once.
struct Flow {
  explicit Flow(std::uint64_t rate, std::uint32_t super_segment_bytes = 0) {
    pair.delay = 5_ms;
    pair.a.paths.super_segment_bytes_max = super_segment_bytes;
    pair.a.paths.takes_checksums = super_segment_bytes > 0;
    settings = pair.a.tcp.default_settings();
    settings.pacing_rate_max = rate;
    ends = pair.establish(settings);
    pair.tap = [this](bool from_a, const internet::Datagram& datagram) {
      auditor.see(from_a, datagram);
      const std::size_t size = read_segment(datagram).text.size();
      if (!from_a || size == 0) return;
      if (rule) rule->sent(pair.now, size);
      largest = std::max(largest, size);
    };
    pair.fate = [this](bool from_a, const internet::Datagram& datagram) {
      const std::size_t size = datagram.packet.size();
      if (!from_a || size < 500) return Fate{};
      if (dice.happens(loss)) return Fate{.copies = {}};
      free_at = std::max(free_at, pair.now) +
                Duration::nanoseconds(static_cast<std::int64_t>(size * 1'000'000'000 / path_rate));
      return Fate{.copies = {free_at - pair.now}};
    };
  }
  void hold_to(std::uint64_t rate, std::uint64_t allowance) {
    rule.emplace(rate, allowance, [](const std::string& what) { ADD_FAILURE() << what; });
  }
  // Sends and reads `bytes`; how long that took.
  Duration send(std::size_t bytes, Duration most = 100_s) {
    const Instant began = pair.now;
    const std::string text = pattern(bytes);
    std::size_t written = 0;
    std::string got;
    while (got.size() < bytes && pair.now - began < most) {
      const auto n = pair.a.tcp.send(pair.now, ends.a, as_bytes(text).subspan(written));
      if (n) written += *n;
      pair.run_for(1_ms);
      got += pair.read_all(pair.b, ends.b);
    }
    EXPECT_TRUE(got == text) << got.size();
    return pair.now - began;
  }
  tcp::Info info() { return pair.a.tcp.info(pair.now, ends.a); }

  Pair pair;
  Auditor auditor{65535};
  tcp::Settings settings;
  Pair::Ends ends{};
  std::optional<invariants::PaceRule> rule;
  std::size_t largest = 0;
  std::uint64_t path_rate = 125'000'000;
  std::uint64_t loss = 0;  // parts per billion
  Instant free_at;
  RandomStream dice = Seed(11).stream();
};

}  // namespace

TEST(TcpPacer, ABurstIsTwoSegmentsOrAMillisecond) {
  Pacer pacer;
  EXPECT_EQ(pacer.allowed({}), UINT32_MAX);  // off
  pacer.set({}, 1'000'000, 1000);
  const Instant now = Instant::start() + 1_s;
  EXPECT_EQ(pacer.allowed(now), 2000U);
  pacer.sent(now, 1000);
  EXPECT_EQ(pacer.allowed(now), 1000U);
  pacer.sent(now, 1000);
  EXPECT_EQ(pacer.allowed(now), 0U);
  // After an idle time half a burst is given for what was missed.
  EXPECT_EQ(pacer.next_at(), now + 1_ms);
  EXPECT_EQ(pacer.allowed(pacer.next_at() - 1_ns), 0U);
  EXPECT_EQ(pacer.allowed(pacer.next_at()), 2000U);
  pacer.set(now, 1'024'000'000, 1000);
  EXPECT_EQ(pacer.allowed(now + 1_s), 1'000'000U);
  pacer.set(now, 0, 1000);
  EXPECT_EQ(pacer.allowed(now), UINT32_MAX);
}

TEST(TcpPacer, WhatALateTimerCostsIsMadeUpFor) {
  Pacer pacer;
  pacer.set({}, 1'000'000, 1000);
  Instant now = Instant::start() + 1_s;
  std::uint64_t sent = 0;
  const Instant began = now;
  while (now - began < 1_s) {
    while (pacer.allowed(now) > 0) {
      pacer.sent(now, 1000);
      sent += 1000;
    }
    now = pacer.next_at() + 300_us;
  }
  EXPECT_NEAR(static_cast<double>(sent), 1'000'000.0, 4000.0);
}

TEST(TcpPacing, AFlowStaysBelowItsRateOverAnyTimeAndFillsIt) {
  Flow flow(ten_mbit);
  flow.hold_to(ten_mbit, 3 * full);  // a burst and a half
  const Duration took = flow.send(2'500'000);
  EXPECT_GE(took, 1980_ms);
  EXPECT_LE(took, 2100_ms);
  EXPECT_EQ(flow.info().pacing_rate, ten_mbit);
  EXPECT_EQ(flow.info().max_pacing_rate, ten_mbit);
  EXPECT_EQ(flow.info().total_retrans, 0U);
}

TEST(TcpPacing, SuperSegmentsAreNoLargerThanABurst) {
  Flow slow(ten_mbit, 64'000);
  slow.hold_to(ten_mbit, 3 * full);
  slow.send(500'000);
  EXPECT_EQ(slow.largest, 2 * full);
  constexpr std::uint64_t half_gbit = 62'500'000;
  Flow fast(half_gbit, 64'000);
  fast.hold_to(half_gbit, half_gbit / 1024 * 3 / 2);
  fast.send(20'000'000);
  EXPECT_GT(fast.largest, 20 * full);
}

TEST(TcpPacing, WhatIsSentAgainIsPacedToo) {
  Flow flow(ten_mbit);
  flow.loss = 20'000'000;
  flow.hold_to(ten_mbit, 4 * full);  // a probe of the tail does not wait
  flow.send(1'000'000);
  EXPECT_GT(flow.info().total_retrans, 5U);
}

TEST(TcpPacing, ARateMayChangeAndEndWhileSomethingWaits) {
  Flow flow(1000);
  const std::string text = pattern(200'000);
  ASSERT_EQ(flow.pair.a.tcp.send(flow.pair.now, flow.ends.a, as_bytes(text)).value(), 200'000U);
  std::string got;
  const auto read_for = [&](Duration time) {
    const Instant end = flow.pair.now + time;
    while (flow.pair.now < end) {
      flow.pair.run_for(10_ms);
      got += flow.pair.read_all(flow.pair.b, flow.ends.b);
    }
  };
  const auto change_to = [&](std::uint64_t rate) {
    flow.settings.pacing_rate_max = rate;
    flow.pair.a.tcp.set(flow.pair.now, flow.ends.a, flow.settings);
  };
  read_for(1_s);
  EXPECT_EQ(got.size(), 2 * full);  // the next burst is due after a second and a half
  change_to(100'000);
  read_for(1500_ms);
  EXPECT_NEAR(static_cast<double>(got.size()), 150'000.0, 6'000.0);
  change_to(UINT64_MAX);
  read_for(200_ms);
  EXPECT_TRUE(got == text) << got.size();
}

TEST(TcpPacing, NagleAndCorkHoldBackAsBefore) {
  Flow flow(ten_mbit);
  flow.settings.cork = true;
  flow.pair.a.tcp.set(flow.pair.now, flow.ends.a, flow.settings);
  const std::string text = pattern(3 * full + 10);
  ASSERT_TRUE(flow.pair.a.tcp.send(flow.pair.now, flow.ends.a, as_bytes(text)).has_value());
  flow.pair.run_for(150_ms);
  EXPECT_EQ(flow.pair.read_all(flow.pair.b, flow.ends.b).size(), 3 * full);
  flow.pair.run_for(300_ms);
  EXPECT_EQ(flow.pair.read_all(flow.pair.b, flow.ends.b).size(), 10U);
}

TEST(TcpPacing, NoRateAndARateOfZeroDoNotPace) {
  for (const std::uint64_t rate : {std::uint64_t{0}, UINT64_MAX}) {
    Flow flow(rate);
    EXPECT_LE(flow.send(2'000'000), 200_ms);
    EXPECT_EQ(flow.info().max_pacing_rate, UINT64_MAX);
    // What it would be paced at: as Linux, from the window and the round trip.
    const tcp::Info info = flow.info();
    const std::uint64_t once = std::uint64_t{info.snd_cwnd} * full * 1'000'000 / info.rtt_us;
    EXPECT_GE(info.pacing_rate, once);
    EXPECT_LE(info.pacing_rate, once * 2 + once / 50);
  }
}

TEST(TcpDeliveryRate, IsWhatTheBottleneckGives) {
  Flow flow(UINT64_MAX);
  flow.path_rate = ten_mbit;
  EXPECT_EQ(flow.info().delivery_rate, 0U);
  flow.send(1'500'000);
  const tcp::Info info = flow.info();
  // Payload of what the path carries: 1448 octets of 1480 behind the IP header.
  const std::uint64_t payload_rate = ten_mbit * full / (full + 32);
  EXPECT_NEAR(static_cast<double>(info.delivery_rate), static_cast<double>(payload_rate),
              static_cast<double>(payload_rate) / 50);
  EXPECT_FALSE(info.is_delivery_rate_limited);
}

TEST(TcpDeliveryRate, WhatTheProgramHeldBackDoesNotCountAgainstThePath) {
  Flow flow(UINT64_MAX);
  flow.path_rate = ten_mbit;
  for (int i = 0; i < 20; ++i) {
    flow.send(2000);
    flow.pair.run_for(50_ms);
  }
  EXPECT_TRUE(flow.info().is_delivery_rate_limited);
  EXPECT_LT(flow.info().delivery_rate, ten_mbit / 2);
  flow.send(1'500'000);
  const std::uint64_t found = flow.info().delivery_rate;
  EXPECT_GT(found, ten_mbit / 10 * 9);
  for (int i = 0; i < 20; ++i) {
    flow.send(2000);
    flow.pair.run_for(50_ms);
  }
  EXPECT_EQ(flow.info().delivery_rate, found);
  EXPECT_FALSE(flow.info().is_delivery_rate_limited);
}

}  // namespace lanyard::test
