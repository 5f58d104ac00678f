// SPDX-License-Identifier: Apache-2.0
// The state table, and every state against every set of flags at eight places around the window.
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::Cause;
using tcp::State;
namespace flags = tcp::flags;

TEST(TcpStates, TheTableNamesEveryStateAndEndsInClosed) {
  std::set<State> seen;
  for (const tcp::Transition& t : tcp::transitions()) {
    seen.insert(t.from);
    seen.insert(t.to);
    EXPECT_TRUE(tcp::is_transition(t.from, t.cause, t.to));
  }
  EXPECT_EQ(seen.size(), 10U);  // LISTEN is a listener's only state
  for (const State state : seen) {
    if (state == State::closed) continue;
    EXPECT_TRUE(tcp::is_transition(state, Cause::abort, State::closed)) << to_text(state);
  }
  EXPECT_NE(tcp::transition_table().find("ESTABLISHED -- CLOSE -> FIN-WAIT-1"), std::string::npos);
  EXPECT_FALSE(tcp::is_transition(State::established, Cause::close, State::last_ack));
}

namespace {

// What RFC 9293 3.10.7.4 with RFC 5961 says a state becomes, for an acknowledgment of exactly what
// is outstanding and a segment at RCV.NXT without text.
State expected(State state, tcp::Flags bits) {
  if (bits.rst()) return State::closed;
  // Another SYN than the one that looked like a simultaneous open, from who has seen ours.
  if (bits.syn() && bits.ack() && state == State::syn_received)
    return bits.fin() ? State::close_wait : State::established;
  if (bits.syn() || !bits.ack()) return state;
  switch (state) {
    case State::syn_received:
      return bits.fin() ? State::close_wait : State::established;
    case State::established:
      return bits.fin() ? State::close_wait : state;
    case State::fin_wait_1:
      return bits.fin() ? State::time_wait : State::fin_wait_2;
    case State::fin_wait_2:
      return bits.fin() ? State::time_wait : state;
    case State::closing:
      return State::time_wait;
    case State::last_ack:
      return State::closed;
    case State::close_wait:
    case State::closed:
    case State::listen:
    case State::syn_sent:
    case State::time_wait:
      return state;
  }
  return state;
}

constexpr State reachable[] = {State::syn_sent,   State::syn_received, State::established,
                               State::fin_wait_1, State::fin_wait_2,   State::close_wait,
                               State::closing,    State::last_ack,     State::time_wait};

}  // namespace

// BI-75, 9293-3.10.7.4-k, 9293-3.10.7.4-l, 9293-3.10.7.4-o.
TEST(TcpStates, EveryStateWithEveryFlagAtTheExpectedNumber) {
  for (const State state : reachable) {
    if (state == State::syn_sent || state == State::time_wait) continue;
    for (unsigned bits = 0; bits < 256; ++bits) {
      Scripted s;
      const auto connection = s.reach(state);
      const tcp::Flags set{static_cast<std::uint8_t>(bits)};
      Seg segment = s.make(set);
      const bool has_fin_out =
          state == State::fin_wait_1 || state == State::closing || state == State::last_ack;
      segment.header.acknowledgment = s.ours + (has_fin_out ? 1 : 0);
      s.send(segment);
      EXPECT_EQ(to_text(s.host.tcp.state(connection)), to_text(expected(state, set)))
          << to_text(state) << " + " << to_text(set);
    }
  }
}

// BI-75: nothing crashes, nothing moves that must not, and nothing is left behind.
TEST(TcpStates, EveryStateWithEveryFlagAroundTheWindow) {
  for (const State state : reachable) {
    for (unsigned bits = 0; bits < 64; ++bits) {
      for (const std::int64_t place : {-70000L, -1L, 0L, 1L, 65534L, 65535L, 140000L, 1L << 31}) {
        for (const std::int64_t ack : {-1L, 0L, 1L, 2L, 100000L, -70000L}) {
          for (const char* text : {"", "abc"}) {
            Scripted s;
            const auto connection = s.reach(state);
            const tcp::Flags set{static_cast<std::uint8_t>(bits)};
            Seg segment = s.make(set, text);
            segment.header.sequence += static_cast<std::uint32_t>(place);
            segment.header.acknowledgment = s.ours + static_cast<std::uint32_t>(ack);
            segment.header.urgent_pointer = 2;
            s.send(segment);
            if (set.rst()) {
              s.expect_nothing_but_acks();  // 9293-3.5-b
            }
            s.host.tcp.abort(s.now, connection);
            s.run_for(61_s);
            EXPECT_TRUE(s.host.tcp.rows().empty());
            EXPECT_EQ(s.host.tcp.next_deadline(), Instant::never());
          }
        }
      }
    }
  }
}

TEST(TcpStates, TcpInfoHasTheNumbersOfLinux) {
  const std::pair<State, int> numbers[] = {
      {State::established, 1}, {State::syn_sent, 2},   {State::syn_received, 3},
      {State::fin_wait_1, 4},  {State::fin_wait_2, 5}, {State::time_wait, 6},
      {State::close_wait, 8},  {State::last_ack, 9},   {State::closing, 11},
  };
  for (const auto& [state, number] : numbers) {
    Scripted s;
    const auto connection = s.reach(state);
    EXPECT_EQ(s.host.tcp.info(s.now, connection).state, number) << to_text(state);
    if (state != State::established) continue;
    s.send(flags::rst);
    EXPECT_EQ(s.host.tcp.info(s.now, connection).state, 7);
  }
}

// BI-55: the same story at any numbers, the wrap included (9293-3.4-a).
TEST(TcpStates, SequenceNumbersMayWrapAnywhere) {
  for (const std::uint32_t start : {0U, 0x7fff'fff0U, 0x8000'0000U, 0xffff'ff00U, 0xffff'fffeU}) {
    Scripted s;
    s.peer_next = tcp::SequenceNumber(start);
    const auto connection = s.connect_one({.sack_permitted = true});
    const std::string text = pattern(3000);
    std::string got;
    for (std::size_t i = 0; i < text.size(); i += 600) {
      Seg ahead = s.make(flags::ack, text.substr(i + 300, 300));
      ahead.header.sequence += 300;
      s.send(ahead);
      EXPECT_EQ(s.expect().header.options.sack_blocks, 1);
      s.send(flags::ack, text.substr(i, 300));
      s.peer_next += 300;
      EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next);
      got += s.read(connection);
    }
    EXPECT_EQ(got, text);
  }
}

}  // namespace lanyard::test
