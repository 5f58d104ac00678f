// SPDX-License-Identifier: Apache-2.0
// A lab file with another seed and further lines in its timeline: what its author wrote stays as
// written, section by section; only `at:`, `seed:` and `until:` are written anew.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.hh"
#include "lab/hunt/fault.hh"
#include "lab/yaml.hh"

namespace lanyard::lab::hunt {

// A tree on one line, as it stands in a lab file.
[[nodiscard]] std::string flow_text(const Yaml& yaml);

class LabText {
 public:
  // `text` is a lab file that parse_lab has accepted.
  explicit LabText(std::string_view text);

  struct Changes {
    std::uint64_t seed = 1;
    std::optional<Duration> until = {};
    std::vector<Line> lines = {};
    std::string heading = {};  // comment lines at the top
  };
  [[nodiscard]] std::string with(const Changes& changes) const;
  // The whole file with other sections: key and whole lines, none of which leave it out.
  [[nodiscard]] std::string with_sections(
      std::span<const std::pair<std::string, std::string>> others) const;

 private:
  struct Moment {
    Duration at;
    std::vector<std::string> actions;  // as they stand in a flow sequence
  };
  [[nodiscard]] std::string timeline_with(std::span<const Line> lines) const;
  void keep_author_moments(const Yaml& section);

  std::string head_;  // what stands before the first section
  std::vector<std::pair<std::string, std::string>> sections_;  // key, whole lines
  std::vector<Moment> moments_;                                // the author's
  // The author's, one a line of a list, if some are not at a time of their own: `+2s`, `when ...`.
  std::string moment_lines_;
};

}  // namespace lanyard::lab::hunt
