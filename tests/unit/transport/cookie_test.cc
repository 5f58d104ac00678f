// SPDX-License-Identifier: Apache-2.0
// SYN cookies (RFC 4987 3.6): a flood fills nothing, and who comes through is served as well.
#include <gtest/gtest.h>

#include "peer.hh"
#include "transport/tcp/syn_cookie.hh"

namespace lanyard::test {

using tcp::SequenceNumber;
using tcp::State;
namespace flags = tcp::flags;

namespace {

transport::Config small() {
  transport::Config config;
  config.half_open_min = 4;
  return config;
}

// SYNs from addresses that do not answer.
void flood(Scripted& s, int syns) {
  for (int i = 0; i < syns; ++i) {
    Seg syn = s.make(flags::syn);
    syn.source =
        IpAddress::v4(10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i & 255));
    syn.header.options.mss = 1460;
    s.send(syn);
    s.host.out.clear();
  }
}

}  // namespace

TEST(TcpSynCookies, AClientComesThroughAFloodWithAllItsOptions) {
  Scripted s(small());
  const auto listener = s.listen(s.host.tcp.default_settings(), 2);
  flood(s, 2000);  // BI-78
  EXPECT_LE(s.host.tcp.rows().size(), 1U + 4U);
  Seg syn = s.make(flags::syn);
  syn.header.options = {.mss = 1400,
                        .window_scale = 7,
                        .sack_permitted = true,
                        .timestamps = tcp::Timestamps{.value = 5000, .echo = 0}};
  s.send(syn);
  EXPECT_LE(s.host.tcp.rows().size(), 1U + 4U);  // nothing is kept
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.flags, flags::syn | flags::ack);
  EXPECT_EQ(answer.header.acknowledgment, s.peer_next + 1);
  EXPECT_TRUE(answer.header.options.window_scale);
  EXPECT_TRUE(answer.header.options.sack_permitted);
  ++s.peer_next;
  s.ours = answer.header.sequence + 1;
  s.with_timestamps = true;
  s.timestamp = 5001;
  s.run_for(500_ms);
  s.send(flags::ack, "hello");
  const auto connection = s.host.tcp.accept(s.now, listener, 1);
  ASSERT_TRUE(connection);
  EXPECT_EQ(s.read(*connection), "hello");
  const tcp::Info info = s.host.tcp.info(s.now, *connection);
  EXPECT_EQ(info.options & 7, 7);  // timestamps, SACK, window scale
  EXPECT_EQ(info.snd_wscale, 7);
  EXPECT_EQ(info.snd_mss, 1400U - 12);
  s.host.out.clear();
  EXPECT_TRUE(s.host.tcp.send(s.now, *connection, as_bytes(pattern(1000))));
  const Seg data = s.expect();
  EXPECT_EQ(data.header.sequence, s.ours);
  EXPECT_EQ(data.text.size(), 1000U);
  // The clock that the peer sees does not go back.
  EXPECT_GE(data.header.options.timestamps->value, answer.header.options.timestamps->value);
}

// The size is kept as the largest of eight that is no larger.
TEST(TcpSynCookies, AnySegmentSizeIsKeptByTheNextSmallerOne) {
  const tcp::SynCookies cookies(SipKey{});
  const Endpoint local{IpAddress::v4(10, 0, 0, 1), 80, 0}, remote{IpAddress::v4(10, 0, 0, 9), 9, 0};
  const Instant now = Instant::start() + 1000_s;
  const std::pair<int, int> sizes[] = {{48, 216},    {216, 216},   {535, 216},  {1459, 1440},
                                       {1460, 1460}, {8939, 1460}, {9000, 8940}};
  for (const auto& [asked, kept] : sizes) {
    const SequenceNumber irs(77);
    const auto iss = cookies.make(now, local, remote, irs, static_cast<std::uint16_t>(asked));
    EXPECT_EQ(cookies.check(now + 60_s, local, remote, irs, iss), kept) << asked;
    EXPECT_FALSE(cookies.check(now + 120_s, local, remote, irs, iss));
    EXPECT_FALSE(cookies.check(now, remote, local, irs, iss));
  }
}

// What the client asked for besides; and at the limit of connections nothing is opened.
TEST(TcpSynCookies, CongestionNotificationIsKeptAndTheLimitOfConnectionsHolds) {
  for (const bool is_full : {false, true}) {
    transport::Config config = small();
    config.connections_max = 6;
    Scripted s(config);
    const auto listener = s.listen(s.host.tcp.default_settings(), 2);
    flood(s, 100);
    Seg syn = s.make(flags::syn | flags::ece | flags::cwr);
    syn.header.options.timestamps = tcp::Timestamps{.value = 5000, .echo = 0};
    s.send(syn);
    const Seg answer = s.expect();
    EXPECT_TRUE(answer.header.flags.ece());
    ++s.peer_next;
    s.ours = answer.header.sequence + 1;
    s.with_timestamps = true;
    s.timestamp = 5001;
    if (is_full) s.host.config.connections_max = 4;
    s.send(flags::ack);
    const auto connection = s.host.tcp.accept(s.now, listener, 1);
    ASSERT_EQ(connection.has_value(), !is_full);
    if (is_full) {
      EXPECT_TRUE(s.expect().header.flags.rst());
    } else {
      EXPECT_EQ(s.host.tcp.info(s.now, *connection).options & 8, 8);
    }
  }
}

TEST(TcpSynCookies, WithoutTimestampsOnlyTheSegmentSizeIsKept) {
  Scripted s(small());
  const auto listener = s.listen(s.host.tcp.default_settings(), 2);
  flood(s, 10);
  Seg syn = s.make(flags::syn);
  syn.header.options = {.mss = 1300, .window_scale = 7, .sack_permitted = true};
  s.send(syn);
  const Seg answer = s.expect();
  EXPECT_FALSE(answer.header.options.window_scale);
  EXPECT_FALSE(answer.header.options.sack_permitted);
  ++s.peer_next;
  s.ours = answer.header.sequence + 1;
  s.send(flags::ack);
  const auto connection = s.host.tcp.accept(s.now, listener, 1);
  ASSERT_TRUE(connection);
  EXPECT_EQ(s.host.tcp.info(s.now, *connection).snd_mss, 1300U);
  EXPECT_EQ(s.host.tcp.info(s.now, *connection).options & 7, 0);
}

TEST(TcpSynCookies, AForgedOrOldOneIsResetAsBefore) {
  Scripted s(small());
  const auto listener = s.listen(s.host.tcp.default_settings(), 2);
  flood(s, 10);
  s.send(s.make(flags::syn));
  const Seg answer = s.expect();
  ++s.peer_next;
  for (const std::uint32_t off : {0U, 2U, 5000U, 0x8000'0000U}) {
    s.ours = answer.header.sequence + off;
    s.send(flags::ack);
    EXPECT_TRUE(s.expect().header.flags.rst()) << off;
  }
  s.ours = answer.header.sequence + 1;
  s.run_for(150_s);
  s.host.out.clear();
  s.send(flags::ack);
  EXPECT_TRUE(s.expect().header.flags.rst());
  EXPECT_FALSE(s.host.tcp.accept(s.now, listener, 1));
}

// RFC 6298 2, 3: wherever in the sequence space the cookie, which begins with the minute, lies.
TEST(TcpSynCookies, TheRoundTripIsMeasuredInEveryMinute) {
  for (int i = 0; i < 10; ++i) {
    Scripted s(small());
    s.now = s.now + 30_s * i;
    s.with_timestamps = i % 2 == 0;
    const auto listener = s.listen(s.host.tcp.default_settings(), 2);
    flood(s, 10);
    s.send(s.make(flags::syn));
    const Seg answer = s.expect();
    EXPECT_EQ(answer.header.sequence.value() >> 30,
              (100U + 30U * static_cast<unsigned>(i)) / 60 % 4);
    ++s.peer_next;
    s.ours = answer.header.sequence + 1;
    s.send(flags::ack);
    const auto connection = s.host.tcp.accept(s.now, listener, 1);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(s.host.tcp.send(s.now, *connection, as_bytes("how long does it take?")));
    const Seg data = s.expect();
    s.now = s.now + 30_ms;
    s.ours = s.ours + static_cast<std::uint32_t>(data.text.size());
    s.send(flags::ack);
    EXPECT_EQ(s.host.tcp.info(s.now, *connection).rtt_us, 30'000U)
        << answer.header.sequence.value();
  }
}

// As the last ACK of any handshake, and as Linux: it is dropped while nobody accepts, and the data
// that the client sends again opens the connection later.
TEST(TcpSynCookies, AFullAcceptQueueDropsTheLastAckUnlessItShallReset) {
  for (const bool resets : {false, true}) {
    transport::Config config = small();
    config.resets_when_backlog_full = resets;
    Scripted s(config);
    const auto listener = s.listen(s.host.tcp.default_settings(), 1);
    flood(s, 10);
    std::vector<SequenceNumber> cookies;
    for (s.peer_port = 5000; s.peer_port < 5003; ++s.peer_port) {
      s.send(s.make(flags::syn));
      cookies.push_back(s.expect().header.sequence);
    }
    ++s.peer_next;
    for (std::size_t i = 0; i < 2; ++i) {
      s.peer_port = static_cast<Port>(5000 + i);
      s.ours = cookies[i] + 1;
      s.send(flags::ack);
    }
    s.expect_nothing();
    s.peer_port = 5002;
    s.ours = cookies[2] + 1;
    const Seg text = s.make(flags::ack, "patience");
    if (resets) {
      s.send(text);
      EXPECT_TRUE(s.expect().header.flags.rst());
      continue;
    }
    EXPECT_EQ(s.send(text), DropReason::tcp_backlog_full);
    s.expect_nothing();
    for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(s.host.tcp.accept(s.now, listener, 1));
    s.run_for(1_s);
    s.host.out.clear();
    s.send(text);
    const auto connection = s.host.tcp.accept(s.now, listener, 1);
    ASSERT_TRUE(connection);
    EXPECT_EQ(s.read(*connection), "patience");
  }
}

// 9293-3.10.7.2-b: a SYN,ACK is nobody's last ACK, whatever it acknowledges.
TEST(TcpSynCookies, ASynAckIsResetThoughItsNumberIsGood) {
  Scripted s(small());
  const auto listener = s.listen(s.host.tcp.default_settings(), 2);
  flood(s, 10);
  s.send(s.make(flags::syn));
  s.ours = s.expect().header.sequence + 1;
  ++s.peer_next;
  s.send(s.make(flags::syn | flags::ack));
  const Seg reset = s.expect();
  EXPECT_TRUE(reset.header.flags.rst());
  EXPECT_EQ(reset.header.sequence, s.ours);
  EXPECT_FALSE(s.host.tcp.has_waiting(listener));
}

// A link-local address means something on its link only (RFC 4007 6).
TEST(TcpSynCookies, ALinkLocalPeerGetsItsCookieOnTheLinkItIsOn) {
  for (const bool is_link_local : {false, true}) {
    Scripted s(small());
    s.host.address = *IpAddress::parse(is_link_local ? "fe80::1" : "fd00::1");
    s.peer = *IpAddress::parse(is_link_local ? "fe80::9" : "fd00::9");
    s.host.paths.own.insert(s.host.address);
    const auto binding = s.host.tcp.bind({.local = {IpAddress::any(Family::ipv6), s.port, 0}});
    ASSERT_TRUE(binding);
    const auto listener = s.host.tcp.listen(*binding, 2, s.host.tcp.default_settings(), 0);
    ASSERT_TRUE(listener);
    const auto arrive = [&](const Seg& segment) {
      internet::Datagram datagram = make_segment(segment);
      datagram.interface = 7;
      s.host.tcp.on_segment(s.now, std::move(datagram));
    };
    for (int i = 0; i < 5; ++i) {
      ++s.peer_port;
      s.host.out.clear();
      arrive(s.make(flags::syn));
    }
    ASSERT_EQ(s.host.out.size(), 1U);
    EXPECT_EQ(s.host.out.front().interface, is_link_local ? 7U : 0U);
    EXPECT_EQ(s.host.tcp.rows().size(), 1U + 4U);
    s.ours = s.expect().header.sequence + 1;
    ++s.peer_next;
    arrive(s.make(flags::ack));
    const auto connection = s.host.tcp.accept(s.now, *listener, 1);
    ASSERT_TRUE(connection);
    EXPECT_EQ(s.host.tcp.remote(*connection).interface, is_link_local ? 7U : 0U);
  }
}

TEST(TcpSynCookies, TheTimestampHoldsTheFactsAndIsNeverAheadOfTheClock) {
  for (std::uint32_t clock : {0U, 63U, 64U, 1'000'003U, 0xffff'ffffU}) {
    for (int scale = -1; scale <= 14; ++scale) {
      tcp::CookieFacts facts{.sack_permitted = scale % 2 == 0, .has_ecn = scale % 3 == 0};
      if (scale >= 0) facts.window_scale = static_cast<std::uint8_t>(scale);
      const std::uint32_t value = tcp::SynCookies::timestamp(clock, facts);
      EXPECT_GE(static_cast<std::int32_t>(clock - value), 0);
      EXPECT_LE(clock - value, 127U);
      tcp::CookieFacts read;
      tcp::SynCookies::read_timestamp(value, read);
      EXPECT_EQ(read.window_scale, facts.window_scale);
      EXPECT_EQ(read.sack_permitted, facts.sack_permitted);
      EXPECT_EQ(read.has_ecn, facts.has_ecn);
    }
  }
}

}  // namespace lanyard::test
