// SPDX-License-Identifier: Apache-2.0
// TCP Fast Open (RFC 7413), both ends.
#include <gtest/gtest.h>

#include "fast_open_parts.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;
namespace fast_open = transport::fast_open;

// RFC 7413 4.1.2, 4.2.2 [RFC7413-4-a].
TEST(FastOpenServer, ACookieIsGrantedAndThenDataOnASynReachesTheProgramBeforeTheHandshakeEnds) {
  Scripted s(with(fast_open::server));
  const auto listener = s.listen(pending_of(s, 5));
  const tcp::FastOpenCookie mine = granted(s);
  EXPECT_GE(mine.size, 4);
  EXPECT_LE(mine.size, 16);
  EXPECT_EQ(mine.size % 2, 0);
  EXPECT_FALSE(s.host.tcp.has_waiting(listener));

  s.send(syn_of(s, mine, "hello"));
  s.peer_next += 6;
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.flags, flags::syn | flags::ack);
  EXPECT_EQ(answer.header.acknowledgment, s.peer_next);
  EXPECT_FALSE(answer.header.options.fast_open);
  const auto connection = s.host.tcp.accept(s.now, listener, 9);
  ASSERT_TRUE(connection);
  EXPECT_EQ(s.host.tcp.state(*connection), State::syn_received);
  EXPECT_TRUE(s.host.tcp.readiness(*connection).is_writable);
  EXPECT_EQ(s.read(*connection), "hello");

  // 4.2.2: the answer need not wait either.
  ASSERT_TRUE(s.host.tcp.send(s.now, *connection, as_bytes("world")));
  const Seg data = s.expect();
  EXPECT_EQ(data.text, "world");
  EXPECT_EQ(data.header.sequence, answer.header.sequence + 1);
  s.ours = data.header.sequence + 5;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.state(*connection), State::established);
  EXPECT_EQ(s.host.tcp.unacked_bytes(*connection), 0U);
  s.run_for(60_s);
  s.expect_nothing();
}

TEST(FastOpenServer, ACookieOfSomebodyElseOpensAsEverAndIsReplaced) {
  Scripted s(with(fast_open::server));
  const auto listener = s.listen(pending_of(s, 5));
  s.send(syn_of(s, cookie("no such!"), "hello"));
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.acknowledgment, s.peer_next + 1);
  ASSERT_TRUE(answer.header.options.fast_open);
  EXPECT_EQ(answer.header.options.fast_open->size, 8);
  EXPECT_FALSE(s.host.tcp.has_waiting(listener));
  // And the old form of the option is answered in the old form (RFC 7413 7).
  ++s.peer_port;
  tcp::FastOpenCookie old_request;
  old_request.is_experimental = true;
  s.send(syn_of(s, old_request));
  const Seg old_answer = s.expect();
  ASSERT_TRUE(old_answer.header.options.fast_open);
  EXPECT_TRUE(old_answer.header.options.fast_open->is_experimental);
}

TEST(FastOpenServer, NoCookieIsGrantedUnlessTheListenerAsksForIt) {
  for (const bool is_on : {false, true}) {
    Scripted s(with(is_on ? fast_open::server | fast_open::all_listeners : fast_open::client));
    const auto listener = s.listen(pending_of(s, is_on ? 0 : 5));
    s.send(syn_of(s, tcp::FastOpenCookie{}));
    EXPECT_EQ(s.expect().header.options.fast_open.has_value(), is_on);
    EXPECT_FALSE(s.host.tcp.has_waiting(listener));
  }
}

// RFC 7413 4.2.2, 5.1 [RFC7413-4-a].
TEST(FastOpenServer, WhatIsPendingIsBoundedAndAResetOneCountsForAMinute) {
  Scripted s(with(fast_open::server));
  const auto listener = s.listen(pending_of(s, 1));
  const tcp::FastOpenCookie mine = granted(s);
  s.send(syn_of(s, mine, "one"));
  const Seg first = s.expect();
  EXPECT_EQ(first.header.acknowledgment, s.peer_next + 4);
  const auto connection = s.host.tcp.accept(s.now, listener, 9);
  ASSERT_TRUE(connection);

  ++s.peer_port;  // the second falls back to three steps, and gets no cookie either
  s.send(syn_of(s, mine, "two"));
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next + 1);
  --s.peer_port;

  Seg reset = s.make(flags::rst | flags::ack);
  reset.header.sequence = s.peer_next + 4;
  reset.header.acknowledgment = first.header.sequence + 1;
  s.send(reset);
  EXPECT_EQ(s.host.tcp.take_error(*connection), Errno::connection_reset);
  s.peer_port += 2;
  s.run_for(59_s);
  while (s.take()) {
  }
  s.send(syn_of(s, mine, "three"));
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next + 1);
  ++s.peer_port;
  s.run_for(2_s);
  while (s.take()) {
  }
  s.send(syn_of(s, mine, "four"));
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next + 5);
}

TEST(FastOpenServer, ASynThatComesAgainIsAnsweredAgainAndTheTextIsTakenOnce) {
  Scripted s(with(fast_open::server));
  const auto listener = s.listen(pending_of(s, 5));
  const tcp::FastOpenCookie mine = granted(s);
  s.send(syn_of(s, mine, "hello"));
  const Seg first = s.expect();
  s.send(syn_of(s, std::nullopt));  // 4.1.3.1: without the option and the data
  const Seg again = s.expect();
  EXPECT_EQ(again.header.flags, flags::syn | flags::ack);
  EXPECT_EQ(again.header.sequence, first.header.sequence);
  EXPECT_EQ(again.header.acknowledgment, first.header.acknowledgment);
  const auto connection = s.host.tcp.accept(s.now, listener, 9);
  ASSERT_TRUE(connection);
  EXPECT_EQ(s.read(*connection), "hello");
  // Nobody answers: given up as any handshake, and the listener's count is as before.
  s.run_for(600_s);
  EXPECT_EQ(s.host.tcp.take_error(*connection), Errno::timed_out);
  while (s.take()) {
  }
}

TEST(FastOpenServer, AnAnswerThatIsClosedBeforeTheHandshakeEndsCarriesItsFin) {
  Scripted s(with(fast_open::server));
  const auto listener = s.listen(pending_of(s, 5));
  s.send(syn_of(s, granted(s), "hi"));
  s.peer_next += 3;
  const Seg answer = s.expect();
  const auto connection = s.host.tcp.accept(s.now, listener, 9);
  ASSERT_TRUE(connection);
  EXPECT_EQ(s.read(*connection), "hi");
  ASSERT_TRUE(s.host.tcp.send(s.now, *connection, as_bytes("bye")));
  s.host.tcp.close(s.now, *connection);
  EXPECT_EQ(s.expect().text, "bye");
  EXPECT_TRUE(s.expect().header.flags.fin());
  s.ours = answer.header.sequence + 5;
  s.send(flags::fin | flags::ack);
  EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next);
  s.run_for(200_s);
  s.expect_nothing();
}

// RFC 7413 4.1.3, 4.2.1 [RFC7413-4-a]; 9293-3.10.7.3-e.
TEST(FastOpenClient, ACookieIsAskedForKeptAndSentWithData) {
  Scripted s;
  learn(s, "COOKIE00");
  const std::string text = pattern(3000);
  const auto connection = open_fast(s, text);
  const Seg syn = s.expect();
  EXPECT_EQ(syn.header.flags, flags::syn);
  EXPECT_EQ(syn.header.options.fast_open, cookie("COOKIE00"));
  // 4.1.3: as much as the MSS the server said last leaves, with room for options.
  EXPECT_EQ(syn.text, text.substr(0, 960));
  EXPECT_EQ(s.host.tcp.unacked_bytes(connection), 960U);
  s.ours = syn.header.sequence + 1 + 960;
  Seg answer = s.make(flags::syn | flags::ack, "welcome");
  answer.header.options.mss = 1000;
  s.peer_next += 8;
  s.send(answer);
  // RFC 9293 3.10.7.3: what came with the SYN,ACK is kept.
  EXPECT_EQ(s.read(connection), "welcome");
  const Seg ack = s.expect();
  EXPECT_EQ(ack.header.acknowledgment, s.peer_next);
  EXPECT_EQ(s.host.tcp.unacked_bytes(connection), 0U);
  EXPECT_NE(s.host.tcp.info(s.now, connection).options & 32, 0);
  ASSERT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(text.substr(960))));
  EXPECT_EQ(s.expect().text, text.substr(960, 1000));
}

// 9293-3.10.7.3-e: an ACK of the SYN alone, or of part of its data, is acceptable.
TEST(FastOpenClient, WhatTheSynAckDoesNotAcknowledgeGoesAgainAtOnce) {
  for (const std::uint32_t taken : {0U, 3U}) {
    Scripted s;
    learn(s, "COOKIE00");
    const auto connection = open_fast(s, "hello world");
    const Seg syn = s.expect();
    s.ours = syn.header.sequence + 1 + taken;
    Seg answer = s.make(flags::syn | flags::ack);
    ++s.peer_next;
    s.send(answer);
    EXPECT_EQ(s.host.tcp.state(connection), State::established);
    const Seg again = s.expect();
    EXPECT_EQ(again.header.sequence, s.ours);
    EXPECT_EQ(again.text, std::string("hello world").substr(taken));
    s.ours = s.ours + static_cast<std::uint32_t>(again.text.size());
    s.send(flags::ack);
    EXPECT_EQ(s.host.tcp.unacked_bytes(connection), 0U);
  }
}

// RFC 7413 4.1.3.1 [RFC7413-4-a].
TEST(FastOpenClient, ASynThatIsLostGoesAgainWithoutDataAndAPathThatLosesThemIsSpared) {
  Scripted s;
  learn(s, "COOKIE00");
  for (int turn = 0; turn < 3; ++turn) {
    const auto connection = open_fast(s, "hello");
    const Seg syn = s.expect();
    EXPECT_EQ(syn.text.empty(), turn == 2);
    EXPECT_EQ(syn.header.options.fast_open.has_value(), turn < 2);
    s.run_for(1_s);
    const Seg again = s.expect();
    EXPECT_TRUE(again.text.empty());
    EXPECT_FALSE(again.header.options.fast_open);
    s.ours = again.header.sequence + 1;
    s.send(flags::syn | flags::ack);
    if (turn < 2) {
      EXPECT_EQ(s.expect().text, "hello");
    } else {
      EXPECT_EQ(s.expect().header.flags, flags::ack);
    }
    s.host.tcp.abort(s.now, connection);
    while (s.take()) {
    }
    s.peer_next += 10'000;
  }
}

TEST(FastOpenClient, ARefusalEndsItAsAnyOther) {
  Scripted s;
  learn(s, "COOKIE00");
  const auto connection = open_fast(s, "hello");
  s.ours = s.expect().header.sequence + 6;
  s.send(flags::rst | flags::ack);
  EXPECT_EQ(s.host.tcp.take_error(connection), Errno::connection_refused);
  s.run_for(100_s);
  s.expect_nothing();
}

TEST(FastOpen, TwoMachinesSpareARoundTrip) {
  transport::Config config;
  config.fast_open = fast_open::client | fast_open::server | fast_open::all_listeners;
  Pair pair(config);
  const auto listener = pair.listen();
  const std::string question = "question";
  const auto open = [&] {
    tcp::Open request;
    request.remote = {pair.b.address, 80, 0};
    request.settings = pair.a.tcp.default_settings();
    request.is_fast = true;
    request.early = as_bytes(question);
    return *pair.a.tcp.connect(pair.now, request);
  };
  (void)open();
  pair.run_for(1_s);
  ASSERT_TRUE(pair.b.tcp.accept(pair.now, listener, 1));
  const Instant began = pair.now;
  const auto connection = open();
  pair.run_until(began + pair.delay);
  const auto accepted = pair.b.tcp.accept(pair.now, listener, 2);
  ASSERT_TRUE(accepted);
  EXPECT_EQ(pair.read_all(pair.b, *accepted), "question");
  ASSERT_TRUE(pair.b.tcp.send(pair.now, *accepted, as_bytes("answer")));
  pair.run_until(began + pair.delay * 2);
  EXPECT_EQ(pair.read_all(pair.a, connection), "answer");
}

}  // namespace lanyard::test
