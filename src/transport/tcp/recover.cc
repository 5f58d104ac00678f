// SPDX-License-Identifier: Apache-2.0
// Loss: found by RACK (RFC 8985) or three duplicates (RFC 5681, RFC 6582), repaired at the rate of
// RFC 6937, probed for at the tail, and forgiven when it turns out that nothing was lost.
#include <algorithm>

#include "transport/tcp/arrives_plain.hh"
#include "transport/tcp/path_probe.hh"

namespace lanyard::tcp {

namespace {

constexpr std::uint32_t duplicates_needed = 3;  // DupThresh

LossRule rule_for(Instant now, const Connection& c) {
  const Flight* const flight = c.sender.in_flight();
  return c.recovery->rack.rule(
      now,
      {.least_round_trip = c.round_trip.least(),
       .smoothed_round_trip = c.round_trip.smoothed(),
       .variation = c.round_trip.variation(),
       .is_recovering = c.sender.recovery() != Sender::Recovery::none,
       .has_enough_held = flight != nullptr && flight->held_segments(c.mss) >= duplicates_needed});
}

bool is_fast(const Connection& c) {
  return c.sender.recovery() == Sender::Recovery::fast;
}

void emit_window(const Machine& m, Instant now, const Connection& c) {
  if (!m.is_watched()) return;
  m.emit(now, EventKind::tcp_window,
         {static_cast<std::int64_t>(c.id), congestion_window(c), c.congestion->threshold(),
          c.sender.window(), c.sender.flight()});
}

// RFC 5681 3.1: the window grows with what is acknowledged cumulatively; with what SACK reports
// only where the path is known to reorder, as Linux. Without SACK what duplicates stood for has
// counted.
std::uint32_t grown_by(const Connection& c, const Acked& acked) {
  const std::uint32_t octets = acked.delivery.octets;
  if (!acked.is_new) return c.recovery->rack.has_seen_reordering() ? octets : 0;
  if (c.has_sack || octets <= c.mss) return octets;
  return octets - std::min(acked.duplicates * c.mss, octets - c.mss);
}

void grow(Instant now, Connection& c, const Acked& acked, bool was_fast) {
  c.recovery->rates->delivery.take(acked.delivery, c.sender.flight());
  const std::uint32_t octets = grown_by(c, acked);
  if (octets == 0) return;
  const Delivery& delivery = acked.delivery;
  // As Linux: slow start may grow to twice what was in use.
  const bool is_slow_start = c.congestion->window() < c.congestion->threshold();
  const bool is_half_used = c.congestion->window() < 2 * std::uint64_t{c.recovery->most_out};
  const bool is_timed = delivery.has_original && !delivery.has_resent;
  c.congestion->on_acknowledged(
      {.now = now,
       .bytes = octets,
       .flight = acked.flight,
       .was_limited = c.recovery->is_limited || (is_slow_start && is_half_used),
       .in_recovery = was_fast,
       .round_trip = c.round_trip.smoothed(),
       .sample = is_timed ? now - delivery.last_original_sent_at : Duration::zero()});
}

// RFC 2883 5, RFC 8985 6.2 step 4. A D-SACK of a tail probe says nothing about the path.
void take_duplicate_report(Connection& c, const SackBlock& duplicate) {
  Recovery& recovery = *c.recovery;
  ++recovery.duplicates_reported;
  recovery.rack.take_duplicate(c.sender.una(), c.sender.next());
  if (!recovery.may_undo || before(duplicate.left, recovery.undo_from)) return;
  const auto size = static_cast<std::uint32_t>(duplicate.right - duplicate.left);
  recovery.resent -= std::min(recovery.resent, size);
}

// RFC 3522 3.2 steps 3 to 5: the first ACK that moves on after the oldest segment was sent again
// decides, and no other: it echoes a time from before.
bool is_of_original(Recovery& recovery, const Connection& c, const Acked& acked) {
  if (!acked.is_new || !recovery.is_echo_awaited) return false;
  recovery.is_echo_awaited = false;
  const Delivery& delivery = acked.delivery;
  // Step 5: where all ACKs were lost, the last of them may be one for the original.
  if (delivery.duplicate || (c.sender.flight() == 0 && recovery.duplicates_reported == 0))
    return false;
  return delivery.echo_ms && *delivery.echo_ms < recovery.first_resent_at.since_start().count_ms();
}

// Whether what was done about a loss was for nothing; if so it is undone (RFC 4015 3.2).
bool undo_if_spurious(Connection& c, const Acked& acked) {
  Recovery& recovery = *c.recovery;
  if (!recovery.may_undo) return false;
  const Delivery& delivery = acked.delivery;
  const bool is_recovering = c.sender.recovery() != Sender::Recovery::none;
  const bool was_resent = recovery.first_resent_at != Instant::never();
  const bool is_original = is_recovering && is_of_original(recovery, c, acked);
  // RFC 2883: all that was sent again had arrived already.
  const bool is_all_duplicate = was_resent && recovery.resent == 0;
  // RFC 5682: after the time-out something arrives that was sent once, before it.
  const bool is_watching =
      recovery.is_watching_timeout && c.sender.recovery() == Sender::Recovery::timeout;
  const bool is_late = is_watching && delivery.has_original && !delivery.is_of_resent &&
                       before(delivery.low_original, c.sender.recovery_point());
  if (is_watching && !is_late) {
    // 5682 2 step 2b: the first ACK that moves on lets new data out, the next decides.
    recovery.is_watching_timeout = acked.is_new && !c.sender.prefers_new();
    c.sender.prefer_new(recovery.is_watching_timeout);
  }
  if (!is_original && !is_all_duplicate && !is_late) return false;
  c.congestion->restore();
  recovery.answered = recovery.late_end = c.sender.una();
  if (is_fast(c)) recovery.rack.note_reordering();
  if (is_original && is_fast(c))
    recovery.rack.note_late(delivery.now.since_start() - Duration::milliseconds(*delivery.echo_ms));
  recovery.rack.forget_delivery();
  c.sender.undo_recovery();
  c.backoff = 0;
  c.retransmits = 0;
  recovery.may_undo = recovery.is_watching_timeout = false;
  ++recovery.undone;
  return true;
}

void reduce_for_window(Instant now, Connection& c, std::uint32_t flight) {
  c.recovery->answered = c.sender.next();
  c.ecn_reduced = c.has_ecn;
  c.congestion->on_loss(now, flight);
}

// RFC 8985 7.4: did the probe repair a loss?
void check_probe(Instant now, Connection& c, const Acked& acked) {
  Recovery& recovery = *c.recovery;
  if (!recovery.is_probing || before(c.sender.una(), recovery.probe_end)) return;
  const bool has_passed = after(c.sender.una(), recovery.probe_end);
  if (!recovery.probe_was_resent || acked.delivery.duplicate) {
    recovery.is_probing = false;
  } else if (has_passed) {
    recovery.is_probing = false;
    c.congestion->remember();
    reduce_for_window(now, c, acked.flight);
    c.congestion->on_recovered(now);
    recovery.may_undo = false;
  } else if (acked.is_duplicate && acked.delivery.held == 0) {
    recovery.is_probing = false;
  }
}

// RFC 3168 6.1.2 [RFC3168-6.1.2-a]: as one loss, once for each window, with nothing to send again.
void take_congestion_echo(Instant now, Connection& c, std::uint32_t flight) {
  Recovery& recovery = *c.recovery;
  if (before(c.sender.una(), recovery.answered) || c.sender.recovery() != Sender::Recovery::none)
    return;
  reduce_for_window(now, c, flight);
  recovery.may_undo = false;
  recovery.is_slowing = true;
  recovery.rate.start(flight, c.congestion->window());
}

// Whether something was lost that no reduction answers for. A lost probe of the path says nothing
// about congestion ([RFC4821-7-a] 7.6.2), nor does what came too late to be taken after a
// retransmission (RFC 7323 5.3).
bool is_unanswered(const Connection& c) {
  const Recovery& recovery = *c.recovery;
  if (!c.has_sack) return !before(c.sender.una(), recovery.answered);
  return after(recovery.late_end, recovery.answered) && after(recovery.late_end, c.sender.una());
}

void reduce_for_loss(Instant now, Connection& c) {
  Recovery& recovery = *c.recovery;
  recovery.is_reduced = true;
  c.congestion->remember();
  // RFC 5681 3.2 (2): what limited transmit has sent beyond the window does not count.
  reduce_for_window(now, c, std::min(c.sender.flight(), c.congestion->window()));
}

void enter_recovery(Machine& m, Instant now, Connection& c) {
  Recovery& recovery = *c.recovery;
  recovery.begin(c.sender.una());
  recovery.is_reduced = false;
  const bool is_about_path = is_only_path_probe_lost(c);
  path_probe_lost(c);
  if (is_unanswered(c) && !is_about_path) {
    reduce_for_loss(now, c);
  } else {
    recovery.may_undo = false;
  }
  recovery.is_slowing = false;
  c.sender.enter_fast_recovery(c.mss);
  recovery.rate.start(c.sender.flight(), c.congestion->window());
  recovery.timer_from = now;
  if (c.waiting != Waiting::reordering) m.arm_for_loss(now, c);
  emit_window(m, now, c);
}

// [RFC8985-6-a]. Returns how long until more is lost.
Duration find_lost(Instant now, Connection& c) {
  Recovery& recovery = *c.recovery;
  const Losses found = c.sender.lose(rule_for(now, c));
  if (found.late && after(*found.late, recovery.late_end)) recovery.late_end = *found.late;
  // A recovery that began with what no reduction was due for meets a loss that one is due for.
  if (found.late && is_fast(c) && !recovery.is_reduced && is_unanswered(c)) {
    reduce_for_loss(now, c);
    recovery.rate.start(c.sender.flight(), c.congestion->window());
  }
  return found.wait;
}

}  // namespace

// What every acknowledgment of data leads to.
void Machine::recover(Instant now, Connection& c, const Acked& acked) {
  Recovery& recovery = *c.recovery;
  const Delivery& delivery = acked.delivery;
  const bool was_fast = is_fast(c);
  const bool was_recovering = c.sender.recovery() != Sender::Recovery::none;
  if (c.has_sack ? delivery.held > 0 : acked.is_duplicate) c.sender.count_duplicate();
  recovery.delivered += segments_of(delivery.octets, c.mss);
  recovery.rack.take(delivery);
  const bool is_of_probe = recovery.is_probing && recovery.probe_was_resent;
  check_probe(now, c, acked);
  if (delivery.duplicate && !is_of_probe) take_duplicate_report(c, *delivery.duplicate);
  const bool was_undone = undo_if_spurious(c, acked);
  if (c.sender.has_recovered()) {
    c.sender.end_recovery();
    recovery.rack.recovered();
    recovery.is_watching_timeout = false;
    if (was_fast && recovery.is_reduced) c.congestion->on_recovered(now);
  }
  // RFC 8985 7.2: from here on there may be a probe of the tail.
  if (was_recovering && may_probe(c)) arm_for_loss(now, c);
  if (c.rare) check_path_probe(*this, c);
  if (recovery.is_slowing && !before(c.sender.una(), recovery.answered)) {
    recovery.is_slowing = false;
    c.congestion->on_recovered(now);
  }
  const bool was_slowing = recovery.is_slowing;
  if (acked.has_congestion_echo) take_congestion_echo(now, c, acked.flight);
  grow(now, c, acked, (was_fast && !was_undone) || was_slowing || recovery.is_slowing);
  look_for_loss(now, c);
  if (is_fast(c) || recovery.is_slowing) {
    const std::uint32_t delivered =
        c.has_sack ? delivery.octets : std::min<std::uint32_t>(c.mss, acked.flight);
    recovery.rate.take({.delivered = delivered,
                        .pipe = c.sender.pipe(c.mss),
                        .mss = c.mss,
                        .is_good = acked.is_new && c.sender.lost_bytes() <= acked.lost});
  }
  if (acked.is_new || was_fast) emit_window(*this, now, c);
  schedule(c);
}

void recover_plain(Machine& m, Instant now, Connection& c, const Delivery& delivery,
                   std::uint32_t flight) {
  Recovery& recovery = *c.recovery;
  recovery.delivered += segments_of(delivery.octets, c.mss);
  recovery.rack.take(delivery);
  grow(now, c, {.delivery = delivery, .flight = flight, .is_new = true}, false);
  m.look_for_loss(now, c);
  m.schedule(c);
}

// [RFC8985-6-a], [RFC5681-3.2-a], [RFC6582-3-a], [RFC6675-3-a].
void Machine::look_for_loss(Instant now, Connection& c, bool is_by_timer) {
  if (c.sender.flight() == 0) return;
  Recovery& recovery = *c.recovery;
  Duration wait = Duration::zero();
  if (c.has_sack && recovery.rack.has_delivery()) wait = find_lost(now, c);
  if (c.sender.should_enter_recovery()) {
    enter_recovery(*this, now, c);
    // In recovery nothing waits, unless the path is known to reorder.
    if (c.has_sack) wait = find_lost(now, c);
    // RFC 6937 3 counts by ACKs. Where the time given to reordering has passed, the one that began
    // it lets one segment out, as on Linux, and not all that the new window allows.
    if (is_by_timer)
      recovery.rate.take({.delivered = c.mss, .pipe = c.sender.pipe(c.mss), .mss = c.mss});
  }
  const Instant time_out = recovery.timer_from + retransmit_timeout(c);
  if (wait > Duration::zero() && now + wait < time_out) {
    c.waiting = Waiting::reordering;
    set_alarm(c, Alarm::retransmit, now + wait);
  } else if (c.waiting == Waiting::reordering || c.waiting == Waiting::tail_probe) {
    arm_for_loss(now, c);
  }
}

// The timer has fired. RFC 8985 6.3: what is younger than a round trip may still be on its way.
void Machine::begin_timeout(Instant now, Connection& c) {
  Recovery& recovery = *c.recovery;
  const bool is_first = c.sender.recovery() == Sender::Recovery::none;
  if (is_first) {
    recovery.begin(c.sender.una());
    c.congestion->remember();
  }
  recovery.is_probing = recovery.is_slowing = false;
  recovery.answered = c.sender.next();
  path_probe_lost(c);
  // RFC 5682 2: not when what timed out had been sent again already.
  recovery.is_watching_timeout = is_first && c.has_sack;
  if (c.retransmits == 0) c.congestion->on_timeout(now, c.sender.flight());
  LossRule rule = rule_for(now, c);
  rule.newest.at = Instant::never();
  c.sender.enter_timeout_recovery(rule);
}

// [RFC8985-7-a].
void Machine::on_tail_probe(Instant now, Connection& c) {
  Recovery& recovery = *c.recovery;
  // Newer data went out since the timer was set: it counts from there.
  const Instant due = recovery.last_sent + probe_timeout(c);
  const Instant time_out = recovery.timer_from + retransmit_timeout(c);
  if (due > now && time_out > now) return set_alarm(c, Alarm::retransmit, std::min(due, time_out));
  const std::uint32_t mss = segment_limit(c);
  const auto probe = c.sender.tail_probe(mss);
  if (probe && may_probe(c)) {
    recovery.is_probing = true;
    recovery.probe_was_resent = probe->is_retransmission;
    c.sender.sent(now, *probe, mss);
    send_data(now, c, *probe, mss);
    recovery.probe_end = c.sender.next();
    ++recovery.probes;
    recovery.timer_from = now;
  }
  c.waiting = Waiting::acknowledgment;
  set_alarm(c, Alarm::retransmit, std::max(now, recovery.timer_from + retransmit_timeout(c)));
}

}  // namespace lanyard::tcp
