// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "application/programs.hh"
#include "cli/remote_program.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

// Whether a shell would find a program of this name.
bool is_on_path(const std::string& name) {
  if (name.find('/') != std::string::npos) return true;
  const char* const path = std::getenv("PATH");
  for (std::string_view rest = path == nullptr ? "" : path; !rest.empty();) {
    const std::size_t size = std::min(rest.find(':'), rest.size());
    const std::string file = std::string(rest.substr(0, size)) + "/" + name;
    if (access(file.c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  return false;
}

// Without descriptors of the caller's it is a program of Lanyard's, which has no input.
int exec_built_in(const ExecOptions& options) {
  Request request;
  request.what = Do::exec;
  request.node = options.host;
  request.command = options.command;
  return run_remote(options.lab_name, request, {});
}

}  // namespace

int exec(const ExecOptions& options) {
  if (options.command.empty()) {
    fmt::print(stderr, "lanyard: what is to be run? `lanyard exec {} -- COMMAND`\n", options.host);
    return exit_usage;
  }
  const std::string& name = options.command.front();
  const bool is_ours = application::find_program(name) != nullptr;
  if (options.is_built_in) return exec_built_in(options);
  if (is_ours && !is_on_path(name)) {
    fmt::print(stderr, "lanyard: this machine has no `{}`; Lanyard's own runs\n", name);
    return exec_built_in(options);
  }
  constexpr std::array<int, 3> standard{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  return run_remote(options.lab_name, exec_request(options.host, options.command), standard);
}

}  // namespace lanyard::cli
