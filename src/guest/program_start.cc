// SPDX-License-Identifier: Apache-2.0
// A program's minder, and the last steps of the program itself before its exec.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "guest/filter.hh"
#include "guest/keeper.hh"
#include "guest/limits.hh"

namespace lanyard::guest {

namespace {

enum Given : std::size_t { input, output, error_output, reports, status, given_count };

[[noreturn]] void give_up(int status_pipe, const std::string& why) {
  if (write(status_pipe, why.data(), why.size()) < 0) _exit(126);
  _exit(127);
}

std::string failed(const std::string& what) {
  return fmt::format("cannot {}: {}", what, std::strerror(errno));
}

// Root without a user namespace: keep what services need, give up what reaches the machine.
void drop_powers() {
  for (const int power :
       {CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_BOOT, CAP_SYS_TIME,
        CAP_NET_ADMIN, CAP_MKNOD, CAP_SYSLOG, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE, CAP_BPF, CAP_PERFMON,
        CAP_CHECKPOINT_RESTORE, CAP_DAC_READ_SEARCH})
    prctl(PR_CAPBSET_DROP, power, 0, 0, 0);
}

// The interfaces that a program of ours sees are a mirror of the stack's: what it changed there
// would change nothing, and it is told so (EPERM). Without the power to, this does nothing.
void leave_the_mirror_alone() {
  prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0);
}

// execvp says EACCES as well where a folder of PATH may not be searched and nothing was found.
bool is_found(const std::string& name) {
  if (name.find('/') != std::string::npos) return true;
  const char* const path = getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string folder(rest.substr(0, rest.find(':')));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    if (access((folder + "/" + name).c_str(), F_OK) == 0) return true;
  }
  return false;
}

// What PATH lookup and exec say, with the reason a person needs.
[[noreturn]] void execute(const ProgramOrder& order, int status_pipe) {
  std::vector<char*> argv, envp;
  for (const std::string& text : order.arguments) argv.push_back(const_cast<char*>(text.c_str()));
  for (const std::string& text : order.environment) envp.push_back(const_cast<char*>(text.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  environ = envp.data();  // execvp looks in its PATH, not in ours
  execvp(argv[0], argv.data());
  const int error = errno;
  const bool is_missing = error == ENOENT || (error == EACCES && !is_found(order.arguments[0]));
  give_up(status_pipe, fmt::format("{}: {}", order.arguments[0],
                                   is_missing ? "no such program" : std::strerror(error)));
}

void take_standard_descriptors(const std::vector<Descriptor>& given) {
  for (int number = 0; number < 3; ++number)
    dup2(given[static_cast<std::size_t>(number)].get(), number);
  // A terminal given to us becomes ours, so that Ctrl-C and job control work as they should.
  if (isatty(0) == 1) ioctl(0, TIOCSCTTY, 0);
}

// Installs the filter, tells the daemon where the listener is, waits until it has it.
void ask_for_supervision(const ProgramOrder& order, int report_socket, int status_pipe) {
  const FilterOptions options{.without_namespaces = order.without_namespaces,
                              .sees_outer_processes = order.sees_outer_processes,
                              .pretends_ids = order.pretends_ids};
  auto listener = install_filter(options, order.wait_killable);
  if (!listener) {
    errno = listener.error();
    give_up(status_pipe,
            errno == EBUSY ? "Lanyard itself runs under a seccomp listener, and there can be only "
                             "one: programs cannot be served here"
                           : failed("install the seccomp filter"));
  }
  const Report report{Report::listener, listener->get(), 0};
  Report go;
  if (write(report_socket, &report, sizeof report) < 0 ||
      read(report_socket, &go, sizeof go) != static_cast<ssize_t>(sizeof go))
    _exit(127);
}

[[noreturn]] void become_program(const ProgramOrder& order, const std::vector<Descriptor>& given) {
  const int status_pipe = given[status].get();
  setsid();
  constexpr unsigned long usual_slack_ns = 50'000;  // the daemon has less, and it is inherited
  prctl(PR_SET_TIMERSLACK, usual_slack_ns, 0, 0, 0);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  take_standard_descriptors(given);
  if (!order.directory.empty() && chdir(order.directory.c_str()) != 0)
    give_up(status_pipe, failed("enter the folder " + order.directory));
  restore_descriptor_limit();
  if (order.drops_powers) drop_powers();
  if (order.is_filtered) leave_the_mirror_alone();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(status_pipe, failed("set NO_NEW_PRIVS"));
  if (order.is_filtered) ask_for_supervision(order, given[reports].get(), status_pipe);
  execute(order, status_pipe);
}

}  // namespace

void run_minder(const ProgramOrder& order, std::vector<Descriptor> descriptors) {
  if (descriptors.size() != given_count) _exit(1);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int report_socket = descriptors[reports].get();
  const Report started;
  if (write(report_socket, &started, sizeof started) < 0) _exit(1);
  const pid_t program = fork();
  if (program == 0) become_program(order, descriptors);
  for (const std::size_t ours : {input, output, error_output, status}) descriptors[ours].close();
  // The keeper's control socket must not outlive the keeper through us.
  syscall(SYS_close_range, 3U, static_cast<unsigned>(report_socket - 1), 0U);
  syscall(SYS_close_range, static_cast<unsigned>(report_socket + 1), ~0U, 0U);
  for (int state = 0;;) {
    const pid_t ended = waitpid(-1, &state, 0);
    if (ended < 0 && errno == EINTR) continue;
    if (ended < 0) _exit(0);  // nobody is left
    if (ended != program) continue;
    const Report report{Report::exited, WIFEXITED(state) ? WEXITSTATUS(state) : 0,
                        WIFSIGNALED(state) ? WTERMSIG(state) : 0};
    if (write(report_socket, &report, sizeof report) < 0) continue;
  }
}

}  // namespace lanyard::guest
