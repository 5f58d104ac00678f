// SPDX-License-Identifier: Apache-2.0
#include "core/task.hh"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace lanyard {
namespace {

using namespace literals;

Instant at(Duration since_start) {
  return Instant::start() + since_start;
}

TEST(Tasks, RunInTheOrderTheyBecameReady) {
  Tasks tasks;
  std::string log;
  Task* first = tasks.spawn([&] {
    log += "a";
    tasks.wait();
    log += "d";
  });
  tasks.spawn([&] {
    log += "b";
    tasks.spawn([&] { log += "e"; });
    tasks.wake(first);
    log += "c";
  });
  tasks.run(Instant::start());
  EXPECT_EQ(log, "abced");
  EXPECT_EQ(tasks.alive(), 0U);
}

TEST(Tasks, SleepEndsAtItsInstant) {
  Tasks tasks;
  std::vector<Instant> seen;
  tasks.spawn([&] {
    tasks.sleep(3_s);
    seen.push_back(tasks.now());
    tasks.sleep(1_ms);
    seen.push_back(tasks.now());
  });
  tasks.run(Instant::start());
  EXPECT_EQ(tasks.next_deadline(), at(3_s));
  tasks.run(at(2_s));
  EXPECT_TRUE(seen.empty());
  tasks.run(at(3_s));
  EXPECT_EQ(tasks.next_deadline(), at(3001_ms));
  tasks.run(at(4_s));
  EXPECT_EQ(seen, (std::vector{at(3_s), at(4_s)}));
  EXPECT_EQ(tasks.next_deadline(), Instant::never());
}

TEST(Tasks, SleepersOfOneInstantWakeInTheOrderTheyFellAsleep) {
  Tasks tasks;
  std::string log;
  for (const char name : {'x', 'y', 'z'}) {
    tasks.spawn([&, name] {
      tasks.sleep(1_s);
      log += name;
    });
  }
  tasks.run(Instant::start());
  tasks.run(at(1_s));
  EXPECT_EQ(log, "xyz");
}

TEST(Tasks, WaitTellsWhetherItWasWokenOrTheDeadlineCame) {
  Tasks tasks;
  std::vector<bool> woken;
  Task* task = tasks.spawn([&] {
    woken.push_back(tasks.wait(at(5_s)));
    woken.push_back(tasks.wait(at(5_s)));
  });
  tasks.run(Instant::start());
  tasks.wake(task);
  tasks.wake(task);  // ready already: counts once
  tasks.run(at(1_s));
  tasks.run(at(5_s));
  EXPECT_EQ(woken, (std::vector<bool>{true, false}));
  tasks.wake(task);  // has ended: nothing
  EXPECT_FALSE(tasks.has_ready());
}

TEST(Tasks, AHeldTaskRunsWhenItIsLetGoAndKnowsWhatCameMeanwhile) {
  Tasks tasks;
  std::string log;
  Task* const sleeper = tasks.spawn([&] {
    tasks.sleep(10_ms);
    log += "s";
  });
  Task* const waiter = tasks.spawn([&] {
    log += tasks.wait() ? "w" : "?";
    tasks.wait();
    log += "never";
  });
  Task* const fresh = tasks.spawn([&] { log += "f"; });
  tasks.hold(fresh);  // before it has begun
  tasks.run(at(0_ms));
  for (Task* task : {sleeper, waiter}) tasks.hold(task);
  tasks.wake(waiter);
  tasks.run(at(20_ms));
  EXPECT_EQ(log, "");
  EXPECT_EQ(tasks.next_deadline(), Instant::never());
  for (Task* task : {fresh, waiter, sleeper}) tasks.let_go(task);
  tasks.run(at(30_ms));
  EXPECT_EQ(log, "fws");
  tasks.hold(waiter);
  tasks.end(waiter);  // held or not
  tasks.run(at(40_ms));
  EXPECT_EQ(tasks.alive(), 0U);
  EXPECT_EQ(log, "fws");
}

TEST(Tasks, EndedTaskUnwindsItsStack) {
  Tasks tasks;
  bool unwound = false;
  bool went_on = false;
  struct Guard {
    bool* flag;
    ~Guard() { *flag = true; }
  };
  Task* task = tasks.spawn([&] {
    Guard guard{&unwound};
    tasks.wait();
    went_on = true;
  });
  tasks.run(Instant::start());
  tasks.end(task);
  EXPECT_FALSE(unwound);  // at the next run, not inside end()
  tasks.run(Instant::start());
  EXPECT_TRUE(unwound);
  EXPECT_FALSE(went_on);
  EXPECT_TRUE(tasks.has_ended(task));
  tasks.drop_ended();
}

TEST(Tasks, TaskEndedBeforeItBeganNeverRuns) {
  Tasks tasks;
  bool ran = false;
  Task* task = tasks.spawn([&] { ran = true; });
  tasks.end(task);
  tasks.run(Instant::start());
  EXPECT_FALSE(ran);
  EXPECT_TRUE(tasks.has_ended(task));
}

TEST(Tasks, TaskMayEndItselfAtItsNextWait) {
  Tasks tasks;
  std::string log;
  tasks.spawn([&] {
    tasks.end(tasks.current());
    log += "a";
    tasks.wait();
    log += "b";
  });
  tasks.run(Instant::start());
  EXPECT_EQ(log, "a");
  EXPECT_EQ(tasks.alive(), 0U);
}

TEST(Tasks, DestructionUnwindsWhatStillWaits) {
  int unwound = 0;
  struct Guard {
    int* count;
    ~Guard() { ++*count; }
  };
  {
    Tasks tasks;
    for (int i = 0; i < 100; ++i) {
      tasks.spawn([&] {
        Guard guard{&unwound};
        tasks.wait();
      });
    }
    tasks.spawn([&] { tasks.sleep(1_s); });
    tasks.run(Instant::start());
    tasks.spawn([] {});  // never begun
  }
  EXPECT_EQ(unwound, 100);
}

TEST(Tasks, WhatATaskThrowsComesOutOfRunAndTheOthersGoOn) {
  Tasks tasks;
  bool other_ran = false;
  Task* bad = tasks.spawn([] { throw std::runtime_error("oops"); });
  tasks.spawn([&] { other_ran = true; });
  EXPECT_THROW(tasks.run(Instant::start()), std::runtime_error);
  EXPECT_TRUE(tasks.has_ended(bad));
  tasks.run(Instant::start());
  EXPECT_TRUE(other_ran);
}

TEST(Tasks, MayWaitInsideACatchBlock) {
  Tasks tasks;
  std::vector<std::string> caught;
  const auto body = [&](const std::string& text, Duration nap) {
    try {
      throw std::runtime_error(text);
    } catch (const std::runtime_error& error) {
      tasks.sleep(nap);
      try {
        throw;  // the exception this task handles, not another's
      } catch (const std::runtime_error& again) {
        caught.emplace_back(again.what());
      }
    }
  };
  tasks.spawn([&] { body("first", 2_s); });
  tasks.spawn([&] { body("second", 1_s); });
  tasks.run(Instant::start());
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  EXPECT_EQ(std::current_exception(), nullptr);
  tasks.run(at(1_s));
  tasks.run(at(2_s));
  EXPECT_EQ(caught, (std::vector<std::string>{"second", "first"}));
}

TEST(Tasks, TasksOfOneHostMayRunInsideATaskOfAnother) {
  Tasks outer;
  Tasks inner;
  std::string log;
  inner.spawn([&] {
    log += "i";
    inner.sleep(1_s);
    log += "j";
  });
  outer.spawn([&] {
    inner.run(outer.now());
    outer.sleep(1_s);
    inner.run(outer.now());
    log += "o";
  });
  outer.run(Instant::start());
  outer.run(at(1_s));
  EXPECT_EQ(log, "ijo");
}

TEST(Tasks, ThousandsOfTasksComeAndGo) {
  Tasks tasks;
  int ended = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 200; ++i) {
      tasks.spawn([&] {
        tasks.sleep(1_ms);
        ++ended;
      });
    }
    tasks.run(at(10_ms * round));
    tasks.run(at(10_ms * round + 1_ms));
    tasks.drop_ended();
  }
  EXPECT_EQ(ended, 10'000);
}

}  // namespace
}  // namespace lanyard
