// SPDX-License-Identifier: Apache-2.0
// The user time-out option (RFC 5482) [RFC5482-3-a].
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::State;
using tcp::UserTimeout;
namespace flags = tcp::flags;

namespace {

tcp::Settings with_option(const Scripted& s, Duration own = Duration::zero()) {
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.user_timeout_option = true;
  settings.user_timeout = own;
  return settings;
}

tcp::Options says(std::uint16_t value, bool in_minutes = false) {
  tcp::Options options;
  options.user_timeout = UserTimeout{in_minutes, value};
  return options;
}

// Sends, is never answered, and how long the connection lasts then.
Duration lasts(Scripted& s, tcp::ConnectionId c) {
  const Instant began = s.now;
  EXPECT_TRUE(s.host.tcp.send(s.now, c, as_bytes("anybody there?")));
  while (s.host.tcp.state(c) != State::closed && s.now - began < 10'000_s) s.run_for(1_s);
  return s.now - began;
}

}  // namespace

// 3: in the SYN, and in the first packet without it; the default is what the retries come to.
TEST(TcpUserTimeoutOption, IsInTheSynAndInTheFirstSegmentAfterIt) {
  Scripted s;
  const auto c = s.open(with_option(s));
  const Seg syn = s.expect();
  EXPECT_EQ(syn.header.options.user_timeout, (UserTimeout{false, 925}));
  s.ours = syn.header.sequence + 1;
  s.send(flags::syn | flags::ack);
  EXPECT_EQ(s.expect().header.options.user_timeout, (UserTimeout{false, 925}));
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes("data")));
  EXPECT_EQ(s.expect().header.options.user_timeout, std::nullopt);
}

TEST(TcpUserTimeoutOption, TheLongerOfTheTwoTimesCounts) {
  Scripted s;
  const auto c = s.connect_one(says(1200), with_option(s));
  const Duration time = lasts(s, c);
  EXPECT_GE(time, 1200_s);
  EXPECT_LE(time, 1330_s);  // the first expiry after it
}

// 3.1: CHANGEABLE is false once the program has set a time.
TEST(TcpUserTimeoutOption, WhatTheProgramSetStays) {
  Scripted s;
  const auto c = s.connect_one(says(1200), with_option(s, 5_s));
  EXPECT_LE(lasts(s, c), 10_s);
}

TEST(TcpUserTimeoutOption, ItIsOffUnlessTheProgramAsks) {
  Scripted s;
  const auto c = s.open();
  const Seg syn = s.expect();
  EXPECT_EQ(syn.header.options.user_timeout, std::nullopt);
  s.ours = syn.header.sequence + 1;
  Seg answer = s.make(flags::syn | flags::ack);
  answer.header.options = says(3000);
  ++s.peer_next;
  s.send(answer);
  EXPECT_EQ(s.expect().header.options.user_timeout, std::nullopt);
  EXPECT_LE(lasts(s, c), 1050_s);
}

// RFC 7413: data takes the room in the SYN; the segment after it tells.
TEST(TcpUserTimeoutOption, ASynWithDataLeavesItToTheNextSegment) {
  transport::Config config;
  config.fast_open = transport::fast_open::client | transport::fast_open::client_without_cookie;
  Scripted s(config);
  tcp::Open request;
  request.remote = {s.peer, s.peer_port, 0};
  request.settings = with_option(s);
  request.is_fast = true;
  const std::string early = "early";
  request.early = as_bytes(early);
  const auto connection = s.host.tcp.connect(s.now, request);
  ASSERT_TRUE(connection);
  s.port = s.host.tcp.local(*connection).port;
  const Seg syn = s.expect();
  EXPECT_EQ(syn.text, early);
  EXPECT_EQ(syn.header.options.user_timeout, std::nullopt);
  s.ours = syn.header.sequence + 6;
  s.send(flags::syn | flags::ack);
  EXPECT_EQ(s.expect().header.options.user_timeout, (UserTimeout{false, 925}));
}

// 3.1: never below 100 s, never above an hour; 3.4: zero says nothing.
TEST(TcpUserTimeoutOption, ThereAreLimits) {
  transport::Config config;
  config.retries_max = 3;  // three seconds
  {
    Scripted s(config);
    const auto c = s.connect_one(says(1), with_option(s));
    const Duration time = lasts(s, c);
    EXPECT_GE(time, 100_s);
    EXPECT_LE(time, 230_s);
  }
  {
    Scripted s(config);
    const auto c = s.connect_one(says(0x7fff, true), with_option(s));
    const Duration time = lasts(s, c);
    EXPECT_GE(time, 3600_s);
    EXPECT_LE(time, 3730_s);
  }
  {
    Scripted s(config);
    const auto c = s.connect_one(says(0), with_option(s));
    EXPECT_LE(lasts(s, c), 10_s);
  }
}

TEST(TcpUserTimeoutOption, ANewTimeIsToldWithTheNextSegmentWhichStillFits) {
  Scripted s;
  const auto c = s.connect_one(says(300), with_option(s));
  s.host.tcp.set(s.now, c, with_option(s, 40'000_s));
  const std::string text = pattern(1460);
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes(text)));
  const Seg told = s.expect();
  EXPECT_EQ(told.header.options.user_timeout, (UserTimeout{true, 667}));
  EXPECT_LE(told.text.size() + 24, 536U + 20);  // the peer named no MSS
  EXPECT_EQ(s.expect().header.options.user_timeout, std::nullopt);
}

// 3: allowed on any segment; a program that asks for it late is served from then on.
TEST(TcpUserTimeoutOption, AskedForOnAnOpenConnectionItGoesWithTheNextSegment) {
  Scripted s;
  const auto c = s.connect_one();
  Seg early = s.make(flags::ack);
  early.header.options = says(3000);
  s.send(early);  // not heard: nobody has asked for it
  s.host.tcp.set(s.now, c, with_option(s));
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes("data")));
  EXPECT_EQ(s.expect().header.options.user_timeout, (UserTimeout{false, 925}));
  s.ours = s.ours + 4;
  s.send(flags::ack);
  EXPECT_LE(lasts(s, c), 1050_s);
}

// RFC 5961 3: a reset that is not exact proves nothing, so nothing it carries counts.
TEST(TcpUserTimeoutOption, WhatAResetSaysIsNotHeard) {
  Scripted s;
  const auto c = s.connect_one({}, with_option(s));
  s.host.out.clear();
  Seg reset = s.make(flags::rst);
  reset.header.sequence += 10;
  reset.header.options = says(3000);
  s.send(reset);
  s.host.out.clear();
  EXPECT_LE(lasts(s, c), 1050_s);
}

// Of the other end, and on any segment: the last one counts.
TEST(TcpUserTimeoutOption, AServerTellsAndHearsToo) {
  Scripted s;
  s.listen(with_option(s));
  Seg syn = s.make(flags::syn);
  syn.header.options = says(400);
  ++s.peer_next;
  s.send(syn);
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.options.user_timeout, (UserTimeout{false, 925}));
  s.ours = answer.header.sequence + 1;
  Seg last = s.make(flags::ack);
  last.header.options = says(2000);
  s.send(last);
  const auto rows = s.host.tcp.rows();
  const auto open = std::find_if(rows.begin(), rows.end(), [](const tcp::Row& row) {
    return row.state == State::established;
  });
  ASSERT_NE(open, rows.end());
  const Duration time = lasts(s, open->connection);
  EXPECT_GE(time, 2000_s);
  EXPECT_LE(time, 2130_s);
}

}  // namespace lanyard::test
