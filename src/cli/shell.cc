// SPDX-License-Identifier: Apache-2.0
// An interactive shell gets a terminal of its own (a pty), because the one we are in belongs to
// another session; its bytes are carried to and fro here.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "cli/remote_program.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

// The two ends of a new terminal; -1 each if there is none to be had.
struct Terminal {
  Descriptor ours{-1}, theirs{-1};
};

Terminal make_terminal() {
  Terminal terminal;
  terminal.ours = Descriptor(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (terminal.ours.number() < 0 || grantpt(terminal.ours.number()) != 0 ||
      unlockpt(terminal.ours.number()) != 0) {
    return terminal;
  }
  const char* name = ptsname(terminal.ours.number());
  if (name != nullptr) terminal.theirs = Descriptor(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  return terminal;
}

// The terminal we are in passes every byte on while this lives.
class RawMode {
 public:
  RawMode() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios raw = before_;
    cfmakeraw(&raw);
    is_on_ = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
  }
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;
  ~RawMode() {
    if (is_on_) tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }

 private:
  termios before_{};
  bool is_on_ = false;
};

void copy_size(int to) {
  winsize size{};
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ioctl(to, TIOCSWINSZ, &size);
}

bool carry(int from, int to) {
  std::array<char, 4096> bytes;
  const ssize_t got = read(from, bytes.data(), bytes.size());
  if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
  for (ssize_t done = 0; done < got;) {
    const ssize_t written = write(to, bytes.data() + done, static_cast<std::size_t>(got - done));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (written > 0) done += written;
  }
  return true;
}

// What is typed goes to the shell by a thread of its own, so that a shell that does not read cannot
// hold up what it prints. It ends with the process.
void carry_typing(int to) {
  std::thread([to] {
    while (carry(STDIN_FILENO, to)) {
    }
  }).detach();
}

}  // namespace

int shell(const ShellOptions& options) {
  const char* wanted = std::getenv("SHELL");
  const std::string program = wanted != nullptr && *wanted != '\0' ? wanted : "/bin/sh";
  if (isatty(STDIN_FILENO) != 1) {  // commands from a file or a pipe
    constexpr std::array<int, 3> standard{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
    return run_remote(options.lab_name, exec_request(options.host, {program}), standard);
  }
  Terminal terminal = make_terminal();
  if (terminal.theirs.number() < 0) {
    fmt::print(stderr, "lanyard: cannot make a terminal: {}\n", std::strerror(errno));
    return exit_failed;
  }
  const int ours = terminal.ours.number();
  const int theirs = terminal.theirs.number();
  copy_size(ours);
  fcntl(ours, F_SETFL, O_NONBLOCK);
  // The launcher makes its input, a terminal, the shell's controlling one: job control, Ctrl-C.
  Request request = exec_request(options.host, {program, "-i"});
  const RawMode raw;
  carry_typing(ours);
  const RemoteHooks hooks{.extra_descriptor = ours,
                          .on_extra =
                              [ours] {
                                if (!carry(ours, STDOUT_FILENO)) poll(nullptr, 0, 10);
                              },
                          .on_resized = [ours] { copy_size(ours); }};
  return run_remote(options.lab_name, request, std::array<int, 3>{theirs, theirs, theirs}, hooks);
}

}  // namespace lanyard::cli
