// SPDX-License-Identifier: Apache-2.0
// A hierarchical timer wheel (Varghese and Lauck): arming, moving and stopping a timer is O(1), a
// million idle timers cost no time, and timers fire in the order of (deadline, arming), which is
// the same in every run. A timer that is put off or stopped, as one is with every segment, stays
// where it lies until its turn comes there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/time.hh"

namespace lanyard {

class Timers;

// Embedded in what it wakes. Destroying an armed timer stops it.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() {
    if (owner_ != nullptr) take_out();
  }

  [[nodiscard]] bool is_armed() const { return deadline_ != Instant::never(); }
  // When it fires; never() if it is not armed.
  [[nodiscard]] Instant deadline() const { return deadline_; }
  void stop();

 private:
  friend class Timers;
  void take_out();
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  Timers* owner_ = nullptr;  // in whose wheel it lies, armed or not
  Instant deadline_ = Instant::never();
  std::uint64_t order_ = 0;
  std::uint32_t place_ = 0;  // its slot in the wheel, or its index among those that are near
};

class Timers {
 public:
  explicit Timers(Instant now = Instant::start());
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  ~Timers();

  // Arms `timer` for `deadline`, or moves it there. A deadline in the past fires at the next pop;
  // one of never() stops it.
  void arm(Timer& timer, Instant deadline);
  // The next timer whose deadline is not after `now`, disarmed; null when there is none. Call until
  // null.
  [[nodiscard]] Timer* pop(Instant now);
  // When pop will next have something: exact, never late; never() with no timer armed.
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t armed() const { return armed_; }

 private:
  friend class Timer;
  struct Wheel;
  void forget(Timer& timer);
  std::unique_ptr<Wheel> wheel_;
  std::size_t armed_ = 0;
};

}  // namespace lanyard
