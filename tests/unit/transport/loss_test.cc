// SPDX-License-Identifier: Apache-2.0
// Retransmission and congestion control: RFC 6298, 5681, 6582, 2018, 6675, and ICMP errors.
#include <gtest/gtest.h>

#include "peer.hh"
#include "transport/congestion/new_reno.hh"
#include "transport/tcp/flight.hh"
#include "transport/tcp/round_trip.hh"

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
  EXPECT_EQ(estimator.timeout(config), 201_ms);  // [RFC6298-2-b]
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

TEST(TcpFastRetransmit, OnTheThirdDuplicateAndTheWindowShrinks) {
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
  // RFC 9438 4.6: seven tenths of ten; RFC 5681 3.2 (2): limited transmit's two do not count.
  EXPECT_EQ(info.snd_ssthresh, 7U);
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
  EXPECT_LE(s.host.tcp.info(s.now, connection).snd_cwnd, 9U);
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

namespace {

using tcp::Delivery;
using tcp::Flight;

constexpr std::uint32_t piece = 1000;

// A flight of segments sent a millisecond apart.
struct Sent {
  explicit Sent(SequenceNumber first, std::uint32_t segments) : una(first), next(first) {
    for (std::uint32_t i = 0; i < segments; ++i) {
      now += 1_ms;
      flight.sent(next, next + piece, now);
      next += piece;
    }
  }
  Delivery sack(std::vector<SackBlock> blocks) {
    Delivery delivery;
    delivery.now = now;
    flight.take_sack(blocks, una, next, delivery);
    return delivery;
  }
  Delivery acknowledge(SequenceNumber ack) {
    Delivery delivery;
    delivery.now = now;
    flight.acknowledge(una = ack, delivery);
    return delivery;
  }
  Flight flight;
  SequenceNumber una, next;
  Instant now;
};

}  // namespace

TEST(TcpSack, NonsenseBlocksAreIgnored) {
  const SequenceNumber una(0xffff'ff00U);
  Sent s(una, 10);
  for (const SackBlock block : {SackBlock{una + 2000, una + 1000}, SackBlock{una - 1000, una - 500},
                                SackBlock{una + 9000, una + 10'001}, SackBlock{una + 5, una + 5},
                                SackBlock{una + 1, una + 0x8000'0001U}, SackBlock{una, una + 500}})
    EXPECT_EQ(s.sack({block}).held, 0U);  // BI-54
  EXPECT_EQ(s.flight.held(), 0U);
  EXPECT_EQ(s.sack({{una + 1000, una + 2000}}).held, 1000U);  // BI-55
  EXPECT_EQ(s.sack({{una + 1000, una + 2000}}).held, 0U);
  s.acknowledge(una + 1500);
  EXPECT_EQ(s.flight.held(), 500U);
}

TEST(TcpSack, ManyHolesAreBounded) {
  const SequenceNumber una(1000);
  Sent s(una, 1000);
  for (std::uint32_t i = 1; i < 100'000; i += 2) (void)s.sack({{una + i * 4, una + i * 4 + 1}});
  EXPECT_LE(s.flight.runs(), 1000 + Flight::splits_max + 2);  // BI-53
  // Neither before nor behind a place where a segment would have to be cut.
  EXPECT_EQ(s.sack({{una + 950'500, una + 951'000}}).held, 0U);
  EXPECT_EQ(s.sack({{una + 950'000, una + 950'500}}).held, 0U);
  EXPECT_EQ(s.sack({{una + 950'000, una + 951'000}}).held, 1000U);
  (void)s.sack({{una + 1, una + 900'000}});
  EXPECT_GE(s.flight.held(), 898'000U);
  s.acknowledge(una + 1'000'000);
  EXPECT_TRUE(s.flight.is_empty());
  EXPECT_EQ(s.flight.held(), 0U);
}

TEST(TcpSack, ADuplicateReportIsToldFromNews) {
  const SequenceNumber una(5000);
  const SackBlock old{una - 2000, una - 1000}, inner{una + 3000, una + 4000},
      outer{una + 2000, una + 5000}, other{una + 6000, una + 7000};
  EXPECT_EQ(tcp::duplicate_in(std::vector{old}, una), old);
  EXPECT_EQ(tcp::duplicate_in(std::vector{SackBlock{una - 9, una - 9}}, una), std::nullopt);
  EXPECT_EQ(tcp::duplicate_in(std::vector{SackBlock{una - 5, una - 9}}, una), std::nullopt);
  EXPECT_EQ(tcp::duplicate_in(std::vector{inner, outer}, una), inner);  // RFC 2883 4.2
  EXPECT_FALSE(tcp::duplicate_in(std::vector{other, outer}, una));
  EXPECT_FALSE(tcp::duplicate_in(std::vector{outer}, una));
}

TEST(TcpSack, TheFlightAgreesWithASimpleOne) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomStream dice = Seed(seed).stream();
    const SequenceNumber base(static_cast<std::uint32_t>(dice.next()));
    constexpr std::uint32_t octets = 20 * piece;
    Sent s(base, 20);
    enum : char { out, held, lost };
    std::string plain(octets, char{out});
    std::uint32_t una = 0;
    for (int i = 0; i < 60; ++i) {
      const auto left = static_cast<std::uint32_t>(una + 1 + dice.below(octets - una - 1));
      const auto right = static_cast<std::uint32_t>(left + 1 + dice.below(octets - left));
      switch (dice.below(4)) {
        case 0:
        case 1: {
          const auto fresh = right - left -
                             static_cast<std::uint32_t>(std::count(
                                 plain.begin() + left, plain.begin() + right, char{held}));
          EXPECT_EQ(s.sack({{base + left, base + right}}).held, fresh);
          std::fill(plain.begin() + left, plain.begin() + right, char{held});
          break;
        }
        case 2: {
          const auto first = s.flight.first_lost();
          const std::size_t expected = plain.find(char{lost});
          ASSERT_EQ(first.has_value(), expected != std::string::npos);
          if (!first) {
            s.flight.lose_all();
            std::replace(plain.begin() + una, plain.end(), char{out}, char{lost});
            break;
          }
          ASSERT_EQ(static_cast<std::size_t>(first->left - base), expected);
          const std::size_t end =
              std::min(plain.find_first_not_of(char{lost}, expected), std::size_t{octets});
          EXPECT_EQ(static_cast<std::size_t>(first->right - base), end);
          const std::size_t size = 1 + dice.below(end - expected);
          s.flight.resent(first->left, first->left + static_cast<std::uint32_t>(size), s.now);
          std::fill_n(plain.begin() + static_cast<std::ptrdiff_t>(expected), size, char{out});
          break;
        }
        default:
          una = std::min(octets - 2, una + static_cast<std::uint32_t>(dice.below(1500)));
          s.acknowledge(base + una);
          std::fill(plain.begin(), plain.begin() + una, char{out});
      }
      ASSERT_EQ(s.flight.held(), std::count(plain.begin(), plain.end(), char{held}));
      ASSERT_EQ(s.flight.lost(), std::count(plain.begin(), plain.end(), char{lost}));
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

// ip(7), IP_RECVERR: a program that asked hears of it at once, in the next call it makes.
TEST(TcpIcmp, AProgramThatAsksIsToldOfSoftErrorsWhileTheConnectionStands) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.reports_soft_errors = true;
  const auto connection = s.connect_one({.mss = 1000}, settings);
  write(s, connection, 100);
  const Seg data = s.expect();
  EXPECT_FALSE(s.host.tcp.readiness(connection).is_readable);
  s.host.tcp.on_icmp_error(s.now, about(data, internet::IcmpError::Kind::host_unreachable, quoted));
  EXPECT_TRUE(s.host.tcp.readiness(connection).is_readable);
  EXPECT_TRUE(s.host.tcp.readiness(connection).has_error);
  EXPECT_FALSE(s.host.tcp.readiness(connection).is_read_closed);
  std::vector<std::uint8_t> buffer(10);
  EXPECT_EQ(s.host.tcp.receive(s.now, connection, buffer).error(), Errno::host_unreachable);
  EXPECT_FALSE(s.host.tcp.readiness(connection).is_readable);
  EXPECT_EQ(s.host.tcp.state(connection), State::established);
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

namespace {

// The first of the full segments that a connection has in flight.
Seg first_in_flight(Scripted& s, tcp::ConnectionId connection) {
  write(s, connection, 3000);
  Seg first = s.expect();
  s.host.out.clear();
  return first;
}

}  // namespace

TEST(TcpIcmp, ASmallerPathMakesSmallerSegmentsAtOnce) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  const auto connection = s.connect_one({.mss = 1460});
  const Seg big = first_in_flight(s, connection);
  s.host.paths.mtu = 600;
  s.host.tcp.on_icmp_error(s.now, about(big, internet::IcmpError::Kind::packet_too_big, quoted));
  const Seg again = s.expect();  // 9293-3.7-b
  EXPECT_EQ(again.header.sequence, big.header.sequence);
  EXPECT_EQ(again.text.size(), 560U);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).pmtu, 600U);
}

// RFC 8985 7.2: a probe of the tail that was due is not sent while that is repaired.
TEST(TcpIcmp, NoTailProbeGoesWhileWhatWasTooBigIsSentAgain) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  const auto connection = s.connect_one({.mss = 1460, .sack_permitted = true});
  const Seg big = first_in_flight(s, connection);
  s.host.paths.mtu = 600;
  s.host.tcp.on_icmp_error(s.now, about(big, internet::IcmpError::Kind::packet_too_big, quoted));
  std::size_t again = 0;
  while (const auto segment = s.take()) again += segment->text.size();
  EXPECT_EQ(again, 3000U);
  s.run_for(150_ms);
  s.expect_nothing();
  s.run_for(200_ms);  // the time-out comes all the same (RFC 6298 5.4)
  EXPECT_EQ(s.expect().header.sequence, big.header.sequence);
}

TEST(TcpIcmp, ATooBigThatChangesNothingSendsNothingAgain) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  const Seg big = first_in_flight(s, s.connect_one({.mss = 1460}));
  s.host.tcp.on_icmp_error(s.now, about(big, internet::IcmpError::Kind::packet_too_big, quoted));
  s.expect_nothing();
}

TEST(TcpIcmp, ATooBigAboutTheSynMakesSegmentsSmallerLater) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  const auto connection = s.open();
  const Seg syn = s.expect();
  s.host.paths.mtu = 600;
  s.host.tcp.on_icmp_error(s.now, about(syn, internet::IcmpError::Kind::packet_too_big, quoted));
  s.expect_nothing();
  EXPECT_EQ(s.host.tcp.state(connection), State::syn_sent);
  s.ours = syn.header.sequence + 1;
  Seg syn_ack = s.make(flags::syn | flags::ack);
  syn_ack.header.options.mss = 1460;
  ++s.peer_next;
  s.send(syn_ack);
  EXPECT_EQ(s.expect().header.flags, flags::ack);
  write(s, connection, 3000);
  EXPECT_EQ(s.expect().text.size(), 560U);
}

// [RFC5927-4-a]: what quotes too little, another conversation, or one that is over.
TEST(TcpIcmp, WhatIsAboutNothingInFlightIsNotBelieved) {
  Scripted s;
  std::vector<std::uint8_t> quoted;
  using Kind = internet::IcmpError::Kind;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 100);
  Seg data = s.expect();
  internet::IcmpError error = about(data, Kind::port_unreachable, quoted);
  EXPECT_TRUE(s.host.tcp.believes(error));
  error.quoted = error.quoted.first(7);
  EXPECT_FALSE(s.host.tcp.believes(error));
  data.header.source_port = static_cast<Port>(data.header.source_port + 1);
  EXPECT_FALSE(s.host.tcp.believes(about(data, Kind::port_unreachable, quoted)));
  Scripted over;
  over.host.tcp.close(over.now, over.reach(State::time_wait));
  Seg fin = over.make(flags::fin | flags::ack);
  std::swap(fin.source, fin.destination);
  std::swap(fin.header.source_port, fin.header.destination_port);
  fin.header.sequence = over.ours - 1;
  EXPECT_FALSE(over.host.tcp.believes(about(fin, Kind::port_unreachable, quoted)));
}

}  // namespace lanyard::test
