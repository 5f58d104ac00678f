// SPDX-License-Identifier: Apache-2.0
// The one place that reads the clock and waits: an epoll(7) loop that drives a world (or a single
// stack) in real time. Single-threaded: every callback runs on the thread that calls run(), so
// worlds, stacks and guests need no locks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/time.hh"

namespace lanyard::device {

// What the loop drives. run_until(now) does everything due up to `now`; next_deadline() says when
// it must be called again.
class Driven {
 public:
  virtual void run_until(Instant now) = 0;
  [[nodiscard]] virtual Instant next_deadline() const = 0;

 protected:
  ~Driven() = default;
};

class EventLoop {
 public:
  using Callback = std::function<void(std::uint32_t epoll_events)>;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // CLOCK_MONOTONIC since this loop was made; the same value during one round of callbacks.
  [[nodiscard]] Instant now() const;

  // Calls `callback` with the EPOLL* bits whenever `descriptor` is ready for `epoll_events`. The
  // descriptor stays the caller's. Watching again replaces; forget before closing. Both may be
  // called from inside callbacks.
  void watch(int descriptor, std::uint32_t epoll_events, Callback callback);
  void forget(int descriptor);
  // Once, before the loop waits again: at the end of the present round of callbacks, or behind the
  // driven world's turn if that asks for it; then the world has another.
  void defer(std::function<void()> call);

  void drive(Driven* driven);
  // Rounds of: read the clock, driven->run_until(now), what was deferred, wait for descriptors or
  // the next deadline, callbacks; until stop().
  void run();
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lanyard::device
