// SPDX-License-Identifier: Apache-2.0
// A program in a lab that is up, seen from the terminal that started it: its output is passed on if
// it comes by message, signals are passed to it, its exit status becomes ours.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "cli/control_client.hh"

namespace lanyard::cli {

struct RemoteHooks {
  // Watched beside the connection and called when readable (a terminal's bytes); -1: none.
  int extra_descriptor = -1;
  std::function<void()> on_extra{};
  std::function<void()> on_resized{};  // SIGWINCH
};

// Starts it and waits for its end; problems are printed. 128 + N for a program ended by signal N.
int run_remote(const std::string& lab_name, const Request& request,
               std::span<const int> descriptors, const RemoteHooks& hooks = {});

// An exec request with this process's environment and directory.
[[nodiscard]] Request exec_request(const std::string& host, std::vector<std::string> command);

}  // namespace lanyard::cli
