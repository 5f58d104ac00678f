// SPDX-License-Identifier: Apache-2.0
// Actions written back as the lines that say them.
#include <fmt/format.h>

#include <csignal>

#include "lab/action_text.hh"
#include "lab/units.hh"

namespace lanyard::lab {
namespace {

using Kind = Action::Kind;

std::string ends_of(const Action& action, const Model& model) {
  const LinkSpec& link = model.links[action.link];
  const std::string& a = model.nodes[link.a.node].name;
  const std::string& b = model.nodes[link.b.node].name;
  if (action.a_to_b && action.b_to_a) return fmt::format("{} -- {}", a, b);
  return action.a_to_b ? fmt::format("{} -> {}", a, b) : fmt::format("{} -> {}", b, a);
}

std::string names_of(const std::vector<std::uint32_t>& nodes, const Model& model) {
  std::string text;
  for (const std::uint32_t node : nodes) text += (text.empty() ? "" : ",") + model.nodes[node].name;
  return text;
}

std::string sides_of(const Action& action, const Model& model) {
  return fmt::format("{} {} {}", names_of(action.from, model), action.b_to_a ? "--" : "->",
                     names_of(action.to, model));
}

std::string addresses_of(const Action& action) {
  std::string text;
  for (const IpPrefix& each : action.addresses) {
    text += text.empty() ? " " : ", ";
    text += action.kind == Kind::name ? to_text(each.address) : to_text(each);
  }
  return text.empty() ? " nothing" : text;
}

std::string rate_of(std::int64_t parts) {
  if (parts == 0) return "right";
  return fmt::format("{} {}", parts > 0 ? "fast" : "slow",
                     share_text(static_cast<std::uint64_t>(parts > 0 ? parts : -parts)));
}

std::string_view name_of(int signal) {
  return signal == SIGTERM  ? " SIGTERM"
         : signal == SIGINT ? " SIGINT"
         : signal == SIGHUP ? " SIGHUP"
                            : "";
}

}  // namespace

std::string text_of(const Action& action, const Model& model) {
  switch (action.kind) {
    case Kind::cut:
      return "cut " + ends_of(action, model);
    case Kind::heal:
      return "heal " + ends_of(action, model);
    case Kind::set:
      return fmt::format("set {} {}", ends_of(action, model), text_of(action.change));
    case Kind::partition:
      return "partition " + sides_of(action, model);
    case Kind::join:
      return "heal " + sides_of(action, model);
    case Kind::heal_all:
      return "heal all";
    case Kind::crash:
      return "crash " + model.nodes[action.node].name;
    case Kind::restart:
      return "restart " + model.nodes[action.node].name;
    case Kind::kill:
      return fmt::format("kill {}{}", action.program, name_of(action.signal));
    case Kind::pause:
      return "pause " + action.program;
    case Kind::resume:
      return "resume " + action.program;
    case Kind::start:
      return "start " + action.program;
    case Kind::address:
      return fmt::format("address {}{}", model.nodes[action.node].name, addresses_of(action));
    case Kind::clock:
      return fmt::format("clock {} {}", model.nodes[action.node].name, rate_of(action.clock_parts));
    case Kind::step:
      return fmt::format("clock {} ahead {}", model.nodes[action.node].name,
                         to_text(action.clock_step));
    case Kind::name:
      return fmt::format("name {}{}", action.program, addresses_of(action));
  }
  return {};
}

}  // namespace lanyard::lab
