// SPDX-License-Identifier: Apache-2.0
// Runs one lab of the simulation to its end and says what did not hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lanyard::simulation {

struct Report {
  std::vector<std::string> problems;  // empty: all held
  std::uint64_t frames = 0, connections = 0, bytes = 0, datagrams = 0, finished = 0;
  [[nodiscard]] bool is_good() const { return problems.empty(); }
};

// `text` is what text_of gave (scenario.hh), or a file of it. The run is kept in `run_file`, if
// that is not empty.
[[nodiscard]] Report simulate(const std::string& text, const std::string& run_file = {});

// The part of a problem that says which rule was broken, without where and when: while a schedule
// is made smaller it must stay the same.
[[nodiscard]] std::string rule_of(const std::string& problem);

}  // namespace lanyard::simulation
