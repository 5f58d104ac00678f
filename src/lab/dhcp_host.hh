// SPDX-License-Identifier: Apache-2.0
// The program that `address: dhcp` gives a host: "alice.dhcp".
#pragma once

#include <string_view>

#include "lab/node_spec.hh"

namespace lanyard::lab {

// No name in a lab file has a dot.
inline constexpr std::string_view dhcp_client_suffix = ".dhcp";

[[nodiscard]] inline bool is_dhcp_client(const ProgramSpec& program) {
  return program.name.ends_with(dhcp_client_suffix);
}

}  // namespace lanyard::lab
