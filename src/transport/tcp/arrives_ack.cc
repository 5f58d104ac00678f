// SPDX-License-Identifier: Apache-2.0
// The fifth step of RFC 9293 3.10.7.4: what an acknowledgment does to the sender.
#include <algorithm>
#include <utility>

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
  const std::uint32_t flight = c.sender.flight();
  const std::uint32_t lost = c.sender.lost_bytes(), duplicates = c.sender.duplicates();
  const bool is_new = after(ack, c.sender.una());
  Delivery delivery = begin_delivery(now, c, segment.options.timestamps);
  if (is_new) take_acknowledgment(now, c, ack, delivery);
  if (c.has_sack) c.sender.take_sack(segment.options.sacked(), delivery);
  // RFC 8985 6.2 step 1: the least round trip is known while a gap stands, too.
  if (delivery.held > 0 && delivery.has_original)
    c.round_trip.note(now - delivery.last_original_sent_at);
  const bool is_same_window = segment.window == c.sender.window();
  // RFC 9293 3.10.7.4: SND.UNA =< SEG.ACK =< SND.NXT; 9293-3.10.7.4-j.
  if (!before(ack, c.sender.una()) && c.sender.update_window(segment.sequence, ack, segment.window))
    schedule(c);
  // RFC 5681 2.
  const bool is_duplicate =
      !is_new && ack == c.sender.una() && flight > 0 && segment.length() == 0 && is_same_window;
  const bool has_echo = c.has_ecn && segment.flags.ece();
  if (c.recovery && (is_new || is_duplicate || has_echo || segment.options.sack_blocks > 0))
    recover(now, c, {delivery, flight, is_new, is_duplicate, has_echo, lost, duplicates});
  if (c.sender.is_fin_acknowledged()) our_fin_acknowledged(now, c);
  if (c.is_over) return done();
  return go_on;
}

// What the ACK says is filled in as it is taken; what is known before is here.
Delivery Machine::begin_delivery(Instant now, const Connection& c,
                                 const std::optional<Timestamps>& timestamps) const {
  Delivery delivery;
  delivery.now = now;
  delivery.least_round_trip = c.round_trip.least();
  if (!c.has_timestamps || !timestamps || timestamps->echo == 0) return delivery;
  const std::uint32_t age = timestamp_clock(now, c.timestamp_offset) - timestamps->echo;
  if (age < 1U << 31) delivery.echo_ms = now.since_start().count_ms() - std::int64_t{age};
  return delivery;
}

Verdict Machine::check_ack_of_syn(Instant now, Connection& c, Segment& segment) {
  const SequenceNumber ack = segment.acknowledgment;
  if (!after(ack, c.sender.una()) || after(ack, c.sender.next())) {
    answer_with_reset(segment);  // 9293-3.10.7.4-h, BI-71
    return done(DropReason::tcp_bad_ack);
  }
  if (c.is_passive && !c.is_early) {
    Listener* const listener = listeners.find(c.listener);
    if (listener == nullptr) {
      send_reset(now, c);
      end(now, c, Cause::abort, std::nullopt);
      return done(DropReason::tcp_no_connection);
    }
    // As Linux: the handshake's last ACK is dropped while the accept queue is full, so that the
    // SYN,ACK is sent again later.
    if (listener->waiting.size() > listener->backlog) {
      if (config.resets_when_backlog_full) {
        send_reset(now, c);
        end(now, c, Cause::abort, std::nullopt);
      }
      return done(DropReason::tcp_backlog_full);
    }
    const Duration defer = listener->settings->defer_accept;
    if (segment.payload_size == 0 && !segment.flags.fin() && now - c.created_at < defer) {
      c.is_waiting_for_data = true;
      return done();
    }
  }
  c.sender.set_window(segment.sequence, ack, segment.window);
  established(now, c, Cause::ack_of_syn);
  return go_on;
}

void Machine::take_acknowledgment(Instant now, Connection& c, SequenceNumber ack,
                                  Delivery& delivery) {
  const Acknowledged acked = c.sender.acknowledge(ack, c.mss, delivery);
  measure(now, c, delivery);
  c.counters.bytes_acked += acked.bytes;
  c.is_more_coming =
      false;  // as Linux: MSG_MORE holds back what it came with, not what an ACK lets go
  c.backoff = 0;
  c.retransmits = 0;
  c.retransmitting_since = Instant::never();
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

// RFC 6298 3 [MUST-18] [RFC6298-3-a]: one sample for each flight, never of what was sent more than
// once; after a time-out the timestamps say which one was acknowledged, to their millisecond.
void Machine::measure(Instant now, Connection& c, const Delivery& delivery) {
  Duration sample = Duration::zero();
  if (c.timed_at != Instant::never()) {  // a SYN, which any ACK that gets here is of
    sample = now - std::exchange(c.timed_at, Instant::never());
  } else if (delivery.has_original && !delivery.has_resent) {
    c.round_trip.note(now - delivery.last_original_sent_at);
    if (before(c.sender.una(), c.timed_end)) return;
    sample = now - delivery.first_original_sent_at;
  } else if (delivery.echo_ms && c.retransmits > 0) {
    const std::int64_t ms = now.since_start().count_ms() - *delivery.echo_ms;
    if (ms > 120'000) return;
    sample = Duration::milliseconds(std::max<std::int64_t>(ms, 1));
  } else {
    return;
  }
  c.timed_end = c.sender.next();
  c.round_trip.sample(sample);
  if (!is_watched()) return;
  emit(now, EventKind::tcp_rtt,
       {static_cast<std::int64_t>(c.id), sample.count_ns(), c.round_trip.smoothed().count_ns(),
        c.round_trip.timeout(config).count_ns()});
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
