// SPDX-License-Identifier: Apache-2.0
#include "lab/schedule.hh"

#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "core/random.hh"

namespace lanyard::lab {
namespace {

using Rank = std::tuple<Instant, std::uint32_t, std::uint64_t>;

Rank rank_of(const Due& due) {
  return {due.at, due.owner, due.sequence};
}

// Against a sorted set: what is first, dropped, and replaced by something later.
TEST(Schedule, GivesOutByTimeThenOwnerThenSequenceWhateverIsPutInThePlaceOfTheFirst) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    RandomStream dice = Seed(seed).stream();
    Schedule schedule;
    std::set<Rank> expected;
    Instant now = Instant::start();
    const auto due_after = [&] {
      return Due{.at = now + Duration::nanoseconds(static_cast<std::int64_t>(dice.below(50))),
                 .owner = static_cast<std::uint32_t>(dice.below(5)),
                 .kind = DueKind::arrival,
                 .index = static_cast<std::uint32_t>(dice.below(1000)),
                 .sequence = schedule.next_sequence()};
    };
    for (int step = 0; step < 2000; ++step) {
      if (schedule.is_empty() || dice.below(3) == 0) {
        const Due due = due_after();
        schedule.add(due);
        expected.insert(rank_of(due));
        continue;
      }
      ASSERT_EQ(schedule.next_at(), std::get<0>(*expected.begin()));
      const Due first = schedule.first();
      ASSERT_EQ(rank_of(first), *expected.begin());
      now = first.at;
      expected.erase(expected.begin());
      if (dice.below(2) == 0) {
        schedule.drop_first();
      } else {
        const Due next = due_after();
        schedule.replace_first(next);
        expected.insert(rank_of(next));
      }
      ASSERT_EQ(schedule.size(), expected.size());
    }
  }
}

// It grows, and shrinks when most have gone.
TEST(Schedule, HoldsManyAndThenFew) {
  RandomStream dice = Seed(1).stream();
  Schedule schedule;
  std::set<Rank> expected;
  const auto add = [&] {
    const Due due{.at = Instant::at_ns(static_cast<std::int64_t>(dice.below(1'000'000))),
                  .owner = static_cast<std::uint32_t>(dice.below(5)),
                  .sequence = schedule.next_sequence()};
    schedule.add(due);
    expected.insert(rank_of(due));
  };
  for (const int wanted : {5'000, 0, 40, 3, 1'000, 0}) {
    while (schedule.size() < static_cast<std::size_t>(wanted)) add();
    while (schedule.size() > static_cast<std::size_t>(wanted)) {
      ASSERT_EQ(rank_of(schedule.first()), *expected.begin());
      expected.erase(expected.begin());
      schedule.drop_first();
    }
  }
  EXPECT_TRUE(schedule.is_empty());
  EXPECT_EQ(schedule.next_at(), Instant::never());
}

}  // namespace
}  // namespace lanyard::lab
