// SPDX-License-Identifier: Apache-2.0
// The interfaces of one machine and their addresses: which are ours, which are broadcasts, which
// groups are heard.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/time.hh"
#include "internet/source_filter.hh"
#include "link/interface.hh"
#include "link/neighbour.hh"
#include "wire/address.hh"

namespace lanyard::internet {

// RFC 4862 2. A tentative address is being checked for duplicates and is nobody's yet; a duplicate
// one stays unused.
enum class AddressState : std::uint8_t { tentative, preferred, deprecated, duplicate };

struct InterfaceAddress {
  IpPrefix prefix;
  AddressState state = AddressState::preferred;
  bool is_autoconfigured = false;
  bool yields = false;         // chosen by this machine: lost at a second conflict (RFC 3927 2.5)
  bool is_lost = false;        // whoever chose it is to give it up
  bool is_temporary = false;   // RFC 8981
  std::uint8_t conflicts = 0;  // of addresses tried before it
  Instant preferred_until = Instant::never();
  Instant valid_until = Instant::never();
  // What no router may move on: of a temporary one.
  Instant preferred_most = Instant::never(), valid_most = Instant::never();

  // May be used as a source and is accepted as a destination.
  [[nodiscard]] bool is_usable() const {
    return state == AddressState::preferred || state == AddressState::deprecated;
  }
};

struct Interface {
  link::Interface link;
  link::NeighbourTable neighbours;
  std::vector<InterfaceAddress> addresses;
  std::map<IpAddress, Membership> groups;
  bool makes_link_local = false;
  bool solicits_routers = false;
  bool checks_duplicates = false;
  bool advertises = false;
  bool is_ipv6_disabled = false;    // RFC 4862 5.4.5
  std::uint32_t ipv6_mtu = 0;       // as routers advertise it (RFC 4861 6.3.4); 0: the link's
  std::uint8_t ipv6_hop_limit = 0;  // likewise; 0: the configured default

  [[nodiscard]] std::uint32_t mtu(Family family) const {
    if (family == Family::ipv6) return ipv6_mtu != 0 ? std::min(ipv6_mtu, link.mtu) : link.mtu;
    return std::min<std::uint32_t>(link.mtu, 65535);  // what Total Length can say
  }
  [[nodiscard]] InterfaceAddress* find(const IpAddress& address);
  [[nodiscard]] const InterfaceAddress* find(const IpAddress& address) const;
  [[nodiscard]] bool has_usable(Family family) const;
};

// What an address is to this machine.
enum class Role : std::uint8_t {
  own,
  tentative,
  broadcast,  // limited, or directed to a network of ours
  network,    // {network, 0}: RFC 1122 3.3.6 lets hosts of old use it as a broadcast
  group,      // multicast
  other
};

class Interfaces {
 public:
  // Interfaces count from 1 in the order they are added.
  Interface& add(link::Interface link, link::NeighbourTable neighbours);
  [[nodiscard]] Interface* find(std::uint32_t index);
  [[nodiscard]] const Interface* find(std::uint32_t index) const;
  [[nodiscard]] Interface& at(std::uint32_t index) { return *by_index_[index - 1]; }
  [[nodiscard]] const Interface& at(std::uint32_t index) const { return *by_index_[index - 1]; }
  [[nodiscard]] std::deque<Interface>& all() { return list_; }
  [[nodiscard]] const std::deque<Interface>& all() const { return list_; }

  // To be called after addresses, their states or an interface's MTU changed.
  void index_addresses();
  // Grows with every such change.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // The role of an address; for a link-local or otherwise repeated one, on this interface if it has
  // one there (0: any).
  [[nodiscard]] Role role(const IpAddress& address, std::uint32_t interface) const;
  // An interface where the address is usable: this one if it is, else the first.
  [[nodiscard]] std::optional<std::uint32_t> interface_of(const IpAddress& address,
                                                          std::uint32_t interface) const;
  // The network of an address of ours that contains `address` on this interface.
  [[nodiscard]] bool is_on_link(const IpAddress& address, std::uint32_t interface) const;
  [[nodiscard]] bool is_member(const IpAddress& group, std::uint32_t interface) const;

 private:
  // An address as two numbers: compared in two steps.
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  struct Fact {
    Key address;
    Role role;
    std::uint32_t interface;
  };
  [[nodiscard]] std::span<const Fact> facts_of(const IpAddress& address) const;
  std::deque<Interface> list_;
  std::vector<Interface*> by_index_;
  std::vector<Fact> facts_;  // by address, then interface
  std::uint64_t version_ = 0;
};

}  // namespace lanyard::internet
