// SPDX-License-Identifier: Apache-2.0
// OPEN and SEGMENT ARRIVES in CLOSED, LISTEN, SYN-SENT and SYN-RECEIVED (RFC 9293 3.5, 3.10.1,
// 3.10.7.1-3).
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

TEST(TcpClosed, ASegmentForNobodyIsAnsweredWithTheResetItsSenderAccepts) {
  Scripted s;
  // 9293-3.5-c, 9293-3.10.7.1-a: ACK clear.
  EXPECT_EQ(s.send(s.make(flags::syn)), DropReason::tcp_no_connection);
  Seg reset = s.expect();
  EXPECT_EQ(reset.header.flags, flags::rst | flags::ack);
  EXPECT_EQ(reset.header.sequence.value(), 0U);
  EXPECT_EQ(reset.header.acknowledgment, s.peer_next + 1);
  // ACK set.
  s.ours = tcp::SequenceNumber(4711);
  s.send(s.make(flags::ack, "abc"));
  reset = s.expect();
  EXPECT_EQ(reset.header.flags, flags::rst);
  EXPECT_EQ(reset.header.sequence.value(), 4711U);
  // 9293-3.5-b: a RST is never answered.
  s.send(s.make(flags::rst));
  s.send(s.make(flags::rst | flags::ack));
  s.expect_nothing();
}

TEST(TcpClosed, ABadChecksumIsDroppedWithoutAWord) {
  Scripted s;
  s.listen();
  // RFC 9293 3.1 [MUST-3].
  internet::Datagram bad = make_segment(s.make(flags::syn));
  bad.packet.mutable_front()[16] ^= 1;
  EXPECT_EQ(s.host.tcp.on_segment(s.now, std::move(bad)), DropReason::bad_tcp_checksum);
  s.expect_nothing();
}

TEST(TcpClosed, AHeaderThatLiesAboutItsLengthIsDropped) {
  Scripted s;
  s.listen();
  for (const unsigned offset : {0U, 1U, 4U, 6U, 15U}) {
    // BI-49.
    internet::Datagram bad = make_segment(s.make(flags::syn));
    bad.packet.mutable_front()[12] = static_cast<std::uint8_t>(offset << 4);
    EXPECT_EQ(s.host.tcp.on_segment(s.now, std::move(bad)), DropReason::bad_tcp_header);
  }
  s.expect_nothing();
}

TEST(TcpClosed, NobodyTalksToABroadcastOrGroupAddress) {
  Scripted s;
  s.listen();
  // RFC 9293 3.9.2.3 [MUST-57].
  for (const IpAddress& to : {IpAddress::v4(10, 0, 0, 255), IpAddress::v4(224, 0, 0, 1)}) {
    Seg syn = s.make(flags::syn);
    syn.destination = to;
    EXPECT_EQ(s.send(syn), DropReason::martian_destination);
  }
  internet::Datagram to_all = make_segment(s.make(flags::syn));
  to_all.was_link_broadcast = true;  // whatever address stands in it
  EXPECT_EQ(s.host.tcp.on_segment(s.now, std::move(to_all)), DropReason::martian_destination);
  // RFC 9293 3.9.2.3 [MUST-63].
  for (const IpAddress& from :
       {IpAddress::v4(10, 0, 0, 255), IpAddress::v4(224, 0, 0, 1), IpAddress::any(Family::ipv4)}) {
    Seg syn = s.make(flags::syn);
    syn.source = from;
    EXPECT_EQ(s.send(syn), DropReason::martian_source);
  }
  s.expect_nothing();
}

TEST(TcpListen, ASynIsAnsweredAndTheAckMakesAConnectionToAccept) {
  Scripted s;
  const auto connection = s.accept_one();
  EXPECT_EQ(s.host.tcp.state(connection), State::established);
  EXPECT_EQ(s.host.tcp.remote(connection).port, s.peer_port);
  EXPECT_EQ(s.host.tcp.local(connection).address, s.host.address);
}

TEST(TcpListen, OnlyASynIsHeard) {
  Scripted s;
  s.listen();
  s.send(s.make(flags::rst));  // 9293-3.10.7.2-a
  s.send(s.make(flags::fin));  // 9293-3.10.7.2-d
  s.send(s.make(flags::none));
  s.expect_nothing();
  s.ours = tcp::SequenceNumber(99);
  for (const tcp::Flags bits : {flags::ack, flags::syn | flags::ack}) {
    s.send(s.make(bits));  // 9293-3.10.7.2-b
    const Seg reset = s.expect();
    EXPECT_EQ(reset.header.flags, flags::rst);
    EXPECT_EQ(reset.header.sequence.value(), 99U);
  }
}

TEST(TcpListen, TheSynAckOffersOnlyWhatTheSynDid) {
  Scripted s;
  s.listen();
  Seg syn = s.make(flags::syn);
  s.send(syn);
  Seg answer = s.expect();
  // RFC 9293 3.7.1 [MUST-14]: MSS always; [RFC7323-2.2-a], [RFC2018-3-a], [RFC7323-3.2-a].
  EXPECT_EQ(answer.header.options.mss, 1460);
  EXPECT_FALSE(answer.header.options.window_scale);
  EXPECT_FALSE(answer.header.options.sack_permitted);
  EXPECT_FALSE(answer.header.options.timestamps);
  s.peer_port = 4001;
  syn = s.make(flags::syn);
  syn.header.options.window_scale = 3;
  syn.header.options.sack_permitted = true;
  syn.header.options.timestamps = tcp::Timestamps{.value = 5, .echo = 0};
  s.send(syn);
  answer = s.expect();
  EXPECT_TRUE(answer.header.options.window_scale);
  EXPECT_TRUE(answer.header.options.sack_permitted);
  ASSERT_TRUE(answer.header.options.timestamps);
  EXPECT_EQ(answer.header.options.timestamps->echo, 5U);
}

TEST(TcpListen, TextOnTheSynIsNotDeliveredEarly) {
  Scripted s;
  const auto listener = s.listen();
  // 9293-3.10.7.2-c.
  s.send(s.make(flags::syn | flags::fin, "early"));
  ++s.peer_next;
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.acknowledgment, s.peer_next);
  EXPECT_FALSE(s.host.tcp.has_waiting(listener));
  s.ours = answer.header.sequence + 1;
  s.send(flags::ack, "early");
  const auto connection = s.host.tcp.accept(s.now, listener, 0);
  ASSERT_TRUE(connection);
  EXPECT_EQ(s.read(*connection), "early");
}

TEST(TcpSynReceived, AResetTakesAPassiveOneBackToListen) {
  Scripted s;
  const auto listener = s.listen();
  s.send(flags::syn);
  (void)s.expect();
  s.send(flags::rst);  // 9293-3.5-g, RFC 9293 3.5 [MUST-11]
  s.expect_nothing();
  EXPECT_EQ(s.host.tcp.rows().size(), 1U);
  EXPECT_FALSE(s.host.tcp.has_waiting(listener));
  s.peer_next += 100;
  s.send(flags::syn);
  EXPECT_EQ(s.expect().header.flags, flags::syn | flags::ack);
}

TEST(TcpSynReceived, AResetRefusesAnActiveOne) {
  Scripted s;
  const auto connection = s.reach(State::syn_received);
  s.send(flags::rst);
  EXPECT_EQ(s.host.tcp.state(connection), State::closed);
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::connection_refused);
}

TEST(TcpSynReceived, AWrongAckIsResetAndTheHandshakeGoesOn) {
  Scripted s;
  const auto listener = s.listen();
  s.send(flags::syn);
  const Seg answer = s.expect();
  for (const std::uint32_t off : {0U, 2U, 1'000'000'000U}) {
    s.ours = answer.header.sequence + off;
    s.send(flags::ack);  // 9293-3.10.7.4-h, BI-71
    const Seg reset = s.expect();
    EXPECT_EQ(reset.header.flags, flags::rst);
    EXPECT_EQ(reset.header.sequence, s.ours);
  }
  s.ours = answer.header.sequence + 1;
  s.send(flags::ack);
  EXPECT_TRUE(s.host.tcp.has_waiting(listener));
}

TEST(TcpSynReceived, ANewSynInTheWindowReturnsToListen) {
  Scripted s;
  s.listen();
  s.send(flags::syn);
  (void)s.expect();
  s.peer_next += 10;
  s.send(s.make(flags::syn));  // 9293-3.10.7.4-f
  EXPECT_EQ(s.host.tcp.rows().size(), 1U);
}

TEST(TcpSynReceived, TheSameSynAgainGetsTheSameSynAck) {
  Scripted s;
  s.listen();
  const Seg syn = s.make(flags::syn);
  s.send(syn);
  const Seg first = s.expect();
  s.send(syn);
  const Seg second = s.expect();
  EXPECT_EQ(first.header.flags, second.header.flags);
  EXPECT_EQ(first.header.sequence, second.header.sequence);
}

TEST(TcpSynSent, ASynAckConnects) {
  Scripted s;
  const auto connection = s.connect_one();
  EXPECT_EQ(s.host.tcp.remote(connection).address, s.peer);
  EXPECT_TRUE(s.host.tcp.readiness(connection).is_writable);
}

TEST(TcpSynSent, AnAckOfSomethingElseIsReset) {
  Scripted s;
  const auto connection = s.open();
  const Seg syn = s.expect();
  for (const std::uint32_t off : {0U, 2U, 0x8000'0000U}) {
    s.ours = syn.header.sequence + off;
    for (const tcp::Flags bits : {flags::ack, flags::syn | flags::ack}) {
      s.send(s.make(bits));  // 9293-3.10.7.3-a, 9293-3.5-d, BI-71
      const Seg reset = s.expect();
      EXPECT_EQ(reset.header.flags, flags::rst);
      EXPECT_EQ(reset.header.sequence, s.ours);
    }
    s.send(s.make(flags::rst | flags::ack));  // 9293-3.5-f
    s.expect_nothing();
  }
  EXPECT_EQ(s.host.tcp.state(connection), State::syn_sent);
}

TEST(TcpSynSent, OnlyAResetThatAcknowledgesTheSynRefuses) {
  Scripted s;
  const auto connection = s.open();
  s.ours = s.expect().header.sequence + 1;
  s.send(s.make(flags::rst));
  EXPECT_EQ(s.host.tcp.state(connection), State::syn_sent);
  s.send(s.make(flags::rst | flags::ack));  // 9293-3.10.7.3-b
  EXPECT_EQ(s.host.tcp.state(connection), State::closed);
  EXPECT_TRUE(s.host.tcp.readiness(connection).has_error);
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::connection_refused);
  EXPECT_EQ(s.host.tcp.take_error(connection), std::nullopt);
}

TEST(TcpSynSent, ASegmentWithoutSynIsDropped) {
  Scripted s;
  const auto connection = s.open();
  s.ours = s.expect().header.sequence + 1;
  s.send(s.make(flags::ack));  // 9293-3.10.7.3-d
  s.send(s.make(flags::fin | flags::ack));
  s.send(s.make(flags::none));
  s.expect_nothing();
  EXPECT_EQ(s.host.tcp.state(connection), State::syn_sent);
}

TEST(TcpSynSent, ASynFromThePeerIsASimultaneousOpen) {
  Scripted s;
  const auto connection = s.open();
  const Seg syn = s.expect();
  s.send(flags::syn);  // RFC 9293 3.5 [MUST-10], 9293-3.10.7.3-c, BI-77
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.flags, flags::syn | flags::ack);
  EXPECT_EQ(answer.header.sequence, syn.header.sequence);
  EXPECT_EQ(s.host.tcp.state(connection), State::syn_received);
  EXPECT_TRUE(s.host.tcp.readiness(connection).is_connecting);
  EXPECT_FALSE(s.host.tcp.readiness(connection).is_writable);
  s.ours = syn.header.sequence + 1;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.state(connection), State::established);
  EXPECT_FALSE(s.host.tcp.readiness(connection).is_connecting);
}

// RFC 5961 1: one segment that guesses no sequence number must not cost a connection.
TEST(TcpSynSent, AForgedSynDoesNotKeepTheConnectionFromOpening) {
  Scripted s;
  const auto connection = s.open();
  const Seg syn = s.expect();
  const auto honest = s.peer_next;
  s.peer_next = honest + 123'456'789;
  s.send(flags::syn);
  (void)s.expect();
  EXPECT_EQ(s.host.tcp.state(connection), State::syn_received);
  s.peer_next = honest;
  s.ours = syn.header.sequence + 1;
  s.send(flags::syn | flags::ack);
  EXPECT_EQ(s.host.tcp.state(connection), State::established);
  const Seg last = s.expect();
  EXPECT_EQ(last.header.flags, flags::ack);
  EXPECT_EQ(last.header.acknowledgment, honest + 1);
  EXPECT_EQ(last.header.sequence, syn.header.sequence + 1);
  s.send(flags::ack, "hello");
  EXPECT_EQ(s.read(connection), "hello");
}

// ... nor may one who has not seen our SYN open it, or speak in the peer's place.
TEST(TcpSynSent, AfterAForgedSynOnlyWhoAcknowledgesOursIsHeard) {
  for (const std::int64_t wrong : {-1L, 1L, 70'000L}) {
    Scripted s;
    const auto connection = s.open();
    s.ours = s.expect().header.sequence + 1;
    s.send(flags::syn);
    (void)s.expect();
    Seg guess = s.make(flags::syn | flags::ack);
    guess.header.sequence += 1'000'000;
    guess.header.acknowledgment = s.ours + static_cast<std::uint32_t>(wrong);
    s.send(guess);
    EXPECT_EQ(s.host.tcp.state(connection), State::syn_received);
  }
}

TEST(TcpSynSent, WithoutAnMssOptionTheDefaultHolds) {
  Scripted s;
  const auto connection = s.connect_one();
  ASSERT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(2000))));
  // RFC 9293 3.7.1 [MUST-15], BI-70.
  EXPECT_EQ(s.expect().text.size(), 536U);
}

TEST(TcpSynSent, WindowScalesAboveFourteenCountAsFourteen) {
  Scripted s;
  s.window = 1;
  const auto connection = s.connect_one({.window_scale = 200});
  s.window = 2;
  s.send(flags::ack);
  // BI-62.
  EXPECT_EQ(s.host.tcp.info(s.now, connection).snd_wscale, 14);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).snd_wnd, 2U << 14);
}

// RFC 7323 2.3: however large the buffer.
TEST(TcpSynSent, NoScaleAboveFourteenIsOffered) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.receive_buffer_bytes = 2'000'000'000;
  (void)s.open(settings);
  EXPECT_EQ(s.expect().header.options.window_scale, 14);
}

TEST(TcpSynSent, TheSynIsRetransmittedAt1s3s7sThenGivenUp) {
  Scripted s;
  const Instant start = s.now;
  const auto connection = s.open();
  std::vector<std::int64_t> times;
  while (s.host.tcp.state(connection) == State::syn_sent) {
    while (s.take()) times.push_back((s.now - start).count_ms());
    s.run_until(s.host.tcp.next_deadline());
  }
  // RFC 9293 3.8.3 [MUST-22] [MUST-23], [RFC6298-2-a]: R2 for a SYN is at least three minutes.
  EXPECT_EQ(times, (std::vector<std::int64_t>{0, 1000, 3000, 7000, 15000, 31000, 63000, 127000}));
  EXPECT_GE((s.now - start).count_ms(), 180'000);
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::timed_out);
}

TEST(TcpOpen, BothSidesAtOnceMakeOneConnection) {
  Pair pair;
  const auto bind = [](Host& host, Port port) {
    return *host.tcp.bind({.local = {host.address, port, 0}});
  };
  tcp::Open from_a, from_b;
  from_a.remote = {pair.b.address, 2000, 0};
  from_a.binding = bind(pair.a, 1000);
  from_a.settings = pair.a.tcp.default_settings();
  from_b.remote = {pair.a.address, 1000, 0};
  from_b.binding = bind(pair.b, 2000);
  from_b.settings = pair.b.tcp.default_settings();
  const auto a = pair.a.tcp.connect(pair.now, from_a);
  const auto b = pair.b.tcp.connect(pair.now, from_b);
  pair.run_for(500_ms);
  // RFC 9293 3.5 [MUST-10], 9293-A.2-a.
  EXPECT_EQ(pair.a.tcp.state(*a), State::established);
  EXPECT_EQ(pair.b.tcp.state(*b), State::established);
  ASSERT_TRUE(pair.a.tcp.send(pair.now, *a, bytes_of("x")));
  pair.run_for(100_ms);
  EXPECT_EQ(pair.read_all(pair.b, *b), "x");
}

TEST(TcpOpen, AConnectionToItselfWorks) {
  Scripted s;
  tcp::Open open;
  open.remote = {s.host.address, 5555, 0};
  open.binding = *s.host.tcp.bind({.local = {s.host.address, 5555, 0}});
  open.settings = s.host.tcp.default_settings();
  const auto connection = s.host.tcp.connect(s.now, open);
  ASSERT_TRUE(connection);
  const auto loop = [&] {
    for (int i = 0; i < 20 && !s.host.out.empty(); ++i) {
      internet::Datagram datagram = copy_of(s.host.out.front());
      s.host.out.erase(s.host.out.begin());
      s.host.tcp.on_segment(s.now, std::move(datagram));
    }
  };
  loop();
  // 9293-A.2-a: self-connect.
  EXPECT_EQ(s.host.tcp.state(*connection), State::established);
  ASSERT_TRUE(s.host.tcp.send(s.now, *connection, bytes_of("to myself")));
  loop();
  EXPECT_EQ(s.read(*connection), "to myself");
}

TEST(TcpOpen, AnInvalidRemoteFailsAtTheCall) {
  Scripted s;
  tcp::Open open;
  open.settings = s.host.tcp.default_settings();
  // RFC 9293 3.9.1.1 [MUST-46], 9293-3.10.1-a.
  for (const IpAddress& address : {IpAddress::v4(224, 0, 0, 5), IpAddress::v4(10, 0, 0, 255),
                                   IpAddress::v4(255, 255, 255, 255)}) {
    open.remote = {address, 80, 0};
    EXPECT_EQ(s.host.tcp.connect(s.now, open).error(), Errno::network_unreachable);
  }
  open.remote = {s.peer, 0, 0};
  EXPECT_FALSE(s.host.tcp.connect(s.now, open));
  s.host.paths.failure = Errno::host_unreachable;
  open.remote = {s.peer, 80, 0};
  EXPECT_EQ(s.host.tcp.connect(s.now, open).error(), Errno::host_unreachable);
  s.expect_nothing();
}

TEST(TcpOpen, InitialSequenceNumbersFollowAClockAndASecret) {
  // RFC 9293 3.4.1 [MUST-8] [MUST-9] [SHLD-1], [RFC6528-3-a].
  Scripted s;
  std::set<std::uint32_t> offsets;
  for (Port remote = 5000; remote < 5020; ++remote) {
    s.peer_port = remote;
    const auto connection = s.open();
    const auto clock = static_cast<std::uint32_t>(s.now.count_ns() / 4000);
    offsets.insert(s.expect().header.sequence.value() - clock);
    s.host.tcp.abort(s.now, connection);
    s.run_for(1_s);
  }
  EXPECT_EQ(offsets.size(), 20U);
  Seg syn;
  std::vector<std::uint32_t> same;
  s.host.paths.own.insert(s.host.address);
  const auto binding = s.host.tcp.bind({.local = {s.host.address, 6000, 0}});
  tcp::Open open;
  open.binding = *binding;
  open.remote = {s.peer, 80, 0};
  open.settings = s.host.tcp.default_settings();
  auto connection = s.host.tcp.connect(s.now, open);
  const auto first = s.expect().header.sequence;
  s.host.tcp.abort(s.now, *connection);
  s.run_for(1_s);
  open.binding = *s.host.tcp.bind({.local = {s.host.address, 6000, 0}});
  connection = s.host.tcp.connect(s.now, open);
  EXPECT_EQ(s.expect().header.sequence - first, 250'000);  // one second in ticks of 4 us
}

TEST(TcpListen, AFullAcceptQueueDropsSynsAndTheLastAck) {
  Pair pair;
  const auto listener = pair.listen(80, 1);
  std::vector<tcp::ConnectionId> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(pair.connect());
  pair.run_for(100_ms);
  int waiting = 0;
  while (pair.b.tcp.accept(pair.now, listener, 0)) ++waiting;
  EXPECT_EQ(waiting, 2);  // as Linux: one more than the backlog
  // The rest comes in when there is room: their SYN or the SYN,ACK is sent again.
  pair.run_for(10_s);
  while (pair.b.tcp.accept(pair.now, listener, 0)) ++waiting;
  EXPECT_EQ(waiting, 4);
  for (const auto client : clients) EXPECT_EQ(pair.a.tcp.state(client), State::established);
}

TEST(TcpListen, HalfOpenConnectionsAreBounded) {
  transport::Config config;
  config.half_open_min = 10;
  Scripted s(config);
  s.listen(s.host.tcp.default_settings(), 4);
  for (int i = 0; i < 100; ++i) {
    ++s.peer_port;
    s.send(s.make(flags::syn));
  }
  EXPECT_EQ(s.host.tcp.rows().size(), 11U);
  s.host.out.clear();
  s.run_for(300_s);
  EXPECT_EQ(s.host.tcp.rows().size(), 1U);  // given up, all memory back
}

TEST(TcpListen, ClosingItResetsWhoWaitsAndForgetsTheHalfOpen) {
  Scripted s;
  const auto listener = s.listen();
  s.send(flags::syn);
  s.ours = s.expect().header.sequence + 1;
  s.send(flags::ack);
  s.peer_port = 4001;
  s.send(s.make(flags::syn));
  const Seg half = s.expect();
  s.host.tcp.close(s.now, listener);
  EXPECT_TRUE(s.expect().header.flags.rst());
  s.ours = half.header.sequence + 1;
  s.peer_next += 1;
  s.send(s.make(flags::ack));
  EXPECT_TRUE(s.expect().header.flags.rst());
  EXPECT_TRUE(s.host.tcp.rows().empty());
}

TEST(TcpListen, DeferAcceptWaitsForData) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.defer_accept = 5_s;
  const auto listener = s.listen(settings);
  s.send(flags::syn);
  s.ours = s.expect().header.sequence + 1;
  s.send(flags::ack);
  EXPECT_FALSE(s.host.tcp.has_waiting(listener));
  s.send(flags::ack, "GET /");
  ASSERT_TRUE(s.host.tcp.has_waiting(listener));
  EXPECT_EQ(s.read(*s.host.tcp.accept(s.now, listener, 0)), "GET /");
}

}  // namespace lanyard::test
