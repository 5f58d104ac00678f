// SPDX-License-Identifier: Apache-2.0
#include "lab/plan.hh"

#include "lab/planner.hh"

namespace lanyard::lab {

std::string Plan::port_name(const Model& model, std::uint32_t port) const {
  return model.nodes[ports[port].node].name + ":" + ports[port].name;
}

std::expected<Plan, std::vector<PlanProblem>> make_plan(const Model& model) {
  Planner planner(model);
  planner.make_ports();
  planner.find_networks();
  planner.check_circles();
  planner.take_given_addresses();
  planner.choose_prefixes();
  if (planner.problems.empty()) {
    planner.choose_addresses();
    planner.choose_macs();
  }
  if (planner.problems.empty()) {
    planner.route_routers();
    planner.route_hosts();
    planner.name_everything();
  }
  if (!planner.problems.empty()) return std::unexpected(std::move(planner.problems));
  return std::move(planner.plan);
}

}  // namespace lanyard::lab
