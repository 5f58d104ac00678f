// SPDX-License-Identifier: Apache-2.0
// How the lab starts programs that are not its own. guest/ implements Launcher; the world keeps the
// book of programs.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hh"
#include "socket/process.hh"
#include "socket/sockets.hh"

namespace lanyard::lab {

enum class ProgramId : std::uint32_t {};

// What an unmodified program is started with. A command of one string goes through /bin/sh -c; of
// several is execvp'd.
struct Launch {
  ProgramId program{};
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;  // added to the environment of `lanyard`
  std::string directory;                           // empty: where `lanyard` was started
  // Descriptors to be the program's 0, 1, 2 (`lanyard exec`, `shell`); -1: /dev/null, and captured
  // pipes.
  int standard_input = -1, standard_output = -1, standard_error = -1;
};

// Told by the launcher, on the world's thread.
class ProgramObserver {
 public:
  virtual void on_program_output(ProgramId program, int descriptor, std::string_view text) = 0;
  // `signal` is 0 for an exit with `status`. Comes once, after the last output.
  virtual void on_program_exited(ProgramId program, int status, int signal) = 0;

 protected:
  ~ProgramObserver() = default;
};

// One virtual host as a launcher sees it.
struct LaunchHost {
  std::string name;
  socket::Sockets* sockets = nullptr;
  const socket::Names* names = nullptr;
  // Call after using `sockets`: frames it wants sent are taken, and the world's next deadline is
  // computed anew.
  std::function<void()> touched;
};

class Launcher {
 public:
  virtual ~Launcher() = default;
  // Starts it; the sentence says why not (which host, which command, what failed).
  virtual std::expected<void, std::string> start(const LaunchHost& host, const Launch& launch,
                                                 ProgramObserver& observer) = 0;
  // Sends a signal to a program and all it started.
  virtual void signal(ProgramId program, int signal) = 0;
};

}  // namespace lanyard::lab
