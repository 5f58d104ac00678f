// SPDX-License-Identifier: Apache-2.0
// Which of several listeners on one port a SYN is for: the most exact one, as Linux has it.
#include <gtest/gtest.h>

#include <set>

#include "peer.hh"

namespace lanyard::test {

namespace flags = tcp::flags;

namespace {

const IpAddress any4 = IpAddress::any(Family::ipv4), any6 = IpAddress::any(Family::ipv6);

class Several : public ::testing::Test {
 protected:
  Scripted s;
  tcp::ListenerId listen(const transport::BindRequest& request) {
    const auto binding = s.host.tcp.bind(request);
    EXPECT_TRUE(binding);
    const auto id = s.host.tcp.listen(*binding, 100, s.host.tcp.default_settings(), 0);
    EXPECT_TRUE(id);
    return *id;
  }
  // Opens a connection from another port and says who got it.
  tcp::ListenerId taken_by(const std::set<tcp::ListenerId>& all, std::uint32_t interface = 1) {
    ++s.peer_port;
    internet::Datagram syn = make_segment(s.make(flags::syn));
    syn.interface = interface;
    s.host.tcp.on_segment(s.now, std::move(syn));
    const auto answer = s.take();
    if (!answer || answer->header.flags.rst()) return tcp::ListenerId::none;
    Seg ack = s.make(flags::ack);
    ack.header.sequence = s.peer_next + 1;
    ack.header.acknowledgment = answer->header.sequence + 1;
    internet::Datagram last = make_segment(ack);
    last.interface = interface;
    s.host.tcp.on_segment(s.now, std::move(last));
    for (const auto id : all)
      if (s.host.tcp.accept(s.now, id, 0)) return id;
    return tcp::ListenerId::none;
  }
};

}  // namespace

TEST_F(Several, AnAddressIsMoreThanAnyAndAnInterfaceMoreThanNone) {
  const transport::BindRequest all{.local = {any4, 80, 0}, .reuse_address = true};
  transport::BindRequest exact{.local = {s.host.address, 80, 0}};
  // Side by side because they share: SO_REUSEPORT.
  transport::BindRequest wide = all, narrow = exact, wired = all;
  for (transport::BindRequest* each : {&wide, &narrow, &wired}) each->reuse_port = true;
  wired.interface = 2;
  const auto a = listen(wide);
  EXPECT_EQ(taken_by({a}), a);
  const auto b = listen(narrow);
  EXPECT_EQ(taken_by({a, b}), b);
  const auto c = listen(wired);
  EXPECT_EQ(taken_by({a, b, c}, 1), b);
  s.host.tcp.close(s.now, b);
  EXPECT_EQ(taken_by({a, c}, 1), a);
  EXPECT_EQ(taken_by({a, c}, 2), c);
}

TEST_F(Several, TheIpv6WildcardTakesIpv4UnlessItSaysOtherwise) {
  const auto dual = listen({.local = {any6, 80, 0}, .reuse_address = true});
  EXPECT_EQ(taken_by({dual}), dual);
  s.host.tcp.close(s.now, dual);
  transport::BindRequest six{.local = {any6, 80, 0}, .reuse_address = true};
  six.v6_only = true;
  const auto only = listen(six);
  EXPECT_EQ(taken_by({only}), tcp::ListenerId::none);
  const auto four = listen({.local = {any4, 80, 0}, .reuse_address = true});
  EXPECT_EQ(taken_by({only, four}), four);
}

TEST_F(Several, AListenerElsewhereIsNobody) {
  s.host.paths.own.insert(IpAddress::v4(10, 0, 0, 77));
  const auto other = listen({.local = {IpAddress::v4(10, 0, 0, 77), 80, 0}});
  EXPECT_EQ(taken_by({other}), tcp::ListenerId::none);
}

TEST_F(Several, AListenerForIpv4HearsNothingOfIpv6) {
  s.host.address = *IpAddress::parse("fd00::1");
  s.peer = *IpAddress::parse("fd00::9");
  s.host.paths.own.insert(s.host.address);
  const auto four = listen({.local = {any4, 80, 0}, .reuse_address = true});
  EXPECT_EQ(taken_by({four}), tcp::ListenerId::none);
  transport::BindRequest request{.local = {any6, 80, 0}, .reuse_address = true};
  request.v6_only = true;
  const auto six = listen(request);
  EXPECT_EQ(taken_by({four, six}), six);
}

// Only the most exact of those who share a port share its peers, in whatever order they came.
TEST_F(Several, AWiderListenerGetsNothingOfWhatExacterOnesShare) {
  transport::BindRequest exact{.local = {s.host.address, 80, 0}}, wide{.local = {any4, 80, 0}};
  exact.reuse_port = wide.reuse_port = true;
  const auto a = listen(exact), loose = listen(wide), b = listen(exact);
  std::map<tcp::ListenerId, int> got;
  for (int i = 0; i < 60; ++i) ++got[taken_by({a, b, loose})];
  EXPECT_EQ(got.size(), 2U);
  EXPECT_GE(got[a], 5);
  EXPECT_GE(got[b], 5);
}

TEST_F(Several, EqualListenersShareThePeersAndEachPeerKeepsItsOwn) {
  transport::BindRequest request{.local = {any4, 80, 0}};
  request.reuse_port = true;
  const std::set<tcp::ListenerId> all{listen(request), listen(request), listen(request)};
  std::map<tcp::ListenerId, int> got;
  for (int i = 0; i < 60; ++i) ++got[taken_by(all)];
  EXPECT_EQ(got.size(), 3U);
  for (const auto& [id, times] : got) EXPECT_GE(times, 5);
}

}  // namespace lanyard::test
