// SPDX-License-Identifier: Apache-2.0
// Choosing the way: local, to a group, or by the route table; then the source address.
#include <algorithm>

#include "internet/output.hh"
#include "internet/source_selection.hh"

namespace lanyard::internet {

// Transport asks without a source, then sends with it: the two must not share a place.
Output::Remembered& Output::place_of(const IpAddress& destination, const IpAddress& source,
                                     std::uint32_t interface) const {
  const std::size_t place = destination.bytes()[15] + source.bytes()[15] + interface;
  return remembered_[place % remembered_.size()];
}

const Hop* Output::recall(const IpAddress& destination, const IpAddress& source,
                          std::uint32_t interface) const {
  const Remembered& slot = place_of(destination, source, interface);
  const bool is_it = slot.version == shared_.version() && slot.interface == interface &&
                     slot.destination == destination && slot.source == source;
  return is_it ? &slot.hop : nullptr;
}

Result<Hop> Output::choose(const IpAddress& destination, const IpAddress& source,
                           std::uint32_t interface) const {
  if (const Hop* const hop = recall(destination, source, interface)) return *hop;
  const std::uint64_t version = shared_.version();
  const Chosen chosen = choose_anew(destination, source, interface);
  if (chosen) {
    place_of(destination, source, interface) = {version, destination, source, interface, *chosen};
  }
  return chosen;
}

Result<Hop> Output::choose_anew(const IpAddress& destination, const IpAddress& source,
                                std::uint32_t interface) const {
  const Interfaces& interfaces = shared_.interfaces;
  if (interface != 0) {
    const Interface* out = interfaces.find(interface);
    if (out == nullptr) return unexpected(Errno::no_such_device);
    if (!out->link.is_up) return unexpected(Errno::network_down);
  }
  // RFC 4291 2.5.2 [RFC4291-2.5-a], RFC 1122 3.2.1.3: nobody lives there.
  if (destination.is_unspecified()) return unexpected(Errno::network_unreachable);
  if (!source.is_unspecified()) {
    // [RFC1122-3.2.1.3-d], [RFC1122-3.2.1.3-b]: a source is an address of ours, never a broadcast.
    if (source.family() != destination.family()) return unexpected(Errno::address_not_available);
    if (!interfaces.interface_of(source, interface)) {
      return unexpected(Errno::address_not_available);
    }
  }
  if (destination.is_multicast()) return choose_group(destination, source, interface);
  if (interfaces.interface_of(destination, interface)) return choose_local(destination, source);
  // [RFC1122-3.2.1.3-c], RFC 4291 2.5.3: loopback addresses never leave the machine.
  if (source.is_loopback()) return unexpected(Errno::invalid);
  if (interfaces.role(destination, interface) == Role::broadcast) {
    return choose_group(destination, source, interface);
  }
  return choose_unicast(destination, source, interface);
}

Result<Hop> Output::choose_local(const IpAddress& destination, const IpAddress& source) const {
  Hop hop;
  hop.kind = Hop::Kind::local;
  hop.interface = &shared_.interfaces.at(loopback_interface);
  hop.next = destination;
  hop.mtu = hop.interface->mtu(destination.family());
  hop.source = source;
  if (source.is_unspecified()) {
    hop.source =
        destination.is_loopback() ? IpAddress::loopback(destination.family()) : destination;
  }
  return hop;
}

const Interface* Output::group_interface(const IpAddress& destination, const IpAddress& source,
                                         std::uint32_t interface) const {
  const Interfaces& interfaces = shared_.interfaces;
  if (interface != 0) return interfaces.find(interface);
  // A directed broadcast has one home.
  for (const Interface& candidate : interfaces.all()) {
    const bool is_home =
        std::any_of(candidate.addresses.begin(), candidate.addresses.end(),
                    [&](const InterfaceAddress& a) { return a.prefix.broadcast() == destination; });
    if (is_home && !candidate.link.is_loopback) return &candidate;
  }
  if (!source.is_unspecified()) {
    if (const auto index = interfaces.interface_of(source, 0)) return interfaces.find(*index);
  }
  if (const NextHop* route = shared_.routes.find(destination, 0)) {
    return interfaces.find(route->interface);
  }
  const auto& all = interfaces.all();
  const auto first = std::find_if(all.begin(), all.end(), [&](const Interface& candidate) {
    return !candidate.link.is_loopback && candidate.link.is_up &&
           candidate.has_usable(destination.family());
  });
  if (first != all.end()) return &*first;
  const bool may_be_nameless = destination.is_limited_broadcast() && all.size() == 2;
  return may_be_nameless && all.back().link.is_up ? &all.back() : nullptr;
}

Result<Hop> Output::choose_group(const IpAddress& destination, const IpAddress& source,
                                 std::uint32_t interface) const {
  // RFC 4291 2.7.1 [RFC4291-2.7-a]: interface-local groups stay on the machine.
  const bool stays = destination.is_v6() && (destination.bytes()[1] & 0x0f) == 1;
  const Interface* out = stays ? &shared_.interfaces.at(loopback_interface)
                               : group_interface(destination, source, interface);
  if (out == nullptr) return unexpected(Errno::network_unreachable);
  if (!out->link.is_up) return unexpected(Errno::network_down);
  Hop hop;
  hop.kind = destination.is_multicast() ? Hop::Kind::multicast : Hop::Kind::broadcast;
  hop.interface = &shared_.interfaces.at(out->link.index);
  hop.next = destination;
  hop.mtu = out->mtu(destination.family());
  return with_source(hop, destination, source);
}

Result<Hop> Output::choose_unicast(const IpAddress& destination, const IpAddress& source,
                                   std::uint32_t interface) const {
  // RFC 4007 6: a link-local destination needs its zone; one may stand in the source.
  const bool needs_zone = destination.is_v6() && destination.is_link_local();
  if (needs_zone && interface == 0) {
    if (!source.is_unspecified() && source.is_link_local()) {
      interface = shared_.interfaces.interface_of(source, 0).value_or(0);
    }
    if (interface == 0 && shared_.interfaces.all().size() != 2) return unexpected(Errno::invalid);
    if (interface == 0) interface = 2;
  }
  // RFC 1122 3.3.4.2 [RFC1122-3.3.4.2-c]: a strong host sends from an address by its own interface.
  if (shared_.config.strong_host && interface == 0 && !source.is_unspecified()) {
    interface = shared_.interfaces.interface_of(source, 0).value_or(0);
  }
  // RFC 1122 3.3.1.1 [RFC1122-3.3.1.1-a]: connected networks are routes like others.
  const NextHop* route = shared_.routes.find(destination, interface);
  if (route == nullptr) return unexpected(Errno::network_unreachable);
  // RFC 3927 2.6.2 [RFC3927-2.6.2-a]: link-local never goes to a router.
  const bool is_confined = destination.is_link_local() || source.is_link_local();
  if (is_confined && !route->is_on_link()) return unexpected(Errno::network_unreachable);
  Hop hop;
  hop.interface = &shared_.interfaces.at(route->interface);
  hop.next = route->is_on_link() ? destination : route->gateway;
  hop.mtu = hop.interface->mtu(destination.family());
  if (const auto path = shared_.path_mtus.find(destination); path && path->mtu < hop.mtu) {
    hop.mtu = path->mtu;
    hop.must_fragment = path->is_floor;
  }
  return with_source(hop, destination, source);
}

Result<Hop> Output::with_source(Hop hop, const IpAddress& destination,
                                const IpAddress& source) const {
  hop.source = source;
  if (!source.is_unspecified()) return hop;
  if (const auto selected = select(hop, destination)) {
    hop.source = *selected;
    return hop;
  }
  // [RFC1122-3.2.1.3-a]: 0.0.0.0 (and ::) speaks only while the machine learns its address.
  if (hop.kind == Hop::Kind::unicast) return unexpected(Errno::address_not_available);
  hop.source = IpAddress::any(destination.family());
  return hop;
}

std::optional<IpAddress> Output::select(const Hop& hop, const IpAddress& destination) const {
  std::array<SourceCandidate, 16> candidates;
  std::size_t count = 0;
  const auto add = [&](const Interface& interface) {
    for (const InterfaceAddress& address : interface.addresses) {
      if (count == candidates.size()) return;
      if (!address.is_usable() || address.prefix.address.family() != destination.family()) continue;
      candidates[count++] = {address.prefix, interface.link.index,
                             address.state == AddressState::deprecated, address.is_temporary};
    }
  };
  const auto best = [&] {
    return select_source({destination, hop.next, hop.interface->link.index},
                         std::span(candidates).first(count));
  };
  add(*hop.interface);
  const auto own = best();
  // The weak host's way out when its interface has no address of that scope (a router's unnumbered
  // link).
  if (own && scope_of(*own) >= std::min(scope_of(destination), 14U)) return own;
  if (own && hop.kind != Hop::Kind::unicast) return own;
  // [RFC1122-3.2.1.3-a]: to everybody on this link nobody speaks under another link's address.
  if (hop.kind == Hop::Kind::broadcast) return own;
  for (const Interface& other : shared_.interfaces.all()) {
    if (!other.link.is_loopback && &other != hop.interface) add(other);
  }
  return best();
}

IpAddress Output::address_towards(const Interface& interface, const IpAddress& target,
                                  const IpAddress& hint) const {
  // RFC 4861 7.2.2: the address the waiting packet comes from, if it is of this interface.
  const InterfaceAddress* hinted = interface.find(hint);
  if (hinted != nullptr && hinted->is_usable()) return hint;
  std::array<SourceCandidate, 16> candidates;
  std::size_t count = 0;
  for (const InterfaceAddress& address : interface.addresses) {
    if (!address.is_usable() || count == candidates.size()) continue;
    candidates[count++] = {address.prefix, interface.link.index, false, false};
  }
  return select_source({target, target, interface.link.index}, std::span(candidates).first(count))
      .value_or(IpAddress::any(target.family()));
}

}  // namespace lanyard::internet
