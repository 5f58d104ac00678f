// SPDX-License-Identifier: Apache-2.0
// Faults that a machine's inside notices: a program that stands still, a clock that goes wrong, a
// link whose MTU changes.
#include <gtest/gtest.h>

#include "core/random.hh"
#include "lab.hh"
#include "lab/action_text.hh"
#include "lab/node_clock.hh"
#include "lab/observer.hh"

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;

// The longest frame that each node sent, and when the last came.
class Frames final : public Observer {
 public:
  void on_event(const Event& event) override {
    EXPECT_GE(event.at, last_event);  // by the world's clock, whoever says it
    last_event = event.at;
  }
  void on_frame(const RecordedFrame& frame) override {
    if (!frame.is_sent || frame.at < from) return;
    std::size_t& longest = longest_of[frame.port];
    longest = std::max(longest, frame.bytes.size());
  }
  Instant from = Instant::start(), last_event;
  std::map<std::uint32_t, std::size_t> longest_of;
};

// Its base comes first: the frames must outlive the world.
struct Observed {
  Frames frames;
};

class Lab : public Observed, public test::Lab {
 public:
  explicit Lab(std::string_view text) : test::Lab(text, WorldOptions{.observer = &frames}) {}
  void run_to(Duration time) {
    while (!world->is_over() && world->next_deadline() <= Instant::start() + time)
      world->run_until(world->next_deadline());
  }
};

constexpr std::string_view shop =
    "hosts:\n  bob: { run: http serve }\n"
    "  alice: { run: { do: http get http://bob/, at: 2s, expect: exit 0 } }\n"
    "links: [alice -- bob: { delay: 5ms }]\n";

// A person's `exec` waits for the end of what it started: there must be one.
TEST(Crash, WhatIsStartedOnAMachineThatIsDownFailsAtOnce) {
  struct Told final : ProgramObserver {
    void on_program_output(ProgramId, int, std::string_view) override {}
    void on_program_exited(ProgramId, int status, int) override { ends.push_back(status); }
    std::vector<int> ends;
  } told;
  Lab lab(
      "hosts:\n  bob: {}\n  alice: { run: ping bob -c 30 }\nlinks: [alice -- bob]\n"
      "at:\n  1s: crash alice\n  3s: restart alice\n");
  lab.run_to(2_s);
  const std::uint32_t alice = *lab.world->model().node("alice");
  const auto ping = [&] {
    Launch launch;
    launch.command = {"ping", "bob", "-c", "1"};
    lab.world->start(alice, std::move(launch), &told);
  };
  ping();
  EXPECT_EQ(told.ends, std::vector<int>{127});
  EXPECT_EQ(lab.world->programs().back().state, ProgramState::not_started);
  EXPECT_NE(lab.world->programs().back().problem.find("alice has crashed"), std::string::npos);
  lab.run_to(5_s);
  EXPECT_EQ(told.ends.size(), 1U);  // a restart is for what ran
  ping();
  lab.run_to(10_s);
  EXPECT_EQ(told.ends, (std::vector<int>{127, 0}));
}

// Its machine still answers: the connection is made, and waits for the program.
TEST(Pause, AServerThatStandsStillAnswersWhenItGoesOn) {
  Lab lab(std::string(shop) + "at:\n  1s: pause bob\n  5s: resume bob\n");
  lab.run_to(4_s);
  EXPECT_TRUE(lab.row("bob").is_paused);
  EXPECT_EQ(lab.row("alice").state, ProgramState::running);
  lab.world->run();
  EXPECT_FALSE(lab.row("bob").is_paused);
  EXPECT_EQ(lab.row("alice").state, ProgramState::exited);
  EXPECT_EQ(lab.row("alice").status, 0);
  EXPECT_GE(lab.row("alice").ended, Instant::start() + 5_s);
  EXPECT_LT(lab.row("alice").ended, Instant::start() + 5100_ms);
}

TEST(Pause, ASleeperThatIsPausedOversleeps) {
  Lab lab(
      "hosts:\n  bob: {}\n  alice: { run: ping bob -c 3 }\nlinks: [alice -- bob]\n"
      "at:\n  500ms: pause alice\n  7s: resume alice\n");
  lab.world->run();
  EXPECT_EQ(lab.row("alice").status, 0);
  // The second of its pings is due at 1 s and goes out at 7 s, the third a second later.
  EXPECT_EQ(lab.row("alice").ended, Instant::start() + 8_s);
}

TEST(Pause, WhatIsPausedCanBeKilledAndStartedAgain) {
  Lab lab(std::string(shop) + "at:\n  1s: pause bob\n  1500ms: kill bob\n  1700ms: start bob\n");
  lab.world->run();
  EXPECT_EQ(lab.row("alice").status, 0);
  EXPECT_LT(lab.row("alice").ended, Instant::start() + 2100_ms);
}

TEST(Mtu, ThatChangesIsKnownToTheMachinesAtBothEnds) {
  Lab lab(
      "hosts:\n  bob: { run: bulk serve }\n  alice: { run: bulk send bob 3000000 }\n"
      "links: [alice -- bob: { delay: 5ms, rate: 10Mbit }]\nat:\n  1s: set alice -- bob mtu "
      "1300\n");
  lab.run_to(900_ms);
  EXPECT_EQ(lab.frames.longest_of[1], 1514U);
  lab.run_to(1_s);
  lab.frames.longest_of.clear();
  lab.frames.from = lab.world->now() + 1_ns;
  lab.world->run();
  EXPECT_EQ(lab.frames.longest_of[1], 1314U);
  EXPECT_NE(lab.printed("bob").find("received 3000000 bytes, 0 wrong"), std::string::npos);
  EXPECT_EQ(
      lab.world->links()[0].a_counters.drops[static_cast<std::size_t>(DropReason::frame_too_long)],
      0U);
}

// Who is not at its ends hears of it by ICMP.
TEST(Mtu, ThatChangesBehindARouterIsToldByTheRouter) {
  Lab lab(
      "hosts:\n  bob: { run: bulk serve }\n  alice: { run: { do: bulk send bob 3000000, expect: "
      "exit 0 } }\n"
      "routers: [r1]\nlinks:\n  - alice -- r1\n  - r1 -- bob: { delay: 5ms, rate: 10Mbit }\n"
      "at:\n  1s: set r1 -- bob mtu 1300\ncheck:\n  - packets icmp > 0\n  - alice ends before "
      "4s\n");
  lab.world->run();
  for (const Verdict& each : lab.world->verdicts())
    EXPECT_TRUE(each.is_good) << each.text << each.happened;
}

TEST(Mtu, IsStillThatOfTheLinkAfterARestart) {
  Lab lab(
      "hosts:\n  bob: { run: bulk serve }\n  alice: { run: { do: bulk send bob 100000, at: 3s } }\n"
      "links: [alice -- bob]\nat:\n  1s: set alice -- bob mtu 1300\n  2s: [restart alice, restart "
      "bob]\n");
  lab.world->run();
  EXPECT_EQ(lab.frames.longest_of[1], 1314U);
}

// A clock that is twice as fast makes a second of half of one.
TEST(Clock, ByWhichAProgramSleepsIsItsMachines) {
  const std::string text =
      "hosts:\n  bob: {}\n  alice: { run: ping bob -c 5 }\nlinks: [alice -- bob: { delay: 5ms "
      "}]\nat:\n";
  Lab right(text + "  1h: heal all\n"), fast(text + "  0s: clock alice fast 100%\n"),
      slow(text + "  0s: clock alice slow 50%\n");
  for (Lab* lab : {&right, &fast, &slow}) {
    lab->world->run();
    EXPECT_EQ(lab->row("alice").status, 0);
  }
  EXPECT_EQ(right.row("alice").ended, Instant::start() + 4010_ms);
  EXPECT_EQ(fast.row("alice").ended, Instant::start() + 2010_ms);
  EXPECT_EQ(slow.row("alice").ended, Instant::start() + 8010_ms);
  // What it measures it measures by its own clock.
  EXPECT_NE(fast.printed("alice").find("time=20.000 ms"), std::string::npos);
  EXPECT_NE(slow.printed("alice").find("time=5.000 ms"), std::string::npos);
}

// A ping sleeps a second between two.
TEST(Clock, JumpsAheadAndWhatWasToComeMeanwhileHasCome) {
  Lab lab(
      "hosts:\n  bob: {}\n  alice: { run: ping bob -c 5 }\nlinks: [alice -- bob: { delay: 5ms }]\n"
      "at: { 500ms: clock alice ahead 400ms, 1s: clock alice ahead 1h }\n");
  lab.world->run();
  EXPECT_EQ(lab.row("alice").status, 0);
  // At 0.61 instead of 1 s, at 1 s instead of 1.61, then each second.
  EXPECT_EQ(lab.row("alice").ended, Instant::start() + 3010_ms);
  EXPECT_NE(lab.printed("alice").find("time=10.000 ms"), std::string::npos);
}

TEST(Clock, WhatASteppedOneShowsIsAskedBackExactly) {
  NodeClock clock;
  const auto at = [](Duration since) { return Instant::start() + since; };
  clock.step(at(10_s), 5_s);
  EXPECT_FALSE(clock.is_right());
  EXPECT_EQ(clock.read(at(10_s)), at(15_s));
  EXPECT_EQ(clock.when(at(12_s)), at(10_s));  // it never showed that
  EXPECT_EQ(clock.when(at(16_s)), at(11_s));
  clock.set_rate(at(11_s), 1'000'000'000);
  clock.step(at(12_s), 1_s);  // and goes on fast
  EXPECT_EQ(clock.read(at(13_s)), at(21_s));
}

// Nobody answers the SYN: it goes out again after a second of alice's own.
TEST(Clock, RunsTheTimersOfTheStackToo) {
  const std::string text =
      "until: 3s\nhosts:\n  bob: {}\n  alice:\n    run:\n      - ping 10.0.1.1 -c 1\n"
      "      - { do: http get http://10.0.1.1/, at: 200ms, expect: any }\n"
      "links: [alice -- bob]\ncheck: [SYN from alice to bob == 1 within 900ms]\n"
      "at:\n  100ms: [cut alice -> bob";
  Lab right(text + "]\n"), fast(text + ", clock alice fast 100%]\n");
  for (Lab* lab : {&right, &fast}) lab->world->run();
  EXPECT_TRUE(right.world->verdicts().back().is_good) << right.world->verdicts().back().happened;
  EXPECT_FALSE(fast.world->verdicts().back().is_good) << fast.world->verdicts().back().happened;
}

TEST(Clock, StaysAheadOnceItIsRightAgain) {
  NodeClock clock;
  const auto at = [](Duration since) { return Instant::start() + since; };
  EXPECT_EQ(clock.read(at(7_s)), at(7_s));
  EXPECT_EQ(clock.when(at(7_s)), at(7_s));
  clock.set_rate(at(10_s), 500'000'000);
  EXPECT_EQ(clock.read(at(12_s)), at(13_s));
  EXPECT_EQ(clock.when(at(13_s)), at(12_s));
  clock.set_rate(at(12_s), 0);
  EXPECT_FALSE(clock.is_right());
  EXPECT_EQ(clock.read(at(20_s)), at(21_s));
  EXPECT_EQ(clock.when(at(21_s)), at(20_s));
  EXPECT_EQ(clock.when(Instant::never()), Instant::never());
}

// `when` is the first moment at which it shows that much, to the nanosecond.
TEST(Clock, IsReadAndAskedBackExactly) {
  RandomStream dice = Seed(3).stream();
  for (int i = 0; i < 20'000; ++i) {
    NodeClock clock;
    const auto rate = static_cast<std::int64_t>(dice.below(1'900'000'001)) - clock_slow_max;
    clock.set_rate(Instant::at_ns(static_cast<std::int64_t>(dice.below(1ULL << 50))), rate);
    const Instant own = clock.read(Instant::at_ns(1LL << 50)) +
                        Duration::nanoseconds(static_cast<std::int64_t>(dice.below(1ULL << 45)));
    const Instant when = clock.when(own);
    ASSERT_GE(clock.read(when), own) << rate;
    ASSERT_LT(clock.read(when - 1_ns), own) << rate;
  }
}

TEST(Clock, IsSaidAndReadBack) {
  auto lab = parse_lab(shop, "t");
  ASSERT_TRUE(lab);
  const ActionReader reader(lab->model);
  for (const std::string_view line :
       {"clock bob fast 1%", "clock alice slow 0.02%", "clock bob right"}) {
    const auto actions = reader.read(line);
    ASSERT_TRUE(actions) << line;
    EXPECT_EQ(text_of(actions->front(), lab->model), line);
  }
  EXPECT_EQ(reader.read("clock bob fast 200ppm")->front().clock_parts, 200'000);
  // A live lab runs in real time.
  EXPECT_FALSE(ActionReader(lab->model, true).read("clock bob fast 1%"));
}

}  // namespace
}  // namespace lanyard::lab
