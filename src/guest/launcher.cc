// SPDX-License-Identifier: Apache-2.0
#include "guest/launcher.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "guest/limits.hh"

namespace lanyard::guest {

namespace {

constexpr std::size_t output_bytes = 64 * 1024;

std::string own_nsswitch() {
  std::ifstream in("/etc/nsswitch.conf");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The machine's proxies are not on the virtual internet.
bool is_proxy_variable(std::string_view entry) {
  std::string name(entry.substr(0, entry.find('=')));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.ends_with("_proxy");
}

std::vector<std::string> environment_of(const lab::Launch& launch) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string name(text.substr(0, text.find('=')));
    if (!is_proxy_variable(text) && !launch.environment.contains(name)) entries.emplace_back(text);
  }
  for (const auto& [name, value] : launch.environment) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<std::string> arguments_of(const lab::Launch& launch) {
  if (launch.command.size() == 1) return {"/bin/sh", "-c", launch.command[0]};
  return launch.command;
}

std::string shown(const lab::Launch& launch) {
  std::string text;
  for (const std::string& word : launch.command) text += (text.empty() ? "" : " ") + word;
  return text;
}

// The descriptors a program starts with; what must be closed here afterwards.
struct Standard {
  int numbers[3] = {-1, -1, -1};
  Descriptor ours[3];    // read ends of 1 and 2
  Descriptor theirs[3];  // closed once the program has them
};

bool open_standard(const lab::Launch& launch, Standard& standard) {
  const int given[3] = {launch.standard_input, launch.standard_output, launch.standard_error};
  for (int number = 0; number < 3; ++number) {
    standard.numbers[number] = given[number];
    if (given[number] >= 0) continue;
    if (number == 0) {
      standard.theirs[0] = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC));
    } else {
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) return false;
      standard.ours[number] = Descriptor(ends[0]);
      standard.theirs[number] = Descriptor(ends[1]);
      fcntl(ends[0], F_SETFL, O_NONBLOCK);
    }
    standard.numbers[number] = standard.theirs[number].get();
  }
  return standard.numbers[0] >= 0;
}

}  // namespace

ProgramLauncher::ProgramLauncher(device::EventLoop& loop,
                                 std::function<void(std::string_view)> note)
    : loop_(loop), note_(std::move(note)) {
  raise_descriptor_limit();
}

ProgramLauncher::~ProgramLauncher() {
  while (!programs_.empty()) forget(programs_.begin()->first);
  // Supervisors before keepers: nobody is asked any more, then everybody ends.
  for (auto& [name, host] : hosts_) host.supervisor.reset();
}

// Its namespaces are being made; host_of waits for them.
std::expected<ProgramLauncher::Host*, std::string> ProgramLauncher::begin_host(
    const lab::LaunchHost& host) {
  HostSetup setup;
  setup.name = host.name;
  setup.interfaces = host.sockets->stack().interfaces();
  setup.routes = host.sockets->stack().routes();
  if (host.names != nullptr) setup.files = name_files(*host.names, own_nsswitch());
  auto keeper = Keeper::begin(setup, features());
  if (!keeper) return std::unexpected(keeper.error());
  Host& made = hosts_[host.name];
  made.keeper = std::make_unique<Keeper>(std::move(*keeper));
  return &made;
}

// A host that crashed and is there again has other sockets than before.
void ProgramLauncher::supervise(Host& made, const lab::LaunchHost& host) {
  made.sockets = host.sockets;
  SupervisedHost supervised;
  supervised.name = host.name;
  supervised.sockets = host.sockets;
  supervised.touched = host.touched;
  if (note_) {
    supervised.note = [this, name = host.name](std::string_view text) {
      note_(fmt::format("{}: {}", name, text));
    };
  }
  if (host.names != nullptr) supervised.files = name_files(*host.names, own_nsswitch());
  supervised.namespace_socket = made.keeper->namespace_socket();
  made.supervisor = std::make_unique<Supervisor>(loop_, std::move(supervised));
}

std::expected<ProgramLauncher::Host*, std::string> ProgramLauncher::host_of(
    const lab::LaunchHost& host) {
  const auto found = hosts_.find(host.name);
  auto made = found != hosts_.end() ? &found->second : begin_host(host);
  if (!made || host.sockets == nullptr) return made;
  if (std::string why = (*made)->keeper->finish(); !why.empty()) {
    hosts_.erase(host.name);
    return std::unexpected(std::move(why));
  }
  if ((*made)->sockets != host.sockets) supervise(**made, host);
  return made;
}

// One after the other they would take turns at waiting for the kernel.
void ProgramLauncher::prepare(std::span<const lab::LaunchHost* const> hosts) {
  if (hosts.empty() || !why_guests_cannot_run(features()).empty()) return;
  std::vector<Host*> begun;
  for (const lab::LaunchHost* host : hosts) {
    if (hosts_.contains(host->name)) continue;
    if (const auto made = begin_host(*host)) begun.push_back(*made);
  }
  // What fails here is told when its program is to start.
  for (const Host* host : begun) host->keeper->map_its_ids();
}

std::expected<std::vector<std::function<void(Packet)>>, std::string>
ProgramLauncher::make_kernel_host(const lab::KernelHost& host) {
  if (features().containment == Containment::filter_only)
    return std::unexpected(fmt::format(
        "host {}: a host of kind linux needs a network namespace, and this user may make none",
        host.name));
  NameFiles files;
  if (host.names != nullptr) files = name_files(*host.names, own_nsswitch());
  auto keeper = Keeper::start(kernel_host_setup(host, files), features());
  if (!keeper) return std::unexpected(keeper.error());
  Host& made = hosts_[host.name];
  made.keeper = std::make_unique<Keeper>(std::move(*keeper));
  made.ports = std::make_unique<KernelPorts>(loop_, host, made.keeper->take_frame_descriptors());
  return made.ports->into_kernel();
}

// The user namespace is our child, so that its network may be set up from outside.
void ProgramLauncher::set_mtu(const std::string& host, const std::string& port, std::uint32_t mtu) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end() || found->second.ports == nullptr) return;
  ifreq request{};
  port.copy(request.ifr_name, sizeof request.ifr_name - 1);
  request.ifr_mtu = static_cast<int>(mtu);
  if (ioctl(found->second.keeper->namespace_socket(), SIOCSIFMTU, &request) != 0 && note_)
    note_(fmt::format("{}: the MTU of {} stays: {}", host, port, std::strerror(errno)));
}

std::expected<void, std::string> ProgramLauncher::start(const lab::LaunchHost& host,
                                                        const lab::Launch& launch,
                                                        lab::ProgramObserver& observer) {
  const auto fail = [&](const std::string& why) {
    return std::unexpected(
        fmt::format("{}: cannot start \"{}\": {}", host.name, shown(launch), why));
  };
  if (launch.command.empty()) return fail("the command is empty");
  const bool is_filtered = host.sockets != nullptr;
  if (is_filtered) {
    if (const std::string why = why_guests_cannot_run(features()); !why.empty()) return fail(why);
  }
  if (!is_filtered && !hosts_.contains(host.name)) return fail("its host was not made");
  const auto on = host_of(host);
  if (!on) return fail(on.error());
  Standard standard;
  if (!open_standard(launch, standard)) return fail("no descriptors are left");
  auto started = (*on)->keeper->launch(arguments_of(launch), environment_of(launch),
                                       launch.directory, standard.numbers, is_filtered);
  if (!started) return fail(started.error());
  Program& program = programs_[launch.program];
  program.id = launch.program;
  program.observer = &observer;
  program.minder = started->minder;
  program.reports = std::move(started->reports);
  const lab::ProgramId id = launch.program;
  loop_.watch(program.reports.get(), EPOLLIN, [this, id](std::uint32_t) { on_report(id); });
  for (const int number : {1, 2}) {
    if (!standard.ours[number].is_open()) continue;
    program.pipes[number] = std::move(standard.ours[number]);
    loop_.watch(program.pipes[number].get(), EPOLLIN, [this, id, number](std::uint32_t) {
      const auto found = programs_.find(id);
      if (found != programs_.end()) read_output(found->second, number);
    });
  }
  if (is_filtered) (*on)->supervisor->serve(std::move(started->listener));
  return {};
}

// What lies in a pipe now. After the program's exit, what it left running is heard no more.
void ProgramLauncher::read_output(Program& program, int descriptor) {
  std::array<char, output_bytes> buffer;
  Descriptor& pipe = program.pipes[descriptor];
  while (pipe.is_open()) {
    const ssize_t size = read(pipe.get(), buffer.data(), buffer.size());
    if (size > 0 && !program.has_exited) {
      program.observer->on_program_output(
          program.id, descriptor, std::string_view(buffer.data(), static_cast<std::size_t>(size)));
    }
    if (size > 0 || (size < 0 && errno == EINTR)) continue;
    if (size < 0 && errno == EAGAIN) return;
    loop_.forget(pipe.get());
    pipe.close();
  }
}

void ProgramLauncher::on_report(lab::ProgramId id) {
  const auto found = programs_.find(id);
  if (found == programs_.end()) return;
  Program& program = found->second;
  for (;;) {
    Report report;
    const ssize_t size = recv(program.reports.get(), &report, sizeof report, MSG_DONTWAIT);
    if (size < 0) return;
    if (size == 0) {  // nobody of its tree is left
      if (!program.has_exited) {
        program.has_exited = true;
        program.observer->on_program_exited(id, 0, SIGKILL);
      }
      forget(id);
      return;
    }
    if (report.kind != Report::exited || program.has_exited) continue;
    for (const int number : {1, 2}) read_output(program, number);
    program.has_exited = true;
    program.observer->on_program_exited(id, report.first, report.second);
    if (!programs_.contains(id)) return;
  }
}

void ProgramLauncher::forget(lab::ProgramId id) {
  const auto found = programs_.find(id);
  Program& program = found->second;
  loop_.forget(program.reports.get());
  for (const int number : {1, 2}) {
    if (program.pipes[number].is_open()) loop_.forget(program.pipes[number].get());
  }
  programs_.erase(found);
}

void ProgramLauncher::signal(lab::ProgramId id, int signal) {
  const auto found = programs_.find(id);
  if (found == programs_.end()) return;
  for (const pid_t process : descendants_of(found->second.minder)) kill(process, signal);
}

}  // namespace lanyard::guest
