// SPDX-License-Identifier: Apache-2.0
// A lab run again and again, each run file beside the first: `run --repeat`.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/again.hh"

namespace lanyard::cli {

struct Repeats {
  std::uint32_t runs = 1;  // that were made, the first one included
  std::optional<lab::RunDifference> difference;
  lab::RunFile first, other;  // if they differ
  std::string kept;           // where the other one is
  std::string problem;        // why a run could not be made

  [[nodiscard]] int status() const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] nlohmann::json json() const;
};

// `path` is the first run's file. Ends at the first run that differs; that one's file is kept
// beside it, with ".repeat" behind its name.
[[nodiscard]] Repeats repeat_run(const LoadedLab& lab, std::uint32_t runs, const std::string& path);

}  // namespace lanyard::cli
