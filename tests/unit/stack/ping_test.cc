// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "yard.hh"

namespace lanyard::stack::test {
namespace {

constexpr std::uint16_t ipv4_type = 0x0800, arp_type = 0x0806, ipv6_type = 0x86dd;

// alice - r1 - bob, both families.
class Lan : public ::testing::Test {
 protected:
  Lan() {
    alice = yard.add("alice");
    r1 = yard.add("r1", true);
    bob = yard.add("bob");
    a = yard.plug(alice, {"10.0.1.2/24", "2001:db8:1::2/64"}, Yard::quiet());
    ra = yard.plug(r1, {"10.0.1.1/24", "2001:db8:1::1/64"}, Yard::quiet());
    rb = yard.plug(r1, {"10.0.2.1/24", "2001:db8:2::1/64"}, Yard::quiet());
    b = yard.plug(bob, {"10.0.2.2/24", "2001:db8:2::2/64"}, Yard::quiet());
    yard.wire(a, ra);
    yard.wire(rb, b);
    yard.route(alice, "0.0.0.0/0", "10.0.1.1");
    yard.route(alice, "::/0", "2001:db8:1::1");
    yard.route(bob, "0.0.0.0/0", "10.0.2.1");
    yard.route(bob, "::/0", "2001:db8:2::1");
    id4 = yard.stacks[alice]->add_echo(Family::ipv4, 0, heard).value();
    id6 = yard.stacks[alice]->add_echo(Family::ipv6, 0, heard).value();
  }
  Yard yard;
  std::size_t alice, r1, bob;
  End a, ra, rb, b;
  Listener heard;
  std::uint16_t id4, id6;
};

TEST_F(Lan, EchoOverTwoNetworksAfterArpOnEach) {
  // [RFC1122-3.2.2.6-a], [RFC1122-3.2.2.6-b], [RFC1122-3.2.2.6-e], [RFC1122-2.3.2.2-a]
  ASSERT_TRUE(yard.ping(alice, ip("10.0.2.2"), id4));
  yard.run_for(100_ms);
  ASSERT_EQ(heard.datagrams.size(), 1u);
  EXPECT_EQ(heard.datagrams[0].source, ip("10.0.2.2"));
  EXPECT_EQ(heard.datagrams[0].hop_limit, 63);
  EXPECT_EQ(yard.count(a, arp_type), 1u);
  EXPECT_EQ(yard.count(ra, arp_type), 1u);
  EXPECT_EQ(yard.count(rb, ipv4_type), 1u);
  EXPECT_EQ(yard.stacks[alice]->neighbours().size(), 1u);
  EXPECT_EQ(yard.stacks[alice]->neighbours()[0].state, "REACHABLE");
}

TEST_F(Lan, EchoOverTwoNetworksAfterNeighbourDiscovery) {
  // RFC 4443 4.1 [RFC4443-4.1-a], RFC 4861 7.2.2 [RFC4861-7.2.2-a]
  ASSERT_TRUE(yard.ping(alice, ip("2001:db8:2::2"), id6));
  yard.run_for(100_ms);
  ASSERT_EQ(heard.datagrams.size(), 1u);
  EXPECT_EQ(heard.datagrams[0].source, ip("2001:db8:2::2"));
  EXPECT_EQ(heard.datagrams[0].hop_limit, 63);
  EXPECT_GE(yard.count(a, ipv6_type), 2u);
}

TEST_F(Lan, TtlThatEndsAtTheRouterGivesTimeExceededFromIt) {
  // RFC 1812 5.2.7.3 [RFC1812-5.2.7.3-a], [RFC1812-4.3.2.4-a], [RFC1122-3.2.2.4-a]
  ASSERT_TRUE(yard.ping(alice, ip("10.0.2.2"), id4, 56, 1));
  ASSERT_TRUE(yard.ping(alice, ip("2001:db8:2::2"), id6, 56, 1));
  yard.run_for(100_ms);
  ASSERT_EQ(heard.errors.size(), 2u);
  EXPECT_EQ(heard.errors[0].kind, internet::IcmpError::Kind::hop_limit_exceeded);
  EXPECT_EQ(heard.errors[0].reporter, ip("10.0.1.1"));
  EXPECT_EQ(heard.errors[1].reporter, ip("2001:db8:1::1"));
  EXPECT_EQ(yard.drops(r1, DropReason::hop_limit_exceeded), 2u);
}

TEST_F(Lan, TtlOneIsEnoughForTheRouterItself) {
  // [RFC1122-3.2.1.7-b], RFC 1812 4.2.2.9 [RFC1812-4.2.2.9-a]
  ASSERT_TRUE(yard.ping(alice, ip("10.0.1.1"), id4, 56, 1));
  ASSERT_TRUE(yard.ping(alice, ip("10.0.2.1"), id4, 56, 1));
  yard.run_for(100_ms);
  EXPECT_EQ(heard.datagrams.size(), 2u);
}

TEST_F(Lan, LargeEchoTravelsInFragmentsBothWaysAndWhole) {
  // [RFC1122-3.2.1.4-a], [RFC1122-3.2.2.6-c], RFC 8200 4.5
  ASSERT_TRUE(yard.ping(alice, ip("10.0.2.2"), id4, 4000));
  ASSERT_TRUE(yard.ping(alice, ip("2001:db8:2::2"), id6, 4000));
  yard.run_for(100_ms);
  ASSERT_EQ(heard.datagrams.size(), 2u);
  for (const auto& datagram : heard.datagrams) {
    ASSERT_EQ(datagram.payload.size(), 4008u);
    for (std::size_t i = 0; i < 4000; ++i) {
      ASSERT_EQ(datagram.payload[8 + i], static_cast<std::uint8_t>(i));
    }
  }
  EXPECT_EQ(yard.count(b, ipv4_type), 3u);
}

TEST_F(Lan, NoRouteAtTheRouterIsNetworkUnreachable) {
  // RFC 1812 4.3.3.1 [RFC1812-4.3.3.1-a]
  ASSERT_TRUE(yard.ping(alice, ip("192.0.2.1"), id4));
  yard.run_for(100_ms);
  ASSERT_EQ(heard.errors.size(), 1u);
  EXPECT_EQ(heard.errors[0].type, 3);
  EXPECT_EQ(heard.errors[0].code, 0);
}

TEST_F(Lan, SilentLastHopIsHostUnreachableAfterThreeRequestsASecondApart) {
  // [RFC1122-2.3.2.1-b], [RFC1122-2.4-b], RFC 1812 4.3.3.1 [RFC1812-4.3.3.1-a], RFC 4861 7.2.2
  ASSERT_TRUE(yard.ping(alice, ip("10.0.2.77"), id4));
  yard.run_for(2900_ms);
  EXPECT_TRUE(heard.errors.empty());
  EXPECT_EQ(yard.count(rb, arp_type), 3u);
  yard.run_for(1_s);
  ASSERT_EQ(heard.errors.size(), 1u);
  EXPECT_EQ(heard.errors[0].code, 1);
  EXPECT_EQ(yard.count(rb, arp_type), 3u);
  ASSERT_TRUE(yard.ping(alice, ip("2001:db8:2::77"), id6));
  yard.run_for(4_s);
  ASSERT_EQ(heard.errors.size(), 2u);
  EXPECT_EQ(heard.errors[1].kind, internet::IcmpError::Kind::address_unreachable);
}

TEST_F(Lan, OwnUnresolvedNeighbourIsReportedOverLoopback) {
  ASSERT_TRUE(yard.ping(alice, ip("10.0.1.99"), id4));
  yard.run_for(4_s);
  ASSERT_EQ(heard.errors.size(), 1u);
  EXPECT_EQ(heard.errors[0].kind, internet::IcmpError::Kind::host_unreachable);
  EXPECT_EQ(heard.errors[0].reporter, ip("10.0.1.2"));
}

TEST_F(Lan, LoopbackAnswersAndNothingLeaves) {
  // [RFC1122-3.2.1.3-c], RFC 4291 2.5.3
  ASSERT_TRUE(yard.ping(alice, ip("127.0.0.1"), id4));
  ASSERT_TRUE(yard.ping(alice, ip("127.1.2.3"), id4));
  ASSERT_TRUE(yard.ping(alice, ip("::1"), id6));
  ASSERT_TRUE(yard.ping(alice, ip("10.0.1.2"), id4));
  EXPECT_EQ(heard.datagrams.size(), 4u);
  yard.run_for(1_s);
  EXPECT_TRUE(yard.seen.empty());
  EXPECT_EQ(yard.stacks[alice]->interface(1)->sent_frames, 8u);
}

}  // namespace
}  // namespace lanyard::stack::test
