// SPDX-License-Identifier: Apache-2.0
#include "application/link_local.hh"

#include <gtest/gtest.h>

#include <set>

namespace lanyard::application {
namespace {

using namespace lanyard::literals;

const MacAddress mac{{2, 0, 0, 0, 0, 0xaa}};

TEST(LinkLocal, CandidatesAreSpreadOverTheRangeAndDifferFromHostToHost) {
  // RFC 3927 2.1 [RFC3927-2.1-a]
  LinkLocalAddresses addresses(mac);
  std::set<IpAddress> seen;
  std::set<unsigned> thirds;
  for (int i = 0; i < 20'000; ++i) {
    const IpAddress address = addresses.next();
    EXPECT_GE(address, IpAddress::v4(169, 254, 1, 0));
    EXPECT_LE(address, IpAddress::v4(169, 254, 254, 255));
    seen.insert(address);
    thirds.insert(address.v4_number() >> 8 & 0xff);
  }
  // Of 65024, 20000 draws leave 17,200 different ones, some 70 more or less.
  EXPECT_NEAR(static_cast<double>(seen.size()), 17'214, 400);
  EXPECT_EQ(thirds.size(), 254u);
  EXPECT_EQ(LinkLocalAddresses(mac).next(), LinkLocalAddresses(mac).next());
  std::set<IpAddress> firsts;
  for (std::uint8_t i = 0; i < 100; ++i) {
    firsts.insert(LinkLocalAddresses(MacAddress{{2, 0, 0, 0, 1, i}}).next());
  }
  EXPECT_GE(firsts.size(), 98u);
}

TEST(LinkLocal, AfterTenConflictsOneAddressAMinuteIsTried) {
  // RFC 5227 2.1.1 [RFC5227-2.1.1-b], RFC 3927 2.2.1
  LinkLocalAddresses addresses(mac);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(addresses.on_conflict(), 0_s);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(addresses.on_conflict(), 60_s);
}

}  // namespace
}  // namespace lanyard::application
