// SPDX-License-Identifier: Apache-2.0
// The counts of a lab file ("client*100") and the smallest with which a failure is still there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lab/hunt/lab_parts.hh"
#include "lab/yaml.hh"

namespace lanyard::lab::hunt {

class LabCounts {
 public:
  using Counts = std::vector<std::uint64_t>;
  // `yaml` is the tree of a lab file that parse_lab has accepted.
  explicit LabCounts(Yaml yaml);

  // Of the nodes with a count of more than one, as written.
  [[nodiscard]] const Counts& counts() const { return counts_; }
  // The sections that differ with these.
  [[nodiscard]] LabParts::Sections with(const Counts& counts) const;
  // "client*100 became client*3"
  [[nodiscard]] std::vector<std::string> changes(const Counts& counts) const;

 private:
  struct Place {
    std::size_t section = 0;
    std::string base;
  };
  Yaml yaml_;
  std::vector<Place> places_;
  Counts counts_;
};

// Smaller counts that still fail: those that are the same are made smaller together, since pairs
// (`client* -- server*`) want it so, then each by itself. Asks `still_fails` at most
// `attempts_max` times.
struct FewerNodes {
  LabCounts::Counts counts;
  std::size_t attempts = 0;
  bool is_finished = true;
};
[[nodiscard]] FewerNodes lower_counts(
    LabCounts::Counts counts, std::size_t attempts_max,
    const std::function<bool(const LabCounts::Counts&)>& still_fails);

}  // namespace lanyard::lab::hunt
