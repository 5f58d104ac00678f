// SPDX-License-Identifier: Apache-2.0
// Routes by the fewest routers on the way, and names. Ties: the network that comes first, then the
// router that comes first.
#include <fmt/format.h>

#include <algorithm>

#include "lab/planner.hh"

namespace lanyard::lab {
namespace {

constexpr Port dns_port = 53;

IpAddress local_name_server() {
  return IpAddress::v4(127, 0, 0, 53);
}

}  // namespace

// Breadth first from the network outwards.
void Planner::route_to(std::uint32_t target) {
  std::vector<bool> is_seen(plan.networks.size()), is_routed(plan.nodes.size());
  std::vector<std::uint32_t> ring{target};
  is_seen[target] = true;
  for (const std::uint32_t port : plan.networks[target].ports)
    if (is_router(plan.ports[port].node)) is_routed[plan.ports[port].node] = true;
  while (!ring.empty()) {
    // Networks one router further, each with the first router's port in it.
    std::map<std::uint32_t, std::uint32_t> next;
    for (const std::uint32_t network : ring)
      for (const std::uint32_t near : plan.networks[network].ports) {
        const std::uint32_t router = plan.ports[near].node;
        if (!is_router(router)) break;  // routers come first
        for (const std::uint32_t far : plan.nodes[router].ports) {
          const std::uint32_t other = plan.ports[far].network;
          if (is_seen[other]) continue;
          const auto [known, is_new] = next.emplace(other, far);
          if (!is_new && router < plan.ports[known->second].node) known->second = far;
        }
      }
    ring.clear();
    for (const auto& [network, gateway] : next) {
      is_seen[network] = true;
      ring.push_back(network);
      for (const std::uint32_t port : plan.networks[network].ports) {
        const std::uint32_t router = plan.ports[port].node;
        if (!is_router(router)) break;
        if (is_routed[router]) continue;
        is_routed[router] = true;
        for (const IpPrefix& prefix : plan.networks[target].prefixes)
          plan.nodes[router].routes.push_back(
              {.destination = prefix,
               .gateway = address_of(plan.ports[gateway], prefix.address.family())->address,
               .interface = interface_of(port),
               .metric = 0});
      }
    }
  }
}

void Planner::route_routers() {
  for (std::uint32_t network = 0; network < plan.networks.size(); ++network)
    if (!plan.networks[network].ports.empty()) route_to(network);
}

// A host may be told of a gateway that is not there, or not yet: its packets are lost until it is.
void Planner::warn_of_gateway(const NodeSpec& host, const IpAddress& gateway) {
  const auto comes_later = [&](const Action& action) {
    return action.kind == Action::Kind::address &&
           std::ranges::any_of(action.addresses,
                               [&](const IpPrefix& each) { return each.address == gateway; });
  };
  if (address_owners_.contains(gateway) || std::ranges::any_of(model_.timeline, comes_later))
    return;
  plan.warnings.push_back(
      {host.mark,
       fmt::format("nobody has the address {}, the gateway of {}", to_text(gateway), host.name),
       "name an address of a router next to it, or leave it out and one is chosen"});
}

// Through the given gateway, or the first router next to the first port that has one.
void Planner::add_default_route(std::uint32_t node, Family family) {
  PlannedNode& planned = plan.nodes[node];
  const NodeSpec& spec = model_.nodes[node];
  const IpPrefix everything{IpAddress::any(family), 0};
  for (const IpAddress& gateway : spec.gateways) {
    if (gateway.family() != family) continue;
    for (std::size_t i = 0; i < planned.ports.size(); ++i) {
      const IpPrefix* own = address_of(plan.ports[planned.ports[i]], family);
      if (own == nullptr || !own->contains(gateway)) continue;
      planned.routes.push_back({everything, gateway, static_cast<std::uint32_t>(2 + i), 0});
      warn_of_gateway(spec, gateway);
      return;
    }
    problem(spec.mark,
            fmt::format("the gateway {} is in no network of {}", to_text(gateway), spec.name),
            "name an address of a router next to it, or leave it out and one is chosen");
    return;
  }
  for (std::size_t i = 0; i < planned.ports.size(); ++i) {
    const PlannedNetwork& network = plan.networks[plan.ports[planned.ports[i]].network];
    const PlannedPort& first = plan.ports[network.ports[0]];
    if (!is_router(first.node)) continue;
    planned.routes.push_back(
        {everything, address_of(first, family)->address, static_cast<std::uint32_t>(2 + i), 0});
    return;
  }
}

void Planner::route_hosts() {
  for (std::uint32_t node = 0; node < plan.nodes.size(); ++node) {
    if (is_switch(node) || is_router(node)) continue;
    add_default_route(node, Family::ipv4);
    add_default_route(node, Family::ipv6);
  }
}

// Given ones; else the router the default route goes through; a host alone asks itself.
void Planner::choose_name_servers(std::uint32_t node) {
  PlannedNode& planned = plan.nodes[node];
  const NodeSpec& spec = model_.nodes[node];
  for (const IpAddress& each : spec.name_servers)
    planned.names.name_servers.push_back({each, dns_port, 0});
  planned.serves_names = is_router(node);
  if (!planned.names.name_servers.empty()) return;
  if (is_router(node)) {
    planned.names.name_servers.push_back({IpAddress::loopback(Family::ipv4), dns_port, 0});
    return;
  }
  for (const stack::Route& route : planned.routes)
    for (std::uint32_t port :
         plan.networks[plan.ports[planned.ports[route.interface - 2]].network].ports)
      if (is_router(plan.ports[port].node)) {
        planned.names.name_servers.push_back(
            {address_of(plan.ports[port], Family::ipv4)->address, dns_port, 0});
        return;
      }
  if (spec.kind == NodeKind::kernel_host) {
    // Nobody can listen for us inside the kernel's host: its hosts file has all names.
    planned.names.hosts.insert(planned.names.hosts.end(), plan.zone.begin(), plan.zone.end());
    return;
  }
  planned.serves_names = true;
  planned.names.name_servers.push_back({local_name_server(), dns_port, 0});
}

void Planner::name_everything() {
  for (std::uint32_t node = 0; node < plan.nodes.size(); ++node)
    for (const Family family : {Family::ipv4, Family::ipv6})
      for (const std::uint32_t port : plan.nodes[node].ports)
        for (const IpPrefix& each : plan.ports[port].addresses)
          if (each.address.family() == family)
            plan.zone.emplace_back(model_.nodes[node].name, each.address);
  for (std::uint32_t node = 0; node < plan.nodes.size(); ++node) {
    if (is_switch(node)) continue;
    socket::Names& names = plan.nodes[node].names;
    names.host_name = model_.nodes[node].name;
    names.hosts = {{"localhost", IpAddress::loopback(Family::ipv4)},
                   {"localhost", IpAddress::loopback(Family::ipv6)}};
    choose_name_servers(node);
  }
}

}  // namespace lanyard::lab
