// SPDX-License-Identifier: Apache-2.0
// lab::Launcher for unmodified programs: a keeper and a supervisor for each host, started with the
// host's first program; programs' output captured, their ends reported. Everything it calls back
// runs on the event loop's thread. It outlives the world it serves.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "device/event_loop.hh"
#include "guest/keeper.hh"
#include "guest/linux_host.hh"
#include "guest/supervisor.hh"
#include "lab/launcher.hh"

namespace lanyard::guest {

class ProgramLauncher final : public lab::Launcher {
 public:
  // `note` gets a line ("alice: setsockopt TCP_ULP is not supported") for what a program was
  // refused; each line once for a host. May be empty.
  explicit ProgramLauncher(device::EventLoop& loop,
                           std::function<void(std::string_view)> note = {});
  // Ends every program of every host.
  ~ProgramLauncher() override;

  std::expected<std::vector<std::function<void(Packet)>>, std::string> make_kernel_host(
      const lab::KernelHost& host) override;
  void set_mtu(const std::string& host, const std::string& port, std::uint32_t mtu) override;
  void prepare(std::span<const lab::LaunchHost* const> hosts) override;
  std::expected<void, std::string> start(const lab::LaunchHost& host, const lab::Launch& launch,
                                         lab::ProgramObserver& observer) override;
  void signal(lab::ProgramId program, int signal) override;

 private:
  struct Host {
    std::unique_ptr<Keeper> keeper;
    std::unique_ptr<Supervisor> supervisor;  // none on a kernel host
    socket::Sockets* sockets = nullptr;      // that it serves
    std::unique_ptr<KernelPorts> ports;      // only on a kernel host
  };
  struct Program {
    lab::ProgramId id{};
    lab::ProgramObserver* observer = nullptr;
    pid_t minder = 0;
    Descriptor reports;
    Descriptor pipes[3];  // of 1 and 2, ours to read
    bool has_exited = false;
  };
  std::expected<Host*, std::string> host_of(const lab::LaunchHost& host);
  std::expected<Host*, std::string> begin_host(const lab::LaunchHost& host);
  void supervise(Host& made, const lab::LaunchHost& host);
  void read_output(Program& program, int descriptor);
  void on_report(lab::ProgramId id);
  void forget(lab::ProgramId id);

  device::EventLoop& loop_;
  std::function<void(std::string_view)> note_;
  std::map<std::string, Host> hosts_;
  std::map<lab::ProgramId, Program> programs_;
};

}  // namespace lanyard::guest
