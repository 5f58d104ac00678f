// SPDX-License-Identifier: Apache-2.0
// SEGMENT ARRIVES in the synchronized states (RFC 9293 3.10.7.4), with RFC 5961 and RFC 7323.
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

namespace {
constexpr State synchronized[] = {State::established, State::fin_wait_1, State::fin_wait_2,
                                  State::close_wait,  State::closing,    State::last_ack};
std::uint8_t buffer[64];
}  // namespace

TEST(TcpEstablished, AnUnacceptableSegmentIsAnsweredWithOneEmptyAck) {
  for (const State state : synchronized) {
    for (const std::uint32_t off : {0xffff'ff00U, 0x8000'0000U, 2'000'000U}) {
      Scripted s;
      const auto connection = s.reach(state);
      Seg bad = s.make(flags::ack, "text");
      bad.header.sequence += off;
      EXPECT_EQ(s.send(bad), DropReason::tcp_unacceptable);
      const Seg answer = s.expect();  // 9293-3.5-e, 9293-3.10.7.4-a, 9293-3.10.7.4-b
      EXPECT_EQ(answer.header.flags, flags::ack);
      EXPECT_EQ(answer.header.acknowledgment, s.peer_next);
      EXPECT_TRUE(answer.text.empty());
      s.expect_nothing();
      EXPECT_EQ(s.host.tcp.state(connection), state);
    }
  }
}

TEST(TcpEstablished, AResetMustHitTheExactNumber) {
  for (const State state : synchronized) {
    Scripted s;
    const auto connection = s.reach(state);
    Seg reset = s.make(flags::rst);
    reset.header.sequence += 0x7000'0000U;
    s.send(reset);  // outside: nothing
    s.expect_nothing();
    reset.header.sequence = s.peer_next + 1;
    s.send(reset);  // 9293-3.10.7.4-d, [RFC5961-3.2-a], BI-63
    EXPECT_EQ(s.expect().header.flags, flags::ack);
    EXPECT_EQ(s.host.tcp.state(connection), state);
    reset.header.sequence = s.peer_next;
    s.send(reset);
    s.expect_nothing();
    EXPECT_EQ(s.host.tcp.state(connection), State::closed);
    EXPECT_TRUE(s.host.tcp.rows().empty());
  }
}

TEST(TcpEstablished, ASynIsAnsweredWithAChallenge) {
  for (const State state : synchronized) {
    for (const std::uint32_t off : {0U, 100U, 0x8000'0000U}) {
      Scripted s;
      const auto connection = s.reach(state);
      Seg syn = s.make(flags::syn);
      syn.header.sequence += off;
      s.send(syn);  // 9293-3.10.7.4-e, [RFC5961-4.2-a], 9293-3.5-a
      EXPECT_EQ(s.expect().header.flags, flags::ack);
      EXPECT_EQ(s.host.tcp.state(connection), state);
    }
  }
}

TEST(TcpEstablished, ChallengesAreBoundedByANumberNobodyKnows) {
  std::set<int> counts;
  for (Port port = 5000; port < 5008; ++port) {
    Scripted s;
    s.peer_port = port;
    for (int i = 5000; i < port; ++i) {  // other draws of the machine's dice
      s.peer_port = static_cast<Port>(i);
      (void)s.connect_one();
      s.send(s.make(flags::syn));
      s.host.out.clear();
    }
    s.peer_port = port;
    (void)s.connect_one();
    for (int i = 0; i < 1000; ++i) s.send(s.make(flags::syn));
    counts.insert(static_cast<int>(s.host.out.size()));  // [RFC5961-7-a]
    EXPECT_LE(s.host.out.size(), 150U);
    EXPECT_GE(s.host.out.size(), 50U);
  }
  EXPECT_GT(counts.size(), 2U);
}

TEST(TcpEstablished, ASegmentWithoutAckIsDropped) {
  Scripted s;
  const auto connection = s.reach(State::established);
  EXPECT_EQ(s.send(s.make(flags::none, "text")), DropReason::tcp_no_ack);  // 9293-3.10.7.4-g
  s.expect_nothing();
  EXPECT_EQ(s.host.tcp.readable_bytes(connection), 0U);
}

TEST(TcpEstablished, AnAckOfWhatWasNotSentOrIsAncientIsAnsweredAndDropped) {
  Scripted s;
  const auto connection = s.reach(State::established);
  Seg ack = s.make(flags::ack, "text");
  for (const std::uint32_t off : {1U, 0x7fff'0000U, 0xfff0'0000U}) {
    ack.header.acknowledgment = s.ours + off;
    EXPECT_EQ(s.send(ack), DropReason::tcp_bad_ack);  // 9293-3.10.7.4-i, [RFC5961-5.2-a], BI-63
    EXPECT_EQ(s.expect().header.flags, flags::ack);
  }
  EXPECT_EQ(s.host.tcp.readable_bytes(connection), 0U);
  ack.header.acknowledgment = s.ours - 10;  // an old one within a window: its text is good
  s.send(ack);
  EXPECT_EQ(s.host.tcp.readable_bytes(connection), 4U);
}

TEST(TcpEstablished, TextThatStraddlesTheEdgesIsTrimmed) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.receive_buffer_bytes = 1000;
  const auto connection = s.connect_one({}, settings);
  Seg text = s.make(flags::ack, "0123456789");
  s.send(text);
  text = s.make(flags::ack, "0123456789abc");
  s.send(text);  // 9293-3.10.7.4-c: the old part goes
  EXPECT_EQ(s.read(connection), "0123456789abc");
  s.peer_next += 13;
  s.host.out.clear();
  s.send(s.make(flags::fin | flags::ack, std::string(1400, 'x')));  // and what is too much
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next + 987);
  EXPECT_EQ(s.host.tcp.state(connection), State::established);
  EXPECT_EQ(s.host.tcp.readable_bytes(connection), 987U);  // the edge has not moved for 13 octets
}

TEST(TcpEstablished, WhatCameFirstStays) {
  // BI-67: other bytes for the same numbers, in both orders.
  for (const bool ahead_first : {false, true}) {
    Scripted s;
    const auto connection = s.reach(State::established);
    Seg one = s.make(flags::ack, "bbbb");
    one.header.sequence += 4;
    Seg two = s.make(flags::ack, "ccccXXXXcccc");
    two.header.sequence += 4;
    two.text = "XXXXcccc";
    s.send(ahead_first ? one : two);
    s.send(ahead_first ? two : one);
    s.send(s.make(flags::ack, "aaaaYY"));
    EXPECT_EQ(s.read(connection), ahead_first ? "aaaabbbbcccc" : "aaaaXXXXcccc");
  }
}

TEST(TcpEstablished, AFullStoreOfPiecesDropsAndRecovers) {
  transport::Config config;
  config.out_of_order_segments_max = 8;
  Scripted s(config);
  const auto connection = s.connect_one();
  const std::string text = pattern(64);
  for (std::size_t i = 1; i < 64; i += 2) {  // BI-57
    Seg piece = s.make(flags::ack, text.substr(i, 1));
    piece.header.sequence += static_cast<std::uint32_t>(i);
    s.send(piece);
  }
  s.host.out.clear();
  for (std::size_t i = 0; i < 64; ++i) {
    Seg piece = s.make(flags::ack, text.substr(i, 1));
    piece.header.sequence += static_cast<std::uint32_t>(i);
    s.send(piece);
  }
  EXPECT_EQ(s.read(connection), text);
}

// BI-57: all connections together keep so much that came ahead of a gap; who goes beyond it loses
// what it kept, and the peer sends that again.
TEST(TcpEstablished, WhatAllKeepOutOfOrderIsBounded) {
  transport::Config config;
  config.out_of_order_bytes_max = 3000;
  Scripted s(config);
  const auto listener = s.listen();
  struct One {
    Port port;
    tcp::SequenceNumber ours;
    tcp::ConnectionId id;
  };
  std::vector<One> all;
  for (const Port port : {Port{4000}, Port{4001}}) {
    s.peer_port = port;
    s.send(s.make(flags::syn));
    s.ours = s.expect().header.sequence + 1;
    Seg ack = s.make(flags::ack);
    ++ack.header.sequence;
    s.send(ack);
    const auto id = s.host.tcp.accept(s.now, listener, 0);
    ASSERT_TRUE(id);
    all.push_back({port, s.ours, *id});
  }
  const auto arrive = [&](const One& one, std::uint32_t at, const std::string& text) {
    s.peer_port = one.port;
    s.ours = one.ours;
    Seg segment = s.make(flags::ack, text);
    segment.header.sequence = segment.header.sequence + 1 + at;
    s.send(segment);
  };
  const std::string text = pattern(3000);
  for (const One& one : all) arrive(one, 1000, text.substr(1000));
  for (const One& one : all) arrive(one, 0, text.substr(0, 1000));
  EXPECT_EQ(s.read(all[0].id), text);
  EXPECT_EQ(s.read(all[1].id), text.substr(0, 1000));
  arrive(all[1], 1000, text.substr(1000));
  EXPECT_EQ(s.read(all[1].id), text.substr(1000));
}

TEST(TcpEstablished, OutOfOrderDataIsReportedNewestFirst) {
  Scripted s;
  (void)s.connect_one({.sack_permitted = true});
  for (const std::uint32_t place : {100U, 300U, 500U, 110U}) {
    Seg piece = s.make(flags::ack, std::string(10, 'x'));
    piece.header.sequence += place;
    s.send(piece);
    const Seg answer = s.expect();  // [RFC5681-4.2-a], [MAY-13]: at once
    EXPECT_EQ(answer.header.acknowledgment, s.peer_next);
    const auto blocks = answer.header.options.sacked();
    ASSERT_FALSE(blocks.empty());  // [RFC2018-3-a]
    EXPECT_EQ(blocks[0].right, s.peer_next + place + 10);
    EXPECT_EQ(blocks[0].left, s.peer_next + (place == 110 ? 100 : place));
    if (place == 110) {
      EXPECT_EQ(blocks.size(), 3U);
    }
  }
}

TEST(TcpEstablished, ADuplicateIsReportedOnceAsSuch) {
  Scripted s;
  (void)s.connect_one({.sack_permitted = true});
  const Seg old = s.make(flags::ack, "0123456789");
  s.send(flags::ack, "0123456789");
  s.host.out.clear();
  s.send(old);
  const Seg answer = s.expect();  // [RFC2883-4-a]
  ASSERT_EQ(answer.header.options.sack_blocks, 1);
  EXPECT_EQ(answer.header.options.sack[0].left, s.peer_next - 10);
  EXPECT_EQ(answer.header.options.sack[0].right, s.peer_next);
  s.send(flags::ack, "more");
  s.run_for(100_ms);
  EXPECT_EQ(s.expect().header.options.sack_blocks, 0);
}

// 9293-3.10.7.4-c: of what has come before only the FIN behind it is new.
TEST(TcpEstablished, AFinBehindTextThatCameBeforeIsTaken) {
  Scripted s;
  const auto connection = s.accept_one({.sack_permitted = true});
  s.send(flags::ack, "abc");
  (void)s.expect();
  Seg again = s.make(flags::fin | flags::ack, "abc");
  again.header.sequence = s.peer_next - 3;
  s.send(again);
  EXPECT_EQ(s.host.tcp.state(connection), tcp::State::close_wait);
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.acknowledgment, s.peer_next + 1);
  ASSERT_EQ(answer.header.options.sack_blocks, 1);  // [RFC2883-4-a]
  EXPECT_EQ(answer.header.options.sack[0].left, s.peer_next - 3);
  EXPECT_EQ(s.read(connection), "abc");
}

TEST(TcpTimestamps, AnOldTimestampIsAcknowledgedAndDropped) {
  Scripted s;
  const auto connection = s.connect_one({.timestamps = tcp::Timestamps{.value = 1000, .echo = 0}});
  s.send(flags::ack, "new");
  s.host.out.clear();
  s.timestamp = 999;
  EXPECT_EQ(s.send(s.make(flags::ack, "old")), DropReason::tcp_paws);  // [RFC7323-5.3-a], BI-82
  EXPECT_EQ(s.expect().header.flags, flags::ack);
  s.timestamp = 1000 + 0x8000'0000U;
  EXPECT_EQ(s.send(s.make(flags::ack, "jump")), DropReason::tcp_paws);
  (void)s.take();
  EXPECT_EQ(s.read(connection), "new");
  // A RST is exempt.
  s.timestamp = 1;
  s.send(s.make(flags::rst));
  EXPECT_EQ(s.host.tcp.state(connection), State::closed);
}

TEST(TcpTimestamps, After24DaysWithoutAWordTheOldOneSaysNothing) {
  Scripted s;
  const auto connection = s.connect_one({.timestamps = tcp::Timestamps{.value = 1000, .echo = 0}});
  s.run_for(Duration::seconds(25 * 24 * 3600));
  s.timestamp = 999;
  EXPECT_EQ(s.send(s.make(flags::ack, "hello again")), DropReason::none);  // BI-82
  EXPECT_EQ(s.read(connection), "hello again");
}

TEST(TcpTimestamps, MissingOnesAreDroppedAndUnaskedOnesIgnored) {
  Scripted s;
  const auto with = s.connect_one({.timestamps = tcp::Timestamps{.value = 1000, .echo = 0}});
  s.with_timestamps = false;
  EXPECT_EQ(s.send(s.make(flags::ack, "none")), DropReason::tcp_paws);  // [RFC7323-3.2-a], BI-59
  EXPECT_EQ(s.host.tcp.state(with), State::established);
  s.peer_port = 4001;
  const auto without = s.connect_one();
  s.with_timestamps = true;
  s.send(flags::ack, "unasked");  // BI-69
  EXPECT_EQ(s.read(without), "unasked");
  s.run_for(100_ms);
  EXPECT_FALSE(s.expect().header.options.timestamps);
}

TEST(TcpTimestamps, ADelayedAckEchoesTheEarliest) {
  Scripted s;
  const auto connection = s.connect_one({.timestamps = tcp::Timestamps{.value = 1000, .echo = 0}});
  s.host.tcp.set_quick_ack(s.now, connection, false);
  s.timestamp = 1010;
  s.send(flags::ack, "a");
  s.timestamp = 1020;
  s.send(flags::ack, "b");
  s.run_for(100_ms);
  EXPECT_EQ(s.expect().header.options.timestamps->echo, 1010U);  // [RFC7323-4.3-a]
}

TEST(TcpUrgent, TheLastOctetIsReadOutOfLine) {
  Scripted s;
  const auto connection = s.reach(State::established);
  s.host.tcp.set_observer(nullptr);
  Seg segment = s.make(flags::ack | flags::urg, "abcX");
  segment.header.urgent_pointer = 4;
  s.send(segment);
  s.peer_next += 4;
  s.send(flags::ack, "def");
  // RFC 9293 3.8.5 [MUST-30] [MUST-32] [MUST-33], RFC 6093.
  EXPECT_TRUE(s.host.tcp.readiness(connection).has_urgent);
  EXPECT_FALSE(s.host.tcp.is_at_urgent_mark(connection));
  EXPECT_EQ(s.host.tcp.receive(s.now, connection, buffer).value(), 3U);  // stops at the mark
  EXPECT_TRUE(s.host.tcp.is_at_urgent_mark(connection));
  EXPECT_EQ(s.host.tcp.receive(s.now, connection, buffer, {.urgent = true}).value(), 1U);
  EXPECT_EQ(buffer[0], 'X');
  EXPECT_EQ(s.host.tcp.receive(s.now, connection, buffer, {.urgent = true}).error(),
            Errno::invalid);
  EXPECT_EQ(s.read(connection), "def");
  EXPECT_FALSE(s.host.tcp.readiness(connection).has_urgent);
}

TEST(TcpUrgent, InLineItIsPartOfTheStream) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.urgent_inline = true;
  const auto connection = s.connect_one({}, settings);
  Seg segment = s.make(flags::ack | flags::urg, "abcX");
  segment.header.urgent_pointer = 4;
  s.send(segment);
  EXPECT_EQ(s.read(connection), "abcX");
}

TEST(TcpUrgent, PointersOfZeroFarAheadAndBackDoNoHarm) {
  Scripted s;
  const auto connection = s.reach(State::established);
  Seg segment = s.make(flags::ack | flags::urg, "abc");
  s.send(segment);  // BI-45
  s.peer_next += 3;
  EXPECT_EQ(s.read(connection), "abc");
  segment = s.make(flags::ack | flags::urg, "def");
  segment.header.urgent_pointer = 60000;
  s.send(segment);  // BI-47
  s.peer_next += 3;
  EXPECT_EQ(s.host.tcp.receive(s.now, connection, buffer, {.urgent = true}).error(),
            Errno::try_again);
  segment = s.make(flags::ack | flags::urg, "ghi");
  segment.header.urgent_pointer = 1;
  s.send(segment);
  s.peer_next += 3;
  EXPECT_EQ(s.read(connection), "defghi");
}

TEST(TcpUrgent, TheSendersPointerNamesTheOctetBehindIt) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 10});
  ASSERT_TRUE(s.host.tcp.send(s.now, connection, bytes_of("0123456789"), {.urgent = true}));
  const Seg segment = s.expect();
  EXPECT_TRUE(segment.header.flags.urg());
  EXPECT_EQ(segment.header.urgent_pointer, 10);  // RFC 9293 3.8.5 [MUST-62] [MUST-31]
}

TEST(TcpEstablished, AZeroWindowStillHearsAcksResetsAndUrgentData) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.receive_buffer_bytes = 500;
  const auto connection = s.connect_one({.mss = 1000}, settings);
  s.send(flags::ack, std::string(500, 'x'));
  EXPECT_EQ(s.expect().header.window, 0);
  ASSERT_TRUE(s.host.tcp.send(s.now, connection, bytes_of("abc")));
  (void)s.expect();
  s.ours += 3;
  // RFC 9293 3.4 [MUST-66].
  Seg probe = s.make(flags::ack | flags::urg, "y");
  probe.header.urgent_pointer = 1;
  s.send(probe);
  EXPECT_EQ(s.expect().header.window, 0);
  EXPECT_EQ(s.host.tcp.unacked_bytes(connection), 0U);
  EXPECT_TRUE(s.host.tcp.readiness(connection).has_urgent);
  EXPECT_EQ(s.host.tcp.readable_bytes(connection), 500U);
  s.send(s.make(flags::rst));
  EXPECT_EQ(s.host.tcp.state(connection), State::closed);
}

TEST(TcpEstablished, OptionsComeOnAnySegmentAndNonsenseIsSurvived) {
  Scripted s;
  const auto connection = s.reach(State::established);
  // RFC 9293 3.1 [MUST-4] [MUST-5] [MUST-6] [MUST-7], 3.2 [MUST-64], BI-46, BI-50, BI-51, BI-61.
  const std::vector<std::vector<std::uint8_t>> some = {
      {1, 1, 1, 1},    {0, 255, 255, 255},
      {253, 4, 1, 2},  {1, 253, 3, 7},
      {255, 0, 0, 0},  {8, 1, 0, 0},
      {2, 40, 0, 0},   {1, 1, 1, 8},
      {29, 255, 1, 1}, {5, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1}};
  for (const auto& options : some) {
    Seg plain = s.make(flags::ack, "x");
    internet::Datagram datagram = make_segment(plain);
    Packet packet(128, 0);
    packet.append(Bytes(datagram.packet.linear()).first(20));
    packet.append(Bytes(options));
    packet.append(bytes_of("x"));
    packet.mutable_front()[12] = static_cast<std::uint8_t>((20 + options.size()) / 4 << 4);
    put_checksum({plain.source, plain.destination, 6}, packet, 16, ChecksumBy::us);
    datagram.packet = std::move(packet);
    EXPECT_EQ(s.host.tcp.on_segment(s.now, std::move(datagram)), DropReason::none);
    ++s.peer_next;
  }
  EXPECT_EQ(s.read(connection).size(), some.size());
}

}  // namespace lanyard::test
