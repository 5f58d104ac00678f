// SPDX-License-Identifier: Apache-2.0
// Plays what entered a run in real time to a world of the same lab, at the same moments and in the
// same order, and so makes the run again from its file alone. It stands where the launcher stood:
// no program is started, no kernel is asked.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/action_text.hh"
#include "lab/launcher.hh"
#include "lab/replay/input.hh"
#include "lab/world.hh"

namespace lanyard::lab {

class Player final : public Launcher {
 public:
  // The run's inputs are well-formed (inputs_problem).
  explicit Player(const RunFile& run);

  // What the world of the replay is made with; its launcher is this.
  [[nodiscard]] WorldOptions options_of_world();
  // From the first input to the last; then the world is over. `on_progress` is told the time now
  // and then.
  void play(World& world, const std::function<void(Instant)>& on_progress = {});

  std::expected<std::vector<std::function<void(Packet)>>, std::string> make_kernel_host(
      const KernelHost& host) override;
  void set_mtu(const std::string&, const std::string&, std::uint32_t) override {}
  void prepare(std::span<const LaunchHost* const>) override {}
  std::expected<void, std::string> start(const LaunchHost& host, const Launch& launch,
                                         ProgramObserver& observer) override;
  void signal(ProgramId, int) override {}

 private:
  // What came of making hosts and starting programs, in the run's order.
  struct Outcomes {
    std::deque<std::string> problems;  // empty: it went well
    std::expected<void, std::string> next();
  };
  void take(const Input& input, World& world);
  void call(const Input& input, World& world);
  void call_stream(const Input& input, socket::Sockets& sockets);
  void call_datagram(const Input& input, socket::Sockets& sockets);
  void act(const Input& input, World& world) const;
  void start(const Input& input, World& world) const;
  void inject(const Input& input, const World& world);

  const RunFile& run_;
  bool keeps_running_ = false;
  Outcomes hosted_, launched_;
  std::map<std::string, std::vector<KernelPort>> kernel_ports_;  // by host
  ProgramObserver* observer_ = nullptr;                          // the world's
  std::vector<std::uint8_t> buffer_;
};

}  // namespace lanyard::lab
