// SPDX-License-Identifier: Apache-2.0
// Answers `lanyard exec`, `ps`, `down` ... for a lab that is up (control_protocol.hh). Lives on the
// world's thread, in its event loop.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "cli/journal.hh"
#include "device/event_loop.hh"
#include "lab/world.hh"

namespace lanyard::cli {

class ControlServer {
 public:
  // Listens at `path`; the sentence says why it cannot (another lab of this name is up). `on_down`
  // is called when somebody asks the lab to end; `journal` is what `logs` shows.
  [[nodiscard]] static std::expected<std::unique_ptr<ControlServer>, std::string> open(
      const std::string& path, device::EventLoop& loop, lab::World& world, const Journal& journal,
      std::function<void()> on_down);
  ~ControlServer();  // stops listening and takes the socket away

 private:
  struct State;
  explicit ControlServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lanyard::cli
