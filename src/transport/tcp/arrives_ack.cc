// SPDX-License-Identifier: Apache-2.0
// The fifth step of RFC 9293 3.10.7.4: what an acknowledgment does to the sender.
#include <algorithm>

#include "transport/tcp/machine.hh"

namespace lanyard::tcp {

namespace {

constexpr Duration confirm_interval = Duration::seconds(1);

}  // namespace

Verdict Machine::check_ack(Instant now, Connection& c, Segment& segment) {
  if (!segment.flags.ack()) return done(DropReason::tcp_no_ack);  // 9293-3.10.7.4-g
  if (c.state == State::syn_received) {
    if (const Verdict verdict = check_ack_of_syn(now, c, segment); verdict.is_done) return verdict;
  }
  const SequenceNumber ack = segment.acknowledgment;
  // 9293-3.10.7.4-i, [RFC5961-5.2-a], [MAY-12], BI-63.
  if (after(ack, c.sender.next()) || before(ack, c.sender.una() - c.sender.window_max())) {
    send_challenge(now, c);
    return done(DropReason::tcp_bad_ack);
  }
  c.last_acked = now;
  const bool is_new = after(ack, c.sender.una());
  if (is_new) take_acknowledgment(now, c, segment);
  const std::uint32_t flight = c.sender.flight();
  const std::uint32_t sacked = c.has_sack ? c.sender.take_sack(segment.options.sacked()) : 0;
  const bool is_same_window = segment.window == c.sender.window();
  // RFC 9293 3.10.7.4: SND.UNA =< SEG.ACK =< SND.NXT; 9293-3.10.7.4-j.
  if (!before(ack, c.sender.una()) && c.sender.update_window(segment.sequence, ack, segment.window))
    schedule(c);
  const bool is_duplicate =
      !is_new && ack == c.sender.una() && flight > 0 && segment.length() == 0 && is_same_window;
  if (is_duplicate || sacked > 0) take_duplicate(now, c, sacked);
  if (c.sender.is_fin_acknowledged()) our_fin_acknowledged(now, c);
  if (c.is_over) return done();
  return go_on;
}

Verdict Machine::check_ack_of_syn(Instant now, Connection& c, Segment& segment) {
  const SequenceNumber ack = segment.acknowledgment;
  if (!after(ack, c.sender.una()) || after(ack, c.sender.next())) {
    answer_with_reset(segment);  // 9293-3.10.7.4-h, BI-71
    return done(DropReason::tcp_bad_ack);
  }
  if (c.is_passive) {
    Listener* const listener = listeners.find(c.listener);
    if (listener == nullptr) {
      send_reset(c);
      end(now, c, Cause::abort, std::nullopt);
      return done(DropReason::tcp_no_connection);
    }
    // As Linux: the handshake's last ACK is dropped while the accept queue is full, so that the
    // SYN,ACK is sent again later.
    if (listener->waiting.size() > listener->backlog) return done(DropReason::tcp_backlog_full);
    const Duration defer = listener->settings->defer_accept;
    if (segment.payload_size == 0 && !segment.flags.fin() && now - c.created_at < defer) {
      c.is_waiting_for_data = true;
      return done();
    }
  }
  if (!segment.options.timestamps && !segment.flags.syn() && c.retransmits == 0) c.timed_end = ack;
  c.sender.set_window(segment.sequence, ack, segment.window);
  established(now, c, Cause::ack_of_syn);
  return go_on;
}

void Machine::take_acknowledgment(Instant now, Connection& c, const Segment& segment) {
  const std::uint32_t flight = c.sender.flight();
  const bool was_fast = c.sender.recovery() == Sender::Recovery::fast;
  measure(now, c, segment);
  const Sender::Acknowledged acked = c.sender.acknowledge(segment.acknowledgment, c.mss);
  c.counters.bytes_acked += acked.bytes;
  c.backoff = 0;
  c.retransmits = 0;
  c.retransmitting_since = Instant::never();
  if (c.congestion && acked.bytes > 0) {
    const bool is_slow_start = c.congestion->window() < c.congestion->threshold();
    const bool is_half_used = flight >= c.congestion->window() / 2;
    c.congestion->on_acknowledged({.now = now,
                                   .bytes = acked.bytes,
                                   .flight = flight,
                                   .was_limited = c.was_limited || (is_slow_start && is_half_used),
                                   .in_recovery = was_fast,
                                   .round_trip = c.round_trip.smoothed()});
    if (acked.has_recovered && was_fast) c.congestion->on_recovered(now);
    emit(now, EventKind::tcp_window,
         {static_cast<std::int64_t>(c.id), c.congestion->window(), c.congestion->threshold(),
          c.sender.window(), c.sender.flight()});
  }
  restart_retransmit(now, c);
  if (c.confirmed_at + confirm_interval <= now || c.confirmed_at == Instant::start()) {
    c.confirmed_at = now;
    paths.confirm_reachable(now, c.remote.address);
  }
  if (!c.was_writable && c.is_writable()) {
    c.was_writable = true;
    changed(c);
  }
  schedule(c);
}

// RFC 6298 3 [MUST-18] [RFC6298-3-a]: a segment is timed only while nothing is sent again; after
// that the timestamps say which one was acknowledged, to their millisecond.
void Machine::measure(Instant now, Connection& c, const Segment& segment) {
  Duration sample = Duration::zero();
  if (c.timed_at != Instant::never()) {
    if (before(segment.acknowledgment, c.timed_end)) return;
    sample = now - c.timed_at;
    c.timed_at = Instant::never();
  } else if (c.has_timestamps && segment.options.timestamps && c.retransmits > 0 &&
             segment.options.timestamps->echo != 0) {
    const std::uint32_t ms = clock(now, c.timestamp_offset) - segment.options.timestamps->echo;
    if (ms > 120'000) return;
    sample = std::max(Duration::milliseconds(ms), Duration::milliseconds(1));
  } else {
    return;
  }
  c.round_trip.sample(sample);
  emit(now, EventKind::tcp_rtt,
       {static_cast<std::int64_t>(c.id), sample.count_ns(), c.round_trip.smoothed().count_ns(),
        c.round_trip.timeout(config).count_ns()});
}

// RFC 5681 2: a duplicate, or news for the scoreboard.
void Machine::take_duplicate(Instant now, Connection& c, std::uint32_t sacked) {
  if (!c.has_sack || sacked > 0) c.sender.count_duplicate();
  look_for_loss(now, c);
  schedule(c);
}

// [RFC5681-3.2-a], [RFC6582-3-a], [RFC6675-3-a].
void Machine::look_for_loss(Instant now, Connection& c) {
  if (!c.congestion || !c.sender.should_enter_recovery(c.mss)) return;
  c.congestion->on_loss(now, c.sender.flight());
  c.sender.enter_fast_recovery();
  emit(now, EventKind::tcp_window,
       {static_cast<std::int64_t>(c.id), c.congestion->window(), c.congestion->threshold(),
        c.sender.window(), c.sender.flight()});
}

// 9293-3.10.7.4-k, 9293-3.10.7.4-l.
void Machine::our_fin_acknowledged(Instant now, Connection& c) {
  if (c.state == State::fin_wait_1) {
    set_state(now, c, State::fin_wait_2, Cause::ack_of_fin);
    arm_idle(now, c);
  } else if (c.state == State::closing) {
    enter_time_wait(now, c, Cause::ack_of_fin);
  } else if (c.state == State::last_ack) {
    end(now, c, Cause::ack_of_fin, std::nullopt);
  }
}

}  // namespace lanyard::tcp
