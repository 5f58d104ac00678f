// SPDX-License-Identifier: Apache-2.0
// A virtual host's keeper: the first process in the host's namespaces. It is forked from the
// daemon, starts the host's programs on the daemon's word, and when it ends everything on the host
// ends with it (process namespace, or parent-death signals). Start-up is three processes deep:
//   daemon -> holder (entered the user namespace; waits) -> keeper -> per program: minder ->
//   program
// The minder adopts what its program leaves behind, so that a program and all it started can be
// found and ended.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

#include "guest/descriptor.hh"
#include "guest/host_setup.hh"
#include "guest/probe.hh"
#include "guest/wire_messages.hh"

namespace lanyard::guest {

// A program just started, as the daemon sees it.
struct StartedProgram {
  pid_t minder = 0;
  pid_t process = 0;
  Descriptor reports;   // Report packets; ends when all of the program's tree has ended
  Descriptor listener;  // seccomp notifications; not open for a program without the filter
};

class Keeper {
 public:
  // Makes the namespaces and waits until they are ready (some 6 ms); a sentence if it failed.
  static std::expected<Keeper, std::string> start(const HostSetup& setup, const Features& features);
  // The same in three parts, so that many hosts can be made side by side: the fork; the ids, which
  // only we can map; the wait. finish() does what is left, and may be called again.
  static std::expected<Keeper, std::string> begin(const HostSetup& setup, const Features& features);
  void map_its_ids() { problem_ = answer_one(); }
  [[nodiscard]] std::string finish();
  Keeper(Keeper&& other) noexcept;
  Keeper& operator=(Keeper&&) = delete;
  ~Keeper();  // ends everything on the host

  // Starts one program with these three descriptors as its 0, 1 and 2; returns after its exec.
  std::expected<StartedProgram, std::string> launch(const std::vector<std::string>& command,
                                                    const std::vector<std::string>& environment,
                                                    const std::string& directory,
                                                    const int (&standard)[3], bool is_filtered);
  // A socket of the host's network namespace, for interface ioctls; -1 without namespaces.
  [[nodiscard]] int namespace_socket() const { return namespace_socket_.get(); }
  // Of a host with taps, one for each interface; the caller's from now on.
  [[nodiscard]] std::vector<Descriptor> take_frame_descriptors() { return std::move(frames_); }
  [[nodiscard]] IdMap id_map() const { return id_map_; }

 private:
  Keeper() = default;
  [[nodiscard]] std::string answer_one();
  Features features_;
  std::string name_;
  pid_t holder_ = 0;
  bool is_ready_ = false;
  std::string problem_;  // for finish() to tell
  IdMap id_map_ = IdMap::none;
  Descriptor control_;
  Descriptor namespace_socket_;
  std::vector<Descriptor> frames_;
};

// All processes below `ancestor`, nearest first.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t ancestor);
// Kills them all.
void end_descendants(pid_t ancestor, bool have_namespace);

// The life of the processes inside; never return. (keeper_inside.cc, program_start.cc)
[[noreturn]] void run_holder(const HostSetup& setup, Containment containment, int control);
[[noreturn]] void run_minder(const ProgramOrder& order, std::vector<Descriptor> descriptors);

}  // namespace lanyard::guest
