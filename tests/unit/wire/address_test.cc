// SPDX-License-Identifier: Apache-2.0
#include "wire/address.hh"

#include <gtest/gtest.h>

namespace lanyard {
namespace {

std::string again(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? to_text(*address) : "refused";
}

TEST(Address, Ipv4TextIsReadAndWritten) {
  EXPECT_EQ(again("10.0.255.1"), "10.0.255.1");
  EXPECT_EQ(IpAddress::parse("10.0.255.1"), IpAddress::v4(10, 0, 255, 1));
  for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.", ".1.2.3",
                          "01.2.3.4", "1.2.3.4 ", "1..3.4", "a.b.c.d", "1.2.3.-4"}) {
    EXPECT_EQ(again(bad), "refused") << bad;
  }
}

// RFC 5952 4: lower case, no leading zeros, the first longest run of zeros shortened, never one
// group alone.
TEST(Address, Ipv6TextFollowsRfc5952) {
  EXPECT_EQ(again("2001:0DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(again("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(again("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  EXPECT_EQ(again("::"), "::");
  EXPECT_EQ(again("::1"), "::1");
  EXPECT_EQ(again("1::"), "1::");
  EXPECT_EQ(again("fe80::1"), "fe80::1");
  EXPECT_EQ(again("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
  EXPECT_EQ(again("::ffff:1.2.3.4"), "1.2.3.4");
  for (const char* bad : {":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
                          "12345::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "fe80::1%2",
                          "g::", "1:", "::1.2.3", "1.2.3.4::", ":1::2", "1::2:"}) {
    EXPECT_EQ(again(bad), "refused") << bad;
  }
}

TEST(Address, PrefixesContainTheirNetworkOnly) {
  const auto prefix = IpPrefix::parse("10.0.1.7/23");
  ASSERT_TRUE(prefix);
  EXPECT_EQ(to_text(prefix->network()), "10.0.0.0");
  EXPECT_EQ(to_text(*prefix->broadcast()), "10.0.1.255");
  EXPECT_TRUE(prefix->contains(*IpAddress::parse("10.0.0.1")));
  EXPECT_FALSE(prefix->contains(*IpAddress::parse("10.0.2.0")));
  EXPECT_FALSE(prefix->contains(*IpAddress::parse("::1")));
  EXPECT_TRUE(IpPrefix::parse("0.0.0.0/0")->contains(IpAddress::v4(1, 2, 3, 4)));
  EXPECT_FALSE(IpPrefix::parse("::/0")->contains(IpAddress::v4(1, 2, 3, 4)));
  EXPECT_FALSE(IpPrefix::parse("10.0.0.0/31")->broadcast());  // RFC 3021 2.2
  EXPECT_EQ(to_text(*IpPrefix::parse("fe80::1234/10")), "fe80::1234/10");
  EXPECT_EQ(to_text(IpPrefix::parse("2001:db8:ffff::/33")->network()), "2001:db8:8000::");
  for (const char* bad : {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1"}) {
    EXPECT_FALSE(IpPrefix::parse(bad)) << bad;
  }
}

TEST(Address, SpecialAddressesAreKnown) {
  EXPECT_TRUE(IpAddress::v4(127, 1, 2, 3).is_loopback());
  EXPECT_TRUE(IpAddress::loopback(Family::ipv6).is_loopback());
  EXPECT_TRUE(IpAddress::v4(224, 0, 0, 1).is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(IpAddress::v4(255, 255, 255, 255).is_limited_broadcast());
  EXPECT_FALSE(IpAddress::v4(255, 255, 255, 255).is_reserved_v4());
  EXPECT_TRUE(IpAddress::v4(240, 0, 0, 1).is_reserved_v4());
  EXPECT_TRUE(IpAddress::v4(0, 0, 0, 1).is_reserved_v4());
  EXPECT_FALSE(IpAddress::v4(0, 0, 0, 0).is_reserved_v4());
  EXPECT_TRUE(IpAddress::v4(0, 0, 0, 0).is_unspecified());
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_FALSE(IpAddress().is_v4());
  EXPECT_TRUE(IpAddress::v4(169, 254, 3, 4).is_link_local());
  EXPECT_TRUE(IpAddress::parse("febf::1")->is_link_local());
  EXPECT_FALSE(IpAddress::parse("fec0::1")->is_link_local());
  EXPECT_EQ(IpAddress::v4(0x0a000001U), IpAddress::v4(10, 0, 0, 1));
  EXPECT_EQ(IpAddress::v4(10, 0, 0, 1).wire_bytes().size(), 4U);
}

TEST(Address, GroupsMapToLinkAddresses) {
  EXPECT_EQ(to_text(solicited_node(*IpAddress::parse("fe80::2aa:ff:fe28:9c5a"))),
            "ff02::1:ff28:9c5a");  // RFC 4291 2.7.1
  EXPECT_EQ(to_text(multicast_mac(*IpAddress::parse("ff02::1:ff28:9c5a"))), "33:33:ff:28:9c:5a");
  EXPECT_EQ(to_text(multicast_mac(IpAddress::v4(239, 129, 2, 3))), "01:00:5e:01:02:03");
}

TEST(Address, EndpointsAndMacsAsText) {
  EXPECT_EQ(to_text(Endpoint{IpAddress::v4(10, 0, 0, 1), 80}), "10.0.0.1:80");
  EXPECT_EQ(to_text(Endpoint{*IpAddress::parse("fe80::1"), 80}), "[fe80::1]:80");
  EXPECT_EQ(to_text(*MacAddress::parse("02:00:00:00:00:Fe")), "02:00:00:00:00:fe");
  for (const char* bad : {"", "02:00:00:00:00", "02:00:00:00:00:0g", "02:00:00:00:00:001"}) {
    EXPECT_FALSE(MacAddress::parse(bad)) << bad;
  }
}

TEST(Address, HashesDiffer) {
  const std::hash<IpAddress> hash;
  EXPECT_NE(hash(IpAddress::v4(10, 0, 0, 1)), hash(IpAddress::v4(10, 0, 0, 2)));
  EXPECT_NE(std::hash<MacAddress>{}(*MacAddress::parse("02:00:00:00:00:01")),
            std::hash<MacAddress>{}(*MacAddress::parse("02:00:00:00:00:02")));
}

}  // namespace
}  // namespace lanyard
