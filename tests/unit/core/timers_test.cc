// SPDX-License-Identifier: Apache-2.0
// Timers against a model that searches a plain list.
#include "core/timers.hh"

#include <algorithm>
#include <chrono>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.hh"

namespace lanyard {
namespace {

using namespace literals;

// Every timer in a list; the earliest is searched for each time.
class Model {
 public:
  void arm(std::size_t id, Instant deadline) {
    stop(id);
    if (deadline != Instant::never()) rows_.push_back({id, deadline, ++arms_});
  }
  void stop(std::size_t id) {
    std::erase_if(rows_, [id](const Row& row) { return row.id == id; });
  }
  [[nodiscard]] Instant next_deadline() const {
    return rows_.empty() ? Instant::never() : first()->deadline;
  }
  // The id popped; -1 for none.
  std::int64_t pop(Instant now) {
    if (rows_.empty() || first()->deadline > now) return -1;
    const auto id = static_cast<std::int64_t>(first()->id);
    rows_.erase(first());
    return id;
  }
  [[nodiscard]] std::size_t armed() const { return rows_.size(); }

 private:
  struct Row {
    std::size_t id;
    Instant deadline;
    std::uint64_t order;
  };
  [[nodiscard]] std::vector<Row>::const_iterator first() const {
    return std::min_element(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
      return std::pair(a.deadline, a.order) < std::pair(b.deadline, b.order);
    });
  }
  std::vector<Row> rows_;
  std::uint64_t arms_ = 0;
};

// Both side by side, compared at each step.
class Pair {
 public:
  explicit Pair(std::size_t count, Instant now = Instant::start()) : timers_(now), items_(count) {}

  void arm(std::size_t id, Instant deadline) {
    timers_.arm(items_[id], deadline);
    model_.arm(id, deadline);
  }
  void stop(std::size_t id) {
    items_[id].stop();
    model_.stop(id);
  }
  void expect_next() {
    ASSERT_EQ(timers_.next_deadline().count_ns(), model_.next_deadline().count_ns());
    ASSERT_EQ(timers_.armed(), model_.armed());
  }
  // Pops all that is due; the number popped.
  int pop_all(Instant now) {
    int popped = 0;
    while (true) {
      Timer* timer = timers_.pop(now);
      const std::int64_t id = timer == nullptr ? -1 : index_of(timer);
      const std::int64_t expected = model_.pop(now);
      EXPECT_EQ(id, expected);
      if (timer == nullptr || id != expected) return popped;
      EXPECT_FALSE(timer->is_armed());
      ++popped;
    }
  }

 private:
  std::int64_t index_of(const Timer* timer) {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (&items_[i] == timer) return static_cast<std::int64_t>(i);
    }
    return -2;
  }
  Timers timers_;
  std::deque<Timer> items_;
  Model model_;
};

// A delay of any order of magnitude, often one that was used before.
Duration random_delay(RandomStream& random, std::uint64_t bits_max) {
  const std::uint64_t bits = random.below(bits_max) + 1;
  const std::uint64_t delay = random.next() >> (64 - bits);
  return Duration::nanoseconds(static_cast<std::int64_t>(delay)) -
         Duration::nanoseconds(random.below(8) == 0 ? 1000 : 0);
}

void random_run(std::uint64_t seed, std::size_t timers, int steps, std::uint64_t bits_max,
                bool asks_next) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomStream random = Seed(seed).stream();
  Instant now = Instant::at_ns(static_cast<std::int64_t>(random.below(1'000'000'000'000)));
  Pair pair(timers, now);
  for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
    const std::size_t id = random.below(timers);
    switch (random.below(8)) {
      case 0:
        pair.stop(id);
        break;
      case 1:
        now += random_delay(random, bits_max);
        pair.pop_all(now);
        break;
      case 2:  // the clock stands, or goes back
        if (random.below(16) == 0) now = now - random_delay(random, 40);
        pair.pop_all(now);
        break;
      default:
        pair.arm(id, now + random_delay(random, bits_max));
    }
    if (asks_next || random.below(10) == 0) pair.expect_next();
  }
  pair.pop_all(Instant::never());
  pair.expect_next();
}

TEST(Timers, NearDeadlinesFireAsInTheModel) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) random_run(seed, 20, 800, 20, true);
}

TEST(Timers, DeadlinesOfEveryMagnitudeFireAsInTheModel) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) random_run(seed, 50, 800, 56, true);
}

TEST(Timers, RarelyAskedForTheNextDeadlineTheyFireAsInTheModel) {
  for (std::uint64_t seed = 100; seed <= 140; ++seed) random_run(seed, 50, 800, 44, false);
}

TEST(Timers, ManyInOneSlotAreSpreadAndFireAsInTheModel) {
  for (std::uint64_t seed = 200; seed <= 210; ++seed) random_run(seed, 300, 3000, 34, true);
}

TEST(Timers, FireAtTheirNanosecondAndNotBefore) {
  Timers timers;
  Timer timer;
  for (const std::int64_t ns : {1LL, 65'535LL, 65'536LL, 1'000'000'000LL, 7'200'000'000'000LL}) {
    timers.arm(timer, Instant::at_ns(ns));
    EXPECT_EQ(timers.next_deadline(), Instant::at_ns(ns));
    EXPECT_EQ(timers.pop(Instant::at_ns(ns - 1)), nullptr);
    EXPECT_EQ(timers.pop(Instant::at_ns(ns)), &timer);
    EXPECT_EQ(timers.next_deadline(), Instant::never());
  }
}

TEST(Timers, SameDeadlineFiresInTheOrderOfArming) {
  Timers timers;
  std::array<Timer, 5> five;
  const Instant deadline = Instant::start() + 3_s;
  for (Timer& timer : five) timers.arm(timer, deadline);
  timers.arm(five[1], deadline);  // moved: now last
  for (const std::size_t i : {0U, 2U, 3U, 4U, 1U}) EXPECT_EQ(timers.pop(deadline), &five.at(i));
}

TEST(Timers, PastDeadlineFiresAtTheNextPop) {
  Timers timers(Instant::start() + 10_s);
  Timer late;
  timers.arm(late, Instant::start() + 1_s);
  EXPECT_EQ(timers.next_deadline(), Instant::start() + 1_s);
  EXPECT_EQ(timers.pop(Instant::start() + 10_s), &late);
}

TEST(Timers, ArmedForNeverIsStopped) {
  Timers timers;
  Timer timer;
  timers.arm(timer, Instant::start() + 1_s);
  timers.arm(timer, Instant::never());
  EXPECT_FALSE(timer.is_armed());
  EXPECT_EQ(timers.armed(), 0U);
  EXPECT_EQ(timers.pop(Instant::never()), nullptr);
}

TEST(Timers, DestroyedTimerIsForgottenAndTimersMayGoFirst) {
  Timer survivor;
  {
    Timers timers;
    {
      Timer gone;
      timers.arm(gone, Instant::start() + 1_s);
    }
    EXPECT_EQ(timers.armed(), 0U);
    timers.arm(survivor, Instant::start() + 1_s);
  }
  EXPECT_FALSE(survivor.is_armed());
}

// BI-94: a clock that goes back fires nothing, and nothing is lost or late afterwards.
TEST(Timers, ClockThatGoesBackFiresNothingAndLosesNothing) {
  Timers timers;
  Timer first;
  Timer second;
  timers.arm(first, Instant::start() + 10_s);
  EXPECT_EQ(timers.pop(Instant::start() + 9_s), nullptr);
  EXPECT_EQ(timers.pop(Instant::start() + 1_s), nullptr);
  timers.arm(second, Instant::start() + 2_s);
  EXPECT_EQ(timers.next_deadline(), Instant::start() + 2_s);
  EXPECT_EQ(timers.pop(Instant::start() + 1_s), nullptr);
  EXPECT_EQ(timers.pop(Instant::start() + 2_s), &second);
  EXPECT_EQ(timers.pop(Instant::start() + 2_s), nullptr);
  EXPECT_EQ(timers.pop(Instant::start() + 10_s), &first);
}

// BI-94: 49.7 days are 2^32 ms; what is due then fires, what is due later does not.
TEST(Timers, ClockThatJumpsOver49DaysFiresWhatIsDueOnly) {
  Timers timers;
  std::array<Timer, 3> due;
  Timer later;
  const Instant jump = Instant::start() + Duration::milliseconds(4'294'967'296);
  timers.arm(due[0], Instant::start() + 200_ms);
  timers.arm(due[1], jump);
  timers.arm(due[2], Instant::start() + 7200_s);
  timers.arm(later, jump + 1_ns);
  EXPECT_EQ(timers.pop(jump), &due[0]);
  EXPECT_EQ(timers.pop(jump), &due[2]);
  EXPECT_EQ(timers.pop(jump), &due[1]);
  EXPECT_EQ(timers.pop(jump), nullptr);
  EXPECT_EQ(timers.next_deadline(), jump + 1_ns);
}

TEST(Timers, MillionIdleTimersDoNotSlowTheOneThatMoves) {
  Timers timers;
  std::deque<Timer> idle(1'000'000);
  std::int64_t i = 0;
  for (Timer& timer : idle) timers.arm(timer, Instant::start() + 7200_s + 1_us * i++);
  Timer busy;
  Instant now;
  for (int step = 0; step < 1'000'000; ++step) {
    timers.arm(busy, now + 200_ms);
    ASSERT_EQ(timers.next_deadline(), now + 200_ms);
    now += 1_us;
    ASSERT_EQ(timers.pop(now), nullptr);
  }
  busy.stop();
  EXPECT_EQ(timers.next_deadline(), Instant::start() + 7200_s);
}

}  // namespace
}  // namespace lanyard
