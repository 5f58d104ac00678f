// SPDX-License-Identifier: Apache-2.0
// A lab with everything it needs to run: world, recorder, launcher, and the loop that drives it in
// virtual or real time, until it is over or somebody interrupts. `run` and `up` share it.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cli/lab_errors.hh"
#include "cli/progress.hh"
#include "device/event_loop.hh"
#include "lab/recorder.hh"
#include "lab/world.hh"

namespace lanyard::cli {

struct RunnerOptions {
  std::string run_file;  // empty: no run file
  bool keeps_running = false;
  bool in_real_time = false;               // whatever the lab says (`up`)
  Instant virtual_end = Instant::never();  // virtual time: stops before any event after it
  std::function<void(const lab::ProgramRow&, const lab::ProgramOutput&)> on_output{};
  std::function<void(const lab::ProgramRow&)> on_ended{};
  // What an unmodified program was refused: "alice: setsockopt TCP_ULP is not supported".
  std::function<void(std::string_view)> on_note{};
};

class WorldRunner {
 public:
  // The sentence says why it cannot be brought up: no run file, no launcher.
  [[nodiscard]] static std::expected<std::unique_ptr<WorldRunner>, std::string> make(
      const LoadedLab& lab, const RunnerOptions& options);
  ~WorldRunner();

  // Until the lab is over, or SIGINT, SIGTERM or SIGHUP; then everything has ended and the run file
  // is whole. Returns the signal, 0 if there was none.
  int run(Progress& progress);
  // Ends run() from inside a callback.
  void stop();

  [[nodiscard]] lab::World& world();
  [[nodiscard]] device::EventLoop& loop();
  [[nodiscard]] bool is_virtual() const;
  // Empty, or why the run file is not whole.
  [[nodiscard]] std::string recorder_problem() const;

 private:
  struct Parts;
  explicit WorldRunner(std::unique_ptr<Parts> parts);
  int run_virtual(Progress& progress);
  int run_real(Progress& progress);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lanyard::cli
