// SPDX-License-Identifier: Apache-2.0
#include "lab/model.hh"

#include <algorithm>

#include "application/programs.hh"
#include "lab/command.hh"
#include "lab/nearest.hh"

namespace lanyard::lab {

std::optional<std::uint32_t> Model::node(std::string_view node_name) const {
  const auto found = std::ranges::find(nodes, node_name, &NodeSpec::name);
  if (found == nodes.end()) return {};
  return static_cast<std::uint32_t>(found - nodes.begin());
}

std::optional<std::uint32_t> Model::node_called(std::string_view wanted) const {
  const std::string name_in_lower_case = lower(wanted);
  for (std::uint32_t i = 0; i < nodes.size(); ++i)
    if (lower(nodes[i].name) == name_in_lower_case) return i;
  return {};
}

std::optional<std::uint32_t> Model::link(std::uint32_t a, std::uint32_t b) const {
  const auto found = std::ranges::find_if(links, [&](const LinkSpec& each) {
    return (each.a.node == a && each.b.node == b) || (each.a.node == b && each.b.node == a);
  });
  if (found == links.end()) return {};
  return static_cast<std::uint32_t>(found - links.begin());
}

std::string Model::link_name(std::uint32_t link) const {
  return nodes[links[link].a.node].name + " -- " + nodes[links[link].b.node].name;
}

bool is_built_in(std::string_view command) {
  const auto words = words_of(command);
  return words && !words->empty() && application::find_program(words->front()) != nullptr;
}

bool is_built_in(const Model& model, std::string_view command) {
  if (is_built_in(command)) return true;
  if (model.programs.empty()) return false;
  const auto words = words_of(command);
  return words && !words->empty() && model.programs.contains(words->front());
}

TimeMode time_of(const Model& model) {
  if (model.time != TimeMode::auto_) return model.time;
  for (const NodeSpec& node : model.nodes) {
    if (node.kind == NodeKind::kernel_host) return TimeMode::real;
    for (const ProgramSpec& program : node.programs)
      if (!is_built_in(model, program.command)) return TimeMode::real;
  }
  return TimeMode::virtual_;
}

}  // namespace lanyard::lab
