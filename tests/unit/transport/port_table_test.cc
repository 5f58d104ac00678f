// SPDX-License-Identifier: Apache-2.0
// The table of ports beside a map that says the same in the plainest way.
#include "transport/port_table.hh"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/random.hh"

namespace lanyard::transport {
namespace {

TEST(PortTable, KnowsWhoHoldsWhatWhateverComesAndGoes) {
  PortTable table;
  std::map<Port, std::set<std::uint64_t>> expected;
  RandomStream random = Seed(3).stream();
  std::uint64_t last = 0;
  const auto number_of = [](const PortHolder& holder) {
    return static_cast<std::uint64_t>(holder.id);
  };
  const auto held = [&](Port port) {
    std::set<std::uint64_t> found;
    EXPECT_EQ(table.find(port,
                         [&](const PortHolder& holder) {
                           found.insert(number_of(holder));
                           return false;
                         }),
              nullptr);
    return found;
  };
  for (int i = 0; i < 100'000; ++i) {
    // Ports that differ in their upper bits alone, and now many, now few.
    const Port port = static_cast<Port>(random.below(30) * 2048 + random.below(8));
    const bool grows = i / 10'000 % 2 == 0;
    std::set<std::uint64_t>& holders = expected[port];
    if (random.below(100) < (grows ? 60U : 30U)) {
      PortHolder holder;
      holder.id = static_cast<BindingId>(++last);
      holder.request.local.port = port;
      EXPECT_EQ(number_of(table.add(holder)), last);
      holders.insert(last);
    } else if (!holders.empty()) {
      auto one = holders.begin();
      std::advance(one, static_cast<std::ptrdiff_t>(random.below(holders.size())));
      PortHolder* const found =
          table.find(port, [&](const PortHolder& holder) { return number_of(holder) == *one; });
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->request.local.port, port);
      table.remove(*found);
      holders.erase(one);
    }
    if (holders.empty()) expected.erase(port);
    ASSERT_EQ(table.ports(), expected.size());
    ASSERT_EQ(held(port), expected.contains(port) ? expected[port] : std::set<std::uint64_t>{});
  }
  EXPECT_GT(expected.size(), 10U);
  for (const auto& [port, holders] : expected) EXPECT_EQ(held(port), holders);
  EXPECT_TRUE(held(65535).empty());
}

TEST(PortTable, AnEmptyOneHasNobody) {
  const PortTable table;
  EXPECT_EQ(table.find(80, [](const PortHolder&) { return true; }), nullptr);
}

}  // namespace
}  // namespace lanyard::transport
