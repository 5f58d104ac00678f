// SPDX-License-Identifier: Apache-2.0
// The real-time loop with pipes. No test waits longer than a few milliseconds.
#include "device/event_loop.hh"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace lanyard::device {
namespace {

using namespace literals;

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() { EXPECT_EQ(::pipe(ends.data()), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  [[nodiscard]] int out() const { return ends[0]; }
  void put(char byte) const { EXPECT_EQ(::write(ends[1], &byte, 1), 1); }
  [[nodiscard]] char get() const {
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    return byte;
  }
};

// A world with one deadline, which stops the loop when it comes.
class Alarm : public Driven {
 public:
  Alarm(EventLoop& loop, Duration delay) : loop_(loop), deadline_(loop.now() + delay) {}
  void run_until(Instant now) override {
    ++rounds;
    if (now < deadline_) return;
    rang_at = now;
    deadline_ = Instant::never();
    loop_.stop();
  }
  [[nodiscard]] Instant next_deadline() const override { return deadline_; }
  [[nodiscard]] Instant due() const { return deadline_; }

  int rounds = 0;
  Instant rang_at = Instant::never();

 private:
  EventLoop& loop_;
  Instant deadline_;
};

Duration processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return Duration::seconds(time.tv_sec) + Duration::nanoseconds(time.tv_nsec);
}

TEST(EventLoop, CallsBackWhenADescriptorIsReady) {
  EventLoop loop;
  Pipe pipe;
  std::string got;
  loop.watch(pipe.out(), EPOLLIN, [&](std::uint32_t events) {
    EXPECT_NE(events & EPOLLIN, 0U);
    got += pipe.get();
    if (got.size() == 2) loop.stop();
  });
  pipe.put('a');
  pipe.put('b');
  loop.run();
  EXPECT_EQ(got, "ab");
}

TEST(EventLoop, DeadlineComesNeverEarlyAndWithoutSpinning) {
  EventLoop loop;
  Alarm alarm(loop, 20_ms);
  const Instant due = alarm.due();
  const Duration before = processor_time();
  loop.drive(&alarm);
  loop.run();
  EXPECT_GE(alarm.rang_at, due);
  EXPECT_LE(alarm.rounds, 4);
  EXPECT_LT(processor_time() - before, 10_ms);
}

TEST(EventLoop, ForgottenInsideACallbackIsNotCalledInTheSameRound) {
  EventLoop loop;
  Pipe first;
  Pipe second;
  int calls = 0;
  const auto watch = [&](const Pipe& mine, const Pipe& other) {
    loop.watch(mine.out(), EPOLLIN, [&](std::uint32_t) {
      ++calls;
      loop.forget(other.out());
      loop.forget(mine.out());  // itself, too
      loop.defer([&] { loop.stop(); });
    });
  };
  watch(first, second);
  watch(second, first);
  first.put('x');
  second.put('x');
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, StaleEventDoesNotReachANewWatcherOfTheSameNumber) {
  EventLoop loop;
  Pipe first;
  Pipe second;
  int wrong = 0;
  const auto replace_other = [&](const Pipe& mine, const Pipe& other) {
    loop.watch(mine.out(), EPOLLIN, [&](std::uint32_t) {
      loop.forget(mine.out());
      loop.forget(other.out());
      EXPECT_EQ(other.get(), 'x');  // nothing is left to read: only a stale event could call
      loop.watch(other.out(), EPOLLIN, [&](std::uint32_t) { ++wrong; });
      loop.stop();
    });
  };
  replace_other(first, second);
  replace_other(second, first);
  first.put('x');
  second.put('x');
  loop.run();
  EXPECT_EQ(wrong, 0);
}

TEST(EventLoop, WatchingAgainReplaces) {
  EventLoop loop;
  Pipe pipe;
  std::string log;
  loop.watch(pipe.out(), EPOLLIN, [&](std::uint32_t) { log += "old"; });
  loop.watch(pipe.out(), EPOLLIN, [&](std::uint32_t) {
    log += "new";
    loop.stop();
  });
  pipe.put('x');
  loop.run();
  EXPECT_EQ(log, "new");
}

TEST(EventLoop, ClosedWithoutForgettingAndTheNumberUsedAgain) {
  EventLoop loop;
  auto gone = std::make_unique<Pipe>();
  const int number = gone->out();
  loop.watch(number, EPOLLIN, [](std::uint32_t) { FAIL(); });
  gone.reset();
  Pipe pipe;
  ASSERT_EQ(pipe.out(), number);
  loop.watch(pipe.out(), EPOLLIN, [&](std::uint32_t) { loop.stop(); });
  pipe.put('x');
  loop.run();
  loop.forget(number);
  loop.forget(number);  // nothing
}

TEST(EventLoop, DeferredCallsRunAfterAllCallbacksOfTheRound) {
  EventLoop loop;
  Pipe first;
  Pipe second;
  std::string log;
  for (const Pipe* pipe : {&first, &second}) {
    loop.watch(pipe->out(), EPOLLIN, [&, pipe](std::uint32_t) {
      log += pipe->get();
      loop.defer([&] {
        log += 'd';
        if (log.size() == 4) loop.stop();
      });
    });
  }
  first.put('x');
  second.put('x');
  loop.run();
  EXPECT_EQ(log, "xxdd");
}

TEST(EventLoop, NowStandsStillDuringARound) {
  EventLoop loop;
  Pipe pipe;
  loop.watch(pipe.out(), EPOLLIN, [&](std::uint32_t) {
    const Instant first = loop.now();
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(loop.now(), first);
    loop.stop();
  });
  pipe.put('x');
  loop.run();
}

// A world that asks for something at its first turn.
class Asker : public Driven {
 public:
  explicit Asker(EventLoop& loop) : loop_(loop) {}
  void run_until(Instant) override {
    told += "run ";
    if (told == "run ") loop_.defer([this] { told += "deferred "; });
    if (told == "run deferred run ") loop_.stop();
  }
  [[nodiscard]] Instant next_deadline() const override { return Instant::never(); }
  std::string told;

 private:
  EventLoop& loop_;
};

// Nothing is due and nobody calls: a wait in between would last for ever.
TEST(EventLoop, WhatTheWorldDefersIsDoneBeforeTheLoopWaits) {
  EventLoop loop;
  Asker asker(loop);
  loop.drive(&asker);
  loop.run();
  EXPECT_EQ(asker.told, "run deferred run ");
}

}  // namespace
}  // namespace lanyard::device
