// SPDX-License-Identifier: Apache-2.0
// The lower half of an address that a machine makes itself.
#include "internet/identifiers.hh"

#include <gtest/gtest.h>

namespace lanyard::internet {
namespace {

IpPrefix net(std::string_view text) {
  return IpPrefix::parse(text).value();
}
IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

constexpr SipKey secret{1, 2};

TEST(Identifiers, AMacAddressMakesOneWithFffeInItsMiddle) {
  // RFC 2464 4, its own example.
  const MacAddress mac{{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}};
  EXPECT_EQ(eui64_address(net("2001:db8::/64"), mac), ip("2001:db8::3656:78ff:fe9a:bcde"));
}

TEST(Identifiers, AStableOneIsTheSameEachTimeAndAnotherForEachOfItsReasons) {
  // RFC 7217 5 [RFC7217-5-a]
  const IpPrefix here = net("2001:db8:5::/64");
  const IpAddress address = stable_address(secret, here, "eth0", 0);
  EXPECT_TRUE(here.contains(address));
  EXPECT_EQ(stable_address(secret, net("2001:db8:5::7/64"), "eth0", 0), address);
  const std::uint64_t identifier = identifier_of(address);
  EXPECT_NE(identifier_of(stable_address(secret, net("2001:db8:6::/64"), "eth0", 0)), identifier);
  EXPECT_NE(identifier_of(stable_address(secret, here, "eth1", 0)), identifier);
  EXPECT_NE(identifier_of(stable_address(secret, here, "eth0", 1)), identifier);
  EXPECT_NE(identifier_of(stable_address({1, 3}, here, "eth0", 0)), identifier);
}

TEST(Identifiers, ThoseOfRoutersAndOfAnycastAreNobodys) {
  // RFC 5453 3, RFC 7217 5 [RFC7217-5-a]
  for (const std::uint64_t reserved : {0x0ULL, 0x0200'5eff'fe00'0000ULL, 0x0200'5eff'feff'ffffULL,
                                       0xfdff'ffff'ffff'ff80ULL, 0xfdff'ffff'ffff'ffffULL})
    EXPECT_TRUE(is_reserved_identifier(reserved)) << reserved;
  for (const std::uint64_t free : {0x1ULL, 0x0200'5eff'fdff'ffffULL, 0x0200'5eff'ff00'0000ULL,
                                   0xfdff'ffff'ffff'ff7fULL, 0xfe00'0000'0000'0000ULL})
    EXPECT_FALSE(is_reserved_identifier(free)) << free;
}

}  // namespace
}  // namespace lanyard::internet
