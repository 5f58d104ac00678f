// SPDX-License-Identifier: Apache-2.0
// The holder and the keeper: what runs in the child of a fork. Nothing of the daemon is used here
// but the setup it was forked with.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "guest/keeper.hh"

namespace lanyard::guest {

namespace {

[[noreturn]] void give_up(int control, const std::string& why) {
  send_message(control, "E" + why);
  _exit(1);
}

std::string failed(const std::string& what) {
  return fmt::format("cannot {}: {}", what, std::strerror(errno));
}

void close_all_but(int keep) {
  if (keep > 3) syscall(SYS_close_range, 3U, static_cast<unsigned>(keep - 1), 0U);
  syscall(SYS_close_range, static_cast<unsigned>(keep + 1), ~0U, 0U);
}

// The daemon's terminal or pipes must not be kept open by us.
void forget_standard_descriptors() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int number = 0; number < 3 && null >= 0; ++number) dup2(null, number);
}

void default_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

// Ends with its parent. The parent may have ended before this took hold.
void end_with_parent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent) _exit(1);
}

int namespaces_of(Containment containment) {
  const int common = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWIPC;
  switch (containment) {
    case Containment::user_and_pid:
    case Containment::privileged:
      return common | CLONE_NEWPID;
    case Containment::user:
      return common;
    case Containment::filter_only:
      return 0;
  }
  return 0;
}

void make_host(const HostSetup& setup, Containment containment, int control) {
  std::vector<int> to_daemon;
  int backstage = -1;  // held for as long as we live
  if (containment != Containment::filter_only) {
    if (sethostname(setup.name.c_str(), setup.name.size()) != 0)
      give_up(control, failed("set the host's name"));
    if (std::string why = mount_host_files(setup.files, has_own_processes(containment));
        !why.empty())
      give_up(control, why);
    std::vector<int> frames;
    if (std::string why = make_interfaces(setup, backstage, frames); !why.empty())
      give_up(control, why);
    if (!setup.has_taps && has_own_processes(containment)) make_settings_read_only();
    to_daemon.push_back(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    to_daemon.insert(to_daemon.end(), frames.begin(), frames.end());
  }
  if (!send_message(control, "R", to_daemon)) _exit(1);
  for (const int descriptor : to_daemon) close(descriptor);
}

void start_program(Message message) {
  const ProgramOrder order = unpack(message.text.substr(1));
  const pid_t minder = fork();
  if (minder == 0) run_minder(order, std::move(message.descriptors));
}

// Starts programs on the daemon's word and reaps minders, until the daemon hangs up.
[[noreturn]] void run_keeper(const HostSetup& setup, Containment containment, int control) {
  if (!has_own_processes(containment)) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  make_host(setup, containment, control);
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, nullptr);
  const int ended = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  pollfd waits[2] = {{control, POLLIN, 0}, {ended, POLLIN, 0}};
  for (;;) {
    if (poll(waits, 2, -1) < 0) continue;
    signalfd_siginfo info;
    while (read(ended, &info, sizeof info) > 0) continue;
    while (waitpid(-1, nullptr, WNOHANG) > 0) continue;
    if (waits[0].revents == 0) continue;
    Message message = receive_message(control, -1);
    if (message.text.empty()) {
      // The daemon is gone, killed perhaps. What ends with us is not what programs have started.
      if (!has_own_processes(containment)) end_descendants(getpid(), false);
      _exit(0);
    }
    if (message.text[0] == 'L') start_program(std::move(message));
  }
}

}  // namespace

void run_holder(const HostSetup& setup, Containment containment, int control) {
  const pid_t daemon = getppid();
  setsid();
  default_signals();
  forget_standard_descriptors();
  close_all_but(control);
  const bool has_user_namespace =
      containment == Containment::user_and_pid || containment == Containment::user;
  if (has_user_namespace && unshare(CLONE_NEWUSER) != 0)
    give_up(control, failed("make a user namespace"));
  send_message(control, "M");
  if (receive_message(control, -1).text != "M") _exit(1);
  // A change of ids forgets the parent-death signal, so this comes after.
  if (has_user_namespace && (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0))
    give_up(control, failed("become the host's root"));
  end_with_parent(daemon);
  if (unshare(namespaces_of(containment)) != 0) give_up(control, failed("make namespaces"));
  const pid_t keeper = fork();
  if (keeper == 0) {
    // In a process namespace of its own its parent is not to be seen; without one it stays until
    // the host's processes have ended.
    if (has_own_processes(containment)) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    run_keeper(setup, containment, control);
  }
  if (keeper < 0) give_up(control, failed("fork in the host's namespaces"));
  close(control);
  int status = 0;
  while (waitpid(keeper, &status, 0) < 0 && errno == EINTR) continue;
  _exit(0);
}

}  // namespace lanyard::guest
