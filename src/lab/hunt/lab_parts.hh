// SPDX-License-Identifier: Apache-2.0
// The parts of a lab file that can be left out, and the file without some of them: nodes with their
// links, single links, programs, checks, entries of the timeline. Whether what is left is still a
// lab, and fails the same way, is for the caller to find out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/yaml.hh"

namespace lanyard::lab::hunt {

// Whether a section of a lab file names nodes.
[[nodiscard]] bool has_nodes(std::string_view section);
// A section as whole lines; none if there is nothing in it.
[[nodiscard]] std::string section_text(const std::string& key, const Yaml& section);

class LabParts {
 public:
  // `yaml` is the tree of a lab file that parse_lab has accepted; `keep` is the text of a check
  // that stays.
  LabParts(Yaml yaml, std::string_view keep);

  [[nodiscard]] std::size_t count() const { return parts_.size(); }
  // "carol", "the program of bob", "a -- b", "check `alice exits 0`"; what goes with a node is not
  // named.
  [[nodiscard]] std::vector<std::string> names_of(const std::vector<bool>& left_out) const;
  // Sections, in their order, that differ without these parts: the key and the whole lines, which
  // are empty where nothing is left of it.
  using Sections = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] Sections without(const std::vector<bool>& left_out) const;

 private:
  enum class Kind : std::uint8_t { node, link, program, check, moment, groups };
  struct Part {
    Kind kind = Kind::node;
    std::size_t section = 0, item = 0, inside = 0;  // inside: of a list of programs
    std::string name = {};
  };
  void add_nodes(std::size_t section);
  void add_programs(std::size_t section);
  void add_items(std::size_t section, Kind kind, std::string_view keep);

  Yaml yaml_;
  std::vector<Part> parts_;  // those that take most with them first
};

}  // namespace lanyard::lab::hunt
