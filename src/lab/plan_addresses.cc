// SPDX-License-Identifier: Apache-2.0
// Addresses: those given are checked, the others chosen.
#include <fmt/format.h>

#include <algorithm>

#include "lab/planner.hh"

namespace lanyard::lab {
namespace {

constexpr std::uint32_t v4_last = 0x0affff00;  // 10.255.255.0
constexpr std::uint32_t v6_last = 0xffff;

bool overlap(const IpPrefix& a, const IpPrefix& b) {
  return a.contains(b.address) || b.contains(a.address);
}

// How many machines fit, no more than 2^24 counted: all but the network itself and its broadcast
// address.
std::uint64_t room_in(const IpPrefix& prefix) {
  const unsigned bits = (prefix.address.is_v4() ? 32U : 128U) - prefix.length;
  if (bits >= 24) return 1U << 24;
  const std::uint64_t all = std::uint64_t{1} << bits;
  return prefix.address.is_v4() && bits >= 2 ? all - 2 : all;  // RFC 3021: both of a /31
}

// The address with this number in a network.
IpAddress numbered(const IpPrefix& prefix, std::uint64_t number) {
  const IpAddress network = prefix.network();
  if (network.is_v4())
    return IpAddress::v4(network.v4_number() + static_cast<std::uint32_t>(number));
  std::array<std::uint8_t, 16> bytes = network.bytes();
  for (std::size_t i = 16; i-- > 8; number >>= 8)
    bytes[i] = static_cast<std::uint8_t>(bytes[i] | (number & 0xff));
  return IpAddress::from_v6_bytes(bytes.data());
}

std::string why_not(const IpPrefix& prefix) {
  const IpAddress& address = prefix.address;
  if (address.is_unspecified()) return "it is the wildcard";
  if (address.is_loopback()) return "it is a loopback address";
  if (address.is_multicast()) return "it is a multicast address";
  if (address.is_reserved_v4() || address.is_limited_broadcast()) return "it is reserved";
  if (address.is_v6() && address.is_link_local())
    return "every interface makes its own link-local address";
  if (prefix.length == 0) return "its network would be everything";
  if (prefix.broadcast() == address) return "it is the broadcast address of its network";
  const bool has_network_address = prefix.length < (address.is_v4() ? 31 : 127);
  if (has_network_address && address == prefix.network())
    return "it is the address of the network itself";
  return {};
}

}  // namespace

void Planner::take_given(std::uint32_t number, const IpPrefix& given, Mark mark) {
  PlannedPort& port = plan.ports[number];
  const std::string text = to_text(given);
  if (const std::string why = why_not(given); !why.empty())
    return problem(mark,
                   fmt::format("{} cannot be the address of {}: {}", text, node_of(port).name, why),
                   "give another, or leave it out and one is chosen");
  const auto [owner, is_new] = address_owners_.emplace(given.address, number);
  if (!is_new)
    return problem(mark, fmt::format("{} is used twice", to_text(given.address)),
                   fmt::format("{} has it already; give another, or leave it out and one is chosen",
                               node_of(plan.ports[owner->second]).name));
  PlannedNetwork& network = plan.networks[port.network];
  const IpPrefix prefix{given.network(), given.length};
  for (const IpPrefix& each : network.prefixes)
    if (each.address.family() == prefix.address.family() && each != prefix)
      return problem(mark, fmt::format("{} is outside its network {}", text, to_text(each)),
                     fmt::format("{} shares switches with the hosts of {}", node_of(port).name,
                                 to_text(each)));
  if (std::ranges::find(network.prefixes, prefix) == network.prefixes.end()) {
    for (const IpPrefix& other : given_prefixes_)
      if (overlap(other, prefix))
        return problem(mark,
                       fmt::format("the network of {} overlaps {}, which is elsewhere in the lab",
                                   text, to_text(other)),
                       "networks joined by routers need prefixes of their own");
    network.prefixes.push_back(prefix);
    given_prefixes_.push_back(prefix);
  }
  port.addresses.push_back(given);
}

void Planner::take_given_addresses() {
  for (std::uint32_t i = 0; i < plan.ports.size(); ++i) {
    const PlannedPort& port = plan.ports[i];
    if (is_switch(port.node)) continue;
    const auto take = [&](const std::vector<IpPrefix>& given, const std::vector<Mark>& marks) {
      for (std::size_t each = 0; each < given.size(); ++each)
        take_given(i, given[each], each < marks.size() ? marks[each] : mark_of(port));
    };
    take(end_of(port).addresses, end_of(port).address_marks);
    if (plan.nodes[port.node].ports[0] == i)
      take(node_of(port).addresses, node_of(port).address_marks);
  }
}

bool Planner::is_taken(const IpPrefix& prefix) const {
  return std::ranges::any_of(given_prefixes_,
                             [&](const IpPrefix& each) { return overlap(each, prefix); });
}

void Planner::choose_v4_prefix(PlannedNetwork& network) {
  std::uint8_t length = 24;
  while (room_in({IpAddress::v4(next_v4_), length}) < network.ports.size() && length > 9) --length;
  const std::uint32_t size = std::uint32_t{1} << (32 - length);
  while (next_v4_ <= v4_last) {
    const std::uint32_t start = (next_v4_ + size - 1) / size * size;
    next_v4_ = start + size;
    const IpPrefix prefix{IpAddress::v4(start), length};
    if (start > v4_last || next_v4_ - 1 > v4_last + 0xff) break;
    if (is_taken(prefix)) continue;
    network.prefixes.push_back(prefix);
    return;
  }
  problem({}, "10.0.0.0/8 has no room for all networks of this lab",
          "give addresses, or make the lab smaller");
}

void Planner::choose_v6_prefix(PlannedNetwork& network) {
  for (; next_v6_ <= v6_last; ++next_v6_) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = 0xfd;  // RFC 4193 3.1
    bytes[6] = static_cast<std::uint8_t>(next_v6_ >> 8);
    bytes[7] = static_cast<std::uint8_t>(next_v6_);
    const IpPrefix prefix{IpAddress::from_v6_bytes(bytes.data()), 64};
    if (is_taken(prefix)) continue;
    ++next_v6_;
    network.prefixes.push_back(prefix);
    return;
  }
  problem({}, "more than 65535 networks", "make the lab smaller");
}

void Planner::choose_prefixes() {
  for (PlannedNetwork& network : plan.networks) {
    if (network.ports.empty()) continue;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      const auto given = std::ranges::find(
          network.prefixes, family, [](const IpPrefix& each) { return each.address.family(); });
      if (given == network.prefixes.end()) {
        if (family == Family::ipv4)
          choose_v4_prefix(network);
        else
          choose_v6_prefix(network);
      } else if (room_in(*given) < network.ports.size()) {
        problem(mark_of(plan.ports[network.ports[0]]),
                fmt::format("{} has room for {} machines, and there are {}", to_text(*given),
                            room_in(*given), network.ports.size()),
                "give a shorter prefix length");
      }
    }
    std::ranges::sort(network.prefixes, {},
                      [](const IpPrefix& each) { return each.address.is_v6(); });
  }
}

void Planner::number_ports(const PlannedNetwork& network, const IpPrefix& prefix) {
  const bool is_pair = prefix.address.is_v4() ? prefix.length >= 31 : prefix.length == 127;
  std::uint64_t number = is_pair ? 0 : 1;
  for (const std::uint32_t each : network.ports) {
    PlannedPort& port = plan.ports[each];
    if (address_of(port, prefix.address.family()) != nullptr) continue;
    while (address_owners_.contains(numbered(prefix, number))) ++number;
    const IpAddress address = numbered(prefix, number);
    address_owners_.emplace(address, each);
    port.addresses.push_back({address, prefix.length});
  }
}

void Planner::choose_addresses() {
  for (const PlannedNetwork& network : plan.networks)
    for (const IpPrefix& prefix : network.prefixes) number_ports(network, prefix);
  for (PlannedPort& port : plan.ports)
    std::ranges::stable_sort(port.addresses, {},
                             [](const IpPrefix& each) { return each.address.is_v6(); });
}

// 02:... is a locally administered address.
void Planner::choose_macs() {
  const auto given = [&](const PlannedPort& port) {
    if (end_of(port).mac) return end_of(port).mac;
    const bool is_first = &port == &plan.ports[plan.nodes[port.node].ports[0]];
    return is_first ? node_of(port).mac : std::optional<MacAddress>{};
  };
  for (std::uint32_t i = 0; i < plan.ports.size(); ++i) {
    const auto mac = given(plan.ports[i]);
    if (is_switch(plan.ports[i].node) || !mac) continue;
    plan.ports[i].mac = *mac;
    const auto [owner, is_new] = mac_owners_.emplace(*mac, i);
    if (!is_new)
      problem(mark_of(plan.ports[i]),
              fmt::format("the MAC address {} is used twice", to_text(*mac)),
              fmt::format("{} has it already; leave it out and one is chosen",
                          node_of(plan.ports[owner->second]).name));
  }
  std::uint32_t number = 0;
  for (PlannedPort& port : plan.ports) {
    if (is_switch(port.node) || !port.mac.is_zero()) continue;
    do {
      ++number;
      port.mac.bytes = {2,
                        0,
                        0,
                        static_cast<std::uint8_t>(number >> 16),
                        static_cast<std::uint8_t>(number >> 8),
                        static_cast<std::uint8_t>(number)};
    } while (mac_owners_.contains(port.mac));
  }
}

}  // namespace lanyard::lab
