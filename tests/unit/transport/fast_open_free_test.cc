// SPDX-License-Identifier: Apache-2.0
// TCP Fast Open without cookies (RFC 7413 5, 6: where who asks is known otherwise), and what is
// remembered of servers (4.1.3).
#include <gtest/gtest.h>

#include "peer.hh"
#include "transport/tcp/fast_open.hh"

namespace lanyard::test {

using tcp::FastOpenCookie;
namespace flags = tcp::flags;
namespace fast_open = transport::fast_open;

namespace {

FastOpenCookie cookie_of(std::uint8_t first) {
  FastOpenCookie cookie;
  cookie.size = 8;
  cookie.bytes[0] = first;
  return cookie;
}

IpAddress server(std::uint32_t number) {
  return IpAddress::v4(0x0a000000U + number);
}

}  // namespace

TEST(FastOpenFree, AServerThatAsksForNoCookieTakesTheDataOfAnySyn) {
  for (const bool is_of_machine : {true, false}) {
    transport::Config config;
    config.fast_open = fast_open::server | (is_of_machine ? fast_open::server_without_cookie : 0U);
    Scripted s(config);
    tcp::Settings settings = s.host.tcp.default_settings();
    settings.fast_open_pending_max = 5;
    settings.fast_open_without_cookie = !is_of_machine;
    const auto listener = s.listen(settings);
    s.send(s.make(flags::syn));  // without data there is nothing to be fast about
    EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next + 1);
    EXPECT_FALSE(s.host.tcp.has_waiting(listener));
    ++s.peer_port;
    s.send(s.make(flags::syn, "hello"));
    EXPECT_EQ(s.expect().header.acknowledgment, s.peer_next + 6);
    const auto c = s.host.tcp.accept(s.now, listener, 0);
    ASSERT_TRUE(c);
    EXPECT_EQ(s.read(*c), "hello");
  }
}

TEST(FastOpenFree, AClientThatNeedsNoCookieSendsItsDataWithTheFirstSyn) {
  for (const bool is_of_machine : {true, false}) {
    transport::Config config;
    config.fast_open = fast_open::client | (is_of_machine ? fast_open::client_without_cookie : 0U);
    Scripted s(config);
    tcp::Open open;
    open.remote = {s.peer, s.peer_port, 0};
    open.settings = s.host.tcp.default_settings();
    EXPECT_EQ(s.host.tcp.may_open_fast(s.now, open), is_of_machine);
    open.settings.fast_open_without_cookie = true;
    EXPECT_TRUE(s.host.tcp.may_open_fast(s.now, open));
    open.settings.fast_open_without_cookie = !is_of_machine;
    open.is_fast = true;
    open.early = bytes_of("hello");
    ASSERT_TRUE(s.host.tcp.connect(s.now, open));
    const Seg syn = s.expect();
    EXPECT_EQ(syn.header.flags, flags::syn);
    EXPECT_EQ(syn.text, "hello");
    EXPECT_FALSE(syn.header.options.fast_open);
  }
}

TEST(FastOpenFree, SwitchedOffNoSynIsFast) {
  transport::Config config;
  config.fast_open = 0;
  Scripted s(config);
  tcp::Open open;
  open.remote = {s.peer, s.peer_port, 0};
  open.settings = s.host.tcp.default_settings();
  open.settings.fast_open_without_cookie = true;
  EXPECT_FALSE(s.host.tcp.may_open_fast(s.now, open));
}

// RFC 7413 4.1.3 [RFC7413-4-a]: a cookie and an MSS for each server, as many as there is room for.
TEST(FastOpenCache, TheServerNotAskedForLongestIsForgotten) {
  tcp::FastOpenCache cache;
  EXPECT_EQ(cache.mss(server(1)), 0);
  EXPECT_EQ(cache.ask({}, server(1)), FastOpenCookie{});  // asks for one
  constexpr auto most = static_cast<std::uint32_t>(tcp::FastOpenCache::servers_max);
  for (std::uint32_t i = 0; i < most; ++i) cache.learn(server(i), 1000, cookie_of(1));
  cache.learn(server(0), 1200, std::nullopt);  // still known, and with its cookie
  EXPECT_EQ(cache.ask({}, server(0)), cookie_of(1));
  cache.learn(server(most), 1000, cookie_of(2));
  EXPECT_EQ(cache.ask({}, server(most)), cookie_of(2));
  EXPECT_EQ(cache.mss(server(0)), 1200);
  EXPECT_EQ(cache.mss(server(1)), 0);
  cache.learn(server(0), 1200, FastOpenCookie{});  // one of no size is none
  EXPECT_EQ(cache.ask({}, server(0)), cookie_of(1));
}

// RFC 7413 4.1.3.1: a path that loses SYNs with data is not asked again for a while.
TEST(FastOpenCache, AfterTwoLossesThePathIsLeftAloneAndThenTriedAgain) {
  tcp::FastOpenCache cache;
  const Instant now = Instant::start() + 10_s;
  cache.learn(server(1), 1000, cookie_of(1));
  cache.note_loss(now, server(1));
  EXPECT_TRUE(cache.ask(now, server(1)));
  cache.note_loss(now, server(1));
  EXPECT_FALSE(cache.ask(now, server(1)));
  EXPECT_FALSE(cache.ask(now + 239_s, server(1)));
  EXPECT_TRUE(cache.ask(now + 240_s, server(1)));
  for (int i = 0; i < 300; ++i) cache.note_loss(now, server(1));
  EXPECT_FALSE(cache.ask(now + 3600_s, server(1)));
  cache.learn(server(1), 1000, cookie_of(3));  // it works after all
  EXPECT_EQ(cache.ask(now, server(1)), cookie_of(3));
}

}  // namespace lanyard::test
