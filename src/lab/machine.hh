// SPDX-License-Identifier: Apache-2.0
// A node while the world runs: a host or router (a stack with its sockets and tasks), a switch (a
// bridge), or a host with the kernel's stack (frames go to the launcher).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/task.hh"
#include "lab/call_log.hh"
#include "lab/checks.hh"
#include "lab/launcher.hh"
#include "lab/node_clock.hh"
#include "lab/on_demand.hh"
#include "link/bridge.hh"
#include "socket/sockets.hh"
#include "stack/stack.hh"

namespace lanyard::lab {

struct Machine {
  std::function<void()> make;  // all three of these
  NodeClock clock;             // goes on while it is down
  Instant began;               // when it was switched on, by its clock
  // Members are destroyed from the last to the first: tasks unwind while their sockets are still
  // there.
  std::unique_ptr<CallLog> calls;  // of the sockets, if somebody sees them
  OnDemand<stack::Stack> stack;
  OnDemand<socket::Sockets> sockets;
  TaskOwners owners;
  OnDemand<Tasks> tasks;
  std::unique_ptr<link::Bridge> bridge;
  std::vector<std::function<void(Packet)>> kernel_ports;  // where frames for the kernel go
  std::unique_ptr<LaunchHost> launch_host;
  std::string problem;  // why the kernel's host could not be made
  NodeFacts facts;
  // Its next service. It is in the schedule when an earlier one has gone by: most are put off
  // before they come.
  Instant armed_for = Instant::never();
  std::uint64_t armed_sequence = 0;
  Instant scheduled_for = Instant::never();  // the earliest of its services in the schedule
  bool is_touched = false;
  bool is_down = false;     // crashed, not yet restarted
  std::uint32_t boots = 0;  // restarts
};

}  // namespace lanyard::lab
