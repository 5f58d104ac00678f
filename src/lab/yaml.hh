// SPDX-License-Identifier: Apache-2.0
// A YAML document as a plain tree in which every node knows where it was written, duplicate keys
// are kept, and aliases are copies. Built from yaml-cpp's events: its own node type forgets
// duplicate keys and follows aliases without a limit.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/model.hh"

namespace lanyard::lab {

inline constexpr std::size_t yaml_nodes_max = 2'000'000;
inline constexpr std::size_t yaml_depth_max = 32;

struct YamlPair;

struct Yaml {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  bool is_quoted = false;
  Mark mark;
  std::string text;             // scalar
  std::vector<Yaml> items;      // sequence
  std::vector<YamlPair> pairs;  // mapping, in file order

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_sequence() const { return kind == Kind::sequence; }
  [[nodiscard]] bool is_mapping() const { return kind == Kind::mapping; }
  // Where the character `offset` of a scalar stands.
  [[nodiscard]] Mark mark_at(std::size_t offset) const;
};

struct YamlPair {
  Yaml key, value;
};

struct YamlProblem {
  Mark mark;
  std::string what, fix;
};

// The one document of `text`; an empty file is null.
[[nodiscard]] std::expected<Yaml, YamlProblem> parse_yaml(std::string_view text);

}  // namespace lanyard::lab
