// SPDX-License-Identifier: Apache-2.0
// SEGMENT ARRIVES where there is no connection yet: RFC 9293 3.10.7.1 CLOSED, 3.10.7.2 LISTEN and
// 3.10.7.3 SYN-SENT.
#include <algorithm>
#include <optional>

#include "transport/tcp/opening.hh"
#include "transport/tcp/path_probe.hh"
#include "transport/tcp/user_timeout.hh"

namespace lanyard::tcp {

namespace {

// RFC 4987 3.6, BI-78: a SYN,ACK of which nothing is kept. Without timestamps there is no room for
// window scale and SACK, so they are not agreed on.
void answer_with_cookie(Machine& m, Instant now, Listener& listener, const Segment& segment) {
  Segment syn = segment;
  if (!syn.options.timestamps) {
    syn.options.window_scale.reset();
    syn.options.sack_permitted = false;
    syn.flags = flags::syn;
  }
  Connection c;
  m.prepare(now, c, syn.local, syn.remote, listener.settings);
  c.state = State::syn_received;
  c.interface = listener.bound.interface;
  if (syn.remote.address.is_v6() && syn.remote.address.is_link_local())
    c.interface = syn.datagram->interface;
  m.take_syn(now, c, syn);
  c.sender.start(m.cookies.make(now, c.local, c.remote, syn.sequence, c.peer_mss));
  if (c.has_timestamps) {
    const std::uint32_t plain = timestamp_clock(now, c.timestamp_offset);
    c.timestamp_offset += SynCookies::timestamp(plain, {.window_scale = syn.options.window_scale,
                                                        .sack_permitted = c.has_sack,
                                                        .has_ecn = c.has_ecn}) -
                          plain;
  }
  m.transmit(now, c, flags::syn | flags::ack, c.sender.iss(), {}, 0);
  listener.cookies_until = now + Duration::seconds(120);
}

// The ACK of a cookie stands for the SYN as well.
Connection& open_with_cookie(Machine& m, Instant now, Listener& listener, const Segment& segment,
                             std::uint16_t mss) {
  CookieFacts facts;
  if (segment.options.timestamps)
    SynCookies::read_timestamp(segment.options.timestamps->echo, facts);
  Segment syn = segment;
  syn.sequence = segment.sequence - 1;
  syn.flags = facts.has_ecn ? flags::syn | flags::ece | flags::cwr : flags::syn;
  syn.options = {};
  syn.options.mss = mss;
  syn.options.window_scale = facts.window_scale;
  syn.options.sack_permitted = facts.sack_permitted;
  syn.options.timestamps = segment.options.timestamps;
  Connection& c = m.begin_passive(now, listener, syn, segment.acknowledgment - 1);
  c.sender.syn_sent();
  c.timed_end = segment.acknowledgment;  // the SYN,ACK was not timed; what follows may be
  (void)c.receiver.offer(c.own_mss);     // as the SYN,ACK did
  c.waiting = Waiting::acknowledgment;
  m.set_alarm(c, Alarm::retransmit, now + m.retransmit_timeout(c));
  return c;
}

// What the ACK of a cookie says that the SYN said; nothing if it is none of ours.
std::optional<std::uint16_t> cookie_in(const Machine& m, Instant now, const Listener& listener,
                                       const Segment& segment) {
  if (now >= listener.cookies_until || segment.flags.syn()) return std::nullopt;
  return m.cookies.check(now, segment.local, segment.remote, segment.sequence - 1,
                         segment.acknowledgment - 1);
}

// RFC 9293 3.10.7.3: on at the sixth step, with what stands behind the SYN.
void take_rest(Machine& m, Instant now, Connection& c, const Segment& syn_ack) {
  if (syn_ack.payload_size == 0 && !syn_ack.flags.fin()) return;
  Segment rest = syn_ack;
  ++rest.sequence;
  rest.flags.bits &= static_cast<std::uint8_t>(~flags::syn.bits);
  m.trim(c, rest);
  for (const auto step : {&Machine::check_urgent, &Machine::take_text, &Machine::check_fin})
    if ((m.*step)(now, c, rest).is_done) return;
}

}  // namespace

DropReason Machine::arrives_closed(const Segment& segment) {
  answer_with_reset(segment);
  return DropReason::tcp_no_connection;
}

DropReason Machine::arrives_listen(Instant now, Listener& listener, const Segment& segment,
                                   const TimeWait* old) {
  if (segment.flags.rst()) return DropReason::tcp_no_connection;  // 9293-3.10.7.2-a
  const bool is_full = listener.waiting.size() > listener.backlog;
  if (segment.flags.ack()) {
    const auto cookie = cookie_in(*this, now, listener, segment);
    // Such an ACK is dropped as that of any handshake (check_ack_of_syn).
    if (cookie && is_full && !config.resets_when_backlog_full) return DropReason::tcp_backlog_full;
    if (cookie && !is_full && connections.size() < config.connections_max) {
      Segment last = segment;
      return arrives(now, open_with_cookie(*this, now, listener, segment, *cookie), last);
    }
    answer_with_reset(segment);  // 9293-3.10.7.2-b
    return DropReason::tcp_bad_ack;
  }
  if (!segment.flags.syn()) return DropReason::tcp_no_connection;  // 9293-3.10.7.2-d
  // As Linux: no new connection is begun that could not be accepted, and half-open ones are
  // bounded. The client sends its SYN again.
  const std::uint32_t half_open_max = std::max(listener.backlog, config.half_open_min);
  if (is_full) return DropReason::tcp_backlog_full;
  if (listener.half_open >= half_open_max) {
    answer_with_cookie(*this, now, listener, segment);
    return DropReason::none;
  }
  if (connections.size() >= config.connections_max) return DropReason::out_of_memory;
  SequenceNumber iss = numbers.initial_sequence(now, segment.local, segment.remote);
  // RFC 9293 3.6.1 [MAY-2], [RFC6191-2-a]: beyond the numbers of the old incarnation.
  if (old != nullptr && !after(iss, old->send_next + 65535)) iss = old->send_next + 65537;
  Connection& c = begin_passive(now, listener, segment, iss);
  // 9293-3.10.7.2-c: text on the SYN is not kept but for Fast Open, nor ever a FIN; the peer sends
  // it again.
  if (may_open_fast(*this, now, listener, c, segment)) take_early(*this, listener, c, segment);
  send_syn(now, c);
  return DropReason::none;
}

Connection& Machine::begin_passive(Instant now, Listener& listener, const Segment& segment,
                                   SequenceNumber iss) {
  Connection& c = add_connection(now, segment.local, segment.remote, listener.settings);
  c.is_passive = true;  // RFC 9293 3.5 [MUST-11]
  c.listener = listener.id;
  c.interface = listener.bound.interface;
  if (segment.remote.address.is_v6() && segment.remote.address.is_link_local())
    c.remote.interface = c.interface = segment.datagram->interface;
  c.owner = listener.owner;
  transport::BindRequest held = listener.bound;
  held.local = c.local;
  c.binding = ports.hold(held, false);
  ++listener.half_open;
  c.sender.start(iss);
  set_state(now, c, State::syn_received, Cause::passive_open);
  take_syn(now, c, segment);
  c.sender.set_window(segment.sequence, iss, segment.window);
  return c;
}

// What every SYN tells us: IRS and the options (RFC 9293 3.7.1, RFC 7323, RFC 2018).
void Machine::take_syn(Instant now, Connection& c, const Segment& segment) {
  const Options& options = segment.options;
  c.receiver.start(segment.sequence, c.settings->receive_buffer_bytes, 0);
  c.last_ack_sent = c.receiver.next();
  c.peer_mss = options.mss.value_or(c.remote.address.is_v4() ? 536 : 1220);
  c.has_scaling = config.window_scaling && options.window_scale.has_value();
  c.peer_scale = c.has_scaling ? *options.window_scale : 0;  // BI-62: wire/ made it 14 at most
  c.has_sack = config.sack && options.sack_permitted;
  c.sender.set_selective(c.has_sack);
  // RFC 3168 6.1.1 [RFC3168-6.1.1-a]: a SYN asks with both bits, a SYN,ACK agrees with one.
  const bool has_ece = segment.flags.ece(), has_cwr = segment.flags.cwr();
  c.has_ecn = segment.flags.ack() ? asks_for_ecn(*this, c) && has_ece && !has_cwr
                                  : config.ecn != transport::Ecn::off && has_ece && has_cwr;
  c.has_timestamps = config.timestamps && options.timestamps.has_value();
  if (c.has_timestamps) {
    c.ts_recent = options.timestamps->value;
    c.ts_recent_at = now;
  }
  learn_user_timeout(c, options);
  compute_mss(c);
}

DropReason Machine::arrives_syn_sent(Instant now, Connection& c, Segment& segment) {
  const Flags flags = segment.flags;
  if (flags.ack()) {
    const SequenceNumber ack = segment.acknowledgment;
    // 9293-3.10.7.3-a, 9293-3.5-d, BI-71.
    if (!after(ack, c.sender.iss()) || after(ack, c.sender.next())) {
      answer_with_reset(segment);
      return DropReason::tcp_bad_ack;
    }
  }
  if (flags.rst()) {
    // 9293-3.5-f, 9293-3.10.7.3-b.
    if (!flags.ack()) return DropReason::tcp_unacceptable;
    end(now, c, Cause::reset, Errno::connection_refused);
    return DropReason::none;
  }
  if (!flags.syn()) return DropReason::tcp_no_connection;  // 9293-3.10.7.3-d
  take_syn(now, c, segment);
  if (!flags.ack()) {
    // RFC 9293 3.5 [MUST-10], 9293-3.10.7.3-c, BI-77: simultaneous open.
    set_state(now, c, State::syn_received, Cause::syn);
    c.sender.set_window(segment.sequence, c.sender.iss(), segment.window);
    c.retransmits = 0;
    send_syn(now, c);
    return DropReason::none;
  }
  take_syn_ack(*this, now, c, segment, Cause::syn_ack);
  return DropReason::none;
}

void take_syn_ack(Machine& m, Instant now, Connection& c, const Segment& segment, Cause cause) {
  (void)c.receiver.offer(c.own_mss);  // what our SYN said, and a little more
  c.receiver.set_scale(c.has_scaling ? c.own_scale : 0);
  c.sender.set_window(segment.sequence, segment.acknowledgment, segment.window);
  Delivery delivery = m.begin_delivery(now, c, segment.options.timestamps);
  m.take_acknowledgment(now, c, segment.acknowledgment, delivery);
  if (c.rare) learn_early(m, now, c, segment);
  m.established(now, c, cause);
  c.ack_now = true;
  m.schedule(c);
  take_rest(m, now, c, segment);
}

void Machine::established(Instant now, Connection& c, Cause cause) {
  c.last_received = now;
  c.was_established = true;
  if (c.was_syn_resent && !c.round_trip.has_sample()) c.round_trip.distrust();
  c.was_writable = true;
  c.quick_acks = quick_acks_max;
  c.receiver.set_scale(c.has_scaling ? c.own_scale : 0);
  set_state(now, c, State::established, cause);
  if (c.is_early) {
    end_early(*this, now, c, false);
  } else if (c.is_passive) {
    Listener* const listener = listeners.find(c.listener);
    --listener->half_open;
    listener->waiting.push_back(c.id);
    changed(*listener);
  }
  if (c.settings->keep_alive) arm_idle(now, c);
  start_path_probing(*this, now, c);
  // 3.10.4: a CLOSE in SYN-RECEIVED waited for this.
  if (c.sender.is_fin_asked()) set_state(now, c, State::fin_wait_1, Cause::close);
  schedule(c);
}

}  // namespace lanyard::tcp
