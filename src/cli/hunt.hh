// SPDX-License-Identifier: Apache-2.0
// `lanyard hunt`: what its command line takes (docs/hunt.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lanyard::cli {

struct HuntOptions {
  std::string lab;
  std::string output;  // where the lab that shows a find is written
  std::string state;   // --resume: read if it is there, written at the end
  std::string budget;  // "60s"; empty: 60 s, if there is no number of runs either
  std::optional<std::uint64_t> runs;
  std::uint64_t seed = 1;
  unsigned jobs = 0;                // 0: as many as cores
  std::vector<std::string> faults;  // empty: all kinds
  bool json = false;
};
// Exit status: 0 nothing was found, 1 something was, 2 the lab or the command line is wrong.
int hunt(const HuntOptions& options);

}  // namespace lanyard::cli
