// SPDX-License-Identifier: Apache-2.0
// Segments that go out: which, decided by the sender; how, here.
#include <algorithm>
#include <utility>

#include "transport/congestion/kind.hh"
#include "transport/tcp/opening.hh"
#include "transport/tcp/output_plain.hh"
#include "transport/tcp/pacing.hh"
#include "transport/tcp/path_probe.hh"
#include "transport/tcp/user_timeout.hh"

namespace lanyard::tcp {

namespace {

// The largest payload whose segment, with any header, an IP length field can say.
constexpr std::uint32_t super_segment_bytes_max = 65535 - 60 - 60;
constexpr std::uint32_t mss_min = 48;
constexpr std::uint32_t timestamp_bytes = 12;

std::uint32_t sack_blocks_that_fit(const Connection& c) {
  const std::size_t most = c.has_timestamps ? sack_blocks_max - 1 : sack_blocks_max;
  return static_cast<std::uint32_t>(std::min(c.receiver.sack_blocks().size(), most));
}

// RFC 3168 5, 6.1.4, 6.1.5: ECT(0) on new data only; the two bits are not the program's.
std::uint8_t traffic_class_of(const Connection& c) {
  constexpr std::uint8_t ect_0 = 2;
  const auto differentiated = static_cast<std::uint8_t>(c.settings->traffic_class & 0xfc);
  return c.has_ecn && c.is_new_data ? differentiated | ect_0 : differentiated;
}

// RFC 3168 6.1.1 [RFC3168-6.1.1-a], 6.1.2, 6.1.3: a SYN asks, unless one went unanswered; a SYN,ACK
// agrees. After that ECE says that CE came, CWR that the window was reduced.
Flags ecn_flags(Connection& c, Flags segment, bool asks) {
  if (segment.syn() && !segment.ack()) return asks ? flags::ece | flags::cwr : flags::none;
  if (segment.syn()) return c.has_ecn ? flags::ece : flags::none;
  if (!c.has_ecn) return flags::none;
  Flags result = c.ecn_echo ? flags::ece : flags::none;
  if (c.ecn_reduced && c.is_new_data) {
    result |= flags::cwr;
    c.ecn_reduced = false;
  }
  return result;
}

bool reports_sack(const Connection& c) {
  return c.has_sack && !c.receiver.sack_blocks().empty();
}

// Each segment is judged by itself while something is repaired or reported.
std::uint32_t super_segment_limit(const Connection& c) {
  const bool is_plain =
      c.sender.recovery() == Sender::Recovery::none && !reports_sack(c) && !tells_user_timeout(c);
  return is_plain ? c.path.super_segment_max : 0;
}

// Nothing is in flight or waits to go out, and no timer is for that.
bool is_quiet(const Connection& c) {
  return c.sender.flight() == 0 && !c.sender.has_unsent() && c.waiting == Waiting::nothing &&
         c.deadline(Alarm::retransmit) == Instant::never() &&
         c.deadline(Alarm::held_back) == Instant::never();
}

void hand_down(internet::Outbox& out, const Node& from, Packet&& segment, std::uint8_t hop_limit,
               std::uint8_t traffic_class, std::uint32_t interface, bool may_fragment) {
  internet::Datagram& datagram = out.emplace_back();  // made in its place: all of it is large
  datagram.source = from.local.address;
  datagram.destination = from.remote.address;
  datagram.protocol = internet::Protocol::tcp;
  datagram.hop_limit = hop_limit;          // RFC 9293 3.9.2 [MUST-49]
  datagram.traffic_class = traffic_class;  // RFC 9293 3.9.1.9 [MUST-48] [SHLD-22]
  datagram.may_fragment = may_fragment;    // 9293-3.7-b: path MTU discovery
  datagram.interface = interface;
  datagram.packet = std::move(segment);
}

}  // namespace

void hand_down(internet::Outbox& out, const Connection& from, Packet&& segment) {
  const Settings& settings = *from.settings;
  hand_down(out, from, std::move(segment), settings.hop_limit, traffic_class_of(from),
            from.interface, settings.may_fragment);
}

void Machine::refresh_path(Connection& c) {
  const auto path = paths.find(c.remote.address, c.local.address, c.interface);
  if (!path) return;
  c.path = {.mtu = path->mtu,
            .super_segment_max = std::min(path->super_segment_bytes_max, super_segment_bytes_max),
            .takes_checksums = path->takes_checksums};
  compute_mss(c);
}

// RFC 9293 3.7.1 [MUST-16] (9293-3.7-a): Eff.snd.MSS = min(SendMSS + 20, MMS_S) - TCPhdrsize -
// IPoptionsize. BI-33: never so small that nothing fits.
std::uint32_t full_payload(const Connection& c) {
  const auto ip = static_cast<std::uint32_t>(ip_header_bytes(c.remote.address));
  const std::uint32_t options = c.has_timestamps ? timestamp_bytes : 0;
  std::uint32_t whole = c.peer_mss + header_size_min;
  whole = std::min(whole, c.path.mtu > ip ? c.path.mtu - ip : 0);
  if (c.settings->mss_max != 0) {
    const std::uint32_t asked = c.settings->mss_max;
    whole = std::min<std::uint32_t>(whole, asked + header_size_min);
  }
  const std::uint32_t taken = header_size_min + options;
  return std::max(whole > taken ? whole - taken : 0, mss_min);
}

void Machine::compute_mss(Connection& c) {
  std::uint32_t mss = full_payload(c);
  if (c.rare && c.rare->path_low != 0) mss = std::max(std::min(mss, c.rare->path_low), mss_min);
  c.mss = static_cast<std::uint16_t>(mss);
  if (c.congestion) c.congestion->set_segment(c.mss);
}

// What fits beside the SACK blocks this segment must carry, or else the user's time-out.
std::uint32_t Machine::segment_limit(const Connection& c) const {
  constexpr std::uint32_t user_timeout_bytes = 4;
  if (!reports_sack(c))
    return tells_user_timeout(c) ? std::max(c.mss - user_timeout_bytes, mss_min) : c.mss;
  const std::uint32_t taken = 4 + 8 * sack_blocks_that_fit(c);
  return std::max(c.mss - taken, mss_min);  // four blocks take 36
}

void Machine::ack_was_sent(Connection& c) {
  c.last_ack_sent = c.receiver.next();
  c.ack_now = c.ack_delayed = false;
  if (c.quick_acks > 0) --c.quick_acks;
  set_alarm(c, Alarm::delayed_ack, Instant::never());
  c.receiver.sack_reported();
}

void Machine::ship(const Node& from, const Header& header, Packet&& payload, ChecksumBy by,
                   std::uint8_t hop_limit, std::uint8_t traffic_class, std::uint32_t interface) {
  header.push_onto(payload, from.local.address, from.remote.address, by);
  hand_down(out, from, std::move(payload), hop_limit, traffic_class, interface, false);
}

// The header of a segment of any kind.
Header Machine::header_of(Instant now, Connection& c, Flags flags, SequenceNumber sequence) {
  Header header;
  header.source_port = c.local.port;
  header.destination_port = c.remote.port;
  header.sequence = sequence;
  header.flags = flags | ecn_flags(c, flags, asks_for_ecn(*this, c));
  if (flags.ack()) header.acknowledgment = c.receiver.next();
  if (flags.syn()) {
    // RFC 9293 3.7.1 [MUST-14] [MUST-65] [MAY-3]; [RFC7323-2.2-a]: this window is not scaled.
    header.options.mss = c.own_mss;
    if (flags.ack() ? c.has_scaling : config.window_scaling)
      header.options.window_scale = c.own_scale;
    header.options.sack_permitted = flags.ack() ? c.has_sack : config.sack;
    c.receiver.set_scale(0);
    header.window = static_cast<std::uint16_t>(
        std::min<std::uint32_t>(c.settings->receive_buffer_bytes, 65535));
    if (flags.ack()) header.window = c.receiver.offer(c.own_mss);
    c.receiver.set_scale(c.has_scaling ? c.own_scale : 0);
    // RFC 7413 4.1.3.1: once only; a SYN,ACK that goes again grants again.
    if (c.rare && (flags.ack() ? c.is_passive : !c.was_syn_resent))
      header.options.fast_open = c.rare->cookie;
  } else {
    header.window = c.receiver.offer(c.own_mss);
  }
  // [RFC7323-3.2-a]: once negotiated, on every segment.
  if (c.has_timestamps || (flags.syn() && !flags.ack() && config.timestamps))
    header.options.timestamps = {.value = timestamp_clock(now, c.timestamp_offset),
                                 .echo = flags.ack() ? c.ts_recent : 0};
  if (flags.syn() || !reports_sack(c))
    header.options.user_timeout = take_user_timeout_to_tell(config, c, flags);
  if (reports_sack(c) && !flags.syn()) {
    header.options.sack_blocks = static_cast<std::uint8_t>(sack_blocks_that_fit(c));
    std::copy_n(c.receiver.sack_blocks().begin(), header.options.sack_blocks,
                header.options.sack.begin());
  }
  if (const auto pointer = c.sender.urgent_pointer(sequence); pointer && !flags.syn()) {
    header.flags |= flags::urg;
    header.urgent_pointer = *pointer;
  }
  return header;
}

// The one place where a connection's segments are made.
void Machine::transmit(Instant now, Connection& c, Flags flags, SequenceNumber sequence,
                       Packet&& payload, std::uint32_t segment_bytes) {
  if (!payload) payload = Packet(headroom_bytes, 0);
  if (segment_bytes == 0) {
    ++c.counters.segments_out;
  } else {
    payload.offload.segment_bytes = static_cast<std::uint16_t>(segment_bytes);
    c.counters.segments_out +=
        segments_of(static_cast<std::uint32_t>(payload.size()), segment_bytes);
  }
  c.last_sent = now;
  // Whoever cuts a super-segment makes the checksums of the pieces.
  const bool is_left = c.path.takes_checksums || segment_bytes != 0;
  const ChecksumBy by = is_left ? ChecksumBy::device : ChecksumBy::us;
  if (flags.syn() || reports_sack(c) || c.sender.has_urgent() || tells_user_timeout(c)) {
    header_of(now, c, flags, sequence).push_onto(payload, c.local.address, c.remote.address, by);
  } else {
    push_plain_header(now, c, flags | ecn_flags(c, flags, false), sequence, payload, by);
  }
  if (flags.ack()) ack_was_sent(c);
  hand_down(out, c, std::move(payload));
}

void Machine::send_syn(Instant now, Connection& c) {
  const bool is_answer = c.state == State::syn_received;
  const bool is_first = c.sender.next() == c.sender.iss();
  if (is_first) c.sender.syn_sent();
  const std::uint32_t early = is_first && !is_answer && c.rare ? c.rare->early_bytes : 0;
  Packet text;
  if (early > 0) {
    text = Packet(headroom_bytes, std::min(early, small_payload_bytes));
    c.sender.share_with(text, c.sender.next(), early);
  }
  transmit(now, c, is_answer ? flags::syn | flags::ack : flags::syn, c.sender.iss(),
           std::move(text), 0);
  if (early > 0) {
    begin_sending(c);
    c.counters.bytes_sent += early;
    c.sender.sent(now, {.sequence = c.sender.next(), .size = early}, early);
  }
  c.timed_at = c.was_syn_resent ? Instant::never() : now;
  c.timed_end = c.sender.iss() + 1;
  c.waiting = Waiting::acknowledgment;
  set_alarm(c, Alarm::retransmit, now + retransmit_timeout(c));
}

void Machine::send_ack(Instant now, Connection& c) {
  transmit(now, c, flags::ack, c.sender.next(), {}, 0);
}

void Machine::send_probe(Instant now, Connection& c) {
  transmit(now, c, flags::ack, c.sender.una() - 1, {}, 0);
}

// RFC 5961 7 [RFC5961-7-a]: bounded for each connection by itself, by a number nobody can guess
// (CVE-2016-5696 counted a bound that all shared).
void Machine::send_challenge(Instant now, Connection& c) {
  if (now >= c.challenge_window) {
    c.challenge_window = now + Duration::seconds(1);
    const std::uint32_t most = std::max(config.challenge_acks_per_second, 2U);
    c.challenges_left = static_cast<std::uint16_t>(most / 2 + dice.below(most));
  }
  if (c.challenges_left == 0) return;
  --c.challenges_left;
  c.ack_now = true;
  schedule(c);
}

void Machine::send_data(Instant now, Connection& c, const Outgoing& outgoing, std::uint32_t mss) {
  Packet payload(headroom_bytes, std::min(outgoing.size, small_payload_bytes));
  c.sender.share_with(payload, outgoing.sequence, outgoing.size);
  Flags flags = flags::ack;
  if (outgoing.has_push) flags |= flags::psh;
  if (outgoing.has_fin) flags |= flags::fin;
  c.counters.bytes_sent += outgoing.size;
  if (outgoing.is_retransmission) {
    ++c.counters.retransmissions;
    c.counters.bytes_retransmitted += outgoing.size;
    const bool is_fast = c.sender.recovery() == Sender::Recovery::fast;
    emit(now, EventKind::tcp_retransmit,
         {static_cast<std::int64_t>(c.id), outgoing.sequence.value(), outgoing.size,
          static_cast<std::int64_t>(is_fast ? Resent::fast : Resent::time_out)});
  }
  c.recovery->note_sent(now, outgoing, c.sender);
  note_rate_of(now, c, outgoing, mss);
  c.recovery->segments_out += segments_of(outgoing.size, mss);
  c.is_new_data = !outgoing.is_retransmission && outgoing.size > 0;
  const std::uint32_t segment_bytes = outgoing.size > mss ? mss : 0;
  transmit(now, c, flags, outgoing.sequence, std::move(payload), segment_bytes);
  c.is_new_data = false;
}

void begin_sending(Connection& c) {
  c.congestion = congestion::make(c.settings->congestion, c.mss, c.was_syn_resent);
  c.recovery = std::make_unique<Recovery>();
  c.recovery->start(c.sender.una());
}

namespace {

// What limits the next segments, of `mss` octets each.
SendLimits send_limits(const Connection& c, std::uint32_t mss, std::uint32_t allowed) {
  return {.mss = mss,
          .super_segment_max = std::min(super_segment_limit(c), allowed),
          .congestion_window = congestion_window(c),
          .no_delay = c.settings->no_delay && !c.is_more_coming,
          .is_corked = c.settings->cork || c.is_more_coming};
}

}  // namespace

// Everything that may go now, in order; then a bare ACK if one is owed and none of it carried it.
void Machine::output(Instant now, Connection& c) {
  if (c.sender.has_unsent() && output_plain(*this, now, c)) return;
  Held held = Held::nothing_to_send;
  bool has_sent = false;
  if (!is_quiet(c) && (is_synchronized(c.state) || c.is_early)) {
    if (!c.congestion && c.sender.has_unsent()) begin_sending(c);
    if (config.slow_start_after_idle && c.congestion && c.sender.flight() == 0 &&
        c.sender.has_unsent() && now - c.last_sent > std::min(config.rto_min, config.rto_initial) &&
        now - c.last_sent > retransmit_timeout(c))
      c.congestion->on_idle();  // [RFC5681-4.1-a]
    if (c.recovery) begin_pacing(now, c);
    while (true) {
      held = Held::nothing_to_send;
      const bool is_recovering = c.sender.recovery() != Sender::Recovery::none;
      if (!c.congestion || (!is_recovering && !c.sender.has_unsent())) break;
      const std::uint32_t mss = segment_limit(c);
      const std::uint32_t allowed = c.recovery->rates->pacer.allowed(now);
      const SendLimits limits = send_limits(c, mss, allowed);
      if (c.rare && c.rare->path_low != 0 && !tells_user_timeout(c))
        probe_path(*this, now, c, limits);
      const auto outgoing = c.sender.next_outgoing(limits, held);
      if (outgoing && allowed == 0) held = Held::by_pacing;
      if (!outgoing || allowed == 0) break;
      has_sent = true;
      c.sender.sent(now, *outgoing, mss);
      if (outgoing->size > 0 && now - c.last_received < config.delayed_ack_max &&
          c.counters.bytes_received > 0)
        c.is_interactive = true;
      send_data(now, c, *outgoing, mss);
    }
    if (c.recovery) note_output(*this, c, has_sent, held);
    arm_retransmit(now, c, held);
  }
  if (c.recovery)
    c.recovery->busy.note(now, c.sender.queued() > 0, held == Held::by_window,
                          c.sender.queued() > 0 && c.sender.unsent() == 0 && !c.was_writable);
  if (c.ack_now) send_ack(now, c);
}

// [RFC7323-3.2-a] 5.2: with timestamps, where they are in use.
void Machine::send_reset(Instant now, const Connection& c) {
  Header header;
  header.source_port = c.local.port;
  header.destination_port = c.remote.port;
  header.sequence = c.sender.next();
  header.acknowledgment = c.receiver.next();
  header.flags = flags::rst | flags::ack;
  if (c.has_timestamps)
    header.options.timestamps = {.value = timestamp_clock(now, c.timestamp_offset),
                                 .echo = c.ts_recent};
  ship(c, header, Packet(headroom_bytes, 0), ChecksumBy::us, c.settings->hop_limit,
       c.settings->traffic_class, c.interface);
}

// 9293-3.5-b: never in answer to a RST. 9293-3.5-c, 9293-3.10.7.1-a: in the form that the sender
// accepts.
void Machine::answer_with_reset(const Segment& segment) {
  if (segment.flags.rst()) return;
  Header header;
  header.source_port = segment.local.port;
  header.destination_port = segment.remote.port;
  header.flags = flags::rst;
  if (segment.flags.ack()) {
    header.sequence = segment.acknowledgment;
  } else {
    header.flags |= flags::ack;
    header.acknowledgment = segment.end();
  }
  // RFC 7323 5.2: a time for a time; ours says nothing.
  if (segment.options.timestamps)
    header.options.timestamps = {.value = 0, .echo = segment.options.timestamps->value};
  Node from;
  from.local = segment.local;
  from.remote = segment.remote;
  const bool is_zoned = segment.remote.address.is_v6() && segment.remote.address.is_link_local();
  ship(from, header, Packet(headroom_bytes, 0), ChecksumBy::us, 0, 0,
       is_zoned ? segment.datagram->interface : 0);
}

}  // namespace lanyard::tcp
