// SPDX-License-Identifier: Apache-2.0
// Dissected layers as JSON: [{"name", "value", "offset", "size", "children": [...]}, ...]; value
// and children are left out when empty.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "wire/dissect.hh"

namespace lanyard::wire {

[[nodiscard]] nlohmann::json to_json(const Field& field);
[[nodiscard]] nlohmann::json to_json(const std::vector<Field>& layers);

}  // namespace lanyard::wire
