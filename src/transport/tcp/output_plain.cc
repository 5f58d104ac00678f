// SPDX-License-Identifier: Apache-2.0
// A request, an answer, the end of a message: one segment with all that is queued, which both
// windows have room for, of a conversation in which neither end repairs anything. It is told from
// all others in some twenty compares; what follows is what output() would come to, and where
// somebody watches every event output() is what is taken, so that the two can be compared
// (twice_test.cc).
#include "transport/tcp/output_plain.hh"

#include <algorithm>

#include "wire/tcp_plain.hh"

namespace lanyard::tcp {

namespace {

// Nothing is asked for or under way that the steps of output() and send_data() would look at.
bool is_settled(const Connection& c) {
  const Settings& settings = *c.settings;
  return c.state == State::established && c.congestion != nullptr && c.rare == nullptr &&
         !c.has_ecn && !settings.is_paced() && !c.recovery->rates->pacer.is_on() &&
         !c.recovery->rates->pacer.is_waiting() && !c.recovery->is_slowing &&
         c.receiver.sack_blocks().empty();
}

// [RFC5681-4.1-a]: who was silent for long may have to begin anew.
bool may_be_idle(const transport::Config& config, Instant now, const Connection& c) {
  return config.slow_start_after_idle && c.sender.flight() == 0 &&
         now - c.last_sent > std::min(config.rto_min, config.rto_initial);
}

// What is noted of a send: for the rate sample, the window's use, and the busy time.
void note_sent(Instant now, Connection& c, std::uint32_t size, std::uint32_t order,
               std::uint32_t window) {
  Recovery& recovery = *c.recovery;
  const std::uint32_t flight = c.sender.flight();
  DeliveryRate& delivery = recovery.rates->delivery;
  delivery.sent(now, order, flight == size);
  recovery.last_sent = now;
  ++recovery.segments_out;
  const bool is_limited = flight >= window;
  recovery.note_usage(c.sender, is_limited);
  if (!is_limited) delivery.note_application_limited(flight);
  recovery.busy.note(now, true, false, !c.was_writable);
}

}  // namespace

void push_plain_header(Instant now, Connection& c, Flags flags, SequenceNumber sequence,
                       Packet& payload, ChecksumBy by) {
  PlainHeader header{.source_port = c.local.port,
                     .destination_port = c.remote.port,
                     .sequence = sequence,
                     .acknowledgment = c.receiver.next(),
                     .flags = flags,
                     .window = c.receiver.offer(c.own_mss)};
  if (c.has_timestamps)
    header.timestamps = {.value = timestamp_clock(now, c.timestamp_offset), .echo = c.ts_recent};
  header.push_onto(payload, c.local.address, c.remote.address, by);
}

bool output_plain(Machine& m, Instant now, Connection& c) {
  if (!is_settled(c) || may_be_idle(m.config, now, c) || m.is_watched()) return false;
  const std::uint32_t window = c.congestion->window();
  const bool holds_back = c.settings->cork || c.is_more_coming;
  const std::uint32_t size = c.sender.whole_rest({.mss = c.mss,
                                                  .congestion_window = window,
                                                  .no_delay = c.settings->no_delay,
                                                  .is_corked = holds_back});
  if (size == 0) return false;
  const SequenceNumber sequence = c.sender.next();
  const std::uint32_t order = c.sender.sent_rest(now, size, c.mss);
  if (now - c.last_received < m.config.delayed_ack_max && c.counters.bytes_received > 0)
    c.is_interactive = true;
  c.counters.bytes_sent += size;
  ++c.counters.segments_out;
  c.last_sent = now;
  Packet segment(headroom_bytes, std::min(size, small_payload_bytes));
  c.sender.share_with(segment, sequence, size);
  push_plain_header(now, c, flags::ack | flags::psh, sequence, segment,
                    c.path.takes_checksums ? ChecksumBy::device : ChecksumBy::us);
  m.ack_was_sent(c);
  hand_down(m.out, c, std::move(segment));
  note_sent(now, c, size, order, window);
  m.arm_retransmit(now, c, Held::nothing_to_send);
  return true;
}

}  // namespace lanyard::tcp
