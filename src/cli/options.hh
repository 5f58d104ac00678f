// SPDX-License-Identifier: Apache-2.0
// The command line: verbs, options, help with examples. The only place that knows CLI11.
#pragma once

#include <string>
#include <vector>

namespace lanyard::cli {

// Runs one command line (without the program's name) and returns its exit status.
int run_command_line(std::vector<std::string> arguments);

struct OptionSurface {
  std::vector<std::string> names;  // "--json", "-o"
  std::string description;
  bool takes_value = false;
};

// What one verb looks like from outside, for shell completion and for the tests of the docs.
struct VerbSurface {
  std::string name;
  std::string summary;
  std::vector<OptionSurface> options;
  std::vector<std::string> positionals;  // "LAB", "HOST" ...
};
[[nodiscard]] std::vector<VerbSurface> command_surface();

}  // namespace lanyard::cli
