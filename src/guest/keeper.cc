// SPDX-License-Identifier: Apache-2.0
#include "guest/keeper.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "guest/ids.hh"
#include "guest/kernel.hh"

namespace lanyard::guest {

namespace {

constexpr int patience_ms = 20'000;

std::string failed(const std::string& what) {
  return fmt::format("cannot {}: {}", what, std::strerror(errno));
}

// A report and who sent it, in our numbering of processes (the socket passes credentials).
struct ReceivedReport {
  Report report;
  pid_t sender = 0;
};

std::expected<ReceivedReport, std::string> receive_report(int socket) {
  pollfd wait{socket, POLLIN, 0};
  if (poll(&wait, 1, patience_ms) <= 0) return std::unexpected("a program's start got stuck");
  ReceivedReport got;
  iovec part{&got.report, sizeof got.report};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  if (recvmsg(socket, &header, MSG_CMSG_CLOEXEC) != static_cast<ssize_t>(sizeof got.report))
    return std::unexpected("a program ended before it began");
  cmsghdr* first = CMSG_FIRSTHDR(&header);
  if (first != nullptr && first->cmsg_type == SCM_CREDENTIALS) {
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(first), sizeof sender);
    got.sender = sender.pid;
  }
  return got;
}

std::string read_to_end(int descriptor) {
  std::string text;
  char buffer[512];
  ssize_t size = 0;
  while ((size = read(descriptor, buffer, sizeof buffer)) > 0 || (size < 0 && errno == EINTR)) {
    if (size > 0) text.append(buffer, static_cast<std::size_t>(size));
  }
  return text;
}

// The listener lives in the program; its number came by write(2), which no filter asks about.
std::expected<Descriptor, std::string> fetch_listener(pid_t process, int number,
                                                      const Features& features) {
  const Descriptor handle(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  if (!handle.is_open()) return std::unexpected(failed("reach the program just started"));
  Descriptor listener(static_cast<int>(syscall(SYS_pidfd_getfd, handle.get(), number, 0)));
  if (!listener.is_open()) return std::unexpected(failed("fetch a program's seccomp listener"));
  if (features.sync_wake_up)
    ioctl(listener.get(), kernel::notif_set_flags, kernel::notif_fd_sync_wake_up);
  return listener;
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t ancestor) {
  std::vector<pid_t> found;
  std::vector<pid_t> todo{ancestor};
  for (std::size_t next = 0; next < todo.size(); ++next) {
    // Threads other than the leader have children too, but programs that fork from one are few and
    // their children are adopted by the minder when they outlive it.
    std::ifstream in(fmt::format("/proc/{0}/task/{0}/children", todo[next]));
    for (pid_t child = 0; in >> child;) {
      found.push_back(child);
      todo.push_back(child);
    }
  }
  return found;
}

// With a process namespace the first kill is enough; without one, adopted children are found again
// until there are none.
void end_descendants(pid_t ancestor, bool have_namespace) {
  constexpr int rounds_max = 50;
  for (int round = 0; round < rounds_max; ++round) {
    const std::vector<pid_t> processes = descendants_of(ancestor);
    for (const pid_t process : processes) kill(process, SIGKILL);
    if (processes.empty() || have_namespace) return;
    usleep(1000);
    while (ancestor == getpid() && waitpid(-1, nullptr, WNOHANG) > 0) continue;
  }
}

std::expected<Keeper, std::string> Keeper::start(const HostSetup& setup, const Features& features) {
  auto keeper = begin(setup, features);
  if (!keeper) return keeper;
  if (std::string why = keeper->finish(); !why.empty()) return std::unexpected(std::move(why));
  return keeper;
}

std::expected<Keeper, std::string> Keeper::begin(const HostSetup& setup, const Features& features) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return std::unexpected(failed("make a socket pair"));
  Keeper keeper;
  keeper.features_ = features;
  keeper.name_ = setup.name;
  keeper.control_ = Descriptor(pair[0]);
  Descriptor theirs(pair[1]);
  const pid_t daemon = getpid();
  const pid_t child = fork();
  if (child < 0) return std::unexpected(failed("fork"));
  if (child == 0) {
    keeper.holder_ = 0;
    const int control = fcntl(theirs.get(), F_DUPFD_CLOEXEC, 3);
    if (getppid() != daemon || control < 0) _exit(1);
    run_holder(setup, features.containment, control);
  }
  theirs.close();
  keeper.holder_ = child;
  return keeper;
}

std::string Keeper::finish() {
  while (problem_.empty() && !is_ready_) problem_ = answer_one();
  return problem_;
}

Keeper::Keeper(Keeper&& other) noexcept
    : features_(other.features_),
      name_(std::move(other.name_)),
      holder_(std::exchange(other.holder_, 0)),
      is_ready_(other.is_ready_),
      problem_(std::move(other.problem_)),
      id_map_(other.id_map_),
      control_(std::move(other.control_)),
      namespace_socket_(std::move(other.namespace_socket_)),
      frames_(std::move(other.frames_)) {}

// What the host's first process says next, and our answer: a sentence if that is the end of it.
std::string Keeper::answer_one() {
  const auto failed_as = [this](const std::string& why) {
    return fmt::format("host {}: {}", name_, why);
  };
  Message message = receive_message(control_.get(), patience_ms);
  if (message.text.empty()) return failed_as("its first process ended or is stuck");
  if (message.text[0] == 'M') {  // in its user namespace, asks for ids
    const bool has_user_namespace = features_.containment == Containment::user_and_pid ||
                                    features_.containment == Containment::user;
    if (has_user_namespace) {
      const auto map = map_ids(holder_, features_.id_map);
      if (!map) return failed_as(map.error());
      id_map_ = *map;
    }
    send_message(control_.get(), "M");
    return {};
  }
  if (message.text[0] != 'R') return failed_as(message.text.substr(1));
  is_ready_ = true;
  for (std::size_t i = 0; i < message.descriptors.size(); ++i) {
    if (i == 0) {
      namespace_socket_ = std::move(message.descriptors[0]);
    } else {
      frames_.push_back(std::move(message.descriptors[i]));
    }
  }
  return {};
}

Keeper::~Keeper() {
  if (holder_ <= 0) return;
  control_.close();
  end_descendants(holder_, has_own_processes(features_.containment));
  kill(holder_, SIGKILL);
  while (waitpid(holder_, nullptr, 0) < 0 && errno == EINTR) continue;
}

std::expected<StartedProgram, std::string> Keeper::launch(
    const std::vector<std::string>& command, const std::vector<std::string>& environment,
    const std::string& directory, const int (&standard)[3], bool is_filtered) {
  int pair[2], status[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return std::unexpected(failed("make a socket pair"));
  StartedProgram started;
  started.reports = Descriptor(pair[0]);
  Descriptor their_reports(pair[1]);
  const int on = 1;
  setsockopt(started.reports.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  if (pipe2(status, O_CLOEXEC) != 0) return std::unexpected(failed("make a pipe"));
  const Descriptor exec_status(status[0]);
  Descriptor their_status(status[1]);

  ProgramOrder order;
  order.arguments = command;
  order.environment = environment;
  order.directory = directory;
  order.is_filtered = is_filtered;
  order.without_namespaces = features_.containment == Containment::filter_only;
  order.sees_outer_processes = features_.containment == Containment::user ||
                               features_.containment == Containment::filter_only;
  order.pretends_ids = id_map_ == IdMap::single;
  order.wait_killable = features_.wait_killable;
  order.drops_powers = features_.containment == Containment::privileged;
  if (!send_message(
          control_.get(), "L" + pack(order),
          {standard[0], standard[1], standard[2], their_reports.get(), their_status.get()}))
    return std::unexpected(fmt::format("host {}: its first process has ended", name_));
  their_reports.close();
  their_status.close();

  const auto first = receive_report(started.reports.get());
  if (!first) return std::unexpected(first.error());
  started.minder = first->sender;
  if (is_filtered) {
    // The program speaks next, with its listener's number, or its status pipe says why not.
    pollfd waits[2] = {{started.reports.get(), POLLIN, 0}, {exec_status.get(), POLLIN, 0}};
    poll(waits, 2, patience_ms);
    if ((waits[0].revents & POLLIN) == 0) return std::unexpected(read_to_end(exec_status.get()));
    const auto report = receive_report(started.reports.get());
    if (!report) return std::unexpected(report.error());
    if (report->report.kind != Report::listener)
      return std::unexpected(read_to_end(exec_status.get()));
    started.process = report->sender;
    auto listener = fetch_listener(report->sender, report->report.first, features_);
    if (!listener) return std::unexpected(listener.error());
    started.listener = std::move(*listener);
    const Report go;
    if (send(started.reports.get(), &go, sizeof go, MSG_NOSIGNAL) < 0)
      return std::unexpected(failed("let the program go"));
  }
  std::string why = read_to_end(exec_status.get());
  if (!why.empty()) return std::unexpected(std::move(why));
  return started;
}

}  // namespace lanyard::guest
