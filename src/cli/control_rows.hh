// SPDX-License-Identifier: Apache-2.0
// What `ps`, `links`, `routes`, `sockets` and `arp` answer: rows as JSON, from a world; and the
// same rows as a table for a person.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/control_protocol.hh"
#include "cli/text.hh"
#include "lab/world.hh"

namespace lanyard::cli {

// `node`: only its rows; nothing: all. `what` is one of ps, links, routes, sockets, arp.
[[nodiscard]] nlohmann::json rows_of(lab::World& world, Do what, std::optional<std::uint32_t> node);
// Why there are none of a node: a switch, or the kernel's stack. Empty: there may be some.
[[nodiscard]] std::string why_no_rows(const lab::World& world, Do what, std::uint32_t node);
[[nodiscard]] std::string rows_table(Do what, const nlohmann::json& rows, const Paper& paper);

}  // namespace lanyard::cli
