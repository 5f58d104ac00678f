// SPDX-License-Identifier: Apache-2.0
// A server between the SYN whose data it has taken and the end of the handshake (RFC 7413 4.2.2).
#include <gtest/gtest.h>

#include "fast_open_parts.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;
namespace fast_open = transport::fast_open;

namespace {

// A connection of which only the SYN has come, with its data.
struct Pending : Scripted {
  explicit Pending(const std::string& early = "hello", std::uint16_t most = 5,
                   const transport::Config& machine = with(fast_open::server))
      : Scripted(machine), listener(listen(pending_of(*this, most))), mine(granted(*this)) {
    send(syn_of(*this, mine, early));
    answer = expect();
    peer_next += 1 + static_cast<std::uint32_t>(early.size());
    ours = answer.header.sequence + 1;
  }
  tcp::ConnectionId accept() {
    const auto got = host.tcp.accept(now, listener, 9);
    EXPECT_TRUE(got.has_value());
    return got.value_or(tcp::ConnectionId::none);
  }
  tcp::ListenerId listener;
  tcp::FastOpenCookie mine;
  Seg answer;
};

}  // namespace

// As Linux: who has shown the cookie is known, whether it had something to say or not.
TEST(FastOpenPending, AGoodCookieWithoutDataOpensEarlyToo) {
  Pending s("");
  EXPECT_EQ(s.answer.header.acknowledgment, s.peer_next);
  const auto c = s.accept();
  EXPECT_EQ(s.host.tcp.state(c), State::syn_received);
  EXPECT_EQ(s.read(c), "");
  EXPECT_EQ(s.host.tcp.info(s.now, c).options & 32, 0);  // TCPI_OPT_SYN_DATA: there was none
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes("welcome")));
  EXPECT_EQ(s.expect().text, "welcome");
}

// It has a program: a SYN in the window is answered as in any synchronized state (RFC 5961 4.2),
// where another SYN-RECEIVED would go back to LISTEN.
TEST(FastOpenPending, ASynInTheWindowIsChallengedAndEndsNothing) {
  Pending s;
  const auto c = s.accept();
  Seg stray = s.make(flags::syn);
  stray.header.sequence = s.peer_next + 10;
  EXPECT_EQ(s.send(stray), DropReason::tcp_unacceptable);
  const Seg challenge = s.expect();
  EXPECT_EQ(challenge.header.flags, flags::ack);
  EXPECT_EQ(challenge.header.acknowledgment, s.peer_next);
  EXPECT_TRUE(s.host.tcp.exists(c));
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.state(c), State::established);
}

TEST(FastOpenPending, TheListenerMayGoBeforeTheHandshakeEnds) {
  Pending s;
  const auto c = s.accept();
  s.host.tcp.close(s.now, s.listener);
  s.expect_nothing();  // it was accepted, and so is not the listener's to reset
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.state(c), State::established);
  EXPECT_EQ(s.read(c), "hello");
}

// 5.1: what counts for a minute is a reset after the program had it. As Linux.
TEST(FastOpenPending, OneResetBeforeItWasAcceptedMakesRoomAtOnce) {
  Pending s("hello", 1);
  Seg reset = s.make(flags::rst | flags::ack);
  s.send(reset);
  const auto c = s.accept();
  EXPECT_EQ(s.host.tcp.take_error(c), Errno::connection_reset);
  ++s.peer_port;
  s.peer_next += 10'000;
  s.send(syn_of(s, s.mine, "again"));
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next + 6);
}

TEST(FastOpenPending, AnOptionThatIsSetSendsNothing) {
  Pending s;
  const auto c = s.accept();
  tcp::Settings settings = s.host.tcp.settings(c);
  settings.no_delay = settings.keep_alive = true;
  s.host.tcp.set(s.now, c, settings);
  s.expect_nothing();
  EXPECT_EQ(s.host.tcp.settings(c), settings);
}

// RFC 9293 3.9.1.2 [MUST-60]: what a cork holds while the handshake lasts goes once it is over.
TEST(FastOpenPending, ACorkHoldsUntilAfterTheHandshake) {
  Pending s;
  const auto c = s.accept();
  tcp::Settings settings = s.host.tcp.settings(c);
  settings.cork = true;
  s.host.tcp.set(s.now, c, settings);
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes("a tail")));
  s.run_for(500_ms);
  s.expect_nothing();
  s.send(flags::ack);
  s.run_for(1_s);
  EXPECT_EQ(s.expect().text, "a tail");
}

// 4.1.2: the key stays while nobody gives another, or each change of a setting would cost every
// client its cookie.
TEST(FastOpenPending, AnotherSettingLeavesCookiesGood) {
  Pending s;
  s.host.config.delayed_ack_max = 20_ms;
  s.host.tcp.on_config_change();
  ++s.peer_port;
  s.send(syn_of(s, s.mine, "again"));
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next + 6);
  s.host.config.fast_open_key = {1, 2};
  s.host.tcp.on_config_change();
  ++s.peer_port;
  s.send(syn_of(s, s.mine, "again"));
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next + 1);
}

// tcp(7): a listener that has not set TCP_FASTOPEN has none, unless the machine says all have.
TEST(FastOpenPending, AListenerThatDoesNotAskHasNone) {
  Scripted s(with(fast_open::server));
  const auto listener = s.listen(pending_of(s, 0));
  s.send(syn_of(s, tcp::FastOpenCookie{}));
  EXPECT_FALSE(s.expect().header.options.fast_open);
  EXPECT_FALSE(s.host.tcp.has_waiting(listener));
}

}  // namespace lanyard::test
