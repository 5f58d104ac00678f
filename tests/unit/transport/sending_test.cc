// SPDX-License-Identifier: Apache-2.0
// What is sent when: segment sizes, Nagle, silly windows, delayed ACKs, zero-window probes,
// keep-alive (RFC 9293 3.7, 3.8).
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

namespace {

std::uint8_t buffer[70000];

std::vector<std::size_t> sizes(Scripted& s) {
  std::vector<std::size_t> all;
  while (const auto segment = s.take()) all.push_back(segment->text.size());
  return all;
}

void write(Scripted& s, tcp::ConnectionId connection, std::size_t size, bool more = false) {
  EXPECT_EQ(s.host.tcp.send(s.now, connection, as_bytes(pattern(size)), {.more = more}).value(),
            size);
}

}  // namespace

TEST(TcpSegments, AreFullAndTheLastCarriesPush) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 2500);
  for (const std::size_t size : {1000U, 1000U, 500U}) {
    const Seg segment = s.expect();
    EXPECT_EQ(segment.text.size(), size);  // RFC 9293 3.9.1.2 [SHLD-27] [SHLD-28] [MAY-16]
    EXPECT_EQ(segment.header.flags.psh(), size == 500);  // [MUST-61]
    EXPECT_FALSE(segment.header.options.mss);            // RFC 9293 3.7.1 [MUST-65]
  }
}

TEST(TcpSegments, FitThePathThePeersMssAndTheirOptions) {
  {
    Scripted s;
    s.host.paths.mtu = 900;
    const auto connection = s.connect_one({.mss = 1460});
    write(s, connection, 2000);
    EXPECT_EQ(sizes(s).front(), 860U);  // RFC 9293 3.7.1 [MUST-16], 9293-3.7-a
  }
  {
    Scripted s;
    const auto connection =
        s.connect_one({.mss = 1460, .timestamps = tcp::Timestamps{.value = 1, .echo = 0}});
    write(s, connection, 2000);
    EXPECT_EQ(sizes(s).front(), 1448U);  // timestamps take twelve octets
  }
  {
    Scripted s;  // BI-33: an MSS of nothing still sends something
    const auto connection = s.connect_one({.mss = 0});
    write(s, connection, 100);
    EXPECT_GT(sizes(s).front(), 0U);
  }
  {
    Scripted s;
    tcp::Settings settings = s.host.tcp.default_settings();
    settings.mss_max = 600;
    const auto connection = s.connect_one({.mss = 1460}, settings);
    write(s, connection, 2000);
    EXPECT_EQ(sizes(s).front(), 600U);
  }
}

TEST(TcpSegments, SackBlocksLeaveLessRoomForData) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true});
  Seg ahead = s.make(flags::ack, "x");
  ahead.header.sequence += 100;
  s.send(ahead);
  s.host.out.clear();
  write(s, connection, 1000);
  const Seg segment = s.expect();
  EXPECT_LE(segment.text.size() + segment.header.size(), 1020U);
  EXPECT_EQ(segment.header.options.sack_blocks, 1);
}

TEST(TcpSegments, SuperSegmentsWhereTheLinkCutsThem) {
  Pair pair;
  for (Host* host : {&pair.a, &pair.b}) {
    host->paths.super_segment_bytes_max = 65536;
    host->paths.takes_checksums = true;
  }
  const auto [a, b] = pair.establish();
  std::size_t largest = 0;
  pair.tap = [&](bool, const internet::Datagram& datagram) {
    const Seg segment = read_segment(datagram);
    largest = std::max(largest, segment.text.size());
    EXPECT_LE(datagram.packet.size() + 40, 65535U);
    if (segment.text.size() > 1460) {
      EXPECT_EQ(segment.segment_bytes, 1448);
      EXPECT_EQ(segment.text.size() % 1448, 0U);
      EXPECT_TRUE(datagram.packet.offload.checksum_wanted);
    }
  };
  const std::string text = pattern(4'000'000);
  ASSERT_EQ(pair.a.tcp.send(pair.now, a, as_bytes(text)).value(), text.size());
  std::string got;
  for (int i = 0; i < 2000 && got.size() < text.size(); ++i) {
    pair.run_for(1_ms);
    got += pair.read_all(pair.b, b);
  }
  EXPECT_TRUE(got == text);
  EXPECT_GT(largest, 60000U);
}

TEST(TcpNagle, ASmallSegmentWaitsForAnEarlierSmallOne) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 10);
  write(s, connection, 10);
  write(s, connection, 10);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{10}));  // RFC 9293 3.7.4 [SHLD-7]
  s.ours += 10;
  s.send(flags::ack);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{20}));
  // Minshall's form, as Linux: full ones in flight do not hold the tail.
  s.ours += 20;
  s.send(flags::ack);
  write(s, connection, 1500);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{1000, 500}));
}

TEST(TcpNagle, CanBeSwitchedOff) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.no_delay = true;  // RFC 9293 3.7.4 [MUST-17]
  const auto connection = s.connect_one({.mss = 1000}, settings);
  write(s, connection, 10);
  write(s, connection, 10);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{10, 10}));
  settings.no_delay = false;
  s.host.tcp.set(s.now, connection, settings);
  write(s, connection, 10);
  EXPECT_TRUE(sizes(s).empty());
  settings.no_delay = true;
  s.host.tcp.set(s.now, connection, settings);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{10}));
}

TEST(TcpCork, HoldsTheTailFor200Milliseconds) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.cork = true;
  const auto connection = s.connect_one({.mss = 1000}, settings);
  write(s, connection, 1200);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{1000}));
  s.ours += 1000;
  s.send(flags::ack);
  s.run_for(199_ms);
  EXPECT_TRUE(sizes(s).empty());
  s.run_for(2_ms);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{200}));  // RFC 9293 3.9.1.2 [MUST-60]
  s.ours += 200;
  s.send(flags::ack);
  write(s, connection, 50);
  settings.cork = false;
  s.host.tcp.set(s.now, connection, settings);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{50}));
}

// RFC 5681 3.1 [RFC5681-3.1-a], RFC 9293 3.7.1 [MUST-16]; seed 2016 of the simulation: the cork's
// timer sent a full segment that the congestion window held back, and with SACK blocks it did not
// fit the MTU.
TEST(TcpCork, ItsTimerKeepsToTheCongestionWindowAndToWhatFitsBesideSackBlocks) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.cork = true;
  const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true}, settings);
  write(s, connection, 500);
  s.run_for(100_ms);
  write(s, connection, 12'000);
  EXPECT_EQ(sizes(s), std::vector<std::size_t>(10, 1000));
  Seg ahead = s.make(flags::ack, "ahead of a gap");
  ahead.header.sequence += 100;
  s.send(ahead);
  s.run_for(101_ms);
  settings.cork = false;
  s.host.tcp.set(s.now, connection, settings);
  std::vector<std::size_t> late = sizes(s);
  std::erase(late, 0U);
  EXPECT_LE(late.size(), 1U);  // the tail loss probe may (RFC 8985 7.3), the cork may not
  for (const std::size_t size : late) EXPECT_LE(size, 988U);
  s.ours += 2000;
  s.send(flags::ack);
  for (const std::size_t size : sizes(s)) EXPECT_LE(size, 988U);
}

// As nginx does, twice for each answer: what a cork holds does not go when the time of the one
// before it would have been over.
TEST(TcpCork, TheNextHasItsOwn200Milliseconds) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  const auto connection = s.connect_one({.mss = 1000}, settings);
  const auto cork = [&](bool is_corked) {
    settings.cork = is_corked;
    s.host.tcp.set(s.now, connection, settings);
  };
  cork(true);
  write(s, connection, 300);
  s.run_for(150_ms);
  cork(false);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{300}));
  cork(true);
  write(s, connection, 200);
  s.ours += 300;
  s.send(flags::ack);
  s.run_for(199_ms);
  EXPECT_TRUE(sizes(s).empty());
  s.run_for(2_ms);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{200}));
}

TEST(TcpCork, MoreHoldsOneCall) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 100, true);
  EXPECT_TRUE(sizes(s).empty());
  write(s, connection, 100);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{200}));
}

// RFC 9293 3.10.7.4; seed 2314 of the simulation: octets sent again that acknowledge more also say
// how much is free now. With the window of before, the sender went beyond the offered right edge.
TEST(TcpWindow, ASegmentSentAgainThatAcknowledgesMoreBringsItsWindow) {
  Scripted s;
  s.window = 4000;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 9000);
  EXPECT_EQ(sizes(s), std::vector<std::size_t>(4, 1000));
  Seg ahead = s.make(flags::ack, "ahead of a gap");
  ahead.header.sequence += 100;
  s.send(ahead);
  for (const std::size_t size : sizes(s)) EXPECT_EQ(size, 0U);
  s.ours += 3000;
  s.window = 1000;  // the same right edge
  s.send(flags::ack, std::string(100, 'x'));
  for (const std::size_t size : sizes(s)) EXPECT_EQ(size, 0U);
}

TEST(TcpSillyWindow, TheSenderWaitsForHalfTheLargestWindowOrTheOverride) {
  Scripted s;
  s.window = 1000;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 3000);
  EXPECT_EQ(sizes(s), (std::vector<std::size_t>{1000}));
  s.ours += 1000;
  s.window = 100;
  s.send(flags::ack);  // RFC 9293 3.8.6.2.1 [MUST-38], 9293-3.8-a
  EXPECT_TRUE(sizes(s).empty());
  s.run_for(1_s);
  EXPECT_EQ(sizes(s).front(), 100U);
  s.ours += 100;
  s.window = 600;
  s.send(flags::ack);
  EXPECT_EQ(sizes(s).front(), 600U);
}

TEST(TcpSillyWindow, TheReceiverOpensTheWindowByASegmentAtLeast) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.receive_buffer_bytes = 4000;
  const auto connection = s.connect_one({.mss = 1000}, settings);
  s.send(flags::ack, std::string(1000, 'x'));
  s.send(flags::ack, std::string(1000, 'x'));
  s.send(flags::ack, std::string(1000, 'x'));
  s.send(flags::ack, std::string(1000, 'x'));
  s.host.out.clear();
  // RFC 9293 3.8.6.2.2 [MUST-39], 9293-3.8-b.
  for (int read = 0; read < 1400; read += 100)
    (void)s.host.tcp.receive(s.now, connection, MutableBytes(buffer, 100));
  s.expect_nothing();
  (void)s.host.tcp.receive(s.now, connection, MutableBytes(buffer, 100));
  EXPECT_GE(s.expect().header.window, 1460);
}

TEST(TcpWindow, ItMayShrinkBelowWhatIsInFlight) {
  Scripted s;
  s.window = 4000;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 6000);
  EXPECT_EQ(sizes(s).size(), 4U);
  s.window = 500;
  s.ours += 1000;
  s.send(flags::ack);  // RFC 9293 3.8.6 [MUST-34] [SHLD-15], BI-58
  EXPECT_TRUE(sizes(s).empty());
  s.window = 0;
  s.send(flags::ack);
  s.run_for(3_s);
  EXPECT_FALSE(sizes(s).empty());  // [MUST-35] [SHLD-16]: goes on trying
  s.window = 60000;
  s.ours += 3000;
  s.send(flags::ack);
  s.run_for(3_s);
  const auto rest = sizes(s);
  ASSERT_GE(rest.size(), 2U);
  EXPECT_EQ(rest[0], 1000U);
}

TEST(TcpWindow, AbovePositiveSixteenBitsItIsLargeNotNegative) {
  Scripted s;
  s.window = 65535;  // RFC 9293 3.1 [MUST-1], [REC-1]
  const auto connection = s.connect_one({.mss = 1460});
  EXPECT_EQ(s.host.tcp.info(s.now, connection).snd_wnd, 65535U);
}

TEST(TcpZeroWindow, IsProbedWithBackOffForAsLongAsItIsAnswered) {
  Scripted s;
  s.window = 0;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 100);
  s.expect_nothing();
  // RFC 9293 3.8.6.1 [MUST-36] [MUST-37] [SHLD-29] [SHLD-30].
  std::vector<std::int64_t> gaps;
  Instant last = s.now;
  for (int i = 0; i < 200; ++i) {
    s.run_until(s.host.tcp.next_deadline());
    const auto probe = s.take();
    ASSERT_TRUE(probe);
    EXPECT_EQ(probe->header.sequence, s.ours - 1);  // 9293-3.8-c
    gaps.push_back((s.now - last).count_ms());
    last = s.now;
    s.send(flags::ack);
    s.host.out.clear();
  }
  EXPECT_GE(gaps[1], 2 * gaps[0] - 1);
  EXPECT_EQ(gaps.back(), 120'000);
  EXPECT_EQ(s.host.tcp.state(connection), State::established);
  s.window = 1000;
  s.send(flags::ack);
  EXPECT_EQ(sizes(s).front(), 100U);
  // And the back-off of the probes is not the data's.
  s.run_for(2_s);
  EXPECT_FALSE(sizes(s).empty());
}

TEST(TcpZeroWindow, ASilentPeerIsGivenUp) {
  Scripted s;
  s.window = 0;
  const auto connection = s.connect_one({.mss = 1000});
  write(s, connection, 100);
  s.run_for(Duration::seconds(3600));
  EXPECT_EQ(s.host.tcp.state(connection), State::closed);  // BI-79
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::timed_out);
}

TEST(TcpDelayedAck, EverySecondFullSegmentOrAfter40Milliseconds) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1460});
  s.host.tcp.set_quick_ack(s.now, connection, false);
  s.send(flags::ack, std::string(1460, 'x'));
  s.expect_nothing();
  s.send(flags::ack, std::string(1460, 'x'));
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next);  // RFC 9293 3.8.6.3 [SHLD-19]
  s.host.tcp.set_quick_ack(s.now, connection, false);
  s.send(flags::ack, "short");
  s.run_for(39_ms);
  s.expect_nothing();
  s.run_for(2_ms);
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next);  // [SHLD-18] [MUST-40]
}

TEST(TcpDelayedAck, DataCarriesIt) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1460});
  s.host.tcp.set_quick_ack(s.now, connection, false);
  s.send(flags::ack, "question");
  write(s, connection, 10);
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.acknowledgment, s.peer_next);
  s.run_for(100_ms);
  s.expect_nothing();
}

TEST(TcpDelayedAck, ABatchIsTakenWholeBeforeAnAckLeaves) {
  Scripted s;
  (void)s.connect_one({.mss = 1460});
  for (int i = 0; i < 10; ++i) {
    Seg segment = s.make(flags::ack, std::string(1000, 'x'));
    s.peer_next += 1000;
    s.host.tcp.on_segment(s.now, make_segment(segment), i < 9);
  }
  EXPECT_EQ(s.expect().header.acknowledgment,
            s.peer_next);  // RFC 9293 3.10.7.4 [MUST-58] [MUST-59]
  s.expect_nothing();
}

TEST(TcpKeepAlive, IsOffUnlessAskedFor) {
  Scripted s;
  const auto connection = s.connect_one();
  EXPECT_EQ(s.host.tcp.next_deadline(), Instant::never());  // RFC 9293 3.8.4 [MUST-25]
  EXPECT_GE(s.host.tcp.settings(connection).keep_alive_idle, Duration::seconds(7200));  // [MUST-28]
}

TEST(TcpKeepAlive, ProbesAnIdlePeerAndGivesUpAfterSeveral) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.keep_alive = true;  // RFC 9293 3.8.4 [MUST-24] [MUST-27] [MAY-5]
  settings.keep_alive_idle = 100_s;
  settings.keep_alive_interval = 10_s;
  settings.keep_alive_probes_max = 3;
  const auto connection = s.connect_one({}, settings);
  s.run_for(99_s);
  s.expect_nothing();
  s.run_for(2_s);
  const Seg probe = s.expect();
  EXPECT_EQ(probe.header.sequence, s.ours - 1);  // [SHLD-12]
  EXPECT_TRUE(probe.text.empty());
  s.run_for(5_s);
  s.send(flags::ack);  // an answer: it starts anew
  s.run_for(99_s);
  s.expect_nothing();
  s.run_for(25_s);
  EXPECT_EQ(sizes(s).size(), 3U);
  EXPECT_EQ(s.host.tcp.state(connection), State::established);  // [MUST-29]
  s.run_for(10_s);
  EXPECT_TRUE(s.expect().header.flags.rst());
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::timed_out);
}

TEST(TcpKeepAlive, AnActiveConnectionIsNotProbed) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.keep_alive = true;
  settings.keep_alive_idle = 10_s;
  (void)s.connect_one({}, settings);
  for (int i = 0; i < 20; ++i) {
    s.run_for(6_s);
    s.send(flags::ack, "x");
    s.run_for(1_s);
    for (const std::size_t size : sizes(s)) EXPECT_EQ(size, 0U);
  }
  s.expect_nothing();  // [MUST-26]
}

TEST(TcpCalls, NothingReadOrWrittenIsNothing) {
  Scripted s;
  const auto connection = s.connect_one();
  EXPECT_EQ(s.host.tcp.send(s.now, connection, Bytes{}).value(), 0U);  // BI-73
  EXPECT_EQ(s.host.tcp.receive(s.now, connection, {}).value(), 0U);
  EXPECT_EQ(s.host.tcp.receive(s.now, connection, buffer).error(), Errno::try_again);
  s.expect_nothing();
}

TEST(TcpCalls, AFullSendBufferSaysSoAndTellsWhenThereIsRoom) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.send_buffer_bytes = 3000;
  const auto connection = s.connect_one({.mss = 1000}, settings);
  EXPECT_EQ(s.host.tcp.send(s.now, connection, as_bytes(pattern(5000))).value(), 3000U);
  EXPECT_EQ(s.host.tcp.send(s.now, connection, as_bytes(pattern(1))).error(), Errno::try_again);
  EXPECT_FALSE(s.host.tcp.readiness(connection).is_writable);
  struct Seen : tcp::Observer {
    int count = 0;
    void on_connection_change(tcp::ConnectionId, tcp::Owner) override { ++count; }
    void on_listener_change(tcp::ListenerId, tcp::Owner) override {}
  } seen;
  s.host.tcp.set_observer(&seen);
  s.ours += 500;
  s.send(flags::ack);
  EXPECT_EQ(seen.count, 0);
  s.ours += 1500;
  s.send(flags::ack);
  EXPECT_EQ(seen.count, 1);
  EXPECT_TRUE(s.host.tcp.readiness(connection).is_writable);
  s.host.tcp.set_observer(nullptr);
}

TEST(TcpCalls, DataMayBeQueuedBeforeTheConnectionStands) {
  Scripted s;
  const auto connection = s.open();
  write(s, connection, 10);  // 9293-3.10.2-b
  s.ours = s.expect().header.sequence + 1;
  s.expect_nothing();
  s.send(flags::syn | flags::ack);
  EXPECT_EQ(s.expect().text.size(), 10U);
}

TEST(TcpCalls, HopLimitAndTrafficClassAreTheProgrammes) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.hop_limit = 7;
  settings.traffic_class = 0x28;
  const auto connection = s.connect_one({}, settings);
  settings.traffic_class = 0x10;
  s.host.tcp.set(s.now, connection, settings);
  write(s, connection, 10);
  // RFC 9293 3.9.2 [MUST-49], 3.9.1.9 [MUST-48] [SHLD-21] [SHLD-22].
  EXPECT_EQ(s.host.out.front().hop_limit, 7);
  EXPECT_EQ(s.host.out.front().traffic_class, 0x10);
  EXPECT_FALSE(s.host.out.front().may_fragment);
}

TEST(TcpCalls, OneAddressServesTheWholeConnection) {
  Scripted s;
  const auto connection = s.connect_one();
  write(s, connection, 10);
  // RFC 9293 3.9.1.1 [MUST-43] [MUST-44] [MUST-45].
  EXPECT_EQ(s.expect().source, s.host.address);
  EXPECT_EQ(s.host.tcp.local(connection).address, s.host.address);
}

}  // namespace lanyard::test
