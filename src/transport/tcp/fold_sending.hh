// SPDX-License-Identifier: Apache-2.0
// The fields of what a connection has from the first data it sends on, for folding: memory of
// losses, rates. Internal to folded.cc.
#pragma once

#include "transport/tcp/connection.hh"
#include "transport/tcp/fold.hh"

namespace lanyard::tcp {

struct SendingFields {
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, Rack& rack, const Connection& c) {
    f(rack.newest_.at, c.recovery->last_sent);
    f(rack.newest_.order, 1);
    f(rack.newest_.end, c.sender.una());
    f(rack.round_trip_, c.round_trip.least());
    f.together(Guessed{rack.refused_, Instant::start()}, Guessed{rack.late_, Duration::zero()},
               Guessed{rack.duplicate_round_, SequenceNumber()}, Guessed{rack.reorderings_, 0},
               Guessed{rack.disorder_, 0}, Guessed{rack.has_delivery_, true},
               Guessed{rack.has_seen_reordering_, false}, Guessed{rack.has_duplicate_round_, false},
               Guessed{rack.steps_, 1}, Guessed{rack.persist_, 0});
    f(rack.high_, c.sender.una());
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, RateReduction& rate) {
    f.together(Guessed{rate.delivered_, 0}, Guessed{rate.out_, 0}, Guessed{rate.before_, 1},
               Guessed{rate.target_, 0}, Guessed{rate.window_, 0});
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, Busy& busy, Duration near) {
    f(busy.all_.sum, near);
    f.together(Guessed{busy.all_.since, Instant::never()},
               Guessed{busy.by_window_.sum, Duration::zero()},
               Guessed{busy.by_window_.since, Instant::never()},
               Guessed{busy.by_buffer_.sum, Duration::zero()},
               Guessed{busy.by_buffer_.since, Instant::never()});
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, DeliveryRate& d, const Connection& c) {
    f(d.delivered_, c.counters.bytes_acked);
    f(d.delivered_at_, c.last_acked);
    f(d.first_sent_at_, c.recovery->last_sent);
    f(d.limited_until_, d.delivered_ + 1);
    f(d.rate_, 0);
    f(d.timed_delivered_, d.delivered_);
    f.together(Guessed{d.timed_delivered_at_, d.first_sent_at_},
               Guessed{d.timed_first_sent_at_, d.first_sent_at_}, Guessed{d.timed_order_, 1},
               Guessed{d.is_timing_, false}, Guessed{d.is_timed_limited_, true},
               Guessed{d.is_rate_limited_, true});
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, Pacer& pacer) {
    f.together(Guessed{pacer.rate_, 0}, Guessed{pacer.next_at_, Instant::start()},
               Guessed{pacer.late_, Duration::zero()}, Guessed{pacer.mss_, 0},
               Guessed{pacer.burst_, 0}, Guessed{pacer.left_, 0},
               Guessed{pacer.is_waiting_, false});
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, Recovery& r, const Connection& c) {
    f(r.last_sent, c.last_sent);
    fold(f, r.rack, c);
    fold(f, r.rate);
    fold(f, *r.rates, c);
    fold(f, r.busy, c.round_trip.least());
    f.next_word();
    f.together(Guessed{r.undo_from, SequenceNumber()}, Guessed{r.resent, 0},
               Guessed{r.first_resent_at, Instant::never()}, Guessed{r.may_undo, false},
               Guessed{r.is_reduced, false}, Guessed{r.is_watching_timeout, false},
               Guessed{r.is_probing, false}, Guessed{r.probe_was_resent, false},
               Guessed{r.probe_end, SequenceNumber()}, Guessed{r.is_slowing, false},
               Guessed{r.is_limited, false}, Guessed{r.is_echo_awaited, false},
               Guessed{r.answered, c.sender.iss() + 1}, Guessed{r.late_end, c.sender.iss() + 1},
               Guessed{r.undone, 0}, Guessed{r.probes, 0}, Guessed{r.duplicates_reported, 0});
    f(r.most_out, 0);
    f(r.usage_end, c.sender.una());
    f(r.timer_from, c.last_acked);
    f(r.delivered, 1);
    f(r.segments_out, r.delivered);
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, Rates& rates, const Connection& c) {
    fold(f, rates.delivery, c);
    fold(f, rates.pacer);
  }
};

// Whoever gives one of these another field has to say above how it is folded.
static_assert(sizeof(Recovery) == 240 && sizeof(Rates) == 112);

}  // namespace lanyard::tcp
