// SPDX-License-Identifier: Apache-2.0
// A lab file with another seed and further lines in its timeline: what its author wrote stays as
// written, section by section; only `at:`, `seed:` and `until:` are written anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.hh"
#include "lab/hunt/fault.hh"
#include "lab/yaml.hh"

namespace lanyard::lab::hunt {

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

 private:
  struct Moment {
    Duration at;
    std::vector<std::string> actions;  // as they stand in a flow sequence
  };
  void keep_author_moments(const Yaml& section);

  std::string head_;  // what stands before the first section
  std::vector<std::pair<std::string, std::string>> sections_;  // key, whole lines
  std::vector<Moment> moments_;                                // the author's
};

}  // namespace lanyard::lab::hunt
