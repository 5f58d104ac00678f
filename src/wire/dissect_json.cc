// SPDX-License-Identifier: Apache-2.0
#include "wire/dissect_json.hh"

#include <nlohmann/json.hpp>

namespace lanyard::wire {

// Depth is bounded: dissect() nests a quoted packet's layers a few times at most.
nlohmann::json to_json(const Field& field) {
  nlohmann::json json{{"name", field.name}, {"offset", field.offset}, {"size", field.size}};
  if (!field.value.empty()) json["value"] = field.value;
  if (!field.children.empty()) json["children"] = to_json(field.children);
  return json;
}

nlohmann::json to_json(const std::vector<Field>& layers) {
  nlohmann::json json = nlohmann::json::array();
  for (const Field& layer : layers) json.push_back(to_json(layer));
  return json;
}

}  // namespace lanyard::wire
