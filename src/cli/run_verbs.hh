// SPDX-License-Identifier: Apache-2.0
// The verbs that work on a run file and what each one takes; the file named after the verb does the
// work and returns the exit status. A file that is damaged or not a run is exit_usage.
#pragma once

#include <string>

namespace lanyard::cli {

struct ReplayOptions {
  std::string run;
  std::string output;  // empty: the replay's file is not kept
  bool json = false;
};
int replay(const ReplayOptions& options);

}  // namespace lanyard::cli
