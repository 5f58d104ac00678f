// SPDX-License-Identifier: Apache-2.0
// An XML document as a plain tree in which every element knows where it was written. expat reads
// it; declarations of entities are refused, so that a small file stays small.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/yaml.hh"

namespace lanyard::lab::imports {

inline constexpr std::size_t xml_elements_max = 2'000'000;
inline constexpr std::size_t xml_depth_max = 64;

struct Element {
  std::string name;  // without its namespace's prefix
  Mark mark;
  std::vector<std::pair<std::string, std::string>> attributes = {};
  std::string text = {};  // its own, blanks at both ends left out
  std::vector<Element> children = {};

  // Empty: there is none.
  [[nodiscard]] std::string_view attribute(std::string_view name) const;
};

[[nodiscard]] std::expected<Element, YamlProblem> parse_xml(std::string_view text);

}  // namespace lanyard::lab::imports
