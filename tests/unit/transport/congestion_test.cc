// SPDX-License-Identifier: Apache-2.0
// CUBIC (RFC 9438), HyStart++ (RFC 9406) and explicit congestion notification (RFC 3168).
#include <gtest/gtest.h>

#include "peer.hh"
#include "transport/congestion/cubic.hh"
#include "transport/congestion/kind.hh"
#include "transport/congestion/new_reno.hh"

namespace lanyard::test {

using congestion::Cubic;
using congestion::Kind;
using tcp::SequenceNumber;
namespace flags = tcp::flags;

namespace {

constexpr std::uint32_t mss = 1000;

// Acknowledges whole windows, one round trip each.
void round(congestion::Control& control, Instant& now, Duration round_trip,
           Duration sample = Duration::zero()) {
  const std::uint32_t window = control.window();
  now += round_trip;
  for (std::uint32_t acked = 0; acked < window; acked += 2 * mss)
    control.on_acknowledged({.now = now,
                             .bytes = std::min(2 * mss, window - acked),
                             .flight = window,
                             .was_limited = true,
                             .in_recovery = false,
                             .round_trip = round_trip,
                             .sample = sample == Duration::zero() ? round_trip : sample});
}

}  // namespace

TEST(TcpCubic, AReductionLeavesSevenTenthsAndTheCurveComesBackInTheTimeOfK) {
  Cubic cubic(mss, false);
  Instant now;
  cubic.start_at(100 * mss, 100 * mss);
  cubic.on_loss(now, 100 * mss);
  EXPECT_EQ(cubic.window(), 70 * mss);  // [RFC9438-4-a]: beta = 0.7, ssthresh from the flight size
  EXPECT_EQ(cubic.threshold(), 70 * mss);
  cubic.on_recovered(now);
  // K = cbrt(30 / 0.4) = 4.217 s: flat there, at W_max; a round trip of 200 ms is CUBIC's region.
  while (now < Instant::start() + 4217_ms) round(cubic, now, 200_ms);
  EXPECT_GT(cubic.window(), 98 * mss);
  EXPECT_LT(cubic.window(), 101 * mss);
  EXPECT_EQ(cubic.cubic_window(4217_ms) / mss, 100U);
  // C * (t - K)^3: 10.8 segments three seconds later.
  while (now < Instant::start() + 7217_ms) round(cubic, now, 200_ms);
  EXPECT_NEAR(cubic.window() / mss, 111, 3);
}

TEST(TcpCubic, OnAShortPathItIsNoSlowerThanReno) {
  Cubic cubic(mss, false);
  Instant now;
  cubic.start_at(20 * mss, 20 * mss);
  cubic.on_loss(now, 20 * mss);
  cubic.on_recovered(now);
  // RFC 9438 4.3: alpha = 9/17 for each round trip until the old window, then 1.
  for (int i = 0; i < 100; ++i) round(cubic, now, 1_ms);
  EXPECT_GE(cubic.window(), 14 * mss + 50 * mss);
  EXPECT_LE(cubic.window(), 14 * mss + 101 * mss);
}

TEST(TcpCubic, FastConvergenceGivesWayToNewFlows) {
  Cubic cubic(mss, false);
  cubic.start_at(100 * mss, 100 * mss);
  cubic.on_loss({}, 100 * mss);
  cubic.on_loss({}, 70 * mss);  // below the last W_max: [RFC9438-4-a] 4.7
  Instant now;
  round(cubic, now, 1_ms);
  EXPECT_EQ(cubic.cubic_window(60_s) > 59 * mss, true);
  EXPECT_NEAR(cubic.cubic_window(3_s) / mss, 59, 2);  // 70 * 0.85
}

TEST(TcpCubic, TheTargetIsNeverAboveOneAndAHalfWindows) {
  Cubic cubic(mss, false);
  Instant now;
  cubic.start_at(10 * mss, 10 * mss);
  cubic.on_loss(now, 100 * mss);
  cubic.start_at(10 * mss, 10 * mss);
  round(cubic, now, 10_ms);
  now += 100_s;  // far out on the curve
  const std::uint32_t before = cubic.window();
  round(cubic, now, 10_ms);
  EXPECT_GT(cubic.window(), before);
  EXPECT_LE(cubic.window(), before + before / 2 + mss);
}

TEST(TcpCubic, WhatWasForNothingIsTakenBackWhole) {
  for (const Kind kind : {Kind::cubic, Kind::reno}) {
    const auto control = congestion::make(kind, mss, false);
    control->start_at(80 * mss, 60 * mss);
    control->remember();
    control->on_timeout({}, 80 * mss);
    EXPECT_EQ(control->window(), mss);
    control->restore();  // RFC 4015 3.2, RFC 9438 4.9
    EXPECT_EQ(control->window(), 80 * mss);
    EXPECT_EQ(control->threshold(), 60 * mss);
  }
}

TEST(TcpSlowStart, ItEndsWhenTheRoundTripGrowsAndTurnsBackWhenThatWasNoise) {
  Cubic cubic(mss, false);
  Instant now;
  cubic.start_at(16 * mss, UINT32_MAX);
  for (int i = 0; i < 2; ++i) round(cubic, now, 100_ms, 100_ms);
  EXPECT_NEAR(cubic.window(), 64 * mss, 2 * mss);
  // [RFC9406-4-a]: 12.5 ms, an eighth, more in a whole round: conservative slow start.
  round(cubic, now, 100_ms, 113_ms);
  const std::uint32_t before = cubic.window();
  round(cubic, now, 100_ms, 113_ms);
  EXPECT_LT(cubic.window(), before + before / 3);
  // Back down: it was noise.
  round(cubic, now, 100_ms, 100_ms);
  const std::uint32_t noise = cubic.window();
  round(cubic, now, 100_ms, 100_ms);
  EXPECT_GT(cubic.window(), noise + noise * 9 / 10);
  EXPECT_EQ(cubic.threshold(), UINT32_MAX);
  // And when it stays: five rounds, then avoidance.
  for (int i = 0; i < 9; ++i) round(cubic, now, 100_ms, 140_ms);
  EXPECT_LT(cubic.threshold(), UINT32_MAX);
}

TEST(TcpCongestion, AControlHasAName) {
  EXPECT_EQ(congestion::kind_of("cubic"), Kind::cubic);
  EXPECT_EQ(congestion::kind_of("bbr"), std::nullopt);
}

namespace {

constexpr std::uint8_t not_ect = 0, ect_0 = 2, ce = 3;

// A connection whose peer asked for ECN; `last_ecn` is that of the last datagram taken.
struct Marked : Scripted {
  tcp::ConnectionId open_one(tcp::Flags syn_flags) {
    const auto listener = listen();
    Seg syn = make(syn_flags);
    syn.header.options.mss = 1000;
    syn.header.options.sack_permitted = true;
    ++peer_next;
    Scripted::send(syn);
    syn_ack = look();
    ours = syn_ack.header.sequence + 1;
    Scripted::send(flags::ack);
    return host.tcp.accept(now, listener, 1).value_or(tcp::ConnectionId::none);
  }
  Seg look() {
    if (host.out.empty()) return {};
    last_ecn = host.out.front().traffic_class & 3;
    return expect();
  }
  void send_marked(tcp::Flags bits, const std::string& text, std::uint8_t ecn) {
    internet::Datagram datagram = make_segment(make(bits, text));
    datagram.traffic_class = ecn;
    peer_next += static_cast<std::uint32_t>(text.size());
    host.tcp.on_segment(now, std::move(datagram));
  }
  Seg syn_ack;
  int last_ecn = 0;
};

}  // namespace

TEST(TcpEcn, ASynThatAsksWithBothBitsIsAnsweredWithOne) {
  Marked s;
  const auto connection = s.open_one(flags::syn | flags::ece | flags::cwr);
  // [RFC3168-6.1.1-a]: and neither SYN,ACK nor ACK nor retransmission is ECN-capable.
  EXPECT_EQ(s.syn_ack.header.flags, flags::syn | flags::ack | flags::ece);
  EXPECT_EQ(s.last_ecn, not_ect);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).options & 8, 8);
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(500))));
  EXPECT_EQ(s.look().text.size(), 500U);
  EXPECT_EQ(s.last_ecn, ect_0);
  s.run_for(1100_ms);
  EXPECT_EQ(s.look().text.size(), 500U);
  EXPECT_EQ(s.last_ecn, not_ect);
  s.host.out.clear();
  s.send(flags::ack | flags::psh, "data");
  s.run_for(1_s);
  EXPECT_TRUE(s.look().text.empty());
  EXPECT_EQ(s.last_ecn, not_ect);
}

TEST(TcpEcn, WhoDoesNotAskOrOnlyHalfGetsNone) {
  for (const tcp::Flags syn : {flags::syn, flags::syn | flags::ece, flags::syn | flags::cwr}) {
    Marked s;
    const auto connection = s.open_one(syn);
    EXPECT_EQ(s.syn_ack.header.flags, flags::syn | flags::ack);
    EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(500))));
    EXPECT_EQ(s.look().text.size(), 500U);
    EXPECT_EQ(s.last_ecn, not_ect);
  }
}

TEST(TcpEcn, AMarkIsEchoedOnEveryAckUntilTheSenderSaysItSlowedDown) {
  Marked s;
  (void)s.open_one(flags::syn | flags::ece | flags::cwr);
  s.send_marked(flags::ack, std::string(1000, 'a'), ce);
  EXPECT_TRUE(s.look().header.flags.ece());  // [RFC3168-6.1.3-a]
  for (int i = 0; i < 3; ++i) {
    s.send_marked(flags::ack, std::string(1000, 'b'), ect_0);
    s.run_for(50_ms);
    EXPECT_TRUE(s.look().header.flags.ece());
  }
  s.send_marked(flags::ack | flags::cwr, std::string(1000, 'c'), ect_0);
  s.run_for(50_ms);
  EXPECT_FALSE(s.look().header.flags.ece());
  s.send_marked(flags::ack | flags::cwr, std::string(1000, 'd'), ce);  // marked anew
  EXPECT_TRUE(s.look().header.flags.ece());
}

TEST(TcpEcn, AnEchoReducesOncePerWindowAndTheNextNewDataSaysSo) {
  Marked s;
  const auto connection = s.open_one(flags::syn | flags::ece | flags::cwr);
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(60'000))));
  const SequenceNumber first = s.ours;
  s.host.out.clear();
  EXPECT_EQ(s.host.tcp.info(s.now, connection).snd_cwnd, 10U);
  s.ours = first + 1000;
  s.send(flags::ack | flags::ece);  // [RFC3168-6.1.2-a]: as a loss, with nothing sent again
  const auto reduced = s.host.tcp.info(s.now, connection);
  EXPECT_EQ(reduced.snd_ssthresh, 7U);
  EXPECT_EQ(reduced.ca_state, 2U);
  EXPECT_EQ(reduced.total_retrans, 0U);
  s.ours = first + 2000;
  s.send(flags::ack | flags::ece);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).snd_ssthresh, reduced.snd_ssthresh);
  bool said = false;
  s.ours = first + 10'000;
  s.send(flags::ack);
  int marked = 0;
  while (!s.host.out.empty()) {
    const Seg data = s.look();
    EXPECT_EQ(data.header.flags.cwr(), !said) << describe(data);
    said = true;
    marked += s.last_ecn == ect_0 ? 1 : 0;
  }
  EXPECT_TRUE(said);
  EXPECT_GT(marked, 2);
}

namespace {

transport::Config config_that_asks() {
  transport::Config config;
  config.ecn = transport::Ecn::ask;
  return config;
}

// ESTABLISHED by an active open that asked for ECN and heard this; its first SYN is lost perhaps.
tcp::ConnectionId ask(Scripted& s, tcp::Flags answer_flags, bool is_syn_lost = false) {
  const auto connection = s.open();
  Seg syn = s.expect();
  EXPECT_EQ(syn.header.flags, flags::syn | flags::ece | flags::cwr);
  if (is_syn_lost) {
    s.run_for(1_s);
    syn = s.expect();
    EXPECT_EQ(syn.header.flags, flags::syn);  // RFC 3168 6.1.1.1
  }
  s.ours = syn.header.sequence + 1;
  Seg answer = s.make(answer_flags);
  answer.header.options.mss = 1000;
  answer.header.options.sack_permitted = true;
  ++s.peer_next;
  s.send(answer);
  EXPECT_EQ(s.expect().header.flags, flags::ack);
  return connection;
}

}  // namespace

// RFC 3168 6.1.1 [SHLD-8] [RFC3168-6.1.1-a].
TEST(TcpEcn, AClientAsksAndUsesItWhenTheServerAgreesInTheRightForm) {
  const tcp::Flags plain = flags::syn | flags::ack;
  struct Case {
    tcp::Flags answer;
    bool is_syn_lost, is_used;
  };
  for (const Case& each : {Case{plain | flags::ece, false, true}, Case{plain, false, false},
                           Case{plain | flags::ece | flags::cwr, false, false},
                           Case{plain | flags::ece, true, false}}) {
    Scripted s(config_that_asks());
    const auto connection = ask(s, each.answer, each.is_syn_lost);
    EXPECT_EQ((s.host.tcp.info(s.now, connection).options & 8) != 0, each.is_used);
    EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(500))));
    ASSERT_FALSE(s.host.out.empty());
    EXPECT_EQ(s.host.out.front().traffic_class & 3, each.is_used ? ect_0 : not_ect);
  }
}

TEST(TcpEcn, AMachineMayBeToldToHaveNone) {
  transport::Config config;
  config.ecn = transport::Ecn::off;
  Scripted s(config);
  s.listen();
  s.send(s.make(flags::syn | flags::ece | flags::cwr));
  EXPECT_EQ(s.expect().header.flags, flags::syn | flags::ack);
}

// RFC 3168 6.1.2 [RFC3168-6.1.2-a]: marks and losses of one window are one sign of congestion.
TEST(TcpEcn, AMarkAndALossInOneWindowReduceOnce) {
  for (const bool is_mark_first : {true, false}) {
    Scripted s(config_that_asks());
    const auto connection = ask(s, flags::syn | flags::ack | flags::ece);
    EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(60'000))));
    SequenceNumber high = s.ours;
    const auto drain = [&] {
      while (const auto sent = s.take()) {
        const SequenceNumber end =
            sent->header.sequence + static_cast<std::uint32_t>(sent->text.size());
        if (after(end, high)) high = end;
      }
    };
    drain();
    const auto mark = [&] {
      s.ours = s.ours + 1000;
      s.send(flags::ack | flags::ece);
    };
    const auto lose = [&] {  // the next one is missing
      for (std::uint32_t i = 1; i <= 4; ++i) {
        Seg ack = s.make(flags::ack);
        ack.header.options.sack_blocks = 1;
        ack.header.options.sack[0] = {s.ours + 1000, s.ours + 1000 + i * 1000};
        s.send(ack);
      }
    };
    if (is_mark_first) mark();
    if (!is_mark_first) lose();
    const std::uint32_t once = s.host.tcp.info(s.now, connection).snd_ssthresh;
    EXPECT_LT(once, 10U);
    if (is_mark_first) lose();
    if (!is_mark_first) mark();
    EXPECT_EQ(s.host.tcp.info(s.now, connection).snd_ssthresh, once);
    EXPECT_GT(s.host.tcp.info(s.now, connection).total_retrans, 0U);
    // A loss in the next window counts again.
    drain();
    s.ours = high;
    s.send(flags::ack);
    drain();
    lose();
    EXPECT_LT(s.host.tcp.info(s.now, connection).snd_ssthresh, once);
  }
}

// RFC 9293 3.8.2 [MAY-18]: which of the controls there are is each connection's own choice.
TEST(TcpCongestion, AConnectionMayChangeItsControlWhileItSends) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  EXPECT_EQ(s.host.tcp.settings(connection).congestion, Kind::cubic);
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(60'000))));
  s.host.out.clear();
  const auto before_it = s.host.tcp.info(s.now, connection);
  tcp::Settings settings = s.host.tcp.settings(connection);
  settings.congestion = Kind::reno;
  s.host.tcp.set(s.now, connection, settings);
  EXPECT_EQ(s.host.tcp.settings(connection).congestion, Kind::reno);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).snd_cwnd, before_it.snd_cwnd);
  for (int i = 0; i < 3; ++i) s.send(flags::ack);
  // RFC 5681 3.1 (4): half of what was in flight; CUBIC would take seven tenths.
  EXPECT_EQ(s.host.tcp.info(s.now, connection).snd_ssthresh, before_it.unacked / 2);
}

}  // namespace lanyard::test
