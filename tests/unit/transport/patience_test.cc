// SPDX-License-Identifier: Apache-2.0
// How long a connection waits, and for what: the user's time-out, TCP_DEFER_ACCEPT, quick ACKs.
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

// RFC 9293 3.8.3 [MUST-21], 3.8.6.1: the time-out of the user ends what its window probes hold up.
TEST(TcpPatience, TheUsersTimeoutEndsAConnectionWhoseWindowStaysClosed) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.user_timeout = 5_s;
  const auto c = s.accept_one({}, settings);
  s.window = 0;
  s.send(flags::ack);
  const Instant heard = s.now;
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes("waits")));
  s.run_until(heard + 4900_ms);
  EXPECT_EQ(s.host.tcp.state(c), State::established);
  EXPECT_TRUE(s.take());  // probes go unanswered
  s.run_until(heard + 10_s);
  EXPECT_EQ(s.host.tcp.state(c), State::closed);
  EXPECT_EQ(s.host.tcp.take_error(c), Errno::timed_out);
}

// RFC 9293 3.8.6 [SHLD-17]: a peer that shrank its window below what is in flight and answers is
// alive; one that says nothing more is not.
TEST(TcpPatience, APeerThatShrankItsWindowIsWaitedForAsLongAsItAnswers) {
  for (const bool answers : {true, false}) {
    Scripted s;
    const auto c = s.accept_one({.mss = 1000});
    ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes(pattern(1000))));
    s.window = 0;
    s.send(flags::ack);
    EXPECT_EQ(s.host.tcp.info(s.now, c).snd_wnd, 0U);
    for (int i = 0; i < 40; ++i) {
      s.run_for(50_s);
      s.host.out.clear();
      if (answers) s.send(flags::ack);
    }
    EXPECT_EQ(s.host.tcp.state(c), answers ? State::established : State::closed);
    if (!answers) {
      EXPECT_EQ(s.host.tcp.take_error(c), Errno::timed_out);
    }
  }
}

TEST(TcpPatience, AnsweredWindowProbesKeepItForAsLongAsTheyAreAnswered) {
  // 9293-3.8-c, [MUST-37]
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.user_timeout = 5_s;
  const auto c = s.accept_one({}, settings);
  s.window = 0;
  s.send(flags::ack);
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes("waits")));
  for (int i = 0; i < 300; ++i) {
    s.run_for(100_ms);
    while (s.take()) s.send(flags::ack);
  }
  EXPECT_EQ(s.host.tcp.state(c), State::established);
}

// RFC 9293 3.8.4, and tcp(7): where the user has a time-out it, not the count of probes, decides.
TEST(TcpPatience, TheUsersTimeoutEndsAnIdleConnectionWhoseKeepAlivesGoUnanswered) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.keep_alive = true;
  settings.keep_alive_idle = 10_s;
  settings.keep_alive_interval = 2_s;
  settings.keep_alive_probes_max = 2;
  settings.user_timeout = 19_s;
  const auto c = s.accept_one({}, settings);
  const Instant heard = s.now;
  s.run_until(heard + 18_s);
  EXPECT_EQ(s.host.tcp.state(c), State::established);
  int probes = 0;
  while (s.take()) ++probes;
  EXPECT_EQ(probes, 5);  // at 10, 12, 14, 16 and 18 s: more than the count would allow
  s.run_until(heard + 20_s);
  EXPECT_EQ(s.host.tcp.take_error(c), Errno::timed_out);
  EXPECT_TRUE(s.expect().header.flags.rst());
}

TEST(TcpPatience, AListenerThatWaitsForDataGetsTheConnectionWithItAndElseLate) {
  // TCP_DEFER_ACCEPT as Linux has it: the handshake's ACK alone is not enough, for a while.
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.defer_accept = 3_s;
  const auto listener = s.listen(settings);
  const auto shake = [&] {
    s.send(flags::syn);
    s.ours = s.expect().header.sequence + 1;
    s.send(flags::ack);
  };
  shake();
  EXPECT_FALSE(s.host.tcp.has_waiting(listener));
  s.send(flags::ack | flags::psh, "now");
  EXPECT_TRUE(s.host.tcp.has_waiting(listener));
  ASSERT_TRUE(s.host.tcp.accept(s.now, listener, 0));
  s.host.out.clear();

  ++s.peer_port;
  const Instant began = s.now;
  shake();
  s.run_until(began + 2900_ms);
  s.expect_nothing();  // no SYN,ACK again: the peer has answered the first
  s.run_until(began + 3100_ms);
  EXPECT_EQ(s.expect().header.flags, flags::syn | flags::ack);
  s.send(flags::ack);
  EXPECT_TRUE(s.host.tcp.has_waiting(listener));
}

// The SYN,ACK was lost once already: what the listener waits for is not what the peer waits for, so
// the SYN,ACK goes again when it is due.
TEST(TcpPatience, ALostSynAckGoesAgainHoweverLongTheListenerWaits) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.defer_accept = 30_s;
  const auto listener = s.listen(settings);
  s.send(flags::syn);
  s.ours = s.expect().header.sequence + 1;
  s.run_for(1100_ms);
  EXPECT_EQ(s.expect().header.flags, flags::syn | flags::ack);
  s.send(flags::ack);
  EXPECT_FALSE(s.host.tcp.has_waiting(listener));
  s.run_for(2_s);
  EXPECT_EQ(s.expect().header.flags, flags::syn | flags::ack);
  s.send(flags::ack | flags::psh, "now");
  EXPECT_TRUE(s.host.tcp.has_waiting(listener));
}

// RFC 9293 3.8.6.3 [MUST-58]
TEST(TcpPatience, QuickAcksAreSentAtOnceAndOnesThatWaitGoThen) {
  Scripted s;
  const auto c = s.accept_one();
  s.host.tcp.set_quick_ack(s.now, c, false);
  EXPECT_FALSE(s.host.tcp.is_quick_ack(c));
  s.send(flags::ack, "a");
  s.expect_nothing();
  s.host.tcp.set_quick_ack(s.now, c, true);
  EXPECT_TRUE(s.host.tcp.is_quick_ack(c));
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next);
  s.send(flags::ack, "b");
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next);
  s.host.tcp.set_quick_ack(s.now, c, true);  // with none waiting
  s.expect_nothing();
}

// RFC 9293 3.10.3, BI-73, RFC 6093.
TEST(TcpPatience, AReadOfNothingIsNothingAndUrgentDataIsWhereItWasAskedFor) {
  Scripted s;
  const auto c = s.accept_one();
  std::vector<std::uint8_t> none, one(1);
  std::vector<Slice> slices;
  EXPECT_EQ(s.host.tcp.receive(s.now, c, none), 0U);
  EXPECT_EQ(s.host.tcp.peek(s.now, c, 0, slices), 0U);
  EXPECT_EQ(s.host.tcp.skip(s.now, c, 0), 0U);
  EXPECT_EQ(s.host.tcp.skip(s.now, c, 5), 0U);
  Seg urgent = s.make(flags::ack | flags::urg, "ab");
  urgent.header.urgent_pointer = 2;
  s.peer_next += 2;
  s.send(urgent);
  EXPECT_TRUE(s.host.tcp.readiness(c).has_urgent);
  EXPECT_EQ(s.host.tcp.receive(s.now, c, none, {.urgent = true}), 0U);
  ASSERT_EQ(s.host.tcp.receive(s.now, c, one, {.urgent = true}), 1U);
  EXPECT_EQ(one[0], 'b');
  EXPECT_FALSE(s.host.tcp.readiness(c).has_urgent);
  EXPECT_EQ(s.host.tcp.receive(s.now, c, one, {.urgent = true}).error(), Errno::invalid);
  tcp::Settings settings = s.host.tcp.settings(c);
  settings.urgent_inline = true;
  s.host.tcp.set(s.now, c, settings);
  EXPECT_EQ(s.host.tcp.receive(s.now, c, one, {.urgent = true}).error(), Errno::invalid);
}

// RFC 9293 3.9.1.1 [MUST-46]; what is not there to be connected to.
TEST(TcpPatience, ConnectingToNowhereIsRefusedAtTheCallAndToAnyIsToOneself) {
  transport::Config config;
  config.connections_max = 1;
  Scripted s(config);
  s.host.paths.own.insert(IpAddress::loopback(Family::ipv4));
  s.host.paths.own.insert(*IpAddress::parse("fd00::1"));
  tcp::Open open{.remote = {s.peer, 0, 0}, .settings = s.host.tcp.default_settings()};
  EXPECT_EQ(s.host.tcp.connect(s.now, open).error(), Errno::address_not_available);
  open.remote = {IpAddress::v4(255, 255, 255, 255), 80, 0};
  EXPECT_EQ(s.host.tcp.connect(s.now, open).error(), Errno::network_unreachable);
  open.remote = {s.peer, 80, 0};
  const auto six = s.host.tcp.bind({.local = {*IpAddress::parse("fd00::1"), 900, 0}});
  ASSERT_TRUE(six);
  open.binding = *six;
  EXPECT_EQ(s.host.tcp.connect(s.now, open).error(), Errno::network_unreachable);
  open.binding = transport::BindingId::none;
  open.remote = {IpAddress::any(Family::ipv4), 80, 0};
  const auto self = s.host.tcp.connect(s.now, open);
  ASSERT_TRUE(self);
  EXPECT_EQ(s.host.tcp.remote(*self).address, IpAddress::loopback(Family::ipv4));
  open.remote = {s.peer, 80, 0};
  EXPECT_EQ(s.host.tcp.connect(s.now, open).error(), Errno::no_buffer_space);
}

}  // namespace lanyard::test
