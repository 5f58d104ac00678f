// SPDX-License-Identifier: Apache-2.0
// CLOSE, ABORT and TIME-WAIT (RFC 9293 3.6, 3.10.4, 3.10.5, RFC 6191).
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

namespace {
std::uint8_t buffer[64];
}

TEST(TcpClose, BothSidesAtOnceGoThroughClosing) {
  Pair pair;
  const auto [a, b] = pair.establish();
  ASSERT_TRUE(pair.a.tcp.shutdown_write(pair.now, a));
  ASSERT_TRUE(pair.b.tcp.shutdown_write(pair.now, b));
  pair.run_for(15_ms);
  // 9293-3.6-b.
  EXPECT_EQ(pair.a.tcp.state(a), State::closing);
  EXPECT_EQ(pair.b.tcp.state(b), State::closing);
  pair.run_for(100_ms);
  EXPECT_EQ(pair.a.tcp.state(a), State::time_wait);
  EXPECT_EQ(pair.b.tcp.state(b), State::time_wait);
}

TEST(TcpClose, TheFinFollowsAllThatIsQueuedAndOnlyOnce) {
  Scripted s;
  s.window = 100;
  const auto connection = s.connect_one({.mss = 1000});
  ASSERT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(150))));
  ASSERT_TRUE(s.host.tcp.shutdown_write(s.now, connection));  // 9293-3.10.4-b
  ASSERT_TRUE(s.host.tcp.shutdown_write(s.now, connection));
  EXPECT_EQ(s.host.tcp.state(connection), State::fin_wait_1);
  const Seg first = s.expect();
  EXPECT_EQ(first.text.size(), 100U);
  EXPECT_FALSE(first.header.flags.fin());
  s.ours += 100;
  s.send(flags::ack);
  const Seg last = s.expect();
  EXPECT_EQ(last.text.size(), 50U);
  EXPECT_TRUE(last.header.flags.fin());
  s.expect_nothing();
  EXPECT_EQ(s.host.tcp.send(s.now, connection, bytes_of("x")).error(), Errno::broken_pipe);
}

TEST(TcpClose, TheOtherDirectionGoesOn) {
  Scripted s;
  const auto connection = s.reach(State::fin_wait_2);
  s.send(flags::ack, "still here");  // 9293-3.6-a
  EXPECT_EQ(s.read(connection), "still here");
}

TEST(TcpClose, TheEndOfTheStreamIsZeroAndAResetIsAnError) {
  Scripted s;
  const auto one = s.connect_one();
  s.send(flags::fin | flags::ack, "bye");
  EXPECT_EQ(s.read(one), "bye");  // 9293-3.10.3-a
  EXPECT_EQ(s.host.tcp.receive(s.now, one, buffer).value(), 0U);
  EXPECT_TRUE(s.host.tcp.readiness(one).is_read_closed);
  s.host.tcp.abort(s.now, one);
  s.host.out.clear();
  s.peer_port = 4001;
  const auto two = s.connect_one();
  s.send(flags::ack, "kept");
  s.send(flags::rst | flags::ack, "diagnostic");  // RFC 9293 3.5.3 [SHLD-2]
  EXPECT_EQ(s.host.tcp.state(two), State::closed);
  EXPECT_EQ(s.host.tcp.receive(s.now, two, buffer).value(), 4U);
  // RFC 9293 3.6 [MUST-12].
  EXPECT_EQ(s.host.tcp.receive(s.now, two, buffer).error(), Errno::connection_reset);
  EXPECT_EQ(s.host.tcp.receive(s.now, two, buffer).value(), 0U);
  EXPECT_EQ(s.host.tcp.send(s.now, two, bytes_of("x")).error(), Errno::broken_pipe);
}

TEST(TcpClose, UnreadDataMakesItAReset) {
  Scripted s;
  const auto connection = s.connect_one();
  s.send(flags::ack, "unread");
  s.host.out.clear();
  s.host.tcp.close(s.now, connection);  // RFC 9293 3.6.1 [SHLD-3]
  const Seg reset = s.expect();
  EXPECT_TRUE(reset.header.flags.rst());
  EXPECT_EQ(reset.header.sequence, s.ours);
  EXPECT_TRUE(s.host.tcp.rows().empty());
  EXPECT_FALSE(s.host.tcp.exists(connection));
}

TEST(TcpClose, DataAfterCloseIsAnsweredWithAReset) {
  Scripted s;
  const auto connection = s.connect_one();
  s.host.tcp.close(s.now, connection);
  EXPECT_TRUE(s.expect().header.flags.fin());
  s.send(flags::ack, "too late");  // RFC 9293 3.6.1 [SHLD-3]
  EXPECT_TRUE(s.expect().header.flags.rst());
  EXPECT_TRUE(s.host.tcp.rows().empty());
}

TEST(TcpClose, InSynSentNothingIsSent) {
  Scripted s;
  const auto connection = s.reach(State::syn_sent);
  s.host.tcp.close(s.now, connection);  // 9293-3.10.4-a
  s.expect_nothing();
  EXPECT_TRUE(s.host.tcp.rows().empty());
}

TEST(TcpClose, AbortSendsAResetInEverySynchronizedState) {
  for (const State state :
       {State::syn_received, State::established, State::fin_wait_1, State::fin_wait_2,
        State::close_wait, State::closing, State::last_ack}) {
    Scripted s;
    const auto connection = s.reach(state);
    s.host.tcp.abort(s.now, connection);  // 9293-3.10.5-a
    EXPECT_TRUE(s.expect().header.flags.rst()) << to_text(state);
    EXPECT_TRUE(s.host.tcp.rows().empty()) << to_text(state);
    EXPECT_EQ(s.host.tcp.next_deadline(), Instant::never()) << to_text(state);
  }
}

TEST(TcpClose, AnOrphansFinWait2Ends) {
  Scripted s;
  const auto connection = s.connect_one();
  s.host.tcp.close(s.now, connection);
  ++s.ours;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.rows().at(0).state, State::fin_wait_2);
  s.run_for(59_s);
  EXPECT_EQ(s.host.tcp.rows().size(), 1U);
  s.run_for(2_s);  // BI-79
  EXPECT_TRUE(s.host.tcp.rows().empty());
}

// What an orphan has read already may come again with the FIN behind it: nothing is lost by taking
// that, and a reset would be (RFC 9293 3.6.1 [SHLD-3] is about data nobody will read).
TEST(TcpClose, AnOrphanTakesTheFinBehindTextItHasRead) {
  Scripted s;
  const auto connection = s.connect_one();
  s.send(flags::ack, "read already");
  EXPECT_EQ(s.read(connection), "read already");
  s.host.out.clear();
  s.host.tcp.close(s.now, connection);
  ++s.ours;
  s.send(flags::ack);
  s.host.out.clear();
  Seg again = s.make(flags::fin | flags::ack, "read already");
  again.header.sequence = s.peer_next - 12;
  s.send(again);
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.flags, flags::ack);
  EXPECT_EQ(answer.header.acknowledgment, s.peer_next + 1);
  EXPECT_EQ(s.host.tcp.rows().at(0).state, State::time_wait);
}

TEST(TcpClose, AFinAheadOfAGapWaitsForTheGap) {
  Scripted s;
  const auto connection = s.connect_one();
  const Seg missing = s.make(flags::ack, "first ");
  s.peer_next += 6;
  s.send(flags::fin | flags::ack, "second");
  EXPECT_EQ(s.host.tcp.state(connection), State::established);
  s.send(missing);  // BI-65, BI-66
  EXPECT_EQ(s.host.tcp.state(connection), State::close_wait);
  EXPECT_EQ(s.read(connection), "first second");
}

TEST(TcpClose, NothingBehindTheFinIsDelivered) {
  Scripted s;
  const auto connection = s.connect_one();
  const Seg fin = s.make(flags::fin | flags::ack, "end");
  s.send(fin);
  Seg more = s.make(flags::fin | flags::ack, "endless");
  s.send(more);  // BI-65, 9293-3.10.7.4-n
  more.header.sequence += 4;
  s.send(more);
  EXPECT_EQ(s.read(connection), "end");
  EXPECT_EQ(s.host.tcp.state(connection), State::close_wait);
  EXPECT_EQ(s.host.tcp.receive(s.now, connection, buffer).value(), 0U);
}

TEST(TcpTimeWait, LastsTwiceTheSegmentLifetimeAndAFinStartsItAgain) {
  Scripted s;
  const auto connection = s.reach(State::time_wait);
  s.host.tcp.close(s.now, connection);
  s.run_for(59_s);
  // RFC 9293 3.6.1 [MUST-13].
  EXPECT_EQ(s.host.tcp.rows().at(0).state, State::time_wait);
  Seg fin = s.make(flags::fin | flags::ack);
  fin.header.sequence = s.peer_next - 1;
  s.send(fin);  // 9293-3.10.7.4-m
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next);
  s.run_for(59_s);
  EXPECT_EQ(s.host.tcp.rows().size(), 1U);
  s.run_for(2_s);
  EXPECT_TRUE(s.host.tcp.rows().empty());
}

TEST(TcpTimeWait, ANewSynBeyondTheOldNumbersOpensAgain) {
  for (const bool with_timestamps : {false, true}) {
    Scripted s;
    const auto listener = s.listen();
    Seg syn = s.make(flags::syn);
    if (with_timestamps) syn.header.options.timestamps = tcp::Timestamps{.value = 1000, .echo = 0};
    s.with_timestamps = with_timestamps;
    ++s.peer_next;
    s.send(syn);
    const Seg first = s.expect();
    s.ours = first.header.sequence + 1;
    s.send(flags::ack);
    const auto connection = s.host.tcp.accept(s.now, listener, 0);
    s.host.tcp.close(s.now, *connection);
    (void)s.expect();
    ++s.ours;
    s.send(flags::fin | flags::ack);
    (void)s.expect();
    ASSERT_EQ(s.host.tcp.rows().back().state, State::time_wait);
    // An old one is answered with an ACK.
    Seg old = s.make(flags::syn);
    old.header.sequence = s.peer_next - 1000;
    if (with_timestamps) old.header.options.timestamps = tcp::Timestamps{.value = 900, .echo = 0};
    s.send(old);
    EXPECT_EQ(s.expect().header.flags, flags::ack);
    // [RFC6191-2-a], RFC 9293 3.6.1 [MAY-2] [SHLD-4].
    Seg fresh = s.make(flags::syn);
    fresh.header.sequence = with_timestamps ? s.peer_next - 5000 : s.peer_next + 5000;
    if (with_timestamps)
      fresh.header.options.timestamps = tcp::Timestamps{.value = 2000, .echo = 0};
    s.send(fresh);
    const Seg again = s.expect();
    EXPECT_EQ(again.header.flags, flags::syn | flags::ack);
    EXPECT_TRUE(tcp::after(again.header.sequence, s.ours));
  }
}

TEST(TcpTimeWait, AServerMayBindAgainWithReuseAddress) {
  Scripted s;
  const auto listener = s.listen();
  s.send(flags::syn);
  s.ours = s.expect().header.sequence + 1;
  s.send(flags::ack);
  const auto connection = s.host.tcp.accept(s.now, listener, 0);
  s.host.tcp.close(s.now, *connection);
  ++s.ours;
  s.send(flags::fin | flags::ack);
  s.host.tcp.close(s.now, listener);
  ASSERT_EQ(s.host.tcp.rows().at(0).state, State::time_wait);
  const transport::BindRequest plain{.local = {IpAddress::any(Family::ipv4), 80, 0}};
  EXPECT_EQ(s.host.tcp.bind(plain).error(), Errno::address_in_use);
  s.run_for(61_s);
  EXPECT_TRUE(s.host.tcp.bind(plain));
}

// RFC 6191 2 [RFC6191-2-a]: where timestamps tell the old segments from the new ones.
TEST(TcpTimeWait, AnActiveOpenMayTakeThePlaceAfterASecond) {
  using transport::Reuse;
  struct Case {
    Reuse reuse;
    bool is_loopback, may;
  };
  for (const Case& each : {Case{Reuse::always, false, true},
                           {Reuse::of_loopback, false, false},
                           {Reuse::of_loopback, true, true},
                           {Reuse::off, true, false}}) {
    transport::Config config;
    config.time_wait_reuse = each.reuse;
    config.ephemeral_first = config.ephemeral_last = 40'000;
    Pair pair(config);
    if (each.is_loopback) {
      pair.b.address = IpAddress::loopback(Family::ipv4);
      pair.b.paths.own = {pair.b.address};
    }
    const auto ends = pair.establish();
    ASSERT_TRUE(pair.a.tcp.send(pair.now, ends.a, as_bytes("the old one")));
    ASSERT_TRUE(pair.a.tcp.shutdown_write(pair.now, ends.a));
    pair.run_for(100_ms);
    EXPECT_EQ(pair.read_all(pair.b, ends.b), "the old one");
    pair.b.tcp.close(pair.now, ends.b);
    pair.a.tcp.close(pair.now, ends.a);
    pair.run_for(100_ms);
    const auto again = [&] {
      tcp::Open open;
      open.remote = {pair.b.address, 80, 0};
      open.settings = pair.a.tcp.default_settings();
      return pair.a.tcp.connect(pair.now, open);
    };
    ASSERT_EQ(pair.a.tcp.rows().size(), 1U);
    ASSERT_EQ(pair.a.tcp.rows().back().state, State::time_wait);
    EXPECT_FALSE(again());
    pair.run_for(1_s);
    const auto connection = again();
    ASSERT_EQ(connection.has_value(), each.may);
    if (!connection) continue;
    pair.run_for(1_s);
    EXPECT_EQ(pair.a.tcp.state(*connection), State::established);
  }
}

// RFC 9293 3.6.1 [MAY-2], [RFC6191-2-a]: the new numbers begin beyond the old ones, also where the
// old connection has used them up faster than the clock makes new ones.
TEST(TcpTimeWait, TheNumbersOfAReopenedOneAreBeyondTheOld) {
  transport::Config config;
  config.ephemeral_first = config.ephemeral_last = 40'000;
  Pair pair(config);
  const auto ends = pair.establish();
  tcp::SequenceNumber end;
  std::optional<tcp::SequenceNumber> begin;
  pair.tap = [&](bool from_a, const internet::Datagram& datagram) {
    if (!from_a) return;
    const Seg segment = read_segment(datagram);
    if (segment.header.flags.syn()) begin = segment.header.sequence;
    if (!begin) end = segment.header.sequence + static_cast<std::uint32_t>(segment.text.size());
  };
  const std::string text = pattern(4'000'000);
  const Instant began = pair.now;
  ASSERT_EQ(pair.a.tcp.send(pair.now, ends.a, as_bytes(text)), text.size());
  std::size_t got = 0;
  for (int i = 0; i < 1000 && got < text.size(); ++i) {
    pair.run_for(10_ms);
    got += pair.read_all(pair.b, ends.b).size();
  }
  ASSERT_EQ(got, text.size());
  ASSERT_LT(pair.now - began, 5_s);
  pair.a.tcp.close(pair.now, ends.a);
  pair.run_for(100_ms);
  pair.b.tcp.close(pair.now, ends.b);
  pair.run_for(1500_ms);
  tcp::Open open;
  open.remote = {pair.b.address, 80, 0};
  open.settings = pair.a.tcp.default_settings();
  const auto again = pair.a.tcp.connect(pair.now, open);
  ASSERT_TRUE(again);
  pair.run_for(1_s);
  ASSERT_TRUE(begin);
  EXPECT_TRUE(after(*begin, end + 65'535)) << begin->value() << " after " << end.value();
  EXPECT_EQ(pair.a.tcp.state(*again), State::established);
}

// Without timestamps nothing tells old segments from new ones; and a live one is never replaced.
TEST(TcpTimeWait, NoOtherConnectionIsReplacedByAnOpen) {
  transport::Config config;
  config.time_wait_reuse = transport::Reuse::always;
  config.timestamps = false;
  config.ephemeral_first = config.ephemeral_last = 40'000;
  Pair pair(config);
  const auto ends = pair.establish();
  tcp::Open open;
  open.remote = {pair.b.address, 80, 0};
  open.settings = pair.a.tcp.default_settings();
  EXPECT_EQ(pair.a.tcp.connect(pair.now, open).error(), Errno::address_not_available);
  pair.a.tcp.close(pair.now, ends.a);
  pair.run_for(100_ms);
  pair.b.tcp.close(pair.now, ends.b);
  pair.run_for(5_s);
  ASSERT_EQ(pair.a.tcp.rows().back().state, State::time_wait);
  EXPECT_FALSE(pair.a.tcp.connect(pair.now, open));
}

TEST(TcpTimeWait, OnlyAnExactResetEndsIt) {
  Scripted s;
  const auto connection = s.reach(State::time_wait);
  s.host.tcp.close(s.now, connection);
  Seg reset = s.make(flags::rst);
  reset.header.sequence += 1;
  s.send(reset);
  EXPECT_EQ(s.host.tcp.rows().size(), 1U);
  s.send(s.make(flags::rst));
  EXPECT_TRUE(s.host.tcp.rows().empty());
}

TEST(TcpTimeWait, WhereNobodyListensANewSynOpensNothing) {
  Scripted s;
  s.host.tcp.close(s.now, s.reach(State::time_wait));
  Seg syn = s.make(flags::syn);
  syn.header.sequence += 5000;
  s.send(syn);
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.flags, flags::ack);
  EXPECT_EQ(answer.header.acknowledgment, s.peer_next);
  EXPECT_EQ(s.host.tcp.rows().at(0).state, State::time_wait);
}

// [RFC6191-2-a]: the same timestamp tells nothing, so the sequence number decides. An old FIN is no
// reason to wait longer.
TEST(TcpTimeWait, ATimestampThatIsNotNewerLeavesItToTheSequenceNumber) {
  for (const int beyond : {-1000, 5000}) {
    Scripted s;
    const auto connection = s.accept_one({.timestamps = tcp::Timestamps{s.timestamp, 0}});
    s.host.tcp.close(s.now, connection);
    s.ours = s.expect().header.sequence + 1;
    s.send(flags::fin | flags::ack);
    (void)s.expect();
    s.run_for(40_s);
    Seg fin = s.make(flags::fin | flags::ack);
    fin.header.sequence = s.peer_next - 1;
    fin.header.options.timestamps->value = s.timestamp - 1;
    s.send(fin);
    EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next);
    Seg syn = s.make(flags::syn);
    syn.header.sequence += static_cast<std::uint32_t>(beyond);
    s.send(syn);
    EXPECT_EQ(s.expect().header.flags, beyond > 0 ? flags::syn | flags::ack : flags::ack);
    if (beyond > 0) continue;
    s.run_for(21_s);
    EXPECT_EQ(s.host.tcp.rows().size(), 1U);  // the listener
  }
}

TEST(TcpTimeWait, AFullTableTakesNoMore) {
  transport::Config config;
  config.time_wait_max = 1;
  Scripted s(config);
  for (int i = 0; i < 2; ++i) {
    s.host.tcp.close(s.now, s.reach(State::time_wait));
    EXPECT_EQ(s.host.tcp.rows().size(), 1U);
    ++s.peer_port;
  }
  EXPECT_EQ(s.host.tcp.rows().at(0).remote.port, 4000);
}

}  // namespace lanyard::test
