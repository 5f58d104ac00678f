// SPDX-License-Identifier: Apache-2.0
// What a lab file leaves out: networks, addresses, MACs, gateways, routes and names, chosen the
// same way every time. A network is what a broadcast reaches: links joined by switches. Each gets
// an IPv4 prefix (10.0.1.0/24, 10.0.2.0/24 ... or wider) and an IPv6 one (fd00:0:0:1::/64 ...);
// routers get the first numbers, then hosts, in file order.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "lab/model.hh"
#include "socket/process.hh"
#include "stack/config.hh"

namespace lanyard::lab {

inline constexpr std::uint32_t no_network = 0xffffffff;

// One end of a link at a node, "alice:eth0". Ports of a node are numbered in the order of the
// links.
struct PlannedPort {
  std::uint32_t node = 0;
  std::uint32_t link = 0;
  bool is_a = true;  // which end of the link
  std::string name;  // "eth0"; "port1" at a switch
  MacAddress mac;    // zero at a switch
  std::uint32_t mtu = 1500;
  std::uint32_t network = no_network;
  std::vector<IpPrefix> addresses;  // IPv4 first
};

struct PlannedNetwork {
  std::vector<IpPrefix> prefixes;    // network addresses; IPv4 first
  std::vector<std::uint32_t> ports;  // with addresses: routers', then hosts', in file order
};

struct PlannedNode {
  std::vector<std::uint32_t>
      ports;  // indices into Plan::ports; the interface index in a stack is 2 + position here
  std::vector<stack::Route> routes;  // beyond the on-link ones, which addresses bring with them
  socket::Names names;
  bool serves_names =
      false;  // runs the name server: routers, and hosts no router serves (127.0.0.53)
};

// What cannot be planned, or can hardly be meant, and where it was written.
struct PlanProblem {
  Mark mark;
  std::string what, fix;
};

struct Plan {
  std::vector<PlannedPort> ports;
  std::vector<PlannedNetwork> networks;
  std::vector<PlannedNode> nodes;  // as Model::nodes
  std::vector<std::pair<std::string, IpAddress>>
      zone;                           // every name's addresses, IPv4 before IPv6, in file order
  std::vector<PlanProblem> warnings;  // of what is planned as asked for
  [[nodiscard]] std::string port_name(const Model& model,
                                      std::uint32_t port) const;  // "alice:eth0"
};

// Problems: an address used twice, networks that overlap, an address outside its network, switches
// in a circle ...
[[nodiscard]] std::expected<Plan, std::vector<PlanProblem>> make_plan(const Model& model);

}  // namespace lanyard::lab
