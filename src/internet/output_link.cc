// SPDX-License-Identifier: Apache-2.0
// The last step: the neighbour's MAC address, the frame, and the questions of the neighbour table.
#include "internet/output.hh"
#include "link/arp.hh"
#include "link/segment.hh"
#include "wire/ethernet.hh"
#include "wire/ipv6.hh"
#include "wire/ndp.hh"

namespace lanyard::internet {

void Output::transmit(Instant now, const Hop& hop, Packet&& packet) {
  Interface& interface = *hop.interface;
  if (!interface.link.is_up) {
    return shared_.machine.on_drop(now, interface.link.index, DropReason::link_down, packet);
  }
  if (interface.link.is_loopback) {
    return shared_.machine.loop_back(now, loopback_interface, std::move(packet));
  }
  // [RFC1122-3.3.6-d], RFC 1112 6.4 [RFC1112-a], RFC 2464 7.
  if (hop.kind == Hop::Kind::multicast) {
    return put_on_link(now, interface, multicast_mac(hop.next), std::move(packet));
  }
  if (hop.kind == Hop::Kind::broadcast) {
    return put_on_link(now, interface, MacAddress::broadcast(), std::move(packet));
  }
  if (const auto mac = interface.neighbours.resolve(now, hop.next)) {
    return put_on_link(now, interface, *mac, std::move(packet));
  }
  interface.neighbours.hold(now, hop.next, std::move(packet), hop.source);
  work_off(now, interface);
}

void Output::put_on_link(Instant now, Interface& interface, const MacAddress& to, Packet&& packet) {
  const bool is_cut =
      packet.offload.segment_bytes != 0 && interface.link.super_segment_bytes_max == 0;
  if (!interface.link.takes_checksums && !is_cut) finish_checksum(packet);
  const bool is_v4 = packet.front()[0] >> 4 == 4;
  const ethernet::Type type = is_v4 ? ethernet::Type::ipv4 : ethernet::Type::ipv6;
  // [RFC1122-2.3.3-a], [RFC1122-2.3.1-a]: Ethernet II, never trailers.
  ethernet::Header{to, interface.link.mac, type}.push_onto(packet);
  const std::uint32_t index = interface.link.index;
  if (!is_cut) return shared_.machine.transmit(now, index, std::move(packet));
  // A router's next link may not take what its last one did.
  const auto by = interface.link.takes_checksums ? ChecksumBy::device : ChecksumBy::us;
  for (Packet& frame : link::segment(std::move(packet), by)) {
    shared_.machine.transmit(now, index, std::move(frame));
  }
}

void Output::work_off(Instant now, Interface& interface) {
  link::Outcomes& outcomes = interface.neighbours.outcomes();
  if (outcomes.is_empty()) return;
  const std::uint32_t index = interface.link.index;
  for (auto& ready : outcomes.ready) {
    put_on_link(now, interface, ready.mac, std::move(ready.packet));
  }
  for (const auto& change : outcomes.changes) {
    shared_.machine.on_neighbour(now, index, change.address, change.state);
    // RFC 1122 3.3.1.4: a gateway that answers again is taken again.
    if (change.state == link::NeighbourState::reachable) {
      shared_.routes.mark_alive(change.address, index);
    }
  }
  for (const auto& wanted : outcomes.solicitations) solicit(now, interface, wanted);
  for (auto& dropped : outcomes.dropped) {
    shared_.machine.on_drop(now, index, dropped.reason, dropped.packet);
    if (dropped.reason == DropReason::neighbour_unresolved) {
      undeliverable_.push_back({index, std::move(dropped.packet)});
    }
  }
  for (const IpAddress& address : outcomes.unreachable) {
    shared_.redirects.remove_through(shared_.routes, address, index);
    // RFC 1122 3.3.1.4 [RFC1122-3.3.1.4-a]: no answer is what tells a dead gateway.
    if (shared_.routes.is_gateway(address, index)) {
      shared_.routes.mark_dead(address, index, now + shared_.config.dead_gateway_for);
    }
  }
  for (const IpAddress& address : outcomes.not_routers_now) {
    shared_.routes.remove_through(address, index, RouteOrigin::advertised);
  }
  outcomes.clear();
}

std::vector<Output::Undeliverable> Output::take_undeliverable() {
  return std::exchange(undeliverable_, {});
}

void Output::solicit(Instant now, Interface& interface,
                     const link::Outcomes::Solicitation& wanted) {
  const IpAddress source = address_towards(interface, wanted.target, wanted.source);
  // Without an address of this family there is nobody to answer to.
  if (source.is_unspecified()) return;
  if (wanted.target.is_v4()) {
    shared_.machine.transmit(
        now, interface.link.index,
        link::arp_request(interface.link.mac, source, wanted.target, wanted.unicast_to));
    return;
  }
  // RFC 4861 7.2.2 [RFC4861-7.2.2-a]: to the solicited-node group, with our link-layer address.
  ndp::Message message;
  message.type = ndp::Type::neighbour_solicitation;
  message.target = wanted.target;
  message.options.source_link_address = interface.link.mac;
  const IpAddress to = wanted.unicast_to ? wanted.target : solicited_node(wanted.target);
  Packet packet(64 + message.size(), 0);
  message.push_onto(packet, source, to);
  ipv6::Header{.source = source,
               .destination = to,
               .next_header = static_cast<std::uint8_t>(Protocol::icmpv6),
               .hop_limit = ndp::hop_limit}
      .push_onto(packet);
  put_on_link(now, interface,
              wanted.unicast_to.value_or(multicast_mac(solicited_node(wanted.target))),
              std::move(packet));
}

}  // namespace lanyard::internet
