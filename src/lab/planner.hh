// SPDX-License-Identifier: Apache-2.0
// How make_plan works, step by step; plan.cc calls the steps in order. Everything is decided by
// file order.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lab/plan.hh"

namespace lanyard::lab {

class Planner {
 public:
  explicit Planner(const Model& model) : model_(model) {}

  // plan_networks.cc
  void make_ports();
  void find_networks();
  void check_circles();
  // plan_addresses.cc
  void take_given_addresses();
  void choose_prefixes();
  void choose_addresses();
  void choose_macs();
  // plan_routes.cc
  void route_routers();
  void route_hosts();
  void name_everything();

  Plan plan;
  std::vector<PlanProblem> problems;

 private:
  [[nodiscard]] const NodeSpec& node_of(const PlannedPort& port) const {
    return model_.nodes[port.node];
  }
  [[nodiscard]] bool is_switch(std::uint32_t node) const {
    return model_.nodes[node].kind == NodeKind::switching;
  }
  [[nodiscard]] bool is_router(std::uint32_t node) const {
    return model_.nodes[node].kind == NodeKind::router;
  }
  [[nodiscard]] const LinkEnd& end_of(const PlannedPort& port) const;
  [[nodiscard]] Mark mark_of(const PlannedPort& port) const;
  void problem(Mark mark, std::string what, std::string fix);
  void take_given(std::uint32_t port, const IpPrefix& address, Mark mark);
  void choose_prefix(std::uint32_t network, Family family);
  void choose_v4_prefix(PlannedNetwork& network);
  void choose_v6_prefix(PlannedNetwork& network);
  [[nodiscard]] bool is_taken(const IpPrefix& prefix) const;
  void number_ports(const PlannedNetwork& network, const IpPrefix& prefix);
  void route_to(std::uint32_t network);
  void add_default_route(std::uint32_t node, Family family);
  void warn_of_gateway(const NodeSpec& host, const IpAddress& gateway);
  void choose_name_servers(std::uint32_t node);
  [[nodiscard]] std::uint32_t interface_of(std::uint32_t port) const;

  const Model& model_;
  std::vector<IpPrefix> given_prefixes_;               // of all networks, to keep chosen ones apart
  std::map<IpAddress, std::uint32_t> address_owners_;  // address -> port
  std::map<MacAddress, std::uint32_t> mac_owners_;
  std::uint32_t next_v4_ = 0x0a000100;  // 10.0.1.0
  std::uint32_t next_v6_ = 1;           // fd00:0:0:1::/64
};

// The address of `family` of a port, or null.
[[nodiscard]] const IpPrefix* address_of(const PlannedPort& port, Family family);

}  // namespace lanyard::lab
