// SPDX-License-Identifier: Apache-2.0
// What nearly every segment of a conversation is: the next one in order, or an ACK that moves on,
// between two ends of which neither repairs anything. It is told from all others in a few compares;
// then those steps of RFC 9293 3.10.7.4 are taken that have something to do, in their order.
#include "transport/tcp/arrives_plain.hh"

#include <optional>

#include "wire/tcp_plain.hh"

namespace lanyard::tcp {

namespace {

// Nothing is under way that a step would have to look at. Who is ESTABLISHED has a program, and no
// FIN to send: closing leaves the state at once.
bool is_settled(const Connection& c) {
  return c.state == State::established && !c.has_ecn && !c.has_early_fin &&
         c.receiver.pieces() == 0 && c.retransmits == 0 && c.rare == nullptr &&
         c.sender.recovery() == Sender::Recovery::none && c.sender.duplicates() == 0 &&
         c.sender.lost_bytes() + c.sender.selectively_acknowledged() == 0;
}

// 9293-3.10.7.4-a, 9293-3.10.7.4-i: all of it lies in the window, and it acknowledges what is in
// flight, if perhaps nothing new. A bare ACK that does not move on may be a duplicate.
bool is_expected(const Connection& c, const View& view) {
  constexpr std::uint8_t but_push = 0xff & ~flags::psh.bits;
  const SequenceNumber ack = view.acknowledgment();
  if ((view.flags().bits & but_push) != flags::ack.bits) return false;
  if (view.sequence() != c.receiver.next() || view.payload_size() > c.receiver.window())
    return false;
  if (after(ack, c.sender.next()) || before(ack, c.sender.una())) return false;
  if (ack == c.sender.una()) return view.payload_size() > 0;
  return c.recovery->is_settled();  // there is one, or nothing would be in flight
}

}  // namespace

bool arrives_plain(Machine& m, Instant now, Connection& c, const View& view, const Packet& packet) {
  if (!is_settled(c) || !is_expected(c, view) || m.is_watched()) return false;
  const Bytes options = view.option_bytes();
  const std::optional<Timestamps> timestamps = timestamps_if_alone(options);
  if (c.has_timestamps != timestamps.has_value() || (!timestamps && !options.empty())) return false;
  if (timestamps) {
    if (is_older(timestamps->value, c.ts_recent)) return false;
    note_timestamp(now, c, view.sequence(), timestamps->value);
  }
  const auto size = static_cast<std::uint32_t>(view.payload_size());
  note_heard(m, now, c, size);
  c.last_acked = now;
  const SequenceNumber ack = view.acknowledgment();
  const std::uint32_t window = std::uint32_t{view.window()} << c.peer_scale;
  const std::uint32_t flight = c.sender.flight();
  const bool is_new = ack != c.sender.una();
  Delivery delivery = is_new ? m.begin_delivery(now, c, timestamps) : Delivery();
  if (is_new) m.take_acknowledgment(now, c, ack, delivery);
  if (c.sender.update_window(view.sequence(), ack, window)) m.schedule(c);
  if (is_new) recover_plain(m, now, c, delivery, flight);
  if (size == 0) return true;
  const Receiver::Taken taken = c.receiver.take(view.sequence(), packet, view.header_size(), size,
                                                m.config.out_of_order_segments_max);
  note_text(m, now, c, packet, size, taken);
  m.want_ack(now, c, taken.was_out_of_order);
  return true;
}

}  // namespace lanyard::tcp
