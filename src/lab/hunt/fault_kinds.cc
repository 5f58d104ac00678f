// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/check.hh"
#include "lab/hunt/fault_parts.hh"

namespace lanyard::lab::hunt {

std::string ends_of(const Model& model, std::uint32_t link, bool a_to_b, bool b_to_a) {
  const std::string& a = model.nodes[model.links[link].a.node].name;
  const std::string& b = model.nodes[model.links[link].b.node].name;
  if (a_to_b && b_to_a) return fmt::format("{} -- {}", a, b);
  return a_to_b ? fmt::format("{} -> {}", a, b) : fmt::format("{} -> {}", b, a);
}

const ProgramSpec& program_at(const Model& model, std::uint32_t index) {
  CHECK(index < targets_of(model, Target::program));
  auto node = model.nodes.begin();
  for (; index >= node->programs.size(); ++node)
    index -= static_cast<std::uint32_t>(node->programs.size());
  return node->programs[index];
}

std::size_t targets_of(const Model& model, Target target) {
  if (target == Target::link) return model.links.size();
  if (target == Target::node) return model.nodes.size();
  std::size_t programs = 0;
  for (const NodeSpec& node : model.nodes) programs += node.programs.size();
  return programs;
}

std::optional<std::vector<Fault>> moved_to(const Model& other, const Model& model,
                                           std::span<const Fault> faults) {
  const auto name_of = [](const Model& of, Target target, std::uint32_t index) {
    return target == Target::link   ? of.link_name(index)
           : target == Target::node ? of.nodes[index].name
                                    : program_at(of, index).name;
  };
  std::vector<Fault> moved(faults.begin(), faults.end());
  for (Fault& fault : moved) {
    const std::string wanted = name_of(model, fault.kind->target, fault.target);
    const std::size_t count = targets_of(other, fault.kind->target);
    std::uint32_t index = 0;
    while (index < count && name_of(other, fault.kind->target, index) != wanted) ++index;
    if (index == count || (fault.kind->may_hit != nullptr && !fault.kind->may_hit(other, index)))
      return {};
    fault.target = index;
  }
  return moved;
}

std::span<const FaultKind> fault_kinds() {
  static const std::vector<FaultKind> kinds = [] {
    std::vector<FaultKind> all;
    for (const auto some : {link_fault_kinds(), node_fault_kinds()})
      all.insert(all.end(), some.begin(), some.end());
    return all;
  }();
  return kinds;
}

const FaultKind* fault_kind(std::string_view name) {
  const auto found = std::ranges::find(fault_kinds(), name, &FaultKind::name);
  return found == fault_kinds().end() ? nullptr : &*found;
}

std::vector<Line> lines_of(const Model& model, std::span<const Fault> faults) {
  std::vector<Line> lines;
  for (const Fault& fault : faults) fault.kind->write(model, fault, lines);
  std::ranges::stable_sort(lines, {}, &Line::at);
  return lines;
}

std::string to_text(const Model& model, const Fault& fault) {
  std::string target;
  switch (fault.kind->target) {
    case Target::link:
      target = ends_of(model, fault.target, fault.a_to_b, fault.b_to_a);
      break;
    case Target::node:
      target = model.nodes[fault.target].name;
      if (!fault.b_to_a) target = "what comes from " + target;
      if (!fault.a_to_b) target = "what goes to " + target;
      break;
    case Target::program:
      target = program_at(model, fault.target).name;
      break;
  }
  const std::string amount = fault.kind->amount_text(fault.amount);
  return fmt::format("{}{}{} of {} from {} for {}", fault.kind->name, amount.empty() ? "" : " ",
                     amount, target, lanyard::to_text(fault.at), lanyard::to_text(fault.lasts));
}

}  // namespace lanyard::lab::hunt
