// SPDX-License-Identifier: Apache-2.0
// How the lab starts programs that are not its own. guest/ implements Launcher; the world keeps the
// book of programs.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/packet.hh"
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
  socket::Sockets* sockets = nullptr;  // null: a kernel host
  const socket::Names* names = nullptr;
  // Call after using `sockets`: frames it wants sent are taken, and the world's next deadline is
  // computed anew.
  std::function<void()> touched;
};

// One port of a host with the kernel's stack (`kind: linux`), as planned. Frames are whole Ethernet
// frames.
struct KernelPort {
  std::string name;  // "eth0"
  MacAddress mac;
  std::uint32_t mtu = 1500;
  std::vector<IpPrefix> addresses;
  // Call with every frame the kernel sends; from the world's thread.
  std::function<void(Packet)> into_lab;
};

struct KernelHost {
  std::string name;
  std::vector<KernelPort> ports;
  std::vector<stack::Route>
      routes;  // Route::interface is the port's position + 2, as in a stack of ours
  const socket::Names* names = nullptr;
};

class Launcher {
 public:
  virtual ~Launcher() = default;
  // Makes a namespace with a TAP per port, before any program of that host is started; programs are
  // then started with LaunchHost::sockets null and the same name. Gives, per port, where the lab's
  // frames for it go. Hosts last until the launcher ends.
  virtual std::expected<std::vector<std::function<void(Packet)>>, std::string> make_kernel_host(
      const KernelHost& host) = 0;
  // Another MTU for a port of such a host, as when somebody sets it on the device.
  virtual void set_mtu(const std::string& host, const std::string& port, std::uint32_t mtu) = 0;
  // Programs will be started on these hosts soon: what can be made ready is made side by side.
  virtual void prepare(std::span<const LaunchHost* const> hosts) = 0;
  // Starts it; the sentence says why not (which host, which command, what failed).
  virtual std::expected<void, std::string> start(const LaunchHost& host, const Launch& launch,
                                                 ProgramObserver& observer) = 0;
  // Sends a signal to a program and all it started.
  virtual void signal(ProgramId program, int signal) = 0;
};

}  // namespace lanyard::lab
