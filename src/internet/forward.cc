// SPDX-License-Identifier: Apache-2.0
// A router's part: packets for others, one hop nearer.
#include <algorithm>

#include "internet/input.hh"
#include "wire/ipv4_options.hh"
#include "wire/protocol.hh"

namespace lanyard::internet {

// RFC 1812 5.3.8 [RFC1812-5.3.8-a]: would the answer go out where this came in?
bool Input::has_way_back(const IpAddress& source, const Arrival& arrival) const {
  if (!shared_.config.checks_reverse_path) return true;
  const NextHop* back = shared_.routes.find(source, 0);
  return back != nullptr && back->interface == arrival.interface;
}

// A packet without IP options between two ends that a packet was forwarded between before: what was
// found out then about both, and the way, hold.
Input::Passed Input::forward_known(Instant now, const Arrival& arrival, Packet& packet) {
  if (arrival.was_link_broadcast || arrival.was_looped) return Passed::no;
  const std::uint8_t* const header = packet.front().data();
  const Flows::Flow* const flow =
      flows_.find(shared_.version(), load64(header + ipv4::source_offset), arrival.interface);
  if (flow == nullptr || header[ipv4::ttl_offset] <= 1) return Passed::no;
  const Hop hop{.interface = flow->interface, .next = flow->next, .source = {}, .mtu = flow->mtu};
  if (!Output::fits(hop, packet, 0)) return Passed::no;
  ipv4::decrement_ttl(packet.mutable_front().data());
  const Instant before = hop.interface->neighbours.next_deadline();
  output_.transmit(now, hop, std::move(packet));
  return hop.interface->neighbours.next_deadline() < before ? Passed::handled : Passed::onward;
}

void Input::forward_v4(Instant now, const Arrival& arrival, Packet&& packet,
                       const ipv4::View& view) {
  const IpAddress destination = view.destination();
  // RFC 1812 5.3.4 [RFC1812-5.3.4-a].
  if (arrival.was_link_broadcast) return drop(now, arrival, DropReason::not_for_us, packet);
  // RFC 3927 7 [RFC3927-7-a], [RFC3927-2.7-a]; 0.0.0.0 is nobody to answer to.
  if (view.source().is_link_local() || view.source().is_unspecified()) {
    return drop(now, arrival, DropReason::martian_source, packet);
  }
  if (destination.is_link_local()) {
    return drop(now, arrival, DropReason::martian_destination, packet);
  }
  if (!has_way_back(view.source(), arrival)) {
    return drop(now, arrival, DropReason::filtered, packet);
  }
  if (!view.options().empty()) {
    // [RFC1812-5.3.13-a], [RFC1122-3.3.5-a]: source routes are not followed; others pass unchanged.
    const ipv4::OptionFacts facts = ipv4::examine_options(view.options());
    if (facts.is_malformed) {
      const auto pointer =
          static_cast<std::uint32_t>(ipv4::header_size_min + facts.malformed_offset);
      return refuse(now, {Trouble::header_problem, pointer, arrival}, DropReason::bad_option,
                    packet);
    }
    if (facts.source_routes > 0) {
      return refuse(now, {Trouble::source_route_failed, 0, arrival}, DropReason::source_route,
                    packet);
    }
  }
  // RFC 1812 5.3.1 [RFC1812-5.3.1-a], 5.2.7.3 [RFC1812-5.2.7.3-a].
  if (view.ttl() <= 1) {
    return refuse(now, {Trouble::hop_limit_exceeded, 0, arrival}, DropReason::hop_limit_exceeded,
                  packet);
  }
  const NextHop* route = shared_.routes.find(destination, 0);
  if (route == nullptr) {
    return refuse(now, {Trouble::no_route, 0, arrival}, DropReason::no_route, packet);
  }
  const bool goes_back = route->interface == arrival.interface;
  if (goes_back) redirect_v4(now, arrival, packet, view, *route);
  Hop hop;
  hop.interface = &shared_.interfaces.at(route->interface);
  hop.next = route->is_on_link() ? destination : route->gateway;
  hop.mtu = hop.interface->link.mtu;
  const bool fits = Output::fits(hop, packet, 0);
  // RFC 1812 5.2.5 [RFC1812-5.2.5-a].
  if (!fits && view.dont_fragment()) {
    return refuse(now, {Trouble::too_big, hop.mtu, arrival}, DropReason::needs_fragmentation,
                  packet);
  }
  if (fits && !goes_back && !arrival.was_looped) {
    const std::uint64_t ends = load64(view.header().data() + ipv4::source_offset);
    flows_.keep({shared_.version(), ends, arrival.interface, hop.mtu, hop.interface, hop.next});
  }
  ipv4::decrement_ttl(packet.mutable_front().data());
  if (fits) return output_.transmit(now, hop, std::move(packet));
  finish_checksum(packet);
  output_.transmit_fragments(now, hop, std::move(packet));
}

void Input::forward_v6(Instant now, const Arrival& arrival, Packet&& packet,
                       const ipv6::View& view) {
  const IpAddress destination = view.destination();
  if (arrival.was_link_broadcast) return drop(now, arrival, DropReason::not_for_us, packet);
  // RFC 4291 2.5.6 [RFC4291-2.5-a].
  if (view.source().is_link_local()) {
    return drop(now, arrival, DropReason::martian_source, packet);
  }
  if (destination.is_link_local()) {
    return drop(now, arrival, DropReason::martian_destination, packet);
  }
  if (!has_way_back(view.source(), arrival)) {
    return drop(now, arrival, DropReason::filtered, packet);
  }
  if (view.next_header() == protocol::hop_by_hop) {
    const ipv6::Walk walk = ipv6::walk_hop_by_hop(view);
    if (walk.outcome == ipv6::Walk::Outcome::parameter_problem) {
      return on_walk_problem(now, arrival, packet, walk);
    }
    if (walk.outcome == ipv6::Walk::Outcome::discard ||
        walk.outcome == ipv6::Walk::Outcome::truncated) {
      return drop(now, arrival, DropReason::bad_extension_header, packet);
    }
  }
  if (view.hop_limit() <= 1) {
    return refuse(now, {Trouble::hop_limit_exceeded, 0, arrival}, DropReason::hop_limit_exceeded,
                  packet);
  }
  const NextHop* route = shared_.routes.find(destination, 0);
  if (route == nullptr) {
    return refuse(now, {Trouble::no_route, 0, arrival}, DropReason::no_route, packet);
  }
  Hop hop;
  hop.interface = &shared_.interfaces.at(route->interface);
  hop.next = route->is_on_link() ? destination : route->gateway;
  hop.mtu = hop.interface->link.mtu;
  // RFC 8200 5, RFC 4443 3.2: routers do not fragment.
  if (!Output::fits(hop, packet, 0)) {
    return refuse(now, {Trouble::too_big, hop.mtu, arrival}, DropReason::needs_fragmentation,
                  packet);
  }
  if (route->interface == arrival.interface) ndp_.redirect(now, arrival, packet, view, *route);
  ipv6::decrement_hop_limit(packet.mutable_front().data());
  output_.transmit(now, hop, std::move(packet));
}

// RFC 1812 5.2.7.2 [RFC1812-5.2.7.2-a]: to a neighbour that could have gone there directly.
void Input::redirect_v4(Instant now, const Arrival& arrival, const Packet& packet,
                        const ipv4::View& view, const NextHop& route) {
  const IpAddress gateway = route.is_on_link() ? view.destination() : route.gateway;
  const Interface& interface = shared_.interfaces.at(arrival.interface);
  const bool shares_network = std::any_of(
      interface.addresses.begin(), interface.addresses.end(), [&](const InterfaceAddress& a) {
        return a.prefix.contains(view.source()) && a.prefix.contains(gateway);
      });
  if (!shares_network || view.offset() != 0) return;
  icmp_.complain(now, {Trouble::redirect, gateway.v4_number(), arrival}, {}, packet);
}

}  // namespace lanyard::internet
