// SPDX-License-Identifier: Apache-2.0
// The fields of congestion controls, for folding. Internal to folded.cc.
#pragma once

#include "transport/congestion/cubic.hh"
#include "transport/congestion/new_reno.hh"
#include "transport/tcp/connection.hh"
#include "transport/tcp/fold.hh"

namespace lanyard::tcp {

struct CongestionFields {
  // A time that is not there, or lies near another.
  template <typename Fold, typename Time>
  [[gnu::always_inline]] static void fold_time(Fold& f, Time& time, Time none, Time near) {
    bool is_none = time == none;
    f(is_none, true);
    if (is_none) {
      time = none;
    } else {
      f(time, near);
    }
  }

  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, congestion::SlowStart& s, Duration near) {
    constexpr Duration none = Duration::infinite();
    fold_time(f, s.last_least_, none, near);
    fold_time(f, s.least_, none, near);
    fold_time(f, s.baseline_, none, near);
    f(s.round_left_, 0);
    f(s.samples_, 1);
    f.together(Guessed{s.rounds_left_, UINT8_MAX}, Guessed{s.is_first_, true},
               Guessed{s.is_conservative_, false});
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, congestion::Cubic::State& s,
                                          std::uint32_t window) {
    f(s.window, window);
    f.together(Guessed{s.threshold, UINT32_MAX}, Guessed{s.most, 0}, Guessed{s.prior, 0},
               Guessed{s.estimate, 0}, Guessed{s.rise_ms, 0}, Guessed{s.has_epoch, false},
               Guessed{s.is_after_timeout, false}, Guessed{s.epoch, Instant::start()});
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, congestion::Cubic& control,
                                          const Connection& c) {
    f(control.segment_, c.mss);
    f(control.part_, 0);
    f(control.estimate_part_, 0);
    fold_time(f, control.unused_since_, Instant::never(), c.last_acked);
    fold(f, control.state_, congestion::initial_window(c.mss));
    fold(f, control.before_, 0);
    fold(f, control.slow_start_, c.round_trip.least());
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, congestion::NewReno& control,
                                          const Connection& c) {
    f(control.segment_, c.mss);
    f(control.window_, congestion::initial_window(c.mss));
    f(control.threshold_, UINT32_MAX);
    f(control.before_.window, 0);
    f(control.before_.threshold, 0);
    f(control.counted_, 0);
  }
};

// Whoever gives one of these another field has to say above how it is folded.
static_assert(sizeof(congestion::Cubic) == 168 && sizeof(congestion::NewReno) == 32 &&
              sizeof(congestion::SlowStart) == 32);

}  // namespace lanyard::tcp
