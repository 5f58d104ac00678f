// SPDX-License-Identifier: Apache-2.0
// The virtual internet: nodes, links, programs and one order of events. Virtual time: run(). Real
// time: give it to device::EventLoop (drive), stop the loop when is_over() (see set_on_over). One
// thread.
//   events are handled in the order (time, node, sequence): time because causes come first, node so
//   that two things at one instant happen in an order nobody's speed decides, sequence so that the
//   order is total.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/event.hh"
#include "device/event_loop.hh"
#include "lab/launcher.hh"
#include "lab/model.hh"
#include "lab/plan.hh"
#include "lab/rows.hh"
#include "stack/stack.hh"

namespace lanyard::lab {

class Observer;
class Recorder;

struct WorldOptions {
  Launcher* launcher =
      nullptr;  // for programs that are not built in; without one they do not start
  Recorder* recorder = nullptr;
  Observer* observer = nullptr;  // sees what the recorder would write (observer.hh)
  // Called for every output and end of a program, as it happens (to print it).
  std::function<void(const ProgramRow&, const ProgramOutput&)> on_output = {};
  std::function<void(const ProgramRow&)> on_ended = {};
  bool in_real_time = false;   // although its programs could run in virtual time
  bool keeps_running = false;  // `up`: do not end when the programs have ended
};

class World final : public device::Driven {
 public:
  // Model and plan must outlive the world.
  World(const Model& model, const Plan& plan, WorldOptions options);
  ~World();

  // --- driving ---
  // Hosts with the kernel's stack are made and programs due at 0 started at the first run_until.
  void run_until(Instant now) override;
  [[nodiscard]] Instant next_deadline() const override;
  // Virtual time: from event to event until the lab is over.
  void run();
  [[nodiscard]] bool is_over() const;
  // Called once, from run_until, when the lab is over.
  void set_on_over(std::function<void()> call);
  // Ends it gently, as when its programs have ended: they are asked to end, and killed a second
  // later.
  void end();
  // Ends it now: programs are stopped, the recorder finished. The lab is over. Idempotent.
  void stop();
  [[nodiscard]] Instant now() const;
  // Makes the run file whole up to now, so that it can be read should this process be killed. Not
  // from inside a turn.
  void save();
  [[nodiscard]] bool is_saved() const;  // nothing has happened since

  // --- acting on it, live; effects come at the next run_until ---
  void cut(std::uint32_t link);
  void heal(std::uint32_t link);
  void change(std::uint32_t link, const LinkChange& change, bool a_to_b = true, bool b_to_a = true);
  void act(const Action& action);  // now, whatever its moment says
  // Starts a program on a host: built in or through the launcher. `launch.program` is filled in
  // here. `observer` (may be null) is told beside the world's own book.
  ProgramId start(std::uint32_t node, Launch launch, ProgramObserver* observer = nullptr);
  void signal(ProgramId program, int signal);  // built-in ones end at any signal
  void touch(std::uint32_t node);              // call after using its stack or sockets

  // --- looking in ---
  [[nodiscard]] const Model& model() const;
  [[nodiscard]] const Plan& plan() const;
  [[nodiscard]] std::vector<LinkRow> links() const;
  [[nodiscard]] std::span<const ProgramRow> programs() const;
  [[nodiscard]] std::span<const ProgramOutput> output() const;
  [[nodiscard]] stack::Stack* stack(std::uint32_t node);       // null: a switch, a kernel host
  [[nodiscard]] socket::Sockets* sockets(std::uint32_t node);  // null: the same
  // That it has crashed, and what brings it back; empty: it has not.
  [[nodiscard]] std::string why_down(std::uint32_t node) const;
  // As of its n-th start, from 0; after a crash as long as programs may still call it.
  [[nodiscard]] socket::Sockets* sockets_of_boot(std::uint32_t node, std::uint32_t boot);
  // The checks and the programs' expectations, judged by what has happened so far; exact once it is
  // over.
  [[nodiscard]] std::vector<Verdict> verdicts() const;

  struct State;  // world_state.hh

 private:
  std::unique_ptr<State> state_;
};

}  // namespace lanyard::lab
