// SPDX-License-Identifier: Apache-2.0
#include "internet/interfaces.hh"

#include <algorithm>

namespace lanyard::internet {

namespace {

std::pair<std::uint64_t, std::uint64_t> key_of(const IpAddress& address) {
  return {load64(address.bytes().data()), load64(address.bytes().data() + 8)};
}

}  // namespace

const InterfaceAddress* Interface::find(const IpAddress& address) const {
  const auto found =
      std::find_if(addresses.begin(), addresses.end(),
                   [&](const InterfaceAddress& a) { return a.prefix.address == address; });
  return found == addresses.end() ? nullptr : &*found;
}

InterfaceAddress* Interface::find(const IpAddress& address) {
  return const_cast<InterfaceAddress*>(std::as_const(*this).find(address));
}

bool Interface::has_usable(Family family) const {
  return std::any_of(addresses.begin(), addresses.end(), [&](const InterfaceAddress& a) {
    return a.is_usable() && a.prefix.address.family() == family;
  });
}

Interface& Interfaces::add(link::Interface link, link::NeighbourTable neighbours) {
  link.index = static_cast<std::uint32_t>(list_.size() + 1);
  list_.push_back({std::move(link), std::move(neighbours), {}, {}});
  by_index_.push_back(&list_.back());
  return list_.back();
}

Interface* Interfaces::find(std::uint32_t index) {
  return index == 0 || index > by_index_.size() ? nullptr : by_index_[index - 1];
}

const Interface* Interfaces::find(std::uint32_t index) const {
  return index == 0 || index > by_index_.size() ? nullptr : by_index_[index - 1];
}

void Interfaces::index_addresses() {
  ++version_;
  facts_.clear();
  for (const Interface& interface : list_) {
    const std::uint32_t index = interface.link.index;
    for (const InterfaceAddress& address : interface.addresses) {
      if (address.state == AddressState::duplicate) continue;
      const bool is_tentative = address.state == AddressState::tentative;
      facts_.push_back(
          {key_of(address.prefix.address), is_tentative ? Role::tentative : Role::own, index});
      if (interface.link.is_loopback || !address.prefix.address.is_v4()) continue;
      // RFC 1122 3.3.6, RFC 3021: networks of one or two addresses have neither.
      if (const auto broadcast = address.prefix.broadcast()) {
        facts_.push_back({key_of(*broadcast), Role::broadcast, index});
        facts_.push_back({key_of(address.prefix.network()), Role::network, index});
      }
    }
  }
  std::sort(facts_.begin(), facts_.end(), [](const Fact& a, const Fact& b) {
    return std::tie(a.address, a.interface, a.role) < std::tie(b.address, b.interface, b.role);
  });
}

std::span<const Interfaces::Fact> Interfaces::facts_of(const IpAddress& address) const {
  const Key key = key_of(address);
  const auto first =
      std::lower_bound(facts_.begin(), facts_.end(), key,
                       [](const Fact& fact, const Key& a) { return fact.address < a; });
  auto last = first;
  while (last != facts_.end() && last->address == key) ++last;
  return {first, last};
}

Role Interfaces::role(const IpAddress& address, std::uint32_t interface) const {
  const auto facts = facts_of(address);
  for (const Fact& fact : facts) {
    if (fact.interface == interface) return fact.role;
  }
  if (!facts.empty()) {
    // RFC 4007: a link-local address of another link is a stranger here.
    const bool has_zone = address.is_v6() && address.is_link_local() && interface > 1;
    return has_zone ? Role::other : facts.front().role;
  }
  if (address.is_loopback()) return Role::own;
  if (address.is_limited_broadcast()) return Role::broadcast;
  return address.is_multicast() ? Role::group : Role::other;
}

std::optional<std::uint32_t> Interfaces::interface_of(const IpAddress& address,
                                                      std::uint32_t interface) const {
  std::optional<std::uint32_t> first;
  for (const Fact& fact : facts_of(address)) {
    if (fact.role != Role::own) continue;
    if (fact.interface == interface) return fact.interface;
    if (!first) first = fact.interface;
  }
  if (!first && address.is_loopback()) return 1;
  return first;
}

bool Interfaces::is_on_link(const IpAddress& address, std::uint32_t interface) const {
  const Interface* found = find(interface);
  return found != nullptr &&
         std::any_of(found->addresses.begin(), found->addresses.end(),
                     [&](const InterfaceAddress& a) { return a.prefix.contains(address); });
}

bool Interfaces::is_member(const IpAddress& group, std::uint32_t interface) const {
  const Interface* found = find(interface);
  return found != nullptr && found->groups.contains(group);
}

}  // namespace lanyard::internet
