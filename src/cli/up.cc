// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <system_error>

#include "cli/control_paths.hh"
#include "cli/control_server.hh"
#include "cli/descriptors.hh"
#include "cli/journal.hh"
#include "cli/lab_page.hh"
#include "cli/output_file.hh"
#include "cli/readiness.hh"
#include "cli/verbs.hh"
#include "cli/world_runner.hh"

namespace lanyard::cli {
namespace {

constexpr std::size_t journal_bytes_max = std::size_t{16} * 1024 * 1024;

// The parent waits for the child's word that the lab is up, or why not.
struct Detached {
  bool is_parent = false;
  int status = exit_ok;  // the parent's exit status
  Descriptor word{-1};   // the child says it here
};

// The word is one digit: the exit status.
int wait_for_word(const Descriptor& word) {
  char digit = 0;
  if (read(word.number(), &digit, 1) == 1) return digit - '0';
  fmt::print(stderr, "lanyard: the lab ended before it was up\n");
  return exit_failed;
}

void say_word(const Descriptor& word, int status) {
  const auto digit = static_cast<char>('0' + status);
  if (word.number() >= 0 && write(word.number(), &digit, 1) < 0) errno = 0;  // the parent is gone
}

// A child in a session of its own goes on; the parent's status is the child's word.
std::expected<Detached, std::string> detach() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(std::strerror(errno));
  Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return std::unexpected(std::strerror(errno));
  Detached detached;
  if (child > 0) {
    write_end = Descriptor(-1);
    detached.is_parent = true;
    detached.status = wait_for_word(read_end);
    return detached;
  }
  setsid();
  // Who reads what is said until the lab is up may leave before, as `head` does.
  std::signal(SIGPIPE, SIG_IGN);
  detached.word = std::move(write_end);
  return detached;
}

// From here on nobody reads what we print.
void leave_terminal() {
  std::fflush(nullptr);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, standard);
  close(null);
}

// Looks every few milliseconds whether the lab may be used, and says so once; after a while all the
// same, and who is missing.
class Announcement {
 public:
  Announcement(WorldRunner& runner, const LoadedLab& lab, const UpOptions& options,
               const Descriptor& word)
      : loop_(runner.loop()),
        readiness_(runner.world()),
        lab_(lab),
        options_(options),
        word_(word),
        ticks_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    constexpr itimerspec often{{0, 5'000'000}, {0, 1}};
    timerfd_settime(ticks_.number(), 0, &often, nullptr);
    loop_.watch(ticks_.number(), EPOLLIN, [this](std::uint32_t) { look(); });
  }
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;
  ~Announcement() {
    if (!is_said_) loop_.forget(ticks_.number());
  }

 private:
  void look() {
    std::uint64_t count = 0;
    if (read(ticks_.number(), &count, sizeof count) < 0) return;
    const std::vector<std::string> missing = readiness_.missing();
    const bool is_too_late = loop_.now() - begin_ >= Duration::seconds(options_.wait_seconds);
    if (!missing.empty() && !is_too_late) return;
    is_said_ = true;
    loop_.forget(ticks_.number());
    try {
      say(missing);
    } catch (const std::system_error&) {
      if (!options_.detach) throw;  // nobody reads it, and nobody has to
    }
    if (options_.detach) leave_terminal();
    say_word(word_, exit_ok);
  }

  void say(const std::vector<std::string>& missing) const {
    for (const std::string& problem : readiness_.failed())
      fmt::print(stderr, "lanyard: {}\n", problem);
    if (!missing.empty() && options_.wait_seconds > 0)
      fmt::print(stderr, "lanyard: after {} s {} {} on nothing yet; the lab is up all the same\n",
                 options_.wait_seconds, fmt::join(missing, ", "),
                 missing.size() == 1 ? "listens" : "listen");
    const Paper paper = paper_of(STDOUT_FILENO);
    fmt::print(
        "\n{} is up: `lanyard exec HOST -- COMMAND`, `lanyard ping A B`, `lanyard ps`; {}.\n",
        paint(paper, Ink::bold, lab_.model.name),
        options_.detach ? "`lanyard down` ends it" : "Ctrl-C or `lanyard down` ends it");
    std::fflush(stdout);
  }

  device::EventLoop& loop_;
  Readiness readiness_;
  const LoadedLab& lab_;
  const UpOptions& options_;
  const Descriptor& word_;
  Descriptor ticks_;
  Instant begin_ = loop_.now();
  bool is_said_ = false;
};

int serve(const LoadedLab& lab, const UpOptions& options, const Descriptor& word) {
  const auto directory = control_directory();
  if (!directory.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", directory.error());
    return exit_failed;
  }
  const Paper paper = paper_of(STDOUT_FILENO);
  Journal journal(journal_bytes_max,
                  [&paper](const JournalLine& line) { print_line(line, paper); });
  std::unique_ptr<WorldRunner> live;
  RunnerOptions how{.run_file = options.run_file, .keeps_running = true, .in_real_time = true};
  // What a person has started says so in that person's terminal.
  how.on_output = [&](const auto& program, const auto& output) {
    if (!program.is_live) journal.take(program, output);
  };
  how.on_ended = [&](const auto& program) {
    if (!program.is_live) journal.end(program);
  };
  how.on_note = [&](std::string_view note) {
    journal.note(live == nullptr ? Instant{} : live->world().now(), note);
  };
  auto runner = WorldRunner::make(lab, how);
  if (!runner.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", runner.error());
    return exit_failed;
  }
  live = std::move(*runner);
  const std::string path = control_path(*directory, lab.model.name);
  auto server =
      ControlServer::open(path, live->loop(), live->world(), journal, [&live] { live->stop(); });
  if (!server.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", server.error());
    return exit_failed;
  }
  fmt::print("{}", nodes_page(lab.model, lab.plan, paper));
  std::fflush(stdout);
  const Announcement announcement(*live, lab, options, word);
  Progress progress;
  live->run(progress);
  return live->recorder_problem().empty() ? exit_ok : exit_failed;
}

}  // namespace

int up(const UpOptions& options) {
  const auto lab = load_lab(options.lab);
  if (lab == nullptr || !may_write(options.run_file, options.lab)) return exit_usage;
  if (options.seed.has_value()) lab->model.seed = *options.seed;
  if (!options.detach) return serve(*lab, options, Descriptor(-1));
  auto detached = detach();
  if (!detached.has_value()) {
    fmt::print(stderr, "lanyard: cannot go into the background: {}\n", detached.error());
    return exit_failed;
  }
  if (detached->is_parent) return detached->status;
  const int status = serve(*lab, options, detached->word);
  if (status != exit_ok) say_word(detached->word, status);  // not the first word if it was up
  return status;
}

}  // namespace lanyard::cli
