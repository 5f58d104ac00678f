// SPDX-License-Identifier: Apache-2.0
#include "device/event_loop.hh"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "core/check.hh"

namespace lanyard::device {
namespace {

constexpr std::size_t events_per_round_max = 256;

std::int64_t monotonic_ns() {
  timespec time{};
  CHECK(::clock_gettime(CLOCK_MONOTONIC, &time) == 0);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

[[noreturn]] void fail(const char* call) {
  throw std::system_error(errno, std::generic_category(), call);
}

// Waits at most `patience`. Kernels before 5.11 have no epoll_pwait2; there a deadline is met up to
// a millisecond late.
int wait_for_events(int epoll, std::span<epoll_event> events, Duration patience) {
  const int count = static_cast<int>(events.size());
  if (patience == Duration::infinite()) return ::epoll_wait(epoll, events.data(), count, -1);
  const std::int64_t ns = patience.count_ns();
  timespec timeout{};
  timeout.tv_sec = ns / 1'000'000'000;
  timeout.tv_nsec = ns % 1'000'000'000;
  const int ready = ::epoll_pwait2(epoll, events.data(), count, &timeout, nullptr);
  if (ready >= 0 || errno != ENOSYS) return ready;
  constexpr std::int64_t ms_max = 86'400'000;
  const std::int64_t ms = patience.count_ms() + (ns % 1'000'000 != 0 ? 1 : 0);
  return ::epoll_wait(epoll, events.data(), count, static_cast<int>(std::min(ms, ms_max)));
}

}  // namespace

struct EventLoop::State {
  // The generation tells a descriptor from a later one of the same number.
  struct Watch {
    std::uint32_t generation;
    std::shared_ptr<Callback> callback;
  };
  int epoll = -1;
  std::int64_t began_ns = monotonic_ns();
  Instant now;
  bool is_running = false;
  bool is_stopping = false;
  std::uint32_t generations = 0;
  std::map<int, Watch> watches;
  std::vector<std::function<void()>> deferred;
  Driven* driven = nullptr;

  void read_clock() { now = Instant::at_ns(monotonic_ns() - began_ns); }
  void run_round();
  void call_back(const epoll_event& event);
  void run_deferred();
  [[nodiscard]] Duration patience() const;
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {
  state_->epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (state_->epoll < 0) fail("epoll_create1");
}

EventLoop::~EventLoop() {
  ::close(state_->epoll);
}

Instant EventLoop::now() const {
  if (!state_->is_running) state_->read_clock();
  return state_->now;
}

void EventLoop::watch(int descriptor, std::uint32_t epoll_events, Callback callback) {
  const std::uint32_t generation = ++state_->generations;
  epoll_event event{};
  event.events = epoll_events;
  event.data.u64 = std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(descriptor);
  // Somebody may have closed a watched descriptor and got its number again: then the kernel has
  // forgotten it by itself.
  const bool is_known = state_->watches.contains(descriptor);
  const int first = is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  const int second = is_known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (::epoll_ctl(state_->epoll, first, descriptor, &event) != 0) {
    if (errno != ENOENT && errno != EEXIST) fail("epoll_ctl");
    if (::epoll_ctl(state_->epoll, second, descriptor, &event) != 0) fail("epoll_ctl");
  }
  state_->watches.insert_or_assign(
      descriptor, State::Watch{generation, std::make_shared<Callback>(std::move(callback))});
}

void EventLoop::forget(int descriptor) {
  if (state_->watches.erase(descriptor) == 0) return;
  // Fails if the descriptor has been closed already: then it is forgotten as well.
  ::epoll_ctl(state_->epoll, EPOLL_CTL_DEL, descriptor, nullptr);
}

void EventLoop::defer(std::function<void()> call) {
  state_->deferred.push_back(std::move(call));
}

void EventLoop::drive(Driven* driven) {
  state_->driven = driven;
}

void EventLoop::run() {
  CHECK(!state_->is_running);
  state_->is_running = true;
  // Deadlines are met as they are, not up to 50 microseconds later together with others'.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  while (!state_->is_stopping) state_->run_round();
  state_->is_running = false;
  state_->is_stopping = false;
}

void EventLoop::stop() {
  state_->is_stopping = true;
}

Duration EventLoop::State::patience() const {
  if (is_stopping || !deferred.empty()) return Duration::zero();
  const Instant deadline = driven == nullptr ? Instant::never() : driven->next_deadline();
  if (deadline == Instant::never()) return Duration::infinite();
  // The clock is read again: running the world took time, too.
  return std::max(deadline - Instant::at_ns(monotonic_ns() - began_ns), Duration::zero());
}

void EventLoop::State::run_round() {
  read_clock();
  if (driven != nullptr) driven->run_until(now);
  if (!deferred.empty()) {
    // What the world woke is served, and the world goes on with it, without a wait in between.
    run_deferred();
    if (driven != nullptr) driven->run_until(now);
  }
  std::array<epoll_event, events_per_round_max> events;
  const int ready = wait_for_events(epoll, events, patience());
  if (ready < 0 && errno != EINTR) fail("epoll_wait");
  read_clock();
  for (int i = 0; i < ready; ++i) call_back(events.at(static_cast<std::size_t>(i)));
  run_deferred();
}

void EventLoop::State::call_back(const epoll_event& event) {
  const auto descriptor = static_cast<int>(event.data.u64 & 0xffffffff);
  const auto found = watches.find(descriptor);
  if (found == watches.end() || found->second.generation != event.data.u64 >> 32) return;
  const std::shared_ptr<Callback> callback = found->second.callback;  // it may forget itself
  (*callback)(event.events);
}

void EventLoop::State::run_deferred() {
  std::vector<std::function<void()>> calls;
  std::swap(calls, deferred);
  for (const auto& call : calls) call();
}

}  // namespace lanyard::device
