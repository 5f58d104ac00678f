// SPDX-License-Identifier: Apache-2.0
// A client whose SYN had to go again: what that says about the path, and what not (RFC 7413
// 4.1.3.1, 4.2.1).
#include <gtest/gtest.h>

#include "fast_open_parts.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;
namespace fast_open = transport::fast_open;

namespace {

// The SYN goes unanswered once, and is then answered in this way.
void lose_one(Scripted& s, tcp::ConnectionId c, std::uint32_t taken,
              std::optional<tcp::FastOpenCookie> granted = {}) {
  const Seg syn = s.expect();
  s.run_for(1100_ms);
  EXPECT_TRUE(s.expect().text.empty());
  s.ours = syn.header.sequence + 1 + taken;
  Seg answer = s.make(flags::syn | flags::ack);
  answer.header.options.mss = 1000;
  answer.header.options.fast_open = granted;
  ++s.peer_next;
  s.send(answer);
  EXPECT_EQ(s.host.tcp.state(c), State::established);
  s.host.tcp.abort(s.now, c);
  s.host.out.clear();
  s.peer_next += 10'000;
}

bool is_spared(Scripted& s) {
  return !s.host.tcp.may_open_fast(
      s.now, {.remote = {s.peer, s.peer_port, 0}, .settings = s.host.tcp.default_settings()});
}

}  // namespace

TEST(FastOpenLost, TwoThatWereLostWithTheirDataSpareThePath) {
  Scripted s;
  EXPECT_TRUE(is_spared(s));  // no cookie yet
  learn(s, "COOKIE00");
  EXPECT_FALSE(is_spared(s));
  for (int i = 0; i < 2; ++i) lose_one(s, open_fast(s, "hello"), 0);
  EXPECT_TRUE(is_spared(s));
}

TEST(FastOpenLost, OneThatArrivedAfterAllIsNone) {
  Scripted s;
  learn(s, "COOKIE00");
  for (int i = 0; i < 3; ++i) lose_one(s, open_fast(s, "hello"), 5);
  EXPECT_FALSE(is_spared(s));
}

// The server knew of the SYN that had the cookie: it grants another.
TEST(FastOpenLost, OneThatIsAnsweredWithACookieIsNone) {
  Scripted s;
  learn(s, "COOKIE00");
  for (int i = 0; i < 3; ++i) lose_one(s, open_fast(s, "hello"), 0, cookie("COOKIE01"));
  EXPECT_FALSE(is_spared(s));
  (void)open_fast(s, "hello");
  EXPECT_EQ(s.expect().header.options.fast_open, cookie("COOKIE01"));
}

// A SYN that only asks carries no data that a path could mind.
TEST(FastOpenLost, ARequestThatWasLostIsNone) {
  Scripted s;
  for (int i = 0; i < 3; ++i) lose_one(s, open_fast(s, "later"), 0);
  (void)open_fast(s, "later");
  EXPECT_EQ(s.expect().header.options.fast_open, tcp::FastOpenCookie{});
}

// What the program sets before the server has answered sends nothing by itself.
TEST(FastOpenLost, NoDelayBeforeTheAnswerLetsNothingOut) {
  Scripted s;
  learn(s, "COOKIE00");
  const auto c = open_fast(s, "hello");
  EXPECT_EQ(s.expect().text, "hello");
  tcp::Settings settings = s.host.tcp.settings(c);
  settings.no_delay = true;
  s.host.tcp.set(s.now, c, settings);
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes("more")));
  s.host.tcp.set(s.now, c, settings);
  s.expect_nothing();
  EXPECT_EQ(s.host.tcp.unacked_bytes(c), 9U);
}

// RFC 5482 3: no room beside a cookie either; the segment after the SYN tells.
TEST(FastOpenLost, ARequestLeavesTheUserTimeoutToTheNextSegment) {
  Scripted s;
  tcp::Open request;
  request.remote = {s.peer, s.peer_port, 0};
  request.settings = s.host.tcp.default_settings();
  request.settings.user_timeout_option = true;
  request.is_fast = true;
  const auto c = s.host.tcp.connect(s.now, request);
  ASSERT_TRUE(c);
  s.port = s.host.tcp.local(*c).port;
  const Seg syn = s.expect();
  EXPECT_TRUE(syn.header.options.fast_open);
  EXPECT_FALSE(syn.header.options.user_timeout);
  s.ours = syn.header.sequence + 1;
  s.send(flags::syn | flags::ack);
  EXPECT_TRUE(s.expect().header.options.user_timeout);
}

}  // namespace lanyard::test
