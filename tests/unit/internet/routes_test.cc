// SPDX-License-Identifier: Apache-2.0
#include "internet/routes.hh"

#include <gtest/gtest.h>

#include "core/random.hh"

namespace lanyard::internet {
namespace {

using namespace literals;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
IpPrefix net(std::string_view text) {
  return IpPrefix::parse(text).value();
}
Route via(std::string_view destination, std::string_view gateway, std::uint32_t interface = 2,
          std::uint32_t metric = 0) {
  return {net(destination), {ip(gateway), interface, metric, RouteOrigin::configured}};
}
Route on(std::string_view destination, std::uint32_t interface) {
  return {net(destination), {IpAddress(), interface, 0, RouteOrigin::connected}};
}

TEST(Routes, LongestMatchPrevailsAndTheDefaultComesLast) {
  // RFC 1812 5.2.4.3 [RFC1812-5.2.4.3-a]
  RouteTable table;
  table.add(via("0.0.0.0/0", "10.0.0.1"));
  table.add(on("10.0.0.0/8", 3));
  table.add(on("10.1.0.0/16", 4));
  table.add(on("10.1.2.0/24", 5));
  table.add(on("10.1.2.3/32", 6));
  const auto interface = [&](std::string_view to) { return table.find(ip(to), 0)->interface; };
  EXPECT_EQ(interface("192.0.2.1"), 2u);
  EXPECT_EQ(interface("10.9.9.9"), 3u);
  EXPECT_EQ(interface("10.1.9.9"), 4u);
  EXPECT_EQ(interface("10.1.2.9"), 5u);
  EXPECT_EQ(interface("10.1.2.3"), 6u);
  EXPECT_EQ(table.find(ip("2001:db8::1"), 0), nullptr);
}

TEST(Routes, FamiliesAreApartThoughBothHaveADefault) {
  RouteTable table;
  table.add(via("::/0", "fe80::1", 2));
  EXPECT_EQ(table.find(ip("10.0.0.1"), 0), nullptr);
  table.add(via("0.0.0.0/0", "10.0.0.1", 3));
  EXPECT_EQ(table.find(ip("10.0.0.1"), 0)->interface, 3u);
  EXPECT_EQ(table.find(ip("2001:db8::1"), 0)->interface, 2u);
}

TEST(Routes, DeadGatewayIsReplacedByAnotherUntilItIsTriedAgain) {
  // [RFC1122-3.3.1.2-a], [RFC1122-3.3.1.4-a], [RFC1122-3.3.1.5-a], RFC 4861 6.3.6 [RFC4861-6.3.6-a]
  RouteTable table;
  table.add(via("0.0.0.0/0", "10.0.0.1", 2, 1));
  table.add(via("0.0.0.0/0", "10.0.0.2", 2, 2));
  const auto gateway = [&] { return table.find(ip("192.0.2.1"), 0)->gateway; };
  EXPECT_EQ(gateway(), ip("10.0.0.1"));
  table.mark_dead(ip("10.0.0.1"), 2, Instant::start() + 30_s);
  EXPECT_EQ(gateway(), ip("10.0.0.2"));
  table.mark_dead(ip("10.0.0.2"), 2, Instant::start() + 40_s);
  EXPECT_EQ(gateway(), ip("10.0.0.1"));
  table.mark_alive(ip("10.0.0.2"), 2);
  EXPECT_EQ(gateway(), ip("10.0.0.2"));
  EXPECT_EQ(table.next_deadline(), Instant::start() + 30_s);
  table.poll(Instant::start() + 30_s);
  EXPECT_EQ(gateway(), ip("10.0.0.1"));
}

TEST(Routes, LinkThatIsDownIsPassedOverForAShorterPrefix) {
  RouteTable table;
  table.add(via("0.0.0.0/0", "10.0.0.1", 2));
  table.add(on("10.1.0.0/16", 3));
  table.set_up(3, false);
  EXPECT_EQ(table.find(ip("10.1.0.1"), 0)->interface, 2u);
  EXPECT_EQ(table.find(ip("10.1.0.1"), 3), nullptr);
  table.set_up(3, true);
  EXPECT_EQ(table.find(ip("10.1.0.1"), 0)->interface, 3u);
  EXPECT_EQ(table.find(ip("10.1.0.1"), 2)->interface, 2u);
}

TEST(Routes, SameRouteAgainReplacesAndRemovalLeavesNothing) {
  RouteTable table;
  table.add(via("10.0.0.0/8", "10.0.0.1", 2, 5));
  table.add(via("10.0.0.0/8", "10.0.0.1", 2, 7));
  ASSERT_EQ(table.size(), 1u);
  EXPECT_EQ(table.rows()[0].hop.metric, 7u);
  EXPECT_EQ(table.remove(net("10.0.0.0/8"), ip("10.0.0.9"), 0), 0u);
  EXPECT_EQ(table.remove(net("10.0.0.0/8"), ip("10.0.0.1"), 0), 1u);
  EXPECT_EQ(table.find(ip("10.0.0.1"), 0), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

// The same questions to the trie and to a list that is searched from end to end.
TEST(Routes, AgreesWithALinearSearchOverRandomTablesAndRemovals) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomStream chance = Seed(seed).stream();
    RouteTable table;
    std::vector<Route> list;
    // Few bits, so that prefixes nest and meet.
    const auto address = [&](bool is_v6) {
      if (!is_v6) return IpAddress::v4(static_cast<std::uint32_t>(chance.next()) & 0xc0030303);
      std::array<std::uint8_t, 16> bytes{};
      bytes[0] = 0x20;
      bytes[7] = static_cast<std::uint8_t>(chance.below(4));
      bytes[8] = static_cast<std::uint8_t>(chance.below(4) << 6);
      bytes[15] = static_cast<std::uint8_t>(chance.below(4));
      return IpAddress::from_v6_bytes(bytes.data());
    };
    for (int step = 0; step < 400; ++step) {
      const bool is_v6 = chance.below(2) == 0;
      const auto length = static_cast<std::uint8_t>(chance.below(is_v6 ? 129 : 33));
      const IpPrefix prefix{address(is_v6), length};
      const auto interface = static_cast<std::uint32_t>(2 + chance.below(3));
      const Route route{{prefix.network(), length},
                        {IpAddress(), interface, 0, RouteOrigin::connected}};
      if (chance.below(3) != 0) {
        std::erase(list, route);
        list.push_back(route);
        table.add(route);
      } else if (!list.empty()) {
        const Route gone = list[chance.below(list.size())];
        EXPECT_EQ(table.remove(gone.destination, gone.hop.gateway, gone.hop.interface), 1u);
        std::erase(list, gone);
      }
      ASSERT_EQ(table.size(), list.size());
      const IpAddress asked = address(is_v6);
      const Route* best = nullptr;
      for (const Route& candidate : list) {
        if (!candidate.destination.contains(asked)) continue;
        if (best == nullptr || candidate.destination.length > best->destination.length) {
          best = &candidate;
        }
      }
      const NextHop* found = table.find(asked, 0);
      ASSERT_EQ(found == nullptr, best == nullptr) << to_text(asked);
      if (found != nullptr) {
        EXPECT_EQ(*found, best->hop) << to_text(asked);
      }
    }
  }
}

TEST(Routes, LargeTableAnswersAsItDidBeforeItsShortcuts) {
  RouteTable table;
  RandomStream chance = Seed(3).stream();
  table.add(via("0.0.0.0/0", "10.0.0.1", 9));
  for (std::uint32_t i = 0; i < 60'000; ++i) {
    const auto length = static_cast<std::uint8_t>(12 + chance.below(21));
    const auto address = IpAddress::v4(static_cast<std::uint32_t>(chance.next()));
    const auto interface = static_cast<std::uint32_t>(2 + chance.below(4));
    table.add({{IpPrefix{address, length}.network(), length},
               {IpAddress(), interface, 0, RouteOrigin::connected}});
  }
  std::vector<IpAddress> asked;
  for (int i = 0; i < 10'000; ++i) {
    asked.push_back(IpAddress::v4(static_cast<std::uint32_t>(chance.next())));
  }
  std::vector<NextHop> before;
  for (const IpAddress& address : asked) before.push_back(*table.find(address, 0));
  for (int round = 0; round < 3; ++round) {  // the shortcuts are made on the way
    for (std::size_t i = 0; i < asked.size(); ++i) {
      ASSERT_EQ(*table.find(asked[i], 0), before[i]) << to_text(asked[i]);
    }
  }
  // An interface that only the default route has.
  EXPECT_EQ(table.find(asked[1], 9)->interface, 9u);
  // A change is seen at once.
  table.add({{asked[0], 32}, {IpAddress(), 77, 0, RouteOrigin::connected}});
  EXPECT_EQ(table.find(asked[0], 0)->interface, 77u);
}

}  // namespace
}  // namespace lanyard::internet
