// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "cli/remote_program.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {

int exec(const ExecOptions& options) {
  if (options.command.empty()) {
    fmt::print(stderr, "lanyard: what is to be run? `lanyard exec {} -- COMMAND`\n", options.host);
    return exit_usage;
  }
  constexpr std::array<int, 3> standard{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  return run_remote(options.lab_name, exec_request(options.host, options.command), standard);
}

}  // namespace lanyard::cli
