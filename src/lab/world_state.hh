// SPDX-License-Identifier: Apache-2.0
// The inside of a world. world.cc is its face; each other world_*.cc has a part.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/random.hh"
#include "lab/checks.hh"
#include "lab/direction.hh"
#include "lab/recorder.hh"
#include "lab/schedule.hh"
#include "lab/world.hh"
#include "lab/world_faults.hh"
#include "lab/world_parts.hh"
#include "lab/world_timeline.hh"

namespace lanyard::lab {

struct World::State final : EventSink, Direction::Owner, ProgramObserver {
  State(const Model& model, const Plan& plan, WorldOptions options);
  ~State();
  void build();  // world_build.cc
  void build_machine(std::uint32_t node);
  void build_stack(std::uint32_t node);
  void build_kernel_host(std::uint32_t node);
  void build_links();
  void add_programs();
  void prepare_hosts();
  void add_name_servers();
  void schedule_checks();
  void hear_events();  // world_events.cc
  void run_until(Instant until);
  void handle(const Due& due);
  void serve(std::uint32_t node);
  void arm(std::uint32_t node, Instant next);
  void schedule_service(std::uint32_t node);
  void on_service(const Due& due);
  void touch(std::uint32_t node);
  void serve_touched();
  void on_event(const Event& event) override;
  // world_frames.cc
  void take_frames(std::uint32_t node);
  void transmit(std::uint32_t port, Packet&& frame);
  [[nodiscard]] bool may_stay_unsummed(std::uint32_t port) const;
  [[nodiscard]] bool may_pass_whole(std::uint32_t port, const Packet& frame) const;
  void transmit_one(std::uint32_t port, Packet&& frame);
  void on_carried(const Direction& direction, Instant arrives, Packet&& frame) override;
  void on_dropped(const Direction& direction, const Packet& frame, DropReason reason) override;
  void on_waits(const Direction& direction) override;
  void on_deadline(const Direction& direction, Instant at) override;
  std::span<const std::int64_t> numbers_of(const std::string& file) override;
  std::vector<IpPrefix> prefixes_of(const std::string& end) override;
  void record_sent(DropReason reason);
  void overtake(InFlight&& flight);
  void arrive_next(std::uint32_t direction);
  void arrive(std::uint32_t index, std::uint32_t cuts, Packet&& frame);
  void receive(std::uint32_t port, Packet&& frame);
  void refuse(std::uint32_t port, const Packet& frame, DropReason reason);
  DropReason switch_frame(std::uint32_t port, Packet&& frame);
  void begin_record(std::uint32_t port, bool is_sent, const Packet& frame);
  void end_record(DropReason dropped);
  // world_programs.cc
  ProgramId add_program(std::uint32_t node, ProgramRow row, Launch launch, ProgramObserver* told);
  void start_program(std::uint32_t index);
  bool start_built_in(std::uint32_t index);
  void start_launched(std::uint32_t index);
  void fail_program(std::uint32_t index, std::string problem);
  void signal(ProgramId program, int signal);
  void on_program_output(ProgramId program, int descriptor, std::string_view text) override;
  void on_program_exited(ProgramId program, int status, int signal) override;
  void look_for_end();  // world_end.cc
  void begin_end();
  void look_whether_quiet();
  void stop_programs(int signal);
  void on_stop_timeout();
  void finish();
  [[nodiscard]] bool is_program_alive() const;
  [[nodiscard]] Facts facts() const;
  const Model& model;
  const Plan& plan;
  WorldOptions options;
  const Seed seed;
  const bool is_virtual, is_seen;  // seen: by a recorder or an observer
  Trace trace;
  Instant now = Instant::start(), limit = Instant::never();  // of the lab, `until`
  Schedule schedule;
  WorldPhase phase = WorldPhase::running;
  Instant quieting_since, last_frame_at;
  bool is_built = false, was_killed = false;  // stopping: SIGKILL has been sent
  std::unique_ptr<InputLog> inputs;           // in real time, if there is a recorder
  std::function<void()> on_over;
  std::vector<ProgramRow> rows;
  std::vector<RunningProgram> programs;  // as rows; destroyed after the machines
  std::size_t output_bytes = 0;
  std::vector<ProgramOutput> output;
  std::unique_ptr<Watch> watch;                 // null: no check needs it
  std::vector<std::optional<Verdict>> settled;  // by check
  Timeline timeline{*this};
  Faults faults{*this};  // has programs and machines of before: destroyed after those of now
  std::vector<Machine> machines;
  std::vector<std::unique_ptr<Direction>> directions;        // 2 * link: a to b; + 1: b to a
  std::vector<std::uint32_t> direction_of_port;              // that frames leave by
  std::vector<std::uint32_t> position_of_port, mtu_of_port;  // among its node's; as it is now
  std::vector<Arrivals> arrivals;                            // by direction
  std::vector<InFlight> in_flight;                           // those that overtake
  std::vector<std::uint32_t> free_slots, touched;
  std::vector<stack::OutFrame> leaving;  // their machine, now
  std::vector<Injected> injected;        // frames from the kernel, for the next turn
  std::uint64_t last_packet = 0;
  // The frame that is being recorded or handled.
  RecordedFrame recorded;
  std::vector<std::uint8_t> bytes;  // of it, for the observer
  bool is_sent_unrecorded = false;  // it has just left its machine
  bool is_handling = false;         // a machine does, and said of it:
  DropReason dropped = DropReason::none;
};

}  // namespace lanyard::lab
