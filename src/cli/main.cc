// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hh"

int main(int argc, char** argv) {
  return lanyard::cli::run_command_line(std::vector<std::string>(argv + 1, argv + argc));
}
