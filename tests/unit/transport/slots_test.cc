// SPDX-License-Identifier: Apache-2.0
// Objects in numbered slots: found by their ids, never by a stale one, and never moved.
#include "transport/slots.hh"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace lanyard::transport {
namespace {

enum class Id : std::uint64_t { none = 0 };

struct Thing {
  Id id = Id::none;
  std::shared_ptr<int> alive;
};

using Things = Slots<Id, Thing>;

Thing& add(Things& things) {
  return things.add([](Thing& made, Id id) { made.id = id; });
}

TEST(Slots, AHundredThousandAreFoundWhereTheyWereMade) {
  constexpr std::size_t count = 100'000;
  Things things;
  std::vector<std::pair<Id, Thing*>> made;
  for (std::size_t i = 0; i < count; ++i) {
    Thing& thing = add(things);
    made.emplace_back(thing.id, &thing);
  }
  EXPECT_EQ(things.size(), count);
  for (const auto& [id, place] : made) {
    ASSERT_EQ(things.find(id), place);
    ASSERT_EQ(place->id, id);
  }
}

TEST(Slots, AStaleIdFindsNothingWhenItsSlotIsUsedAgain) {
  Things things;
  const Id first = add(things).id;
  const Id other = add(things).id;
  things.remove(first);
  EXPECT_EQ(things.find(first), nullptr);
  EXPECT_EQ(things.at(index_of(first)), nullptr);
  const Id second = add(things).id;
  EXPECT_EQ(index_of(second), index_of(first));
  EXPECT_NE(second, first);
  EXPECT_EQ(things.find(first), nullptr);
  EXPECT_NE(things.find(second), nullptr);
  EXPECT_NE(things.find(other), nullptr);
  things.remove(first);
  EXPECT_EQ(things.size(), 2U);
}

TEST(Slots, ObjectsEndWhenTheyAreRemovedAndWithTheirSlots) {
  const auto alive = std::make_shared<int>(0);
  {
    Things things;
    Thing& removed = add(things);
    removed.alive = alive;
    add(things).alive = alive;
    add(things).alive = alive;
    things.remove(removed.id);
    EXPECT_EQ(alive.use_count(), 3);
    std::vector<Id> seen;
    things.for_each([&](const Thing& thing) { seen.push_back(thing.id); });
    EXPECT_EQ(seen.size(), 2U);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace lanyard::transport
