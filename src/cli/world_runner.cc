// SPDX-License-Identifier: Apache-2.0
#include "cli/world_runner.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <utility>

#include "cli/descriptors.hh"
#include "cli/text.hh"
#include "guest/launcher.hh"

namespace lanyard::cli {
namespace {

// Where the handler says which signal came. A handler and not a mask: a mask would be inherited by
// the programs that are started.
int end_signal_pipe = -1;

void on_end_signal(int signal) {
  const int error = errno;
  const auto byte = static_cast<char>(signal);
  if (write(end_signal_pipe, &byte, 1) < 0) errno = 0;  // full: there is one already
  errno = error;
}

// While it lives, the signals that end a run are read from a descriptor.
class EndSignals {
 public:
  EndSignals() {
    if (pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
    end_signal_pipe = ends_[1];
    struct sigaction action {};
    action.sa_handler = on_end_signal;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &action, &before_[i]);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals() {
    if (ends_[0] < 0) return;
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before_[i], nullptr);
    end_signal_pipe = -1;
    close(ends_[0]);
    close(ends_[1]);
  }

  [[nodiscard]] int descriptor() const { return ends_[0]; }
  // The next one that came; 0 if none did.
  [[nodiscard]] int take() const {
    char byte = 0;
    return read(ends_[0], &byte, 1) == 1 ? byte : 0;
  }

 private:
  static constexpr std::array<int, 3> signals{SIGINT, SIGTERM, SIGHUP};
  std::array<int, 2> ends_{-1, -1};
  std::array<struct sigaction, 3> before_{};
};

// Nanoseconds since 1970, for the run file of a lab in real time.
std::int64_t wall_clock_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

struct WorldRunner::Parts {
  bool is_virtual = true;
  Instant virtual_end = Instant::never();
  device::EventLoop loop;
  std::unique_ptr<lab::Recorder> recorder;
  std::unique_ptr<lab::Launcher> launcher;
  std::unique_ptr<lab::World> world;
};

WorldRunner::WorldRunner(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

// What the launcher serves lives in the world, and the world may still ask the launcher to end
// programs: so first the lab ends, then the launcher goes, then the world.
WorldRunner::~WorldRunner() {
  parts_->world->stop();
  parts_->launcher.reset();
}

std::expected<std::unique_ptr<WorldRunner>, std::string> WorldRunner::make(
    const LoadedLab& lab, const RunnerOptions& options) {
  auto parts = std::make_unique<Parts>();
  parts->is_virtual = !options.in_real_time && lab::time_of(lab.model) == lab::TimeMode::virtual_;
  parts->virtual_end = options.virtual_end;
  if (!options.run_file.empty()) {
    auto recorder = lab::Recorder::open(
        {options.run_file, parts->is_virtual, parts->is_virtual ? 0 : wall_clock_ns()});
    if (!recorder.has_value()) return std::unexpected(recorder.error());
    parts->recorder = std::move(*recorder);
  }
  lab::WorldOptions world;
  if (!parts->is_virtual) {
    parts->launcher = std::make_unique<guest::ProgramLauncher>(parts->loop, options.on_note);
    world.launcher = parts->launcher.get();
  }
  world.in_real_time = !parts->is_virtual;
  world.recorder = parts->recorder.get();
  world.on_output = options.on_output;
  world.on_ended = options.on_ended;
  world.keeps_running = options.keeps_running;
  parts->world = std::make_unique<lab::World>(lab.model, lab.plan, std::move(world));
  return std::unique_ptr<WorldRunner>(new WorldRunner(std::move(parts)));
}

int WorldRunner::run(Progress& progress) {
  return parts_->is_virtual ? run_virtual(progress) : run_real(progress);
}

int WorldRunner::run_virtual(Progress& progress) {
  constexpr std::uint32_t steps_between_looks = 1024;
  const EndSignals signals;
  lab::World& world = *parts_->world;
  int signal = 0;
  for (std::uint32_t step = 0; signal == 0 && !world.is_over(); ++step) {
    const Instant next = world.next_deadline();
    // Nothing will ever happen again, or nothing that is wanted.
    if (next == Instant::never() || next > parts_->virtual_end) break;
    world.run_until(next);
    if (step % steps_between_looks != 0) continue;
    signal = signals.take();
    if (progress.is_due()) {
      progress.show(fmt::format("virtual time {} s", seconds(world.now())));
    }
  }
  progress.clear();
  world.stop();
  return signal;
}

int WorldRunner::run_real(Progress& progress) {
  constexpr itimerspec every_half_second{{0, 500'000'000}, {0, 500'000'000}};
  const EndSignals signals;
  const Descriptor ticks(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  timerfd_settime(ticks.number(), 0, &every_half_second, nullptr);
  device::EventLoop& loop = parts_->loop;
  lab::World& world = *parts_->world;
  int signal = 0;
  loop.watch(signals.descriptor(), EPOLLIN, [&](std::uint32_t) {
    signal = signals.take();
    loop.stop();
  });
  loop.watch(ticks.number(), EPOLLIN, [&](std::uint32_t) {
    std::uint64_t count = 0;
    if (read(ticks.number(), &count, sizeof count) < 0) return;
    if (!world.is_saved()) world.save();
    if (!progress.is_due()) return;
    progress.show(fmt::format("{} s; Ctrl-C ends the lab", world.now().count_ns() / 1'000'000'000));
  });
  world.set_on_over([&loop] { loop.stop(); });
  loop.drive(&world);
  loop.run();
  loop.drive(nullptr);
  loop.forget(signals.descriptor());
  loop.forget(ticks.number());
  progress.clear();
  world.stop();
  return signal;
}

void WorldRunner::stop() {
  parts_->loop.stop();
}

lab::World& WorldRunner::world() {
  return *parts_->world;
}

device::EventLoop& WorldRunner::loop() {
  return parts_->loop;
}

bool WorldRunner::is_virtual() const {
  return parts_->is_virtual;
}

std::string WorldRunner::recorder_problem() const {
  return parts_->recorder == nullptr ? "" : parts_->recorder->problem();
}

}  // namespace lanyard::cli
