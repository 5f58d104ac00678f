// SPDX-License-Identifier: Apache-2.0
// What the kinds of faults are made of: for fault_*.cc only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lab/hunt/fault.hh"

namespace lanyard::lab::hunt {

[[nodiscard]] std::span<const FaultKind> link_fault_kinds();  // fault_links.cc
[[nodiscard]] std::span<const FaultKind> node_fault_kinds();  // fault_nodes.cc

// "r1 -- dc", "r1 -> dc"
[[nodiscard]] std::string ends_of(const Model& model, std::uint32_t link, bool a_to_b, bool b_to_a);
[[nodiscard]] const ProgramSpec& program_at(const Model& model, std::uint32_t index);

}  // namespace lanyard::lab::hunt
