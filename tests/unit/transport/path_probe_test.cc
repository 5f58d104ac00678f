// SPDX-License-Identifier: Apache-2.0
// Paths that lose large segments in silence (RFC 4821), and those who lie about it (RFC 5927).
#include <gtest/gtest.h>

#include "harness.hh"

namespace lanyard::test {

namespace {

// A transfer from a to b over a path that takes segments (TCP header included) of so many octets.
struct Hole {
  explicit Hole(transport::PathProbing probing, std::size_t takes = SIZE_MAX, bool with_sack = true)
      : pair(config_of(probing, with_sack)), most(takes) {
    pair.fate = [this](bool, const internet::Datagram& datagram) {
      const bool is_lost = datagram.packet.size() > most;
      lost += is_lost ? 1 : 0;
      return is_lost ? Fate{{}} : Fate{};
    };
    ends = pair.establish();
  }
  static transport::Config config_of(transport::PathProbing probing, bool with_sack) {
    transport::Config config;
    config.sack = with_sack;
    config.path_probing = probing;
    return config;
  }
  // How many octets arrive of so many, in so long.
  std::size_t transfer(std::size_t bytes, Duration time) {
    const Instant end = pair.now + time;
    std::size_t arrived = 0, sent = 0;
    const std::string text = pattern(bytes);
    while (pair.now < end && arrived < bytes) {
      const auto taken = pair.a.tcp.send(pair.now, ends.a, as_bytes(text).subspan(sent));
      if (taken) sent += *taken;
      pair.run_for(10_ms);
      arrived += pair.read_all(pair.b, ends.b).size();
    }
    return arrived;
  }
  tcp::Info info() { return pair.a.tcp.info(pair.now, ends.a); }
  Pair pair;
  std::size_t most;
  int lost = 0;
  Pair::Ends ends{};
};

}  // namespace

// [RFC4821-7-a] 7.7.
TEST(TcpPathProbe, ABlackHoleIsPassedWithSmallerSegments) {
  Hole hole(transport::PathProbing::after_black_hole, 1200);
  EXPECT_EQ(hole.transfer(200'000, 20_s), 200'000U);
  EXPECT_EQ(hole.info().snd_mss, 1024U);
}

TEST(TcpPathProbe, AVeryNarrowPathTakesHalvings) {
  Hole hole(transport::PathProbing::after_black_hole, 300);
  EXPECT_EQ(hole.transfer(20'000, 120_s), 20'000U);
  EXPECT_EQ(hole.info().snd_mss, 256U);
}

TEST(TcpPathProbe, WhoDoesNotProbeIsStuck) {
  Hole hole(transport::PathProbing::off, 1200);
  EXPECT_EQ(hole.transfer(200'000, 20_s), 0U);
}

// 7.3, 7.6.1: a path that has become wide again is used again.
TEST(TcpPathProbe, ItGrowsAgainAfterTheInterval) {
  Hole hole(transport::PathProbing::after_black_hole, 1200);
  ASSERT_EQ(hole.transfer(100'000, 20_s), 100'000U);
  hole.most = SIZE_MAX;
  ASSERT_EQ(hole.transfer(100'000, 20_s), 100'000U);
  EXPECT_EQ(hole.info().snd_mss, 1024U);  // not yet
  hole.pair.run_for(600_s);
  ASSERT_EQ(hole.transfer(2'000'000, 60_s), 2'000'000U);
  EXPECT_EQ(hole.info().snd_mss, 1448U);
}

// [RFC4821-7-a] 7.6.2: the loss of a lone probe is no sign of congestion.
TEST(TcpPathProbe, ALostProbeReducesNothing) {
  Hole hole(transport::PathProbing::always, 1300);
  EXPECT_EQ(hole.info().snd_mss, 1024U);
  ASSERT_EQ(hole.transfer(3'000'000, 60_s), 3'000'000U);
  EXPECT_GT(hole.lost, 1);
  EXPECT_EQ(hole.info().snd_ssthresh, 0x7fffffffU);
  EXPECT_EQ(hole.info().total_retrans, 2U * static_cast<unsigned>(hole.lost));  // two halves each
  EXPECT_GE(hole.info().snd_mss, 1256U);
  EXPECT_LE(hole.info().snd_mss, 1268U);
}

// 7.6.2, and where there is no SACK to say so: the probe is what una stands at.
TEST(TcpPathProbe, WithoutSackALostProbeReducesNothingEither) {
  Hole hole(transport::PathProbing::always, 1300, false);
  ASSERT_EQ(hole.transfer(3'000'000, 60_s), 3'000'000U);
  EXPECT_GT(hole.lost, 1);
  EXPECT_EQ(hole.info().snd_ssthresh, 0x7fffffffU);
  EXPECT_GE(hole.info().snd_mss, 1256U);
}

// But what is lost beside it is a sign of congestion like any other.
TEST(TcpPathProbe, AProbeLostWithOthersReducesAsTheyDo) {
  Hole hole(transport::PathProbing::always, 1300);
  int behind = 0;
  hole.pair.fate = [&](bool from_a, const internet::Datagram& datagram) {
    if (!from_a) return Fate{};
    if (datagram.packet.size() > 1300) {
      behind = ++hole.lost == 1 ? 2 : behind;  // the two behind the first probe go with it
      return Fate{{}};
    }
    return behind > 0 && behind-- > 0 ? Fate{{}} : Fate{};
  };
  ASSERT_EQ(hole.transfer(3'000'000, 60_s), 3'000'000U);
  EXPECT_GT(hole.lost, 0);
  EXPECT_LT(hole.info().snd_ssthresh, 0x7fffffffU);
}

// [RFC8899-5-a] 5.2: BASE, SEARCHING, SEARCH_COMPLETE until PMTU_RAISE_TIMER, after a black hole
// BASE again, ERROR where the base does not fit, and out of it.
TEST(TcpPathProbe, BaseSearchCompleteAndErrorFollowOneAnother) {
  Hole hole(transport::PathProbing::always, 1300);
  EXPECT_EQ(hole.info().snd_mss, 1024U);
  ASSERT_EQ(hole.transfer(3'000'000, 60_s), 3'000'000U);
  const std::uint32_t found = hole.info().snd_mss;
  EXPECT_GT(found, 1250U);
  const int lost = hole.lost;
  ASSERT_EQ(hole.transfer(3'000'000, 60_s), 3'000'000U);
  EXPECT_EQ(hole.lost, lost);
  hole.pair.run_for(600_s);
  ASSERT_EQ(hole.transfer(3'000'000, 60_s), 3'000'000U);
  EXPECT_GT(hole.lost, lost);
  EXPECT_GE(hole.info().snd_mss, found);
  hole.most = 1100;
  ASSERT_EQ(hole.transfer(100'000, 60_s), 100'000U);
  EXPECT_EQ(hole.info().snd_mss, 1024U);
  hole.most = 600;
  ASSERT_EQ(hole.transfer(20'000, 120_s), 20'000U);
  EXPECT_EQ(hole.info().snd_mss, 512U);
  hole.most = SIZE_MAX;
  hole.pair.run_for(600_s);
  ASSERT_EQ(hole.transfer(3'000'000, 60_s), 3'000'000U);
  EXPECT_EQ(hole.info().snd_mss, 1448U);
}

// RFC 5927 7 [RFC5927-4-a], [RFC8899-5-a] 4.6.1: asked before a path is narrowed.
TEST(TcpPathProbe, OnlyWhatQuotesASegmentInFlightIsBelieved) {
  Hole hole(transport::PathProbing::off);
  std::optional<internet::Datagram> sent;
  hole.pair.tap = [&](bool from_a, const internet::Datagram& datagram) {
    if (from_a) sent = copy_of(datagram);
  };
  ASSERT_TRUE(hole.pair.a.tcp.send(hole.pair.now, hole.ends.a, as_bytes(pattern(1000))));
  hole.pair.flush();
  ASSERT_TRUE(sent);
  std::vector<std::uint8_t> quoted(sent->packet.front().begin(), sent->packet.front().end());
  internet::IcmpError error;
  error.kind = internet::IcmpError::Kind::packet_too_big;
  error.source = sent->source;
  error.destination = sent->destination;
  error.protocol = internet::Protocol::tcp;
  error.quoted = quoted;
  EXPECT_TRUE(hole.pair.a.tcp.believes(error));
  store32(quoted.data() + 4, load32(quoted.data() + 4) + 5000);
  EXPECT_FALSE(hole.pair.a.tcp.believes(error));
  store32(quoted.data() + 4, load32(quoted.data() + 4) - 5001);
  EXPECT_FALSE(hole.pair.a.tcp.believes(error));
  store32(quoted.data() + 4, load32(quoted.data() + 4) + 1);
  store16(quoted.data() + 2, 81);  // another conversation
  EXPECT_FALSE(hole.pair.a.tcp.believes(error));
}

}  // namespace lanyard::test
