// SPDX-License-Identifier: Apache-2.0
// SEGMENT ARRIVES (RFC 9293 3.10.7): read the header, find the conversation, then the steps of
// 3.10.7.4 in their order, each a function named after it that says whether to go on.
#include <algorithm>

#include "transport/tcp/arrives_plain.hh"
#include "transport/tcp/opening.hh"
#include "transport/tcp/user_timeout.hh"
#include "wire/protocol.hh"
#include "wire/pseudo.hh"
#include "wire/tcp_plain.hh"

namespace lanyard::tcp {

namespace {

// RFC 7323 5.5: TS.Recent says nothing any more after 24 days.
constexpr Duration ts_recent_kept = Duration::seconds(24 * 24 * 3600);

// 9293-3.10.7.4-a: the four cases of the acceptability test.
bool is_acceptable(const Receiver& receiver, const Segment& segment) {
  const SequenceNumber next = receiver.next();
  const std::uint32_t window = receiver.window();
  const std::uint32_t length = segment.length();
  if (window == 0) return length == 0 && segment.sequence == next;
  if (is_within(segment.sequence, next, window)) return true;
  return length > 0 && is_within(segment.end() - 1, next, window);
}

void read(Segment& segment, const internet::Datagram& datagram, const View& view) {
  segment.sequence = view.sequence();
  segment.acknowledgment = view.acknowledgment();
  segment.window = view.window();
  segment.urgent_pointer = view.urgent_pointer();
  segment.flags = view.flags();
  const Bytes options = view.option_bytes();
  segment.options.timestamps = timestamps_if_alone(options);
  if (!options.empty() && !segment.options.timestamps) segment.options = view.options();
  segment.payload_offset = view.header_size();
  segment.payload_size = static_cast<std::uint32_t>(view.payload_size());
  segment.datagram = &datagram;
}

// RFC 3168 6.1.3 [RFC3168-6.1.3-a].
void take_congestion_mark(Connection& c, const Segment& segment) {
  constexpr std::uint8_t ce = 3;
  if (segment.flags.cwr()) c.ecn_echo = false;
  if ((segment.datagram->traffic_class & 3) != ce) return;
  c.ecn_echo = true;
  c.ack_now = true;
}

// What looked like a simultaneous open was a stranger's SYN, if a SYN,ACK with another sequence
// number acknowledges ours: only who has seen it can. 3.10.7.4 would answer it like any SYN of a
// synchronized state (RFC 5961 4.2), whereupon the peer resets, and one forged segment that guesses
// no number (RFC 5961 1) would have refused the open.
bool is_from_who_saw_our_syn(const Connection& c, const Segment& segment) {
  return c.state == State::syn_received && !c.is_passive && segment.flags.syn() &&
         segment.flags.ack() && !segment.flags.rst() && segment.sequence != c.receiver.irs() &&
         after(segment.acknowledgment, c.sender.iss()) &&
         !after(segment.acknowledgment, c.sender.next());
}

}  // namespace

DropReason Machine::on_segment(Instant now, const internet::Datagram& datagram) {
  const auto view = View::parse(datagram.packet.front(), datagram.packet.size());
  if (!view) return view.error();
  // RFC 9293 3.1 [MUST-3].
  if (!has_good_checksum({datagram.source, datagram.destination, protocol::tcp}, datagram.packet,
                         datagram.packet.size()))
    return DropReason::bad_tcp_checksum;
  if (!datagram.is_plain) {
    // RFC 9293 3.9.2.3 [MUST-63], [MUST-57]: TCP speaks between two hosts only.
    if (datagram.source.is_multicast() || datagram.source.is_unspecified() ||
        paths.is_broadcast(datagram.source))
      return DropReason::martian_source;
    if (datagram.destination.is_multicast() || datagram.was_link_broadcast ||
        paths.is_broadcast(datagram.destination))
      return DropReason::martian_destination;
  }
  const Endpoint local{datagram.destination, view->destination_port(), 0};
  const Endpoint remote{datagram.source, view->source_port(), 0};
  Node* const found = connections.find(local, remote);
  if (found != nullptr && !found->is_time_wait) {
    auto& c = static_cast<Connection&>(*found);
    ++c.counters.segments_in;
    if (arrives_plain(*this, now, c, *view, datagram.packet)) return DropReason::none;
  }
  Segment segment;
  segment.local = local;
  segment.remote = remote;
  read(segment, datagram, *view);
  if (found == nullptr) {
    Listener* const listener = listening.find(segment);
    return listener == nullptr ? arrives_closed(segment)
                               : arrives_listen(now, *listener, segment, nullptr);
  }
  if (found->is_time_wait) return arrives_time_wait(now, static_cast<TimeWait&>(*found), segment);
  auto& c = static_cast<Connection&>(*found);
  return c.state == State::syn_sent ? arrives_syn_sent(now, c, segment) : arrives(now, c, segment);
}

// RFC 9293 3.10.7.4.
DropReason Machine::arrives(Instant now, Connection& c, Segment& segment) {
  if (is_from_who_saw_our_syn(c, segment)) {
    take_syn(now, c, segment);
    take_syn_ack(*this, now, c, segment, Cause::ack_of_syn);
    return DropReason::none;
  }
  segment.window <<= segment.flags.syn() ? 0 : c.peer_scale;
  // First, second, fourth (the third, security, is of the past), and so on to the eighth.
  Verdict verdict = check_sequence(now, c, segment);
  if (!verdict.is_done) verdict = check_reset(now, c, segment);
  if (!verdict.is_done) verdict = check_syn(now, c, segment);
  if (!verdict.is_done) verdict = check_ack(now, c, segment);
  if (!verdict.is_done) verdict = check_urgent(now, c, segment);
  if (!verdict.is_done) verdict = take_text(now, c, segment);
  if (!verdict.is_done) verdict = check_fin(now, c, segment);
  if (verdict.is_done) return verdict.reason;
  if (is_watched()) {
    emit(now, EventKind::tcp_segment,
         {static_cast<std::int64_t>(c.id), segment.sequence.value(), segment.payload_size,
          segment.flags.bits});
  }
  return DropReason::none;
}

// [RFC7323-5.3-a]: before the sequence number; a RST is exempt.
Verdict Machine::check_timestamps(Instant now, Connection& c, const Segment& segment) {
  if (!c.has_timestamps || segment.flags.rst()) return go_on;
  if (!segment.options.timestamps) {
    // BI-59, [RFC7323-3.2-a]: dropped, never an abort; but the handshake's last ACK is let through,
    // as Linux does.
    const bool is_taken = c.state == State::syn_received || !config.timestamps_required;
    return is_taken ? go_on : done(DropReason::tcp_paws);
  }
  if (!is_older(segment.options.timestamps->value, c.ts_recent)) return go_on;
  if (now - c.ts_recent_at > ts_recent_kept) return go_on;  // BI-82
  c.ack_now = true;
  schedule(c);
  return done(DropReason::tcp_paws);
}

// [RFC5961-4.2-a]: a challenge, wherever the SYN lies; but one that came again asks for our SYN,ACK
// again, and in a simultaneous open the peer's SYN,ACK wants the ACK that ends it (9293-A.2-a).
void Machine::answer_old_syn(Instant now, Connection& c, const Segment& segment) {
  if (c.state != State::syn_received) return send_challenge(now, c);
  if (segment.sequence != c.receiver.irs() || segment.flags.ack()) return send_ack(now, c);
  c.was_syn_resent = true;
  send_syn(now, c);
}

Verdict Machine::check_sequence(Instant now, Connection& c, Segment& segment) {
  if (const Verdict verdict = check_timestamps(now, c, segment); verdict.is_done) return verdict;
  const bool is_probe_of_closed_window =
      c.receiver.window() == 0 && segment.length() > 0 && segment.sequence == c.receiver.next();
  if (is_probe_of_closed_window && !segment.flags.syn()) {
    // RFC 9293 3.4 [MUST-66]: no text is taken, but its ACK, RST and URG are.
    segment.payload_size = 0;
    segment.flags.bits &= static_cast<std::uint8_t>(~flags::fin.bits);
    c.ack_now = true;
    schedule(c);
  } else if (!is_acceptable(c.receiver, segment)) {
    if (segment.flags.rst()) return done(DropReason::tcp_unacceptable);
    if (segment.flags.syn()) {
      answer_old_syn(now, c, segment);
      return done(DropReason::tcp_unacceptable);
    }
    // 9293-3.5-e, 9293-3.10.7.4-b.
    if (segment.length() == 0) {
      send_challenge(now, c);  // bounded, or two confused peers would answer each other for ever
    } else {
      c.receiver.note_old(segment.sequence, segment.sequence + segment.payload_size);
      c.ack_now = true;
      schedule(c);
    }
    return done(DropReason::tcp_unacceptable);
  }
  if (c.has_timestamps && segment.options.timestamps)
    note_timestamp(now, c, segment.sequence, segment.options.timestamps->value);
  note_heard(*this, now, c, segment.payload_size);
  if (segment.options.user_timeout && !segment.flags.rst()) learn_user_timeout(c, segment.options);
  trim(c, segment);
  return go_on;
}

// [RFC7323-4.3-a].
void note_timestamp(Instant now, Connection& c, SequenceNumber sequence, std::uint32_t value) {
  if (after(sequence, c.last_ack_sent) || is_older(value, c.ts_recent)) return;
  c.ts_recent = value;
  c.ts_recent_at = now;
}

void note_heard(const Machine& m, Instant now, Connection& c, std::uint32_t payload_size) {
  // As Linux: the peer may have gone back to slow start.
  if (payload_size > 0 && now - c.last_received > c.round_trip.timeout(m.config))
    c.quick_acks = std::max(c.quick_acks, quick_acks_max);
  c.last_received = now;
  c.probes = 0;
}

// 9293-3.10.7.4-c: what lies beyond the right edge goes, and the FIN behind it. What lies before
// RCV.NXT the receiver leaves out.
void Machine::trim(Connection& c, Segment& segment) {
  const SequenceNumber edge = c.receiver.next() + c.receiver.window();
  if (segment.length() == 0 || !after(segment.end(), edge)) return;
  const auto room = static_cast<std::uint32_t>(std::max(edge - segment.sequence, 0));
  segment.flags.bits &= static_cast<std::uint8_t>(~flags::fin.bits);
  segment.payload_size = std::min(segment.payload_size, room);
  if (!segment.flags.ack()) return;  // dropped in silence at the fifth step
  c.ack_now = true;
  schedule(c);
}

// 9293-3.10.7.4-d, [RFC5961-3.2-a], BI-63.
Verdict Machine::check_reset(Instant now, Connection& c, Segment& segment) {
  if (!segment.flags.rst()) return go_on;
  if (segment.sequence != c.receiver.next()) {
    send_challenge(now, c);
    return done(DropReason::tcp_unacceptable);
  }
  // 9293-3.5-g: a passive SYN-RECEIVED goes back to LISTEN without a word; an active one was
  // refused. RFC 9293 3.6 [MUST-12]: later it is an abort, which is not an end of the stream.
  if (c.state == State::syn_received && !c.is_early) {
    end(now, c, Cause::reset, Errno::connection_refused);
  } else {
    const bool had_fin = c.state == State::close_wait;
    end(now, c, Cause::reset, had_fin ? Errno::broken_pipe : Errno::connection_reset);
  }
  return done();
}

// 9293-3.10.7.4-e, [RFC5961-4.2-a]; 9293-3.10.7.4-f.
Verdict Machine::check_syn(Instant now, Connection& c, Segment& segment) {
  if (!segment.flags.syn()) return go_on;
  if (c.state == State::syn_received && c.is_passive && !c.is_early) {
    end(now, c, Cause::reset, std::nullopt);
  } else {
    send_challenge(now, c);
  }
  return done(DropReason::tcp_unacceptable);
}

// RFC 9293 3.8.5 [MUST-30] [MUST-32]; 9293-3.10.7.4-n. BI-45: a pointer of zero names no octet.
Verdict Machine::check_urgent(Instant, Connection& c, Segment& segment) {
  if (!segment.flags.urg() || !may_receive(c.state) || segment.urgent_pointer == 0) return go_on;
  if (c.receiver.set_urgent(segment.sequence + segment.urgent_pointer)) changed(c);
  return go_on;
}

Verdict Machine::take_text(Instant now, Connection& c, Segment& segment) {
  if (segment.payload_size == 0) return go_on;
  if (c.has_ecn) take_congestion_mark(c, segment);
  if (!may_receive(c.state)) return go_on;  // 9293-3.10.7.4-n: text after the FIN
  if (c.is_orphan && after(segment.sequence + segment.payload_size, c.receiver.next())) {
    // RFC 9293 3.6.1 [SHLD-3]: nobody will ever read this. The number is one the peer accepts,
    // whatever of ours it has received.
    answer_with_reset(segment);
    end(now, c, Cause::abort, std::nullopt);
    return done();
  }
  std::uint32_t size = segment.payload_size;
  // BI-65: nothing lies behind the peer's FIN.
  if (c.has_early_fin && after(segment.sequence + size, c.early_fin))
    size = static_cast<std::uint32_t>(std::max(c.early_fin - segment.sequence, 0));
  if (size == 0) return go_on;
  const bool had_gap = c.receiver.pieces() > 0 || c.has_early_fin;
  const std::size_t had_ahead = c.receiver.ahead_bytes();
  const Receiver::Taken taken =
      c.receiver.take(segment.sequence, segment.datagram->packet, segment.payload_offset, size,
                      config.out_of_order_segments_max);
  out_of_order_bytes += c.receiver.ahead_bytes() - had_ahead;
  if (out_of_order_bytes > config.out_of_order_bytes_max) drop_out_of_order(c);
  note_text(*this, now, c, segment.datagram->packet, segment.payload_size, taken);
  want_ack(now, c, taken.was_out_of_order || had_gap);
  return go_on;
}

void note_text(Machine& m, Instant now, Connection& c, const Packet& packet,
               std::uint32_t payload_size, const Receiver::Taken& taken) {
  const std::uint32_t merged = packet.offload.segment_bytes;
  const std::uint32_t one = merged != 0 ? std::min(merged, payload_size) : payload_size;
  c.seen_mss =
      std::max(c.seen_mss, static_cast<std::uint16_t>(std::min<std::uint32_t>(one, c.own_mss)));
  c.counters.bytes_received += taken.bytes;
  if (taken.bytes == 0) return;
  m.changed(c);
  m.paths.confirm_reachable(now, c.remote.address);
}

// RFC 9293 3.8.6.3 [SHLD-18] [MUST-40]: an ACK may wait for data, another segment, or 40 ms; one
// about a gap may not ([RFC5681-4.2-a], [MAY-13]).
void Machine::want_ack(Instant now, Connection& c, bool is_out_of_order) {
  const auto owed = static_cast<std::uint32_t>(c.receiver.next() - c.last_ack_sent);
  const bool is_quick = c.quick_acks > 0 && !c.is_interactive;
  // [SHLD-19]; as Linux, whatever comes after a full segment is the second one.
  if (is_out_of_order || is_quick || owed > c.seen_mss) {
    c.ack_now = true;
  } else {
    c.ack_delayed = true;
    if (c.deadline(Alarm::delayed_ack) == Instant::never())
      set_alarm(c, Alarm::delayed_ack, now + config.delayed_ack_max);
  }
  schedule(c);
}

Verdict Machine::check_fin(Instant now, Connection& c, Segment& segment) {
  const bool has_fin = segment.flags.fin();
  const SequenceNumber place = segment.sequence + segment.payload_size;
  if (has_fin && may_receive(c.state) && !c.has_early_fin && !before(place, c.receiver.next())) {
    c.has_early_fin = true;
    c.early_fin = place;
  }
  if (has_fin) {
    c.ack_now = true;
    schedule(c);
  }
  if (c.has_early_fin && may_receive(c.state) && c.early_fin == c.receiver.next()) take_fin(now, c);
  return go_on;
}

// 9293-3.10.7.4-o, 9293-3.10.7.4-k, 9293-3.6-b.
void Machine::take_fin(Instant now, Connection& c) {
  c.receiver.take_fin();
  c.ack_now = true;
  schedule(c);
  changed(c);
  if (c.state == State::established) return set_state(now, c, State::close_wait, Cause::fin);
  if (c.state == State::fin_wait_2) {
    send_ack(now, c);
    return enter_time_wait(now, c, Cause::fin);
  }
  // In FIN-WAIT-1 an acknowledgment of our FIN would have been taken in the fifth step.
  set_state(now, c, State::closing, Cause::fin);
}

}  // namespace lanyard::tcp
