// SPDX-License-Identifier: Apache-2.0
// Retransmission and congestion control: RFC 6298, 5681, 6582, 2018, 6675, and ICMP errors.
#include <gtest/gtest.h>

#include "peer.hh"
#include "transport/congestion/new_reno.hh"
#include "transport/tcp/round_trip.hh"
#include "transport/tcp/scoreboard.hh"

namespace lanyard::test {

using tcp::SackBlock;
using tcp::SequenceNumber;
using tcp::State;
namespace flags = tcp::flags;

namespace {

void write(Scripted& s, tcp::ConnectionId connection, std::size_t size) {
  EXPECT_EQ(s.host.tcp.send(s.now, connection, as_bytes(pattern(size))).value(), size);
}

// Offsets, from the first octet of data, of what was sent.
std::vector<std::uint32_t> offsets(Scripted& s, SequenceNumber first) {
  std::vector<std::uint32_t> all;
  while (const auto segment = s.take())
    all.push_back(static_cast<std::uint32_t>(segment->header.sequence - first));
  return all;
}

using Offsets = std::vector<std::uint32_t>;

}  // namespace

TEST(TcpRetransmit, TheTimeoutFollowsTheRoundTrip) {
  const transport::Config config;
  tcp::RoundTripEstimator estimator;
  EXPECT_EQ(estimator.timeout(config), 1_s);  // [RFC6298-2-a]
  estimator.sample(100_ms);
  EXPECT_EQ(estimator.smoothed(), 100_ms);
  EXPECT_EQ(estimator.variation(), 50_ms);
  EXPECT_EQ(estimator.timeout(config), 300_ms);
  estimator.sample(200_ms);  // SRTT = 7/8 * 100 + 1/8 * 200; RTTVAR = 3/4 * 50 + 1/4 * 100
  EXPECT_EQ(estimator.smoothed().count_us(), 112'500);
  EXPECT_EQ(estimator.variation().count_us(), 62'500);
  for (int i = 0; i < 200; ++i) estimator.sample(1_ms);
  EXPECT_EQ(estimator.timeout(config), 200_ms);  // [RFC6298-2-b]
  for (int i = 0; i < 200; ++i) estimator.sample(200_s);
  EXPECT_EQ(estimator.timeout(config), 120_s);
}

TEST(TcpRetransmit, BacksOffAndGivesUpAfterAboutFifteenMinutes) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 100);
  const Instant start = s.now;
  s.host.out.clear();
  std::vector<std::int64_t> gaps;
  Instant last = s.now;
  while (s.host.tcp.state(connection) == State::established) {
    s.run_until(s.host.tcp.next_deadline());
    while (const auto again = s.take()) {
      EXPECT_EQ(again->text, pattern(100));
      gaps.push_back((s.now - last).count_ms());
      last = s.now;
    }
  }
  // RFC 9293 3.8.1 [MUST-18], 3.8.2 [MUST-19], 3.8.3 [MUST-20] [SHLD-10] [SHLD-11],
  // 9293-3.10.8-a.
  ASSERT_GE(gaps.size(), 10U);
  for (std::size_t i = 1; i < 8; ++i) EXPECT_EQ(gaps[i], gaps[i - 1] * 2);
  EXPECT_GE((s.now - start).count_ms(), 900'000);
  EXPECT_LE((s.now - start).count_ms(), 1'100'000);
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::timed_out);
}

TEST(TcpRetransmit, AUserTimeoutEndsItSooner) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.user_timeout = 5_s;  // RFC 9293 3.8.3 [MUST-21]
  const auto connection = s.connect_one({.mss = 1000}, settings);
  write(s, connection, 100);
  s.run_for(4_s);
  EXPECT_EQ(s.host.tcp.state(connection), State::established);
  s.run_for(4_s);
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::timed_out);
}

TEST(TcpRetransmit, ARetransmittedSegmentIsNotTimed) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  const auto before = s.host.tcp.info(s.now, connection).rtt_us;
  write(s, connection, 100);
  s.run_for(1_s);
  s.host.out.clear();
  s.ours += 100;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).rtt_us, before);  // [RFC6298-3-a]: Karn
  EXPECT_EQ(s.host.tcp.info(s.now, connection).backoff, 0);
}

TEST(TcpRetransmit, TimestampsTimeEvenThat) {
  Scripted s;
  const auto connection =
      s.connect_one({.mss = 1000, .timestamps = tcp::Timestamps{.value = 1000, .echo = 0}});
  write(s, connection, 100);
  s.run_for(1_s);
  while (s.take()) {
  }
  s.run_for(50_ms);
  s.ours += 100;
  s.send(flags::ack);
  EXPECT_GT(s.host.tcp.info(s.now, connection).rtt_us, 5'000U);
}

TEST(TcpCongestion, StartsWithTenSegmentsAndDoubles) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  const SequenceNumber first = s.ours;
  write(s, connection, 60'000);
  EXPECT_EQ(offsets(s, first).size(), 10U);  // [RFC6928-2-a]
  s.ours += 10'000;
  s.send(flags::ack);
  EXPECT_EQ(offsets(s, first).size(), 20U);  // RFC 9293 3.8.2 [MUST-19], [RFC5681-3.1-a]
}

TEST(TcpCongestion, AvoidanceAddsOneSegmentForEachWindow) {
  congestion::NewReno control(1000, false);
  control.on_loss(Instant(), 40'000);
  EXPECT_EQ(control.window(), 20'000U);
  for (int i = 0; i < 20; ++i)
    control.on_acknowledged(
        {.now = {}, .bytes = 1000, .flight = 20'000, .was_limited = true, .round_trip = {}});
  EXPECT_EQ(control.window(), 21'000U);
  control.on_timeout(Instant(), 21'000);
  EXPECT_EQ(control.window(), 1000U);
  EXPECT_EQ(control.threshold(), 10'500U);
  control.on_acknowledged(
      {.now = {}, .bytes = 1000, .flight = 1000, .was_limited = true, .round_trip = {}});
  EXPECT_EQ(control.window(), 2000U);
}

TEST(TcpCongestion, DividedAcksGainNothing) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  const SequenceNumber first = s.ours;
  write(s, connection, 60'000);
  (void)offsets(s, first);
  for (int i = 0; i < 1000; ++i) {  // BI-81: one segment acknowledged octet by octet
    ++s.ours;
    s.send(flags::ack);
  }
  EXPECT_EQ(offsets(s, first), (Offsets{10'000, 11'000}));
}

TEST(TcpCongestion, AnIdleConnectionStartsAgainSlowly) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  const SequenceNumber first = s.ours;
  write(s, connection, 30'000);
  for (int i = 0; i < 30; ++i) {
    (void)offsets(s, first);
    s.ours = first + static_cast<std::uint32_t>(i + 1) * 1000;
    s.send(flags::ack);
  }
  EXPECT_GT(s.host.tcp.info(s.now, connection).snd_cwnd, 15U);
  s.run_for(10_s);
  write(s, connection, 30'000);
  EXPECT_EQ(offsets(s, first).size(), 10U);  // [RFC5681-4.1-a]
}

TEST(TcpFastRetransmit, OnTheThirdDuplicateAndTheWindowHalves) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  const SequenceNumber first = s.ours;
  write(s, connection, 30'000);
  EXPECT_EQ(offsets(s, first).size(), 10U);
  s.send(flags::ack);
  EXPECT_EQ(offsets(s, first), Offsets{10'000});  // limited transmit, RFC 3042
  s.send(flags::ack);
  EXPECT_EQ(offsets(s, first), Offsets{11'000});
  s.send(flags::ack);
  EXPECT_EQ(offsets(s, first), Offsets{0});  // [RFC5681-3.2-a]
  const auto info = s.host.tcp.info(s.now, connection);
  EXPECT_EQ(info.snd_ssthresh, 6U);
  EXPECT_EQ(info.ca_state, 3);
  // [RFC6582-3-a]: a partial acknowledgment sends the next hole.
  s.ours = first + 4000;
  s.send(flags::ack);
  const Offsets next = offsets(s, first);
  ASSERT_FALSE(next.empty());
  EXPECT_EQ(next.front(), 4000U);
  s.ours = first + 12'000;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).ca_state, 0);
  EXPECT_LE(s.host.tcp.info(s.now, connection).snd_cwnd, 7U);
}

TEST(TcpSack, OnlyTheHolesAreSentAgain) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true});
  const SequenceNumber first = s.ours;
  write(s, connection, 10'000);
  (void)offsets(s, first);
  Seg ack = s.make(flags::ack);
  ack.header.options.sack_blocks = 2;
  ack.header.options.sack[0] = {first + 6000, first + 10'000};
  ack.header.options.sack[1] = {first + 2000, first + 5000};
  s.send(ack);  // [RFC6675-3-a]
  const Offsets sent = offsets(s, first);
  EXPECT_EQ(sent.front(), 0U);
  for (const std::uint32_t offset : sent)
    EXPECT_TRUE(offset == 0 || offset == 1000 || offset == 5000) << offset;
  s.ours = first + 10'000;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.unacked_bytes(connection), 0U);
}

TEST(TcpSack, AfterATimeoutThePeersWordIsForgotten) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true});
  const SequenceNumber first = s.ours;
  write(s, connection, 4000);
  (void)offsets(s, first);
  Seg ack = s.make(flags::ack);
  ack.header.options.sack_blocks = 1;
  ack.header.options.sack[0] = {first + 1000, first + 4000};
  s.send(ack);
  (void)offsets(s, first);
  s.run_for(5_s);
  (void)offsets(s, first);
  // [RFC2018-5-a]: the peer reneged: it acknowledges one segment only, and gets all the rest.
  s.ours = first + 1000;
  Offsets all;
  for (int i = 0; i < 8 && s.host.tcp.unacked_bytes(connection) > 0; ++i) {
    s.send(flags::ack);
    for (const std::uint32_t offset : offsets(s, first)) all.push_back(offset);
    if (!all.empty()) s.ours = first + all.back() + 1000;
  }
  EXPECT_EQ(std::set<std::uint32_t>(all.begin(), all.end()),
            (std::set<std::uint32_t>{1000, 2000, 3000}));
}

TEST(TcpSack, NonsenseBlocksAreIgnored) {
  const SequenceNumber una(0xffff'ff00U), nxt = una + 10'000;
  tcp::Scoreboard board;
  const std::array<SackBlock, 6> nonsense{
      SackBlock{una + 2000, una + 1000},      SackBlock{una - 1000, una - 500},
      SackBlock{una + 9000, una + 10'001},    SackBlock{una + 5, una + 5},
      SackBlock{una + 1, una + 0x8000'0001U}, SackBlock{una, una + 500}};
  EXPECT_EQ(board.add(nonsense, una, nxt), 0U);  // BI-54
  EXPECT_TRUE(board.is_empty());
  const std::array<SackBlock, 1> good{SackBlock{una + 1000, una + 2000}};
  EXPECT_EQ(board.add(good, una, nxt), 1000U);  // BI-55
  EXPECT_EQ(board.add(good, una, nxt), 0U);
  board.advance(una + 1500);
  EXPECT_EQ(board.bytes(), 500U);
}

TEST(TcpSack, ManyHolesAreBounded) {
  const SequenceNumber una(1000), nxt = una + 1'000'000;
  tcp::Scoreboard board;
  for (std::uint32_t i = 1; i < 100'000; i += 2) {
    const std::array<SackBlock, 1> one{SackBlock{una + i * 4, una + i * 4 + 1}};
    (void)board.add(one, una, nxt);
  }
  EXPECT_EQ(board.ranges(), tcp::Scoreboard::ranges_max);  // BI-53
  const std::array<SackBlock, 1> all{SackBlock{una + 1, una + 900'000}};
  (void)board.add(all, una, nxt);
  EXPECT_EQ(board.ranges(), 1U);
  EXPECT_EQ(board.bytes(), 899'999U);
}

TEST(TcpSack, TheScoreboardAgreesWithASimpleOne) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    RandomStream dice = Seed(seed).stream();
    const SequenceNumber base(static_cast<std::uint32_t>(dice.next()));
    tcp::Scoreboard board;
    std::vector<bool> plain(200, false);
    std::uint32_t una = 0;
    for (int i = 0; i < 30; ++i) {
      const auto left = static_cast<std::uint32_t>(dice.below(199));
      const auto right = static_cast<std::uint32_t>(left + 1 + dice.below(199 - left));
      const std::array<SackBlock, 1> one{SackBlock{base + left, base + right}};
      (void)board.add(one, base + una, base + 200);
      if (left > una) std::fill(plain.begin() + left, plain.begin() + right, true);
      if (dice.below(5) == 0) {
        una = static_cast<std::uint32_t>(std::min<std::uint64_t>(199, una + dice.below(20)));
        board.advance(base + una);
        std::fill(plain.begin(), plain.begin() + una, false);
      }
      ASSERT_EQ(board.bytes(), std::count(plain.begin(), plain.end(), true)) << "seed " << seed;
      const auto hole = board.hole(base + una, base + 200);
      std::uint32_t expected = una;
      while (expected < 200 && plain[expected]) ++expected;
      if (expected == 200) {
        EXPECT_FALSE(hole);
      } else {
        ASSERT_TRUE(hole);
        EXPECT_EQ(hole->left, base + expected);
      }
    }
  }
}

namespace {

internet::IcmpError about(const Seg& segment, internet::IcmpError::Kind kind,
                          std::vector<std::uint8_t>& quoted) {
  quoted.resize(segment.header.size());
  segment.header.write(quoted.data());
  internet::IcmpError error;
  error.kind = kind;
  error.source = segment.source;
  error.destination = segment.destination;
  error.protocol = internet::Protocol::tcp;
  error.quoted = quoted;
  return error;
}

}  // namespace

TEST(TcpIcmp, AnErrorEndsAConnectionThatIsBeingOpened) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  const auto connection = s.open();
  const Seg syn = s.expect();
  s.host.tcp.on_icmp_error(s.now, about(syn, internet::IcmpError::Kind::port_unreachable, quoted));
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::connection_refused);  // [SHLD-26]
  EXPECT_EQ(s.host.tcp.state(connection), State::closed);
}

TEST(TcpIcmp, SoftErrorsNeverEndAnOpenConnection) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 100);
  const Seg data = s.expect();
  using Kind = internet::IcmpError::Kind;
  for (const Kind kind :
       {Kind::network_unreachable, Kind::host_unreachable, Kind::hop_limit_exceeded,
        Kind::parameter_problem, Kind::port_unreachable}) {
    s.host.tcp.on_icmp_error(s.now, about(data, kind, quoted));  // RFC 9293 3.9.2.2 [MUST-56]
    EXPECT_EQ(s.host.tcp.state(connection), State::established);
    EXPECT_FALSE(s.host.tcp.take_error(connection));
  }
  // [MUST-47] [SHLD-25]: it is what the program hears when the connection fails.
  s.run_for(Duration::seconds(1200));
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::connection_refused);
}

TEST(TcpIcmp, AConnectionBeingOpenedOutlivesSoftErrorsWhereThatIsChosen) {
  transport::Config config;
  config.errors_abort_opening = false;
  Scripted s(config);
  std::vector<std::uint8_t> quoted;
  const auto connection = s.open();
  const Seg syn = s.expect();
  s.host.tcp.on_icmp_error(s.now, about(syn, internet::IcmpError::Kind::host_unreachable, quoted));
  EXPECT_EQ(s.host.tcp.state(connection), State::syn_sent);  // RFC 9293 3.9.2.2 [MUST-56]
  s.run_for(300_s);
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::host_unreachable);
}

TEST(TcpIcmp, AGuessedSequenceNumberIsIgnored) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  const auto connection = s.open();
  Seg syn = s.expect();
  syn.header.sequence += 1;
  s.host.tcp.on_icmp_error(s.now, about(syn, internet::IcmpError::Kind::port_unreachable, quoted));
  EXPECT_EQ(s.host.tcp.state(connection), State::syn_sent);  // [RFC5927-4-a], [MUST-54]
}

TEST(TcpIcmp, ASmallerPathMakesSmallerSegmentsAtOnce) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  const auto connection = s.connect_one({.mss = 1460});
  write(s, connection, 3000);
  const Seg big = s.expect();
  s.host.out.clear();
  s.host.paths.mtu = 600;
  s.host.tcp.on_icmp_error(s.now, about(big, internet::IcmpError::Kind::packet_too_big, quoted));
  const Seg again = s.expect();  // 9293-3.7-b
  EXPECT_EQ(again.header.sequence, big.header.sequence);
  EXPECT_EQ(again.text.size(), 560U);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).pmtu, 600U);
}

}  // namespace lanyard::test
