// SPDX-License-Identifier: Apache-2.0
// What happens when time has passed (RFC 9293 3.10.8): retransmission by RFC 6298, zero-window
// probes, delayed ACKs, keep-alive, and giving up.
#include <algorithm>

#include "transport/tcp/path_probe.hh"
#include "transport/tcp/user_timeout.hh"

namespace lanyard::tcp {

namespace {

// RFC 9293 3.8.6.2.1: the override timer lies between 0.1 and 1 second.
constexpr Duration override_max = Duration::seconds(1);
// A cork holds for a retransmission time-out, as Linux, but not for less or more than this.
constexpr Duration cork_min = Duration::milliseconds(200), cork_max = Duration::seconds(1);

Duration shifted(Duration base, std::uint32_t shift, Duration most) {
  Duration result = base;
  for (; shift > 0 && result < most; --shift) result = result * 2;
  return std::min(result, most);
}

// What Nagle, a cork or a small window held back; what the congestion window holds back stays (RFC
// 5681 3.1).
void send_squeezed(Machine& machine, Instant now, Connection& c) {
  const std::uint32_t mss = machine.segment_limit(c);
  const auto rest = c.sender.squeezed(mss);
  if (!rest) return;
  const std::uint32_t flight = c.sender.flight();
  if (flight > 0 && c.congestion && flight + rest->size > c.congestion->window()) return;
  c.sender.sent(now, *rest, mss);
  machine.send_data(now, c, *rest, mss);
}

// RFC 9293 3.8.3 [MUST-20] [MUST-21] [SHLD-11].
bool is_past_r2(const transport::Config& config, Instant now, const Connection& c) {
  const Duration elapsed = now - c.retransmitting_since;
  if (const Duration most = user_timeout(config, c); most > Duration::zero())
    return elapsed >= most;
  // [SHLD-17]: a peer that shrank its window and still answers is alive.
  if (!c.is_orphan && c.sender.window() == 0 && now - c.last_acked < config.rto_max) return false;
  const std::uint32_t retries =
      c.is_orphan ? std::min(config.orphan_retries_max, config.retries_max) : config.retries_max;
  return elapsed >= time_of(retries, config);
}

}  // namespace

void Machine::poll(Instant now) {
  while (Timer* const timer = timers.pop(now)) {
    Node& node_due = static_cast<Node&>(*timer);
    if (node_due.is_time_wait) {
      end_time_wait(static_cast<TimeWait&>(node_due));
      continue;
    }
    auto& c = static_cast<Connection&>(node_due);
    for (std::size_t i = 0; i < alarms && !c.is_over; ++i) {
      if (c.deadlines[i] > now) continue;
      c.deadlines[i] = Instant::never();
      on_alarm(now, c, static_cast<Alarm>(i));
    }
    if (c.is_over) continue;
    const Instant first = *std::min_element(c.deadlines.begin(), c.deadlines.end());
    if (first != Instant::never()) timers.arm(c, first);
  }
}

void Machine::on_alarm(Instant now, Connection& c, Alarm alarm) {
  emit(now, EventKind::tcp_timer,
       {static_cast<std::int64_t>(c.id), static_cast<std::int64_t>(alarm), now.count_ns()});
  switch (alarm) {
    case Alarm::retransmit:
      return on_retransmit(now, c);
    case Alarm::delayed_ack:
      c.is_interactive = false;
      c.ack_now = true;  // sending one stops the alarm
      return schedule(c);
    case Alarm::idle:
      return on_idle(now, c);
    case Alarm::held_back: {
      const bool is_paced = c.recovery && c.recovery->rates->pacer.is_waiting();
      if (is_synchronized(c.state) && !is_paced) send_squeezed(*this, now, c);
      return schedule(c);
    }
  }
}

// RFC 6298 5.5: doubled for every expiry, up to the configured maximum.
Duration Machine::retransmit_timeout(const Connection& c) const {
  return shifted(c.round_trip.timeout(config), c.backoff, config.rto_max);
}

void Machine::arm_retransmit(Instant now, Connection& c, Held held) {
  const bool is_armed = c.deadline(Alarm::retransmit) != Instant::never();
  if (c.sender.flight() > 0) {
    // A cork's time counts from when nothing is in flight: acknowledgments come before.
    if (held != Held::by_pacing) set_alarm(c, Alarm::held_back, Instant::never());
    // RFC 6298 5.1.
    if (is_armed && (c.waiting == Waiting::acknowledgment || c.waiting == Waiting::tail_probe ||
                     c.waiting == Waiting::reordering))
      return;
    if (c.waiting == Waiting::window_probe) c.backoff = 0;  // the window has opened
    return restart_retransmit(now, c);
  }
  if (held == Held::by_window) {
    const bool is_closed = c.sender.usable_window() == 0;
    const Waiting wanted = is_closed ? Waiting::window_probe : Waiting::override;
    if (is_armed && c.waiting == wanted) return;
    c.waiting = wanted;
    if (!is_closed) c.backoff = 0;
    // RFC 9293 3.8.6.1 [SHLD-29]: the first probe after one RTO.
    const Duration after = retransmit_timeout(c);
    return set_alarm(c, Alarm::retransmit,
                     now + (is_closed ? after : std::min(after, override_max)));
  }
  c.waiting = Waiting::nothing;
  set_alarm(c, Alarm::retransmit, Instant::never());
  if (held == Held::by_pacing) return;  // the other alarm is for that
  // RFC 9293 3.9.1.2 [MUST-60]: nothing is held back for ever. With nothing in flight it is a cork,
  // or more to come, that holds.
  if (held != Held::by_nagle) return set_alarm(c, Alarm::held_back, Instant::never());
  if (c.deadline(Alarm::held_back) == Instant::never())
    set_alarm(c, Alarm::held_back, now + std::clamp(retransmit_timeout(c), cork_min, cork_max));
}

// RFC 6298 5.2, 5.3.
void Machine::restart_retransmit(Instant now, Connection& c) {
  if (c.recovery) c.recovery->timer_from = now;
  arm_for_loss(now, c);
}

// [RFC8985-7-a] 7.2: where a probe may come it comes first, at the time of the time-out at the
// latest. One timer serves both, and RACK's.
void Machine::arm_for_loss(Instant now, Connection& c) {
  if (c.sender.flight() == 0) {
    c.waiting = Waiting::nothing;
    return set_alarm(c, Alarm::retransmit, Instant::never());
  }
  const Instant time_out = c.recovery->timer_from + retransmit_timeout(c);
  const bool is_probing = may_probe(c);
  const Instant probe = is_probing ? now + probe_timeout(c) : Instant::never();
  c.waiting = is_probing ? Waiting::tail_probe : Waiting::acknowledgment;
  set_alarm(c, Alarm::retransmit, std::min(probe, time_out));
}

// RFC 8985 7.2: only with SACK, outside recovery, with nothing held, and one at a time.
bool Machine::may_probe(const Connection& c) const {
  return config.tail_probes && c.has_sack && c.sender.recovery() == Sender::Recovery::none &&
         !c.recovery->is_probing && c.sender.selectively_acknowledged() == 0;
}

// RFC 8985 7.2: two round trips, and what the peer may wait before it acknowledges less than two
// full segments. Timers are exact, but peers are not.
Duration Machine::probe_timeout(const Connection& c) const {
  constexpr Duration slack = Duration::milliseconds(2);
  if (!c.round_trip.has_sample()) return Duration::seconds(1);
  const bool may_wait = c.sender.in_flight()->runs() < 2;
  return c.round_trip.smoothed() * 2 + (may_wait ? config.peer_ack_delay_max : slack);
}

void Machine::give_up(Instant now, Connection& c) {
  end(now, c, Cause::time_out, c.soft_error.value_or(Errno::timed_out));
}

void Machine::on_retransmit(Instant now, Connection& c) {
  switch (c.waiting) {
    case Waiting::nothing:
      return;
    case Waiting::override:
      send_squeezed(*this, now, c);
      return schedule(c);
    case Waiting::window_probe:
      return on_window_probe(now, c);
    case Waiting::tail_probe:
      return on_tail_probe(now, c);
    case Waiting::reordering:
      look_for_loss(now, c, true);
      return schedule(c);
    case Waiting::acknowledgment:
      break;
  }
  if (!is_synchronized(c.state)) return on_handshake_retransmit(now, c);
  if (c.retransmitting_since == Instant::never())
    c.retransmitting_since = now - retransmit_timeout(c);
  if (is_past_r2(config, now, c)) return give_up(now, c);
  begin_timeout(now, c);
  look_for_black_hole(*this, now, c);
  ++c.retransmits;
  if (c.backoff < 31) ++c.backoff;  // RFC 6298 5.5 [MUST-19]
  refresh_path(c);
  c.timed_end = c.sender.next();
  restart_retransmit(now, c);  // 5.6
  schedule(c);
}

// RFC 9293 3.8.3 [MUST-22] [MUST-23]: with the initial time-out, seven retries last over three
// minutes.
void Machine::on_handshake_retransmit(Instant now, Connection& c) {
  const bool is_listener_gone =
      c.is_passive && !c.is_early && listeners.find(c.listener) == nullptr;
  const std::uint32_t most = c.settings->syn_retries_max;
  if (is_listener_gone || c.retransmits >= most) return give_up(now, c);
  if (c.is_waiting_for_data && c.retransmits == 0 &&
      now - c.created_at < c.settings->defer_accept) {
    return set_alarm(c, Alarm::retransmit, c.created_at + c.settings->defer_accept);
  }
  ++c.retransmits;
  ++c.backoff;
  c.was_syn_resent = true;
  ++c.counters.retransmissions;
  refresh_path(c);
  emit(now, EventKind::tcp_retransmit,
       {static_cast<std::int64_t>(c.id), c.sender.iss().value(), 0,
        static_cast<std::int64_t>(Resent::time_out)});
  send_syn(now, c);
}

// RFC 9293 3.8.6.1 [MUST-36] [MUST-37] [SHLD-30], 9293-3.8-c: an octet the peer has already, which
// it must answer with its window. Only unanswered ones count towards giving up.
void Machine::on_window_probe(Instant now, Connection& c) {
  const std::uint32_t most = c.is_orphan ? config.orphan_retries_max : config.retries_max;
  const bool is_user_timeout = c.settings->user_timeout > Duration::zero() && c.probes > 0 &&
                               now - c.last_received >= c.settings->user_timeout;
  if (c.probes >= most || is_user_timeout) return give_up(now, c);
  ++c.probes;
  if (c.backoff < 31) ++c.backoff;
  emit(now, EventKind::tcp_retransmit,
       {static_cast<std::int64_t>(c.id), (c.sender.una() - 1).value(), 0,
        static_cast<std::int64_t>(Resent::probe)});
  send_probe(now, c);
  set_alarm(c, Alarm::retransmit, now + retransmit_timeout(c));
}

void Machine::arm_idle(Instant now, Connection& c) {
  if (c.state == State::fin_wait_2 && c.is_orphan)
    return set_alarm(c, Alarm::idle, now + std::max(c.settings->fin_wait_2, Duration::zero()));
  // RFC 9293 3.8.4 [MUST-24]: when the program wants it.
  const bool is_wanted = c.settings->keep_alive && is_synchronized(c.state);
  set_alarm(c, Alarm::idle,
            is_wanted ? c.last_received + c.settings->keep_alive_idle : Instant::never());
}

// Keep-alive (RFC 9293 3.8.4), or the end of an orphan's FIN-WAIT-2.
void Machine::on_idle(Instant now, Connection& c) {
  if (c.state == State::fin_wait_2 && c.is_orphan)
    return end(now, c, Cause::time_out, std::nullopt);
  const Settings& settings = *c.settings;
  const Instant due = c.last_received + settings.keep_alive_idle;
  // [MUST-26]: only while nothing has come and nothing is outstanding.
  if (now < due && c.probes == 0) return set_alarm(c, Alarm::idle, due);
  if (c.sender.flight() > 0 || c.sender.has_unsent())
    return set_alarm(c, Alarm::idle, now + settings.keep_alive_idle);
  // [MUST-29]: one unanswered probe says nothing.
  const bool is_user_timeout = settings.user_timeout > Duration::zero() && c.probes > 0 &&
                               now - c.last_received >= settings.user_timeout;
  if (is_user_timeout ||
      (settings.user_timeout == Duration::zero() && c.probes >= settings.keep_alive_probes_max)) {
    send_reset(now, c);
    return give_up(now, c);
  }
  ++c.probes;
  send_probe(now, c);  // [SHLD-12]: SEG.SEQ = SND.NXT - 1, no data
  set_alarm(c, Alarm::idle, now + settings.keep_alive_interval);
}

}  // namespace lanyard::tcp
