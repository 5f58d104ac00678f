// SPDX-License-Identifier: Apache-2.0
// A lab's nodes with their ports, addresses and routes; what `run` prints first.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/text.hh"
#include "lab/model.hh"
#include "lab/plan.hh"
#include "lab/world.hh"

namespace lanyard::cli {

[[nodiscard]] std::string_view kind_text(lab::NodeKind kind);
// "default via 10.0.1.1", "10.0.9.0/24 via 10.0.1.1", "10.0.1.0/24 on link".
[[nodiscard]] std::string route_text(const stack::Route& route);

[[nodiscard]] std::string nodes_page(const lab::Model& model, const lab::Plan& plan,
                                     const Paper& paper);
[[nodiscard]] nlohmann::json nodes_json(const lab::Model& model, const lab::Plan& plan);

// "20ms, 50Mbit, queue 65,536 bytes, 1% loss"; "as fast as it comes" for none of them.
[[nodiscard]] std::string quality_text(const lab::LinkQuality& quality);

// "exited 0", "killed by signal 9 (Killed)", "running", "could not start: ...".
[[nodiscard]] std::string state_text(const lab::ProgramRow& program);

}  // namespace lanyard::cli
