// SPDX-License-Identifier: Apache-2.0
// What both families share: handing up, refusing, and what reassembly gave up.
#include "internet/input.hh"

#include <algorithm>

#include "wire/ndp.hh"

namespace lanyard::internet {
namespace {

// The datagram of which only this much came.
Datagram datagram_of(const Reassembly::GivenUp& given_up) {
  Datagram datagram;
  datagram.source = given_up.key.source;
  datagram.destination = given_up.key.destination;
  datagram.protocol = static_cast<Protocol>(given_up.key.protocol);
  datagram.packet = given_up.first.share();
  return datagram;
}

}  // namespace

Input::Input(Shared& shared, Output& output, Icmp& icmp, Ndp& ndp, Groups& groups)
    : shared_(shared),
      output_(output),
      icmp_(icmp),
      ndp_(ndp),
      groups_(groups),
      reassembly_(shared.config) {}

void Input::drop(Instant now, const Arrival& arrival, DropReason reason, const Packet& packet) {
  shared_.machine.on_drop(now, arrival.interface, reason, packet);
}

void Input::refuse(Instant now, const Complaint& complaint, DropReason reason,
                   const Packet& packet) {
  drop(now, complaint.arrival, reason, packet);
  icmp_.complain(now, complaint, {}, packet);
}

bool Input::is_broadcast_on(const IpAddress& address, std::uint32_t interface) const {
  if (address.is_limited_broadcast()) return true;
  const auto& addresses = shared_.interfaces.at(interface).addresses;
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const InterfaceAddress& a) { return a.prefix.broadcast() == address; });
}

// ICMP, ICMPv6 and IGMP, of which most is for the internet layer itself.
DropReason Input::on_control(Instant now, const Arrival& arrival, Datagram& datagram, Bytes header,
                             bool was_fragmented) {
  const Bytes message = datagram.packet.linear();
  const bool is_v6 = datagram.protocol == Protocol::icmpv6;
  if (datagram.protocol == Protocol::igmp ||
      (is_v6 && !message.empty() && membership::is_mld(message[0]))) {
    return groups_.on_message(now, datagram, header, arrival);
  }
  if (!is_v6 || message.empty() || !ndp::is_ndp(message[0])) {
    return icmp_.on_message(now, datagram, arrival);
  }
  // RFC 6980 5 [RFC6980-5-a], BI-39.
  return was_fragmented ? DropReason::bad_ndp : ndp_.on_message(now, datagram, arrival);
}

void Input::deliver(Instant now, const Arrival& arrival, Datagram& datagram, Bytes header,
                    std::size_t named_at, bool was_fragmented) {
  const bool is_v4 = datagram.destination.is_v4();
  const bool is_control =
      is_v4 ? datagram.protocol == Protocol::icmp || datagram.protocol == Protocol::igmp
            : datagram.protocol == Protocol::icmpv6;
  if (was_fragmented && shared_.machine.is_other_shards(datagram))
    return drop(now, arrival, DropReason::other_shard, datagram.packet);
  if (is_control) {
    const DropReason reason = on_control(now, arrival, datagram, header, was_fragmented);
    if (reason != DropReason::none) return drop(now, arrival, reason, datagram.packet);
    // [RFC1122-3.2.2.6-e]: whoever listens for ICMP hears it too.
    static_cast<void>(shared_.machine.deliver(now, datagram, header));
    return;
  }
  hand_to_transport(now, arrival, datagram, header, named_at);
}

void Input::hand_to_transport(Instant now, const Arrival& arrival, Datagram& datagram, Bytes header,
                              std::size_t named_at) {
  const DropReason reason = shared_.machine.deliver(now, datagram, header);
  if (reason == DropReason::none) return;
  drop(now, arrival, reason, datagram.packet);
  // [RFC1122-3.2.2.1-a], [RFC1122-4.1.3.1-a], RFC 4443 3.1, RFC 8200 4.
  if (reason == DropReason::no_socket) {
    icmp_.complain(now, {Trouble::port_unreachable, 0, arrival}, header, datagram.packet);
  } else if (reason == DropReason::unknown_protocol) {
    const bool is_v4 = datagram.destination.is_v4();
    const auto pointer = is_v4 ? 0U : static_cast<std::uint32_t>(named_at);
    icmp_.complain(now, {Trouble::unknown_next_header, pointer, arrival}, header, datagram.packet);
  }
}

void Input::poll(Instant now) {
  if (now < reassembly_.next_deadline()) return;
  reassembly_.poll(now);
  take_given_up(now);
}

void Input::take_given_up(Instant now) {
  for (const Reassembly::GivenUp& given_up : reassembly_.take_given_up()) {
    Arrival arrival;
    arrival.interface = given_up.header.interface;
    arrival.was_link_broadcast = given_up.header.was_link_broadcast;
    drop(now, arrival, given_up.reason, given_up.first);
    // RFC 1122 3.3.2 [RFC1122-3.3.2-b], RFC 8200 4.5 [RFC8200-4.5-e], BI-21: only about a datagram
    // whose first fragment came.
    if (!given_up.has_first || given_up.reason != DropReason::reassembly_timeout) continue;
    if (shared_.machine.is_other_shards(datagram_of(given_up))) continue;
    icmp_.complain(now, {Trouble::reassembly_time_exceeded, 0, arrival}, given_up.header.bytes,
                   given_up.first);
  }
}

}  // namespace lanyard::internet
