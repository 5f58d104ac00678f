// SPDX-License-Identifier: Apache-2.0
// A machine's own clock: by it go its timers, its programs and whatever it measures. It is right
// until a timeline says that it goes fast or slow, or jumps ahead; what it is ahead or behind by
// then stays.
#pragma once

#include "core/time.hh"

namespace lanyard::lab {

class NodeClock {
 public:
  // What it shows when the world's time is `now`. Never goes back.
  [[nodiscard]] Instant read(Instant now) const {
    if (is_right_ || now == Instant::never()) return now;
    return own_ + shown((now - world_).count_ns());
  }
  // The first moment of the world at which it shows `own` or more.
  [[nodiscard]] Instant when(Instant own) const {
    if (is_right_ || own == Instant::never()) return own;
    const std::int64_t wanted = (own - own_).count_ns();
    if (wanted <= 0) return world_;
    const std::int64_t rate = second + parts_;
    std::int64_t elapsed = wanted / rate * second + wanted % rate * second / rate;
    while (shown(elapsed).count_ns() < wanted) ++elapsed;
    while (elapsed > 0 && shown(elapsed - 1).count_ns() >= wanted) --elapsed;
    return world_ + Duration::nanoseconds(elapsed);
  }
  // From `now` on it gains so many parts of a thousand million; negative: it loses them.
  void set_rate(Instant now, std::int64_t parts_per_billion) {
    own_ = read(now);
    world_ = now;
    parts_ = parts_per_billion;
    is_right_ = parts_ == 0 && own_ == world_;
  }
  // It shows so much more from `now` on.
  void step(Instant now, Duration ahead) {
    set_rate(now, parts_);
    own_ += ahead;
    is_right_ = is_right_ && ahead == Duration::zero();
  }
  [[nodiscard]] bool is_right() const { return is_right_; }

 private:
  static constexpr std::int64_t second = 1'000'000'000;
  // In two steps, so that nothing overflows; rounded down.
  [[nodiscard]] Duration shown(std::int64_t elapsed) const {
    const std::int64_t part = elapsed % second * parts_;
    const std::int64_t down = part / second - (part % second < 0 ? 1 : 0);
    return Duration::nanoseconds(elapsed + elapsed / second * parts_ + down);
  }
  Instant world_, own_;  // it showed `own_` then
  std::int64_t parts_ = 0;
  bool is_right_ = true;
};

// What a timeline may ask of one.
inline constexpr std::int64_t clock_fast_max = 1'000'000'000;  // twice as fast
inline constexpr std::int64_t clock_slow_max = 900'000'000;    // a tenth as fast
inline constexpr Duration clock_step_max = Duration::seconds(366 * 86'400);

}  // namespace lanyard::lab
