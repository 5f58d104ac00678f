// SPDX-License-Identifier: Apache-2.0
#include "guest/probe.hh"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <functional>

#include "guest/descriptor.hh"
#include "guest/filter.hh"
#include "guest/ids.hh"
#include "guest/kernel.hh"

namespace lanyard::guest {

namespace {

// Runs `body` in a child and returns its exit status; -1 if it ended otherwise.
int in_child(const std::function<int(int socket)>& body,
             const std::function<void(pid_t, int)>& meanwhile) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -1;
  Descriptor ours(pair[0]), theirs(pair[1]);
  const pid_t child = fork();
  if (child == 0) {
    ours.close();
    _exit(body(theirs.get()));
  }
  theirs.close();
  if (child < 0) return -1;
  if (meanwhile) meanwhile(child, ours.get());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool says(int socket) {
  char byte = 0;
  return read(socket, &byte, 1) == 1;
}
void say(int socket) {
  const char byte = '!';
  if (write(socket, &byte, 1) != 1) return;
}

// A process namespace needs its own /proc, or programs see other processes' numbers.
int try_proc_in_new_namespace() {
  const pid_t child = fork();
  if (child == 0) _exit(mount("proc", "/proc", "proc", 0, nullptr) == 0 ? 0 : 1);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int try_namespaces(int flags) {
  if (unshare(flags) != 0) return 1;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 1;
  if (mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) != 0) return 1;
  return (flags & CLONE_NEWPID) != 0 ? try_proc_in_new_namespace() : 0;
}

bool may_contain(bool user_namespace, bool pid_namespace, IdMap id_map) {
  const int flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET | (pid_namespace ? CLONE_NEWPID : 0);
  const auto body = [&](int socket) {
    if (user_namespace && unshare(CLONE_NEWUSER) != 0) return 1;
    say(socket);
    if (!says(socket)) return 1;
    return try_namespaces(flags);
  };
  const auto meanwhile = [&](pid_t child, int socket) {
    if (!says(socket)) return;
    if (user_namespace && !map_ids(child, id_map)) return;
    say(socket);
  };
  return in_child(body, [&](pid_t child, int socket) {
           meanwhile(child, socket);
           shutdown(socket, SHUT_RDWR);
         }) == 0;
}

// The bits of what a listener of this kernel can do; -1 if there is none.
int listener_abilities() {
  return in_child(
      [](int) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 255;
        bool wait_killable = true;
        auto listener = install_filter({}, true);
        if (!listener && listener.error() == EINVAL) {
          wait_killable = false;
          listener = install_filter({}, false);
        }
        if (!listener) return 255;
        int bits = wait_killable ? 1 : 0;
        if (ioctl(listener->get(), kernel::notif_set_flags, kernel::notif_fd_sync_wake_up) == 0)
          bits |= 2;
        // ADDFD to a call that is not there: the flags are looked at first.
        seccomp_notif_addfd add{};
        add.flags = SECCOMP_ADDFD_FLAG_SEND;
        if (ioctl(listener->get(), SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 && errno != EINVAL)
          bits |= 4;
        add.flags = 0;
        if (ioctl(listener->get(), SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 && errno != EINVAL)
          bits |= 8;
        return bits;
      },
      nullptr);
}

// What a test wants to be missing.
void take_away(Features& found) {
  const char* const wish = std::getenv("LANYARD_KERNEL_WITHOUT");
  if (wish == nullptr) return;
  const std::string names = std::string(",") + wish + ",";
  const auto is_unwanted = [&](const char* name) {
    return names.find(std::string(",") + name + ",") != std::string::npos;
  };
  if (is_unwanted("addfd_send")) found.addfd_send = false;
  if (is_unwanted("wait_killable")) found.wait_killable = false;
  if (is_unwanted("sync_wake_up")) found.sync_wake_up = false;
  if (is_unwanted("pidfd_thread")) found.pidfd_thread = false;
}

Features look() {
  Features found;
  const int abilities = listener_abilities();
  found.seccomp_listener = abilities >= 0 && abilities != 255;
  if (found.seccomp_listener) {
    found.wait_killable = (abilities & 1) != 0;
    found.sync_wake_up = (abilities & 2) != 0;
    found.addfd_send = (abilities & 4) != 0;
    found.addfd = (abilities & 8) != 0;
  }
  const Descriptor self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  const Descriptor copy(static_cast<int>(syscall(SYS_pidfd_getfd, self.get(), 2, 0)));
  found.pidfd_getfd = self.is_open() && (copy.is_open() || errno == EBADF);
  const Descriptor thread(
      static_cast<int>(syscall(SYS_pidfd_open, getpid(), kernel::pidfd_thread)));
  found.pidfd_thread = thread.is_open();
  const IdMap id_map = best_id_map();
  if (may_contain(true, true, id_map)) {
    found.containment = Containment::user_and_pid;
  } else if (may_contain(true, false, id_map)) {
    found.containment = Containment::user;
  } else if (geteuid() == 0 && may_contain(false, true, id_map)) {
    found.containment = Containment::privileged;
  }
  const bool has_user_namespace =
      found.containment == Containment::user_and_pid || found.containment == Containment::user;
  found.id_map = has_user_namespace ? id_map : IdMap::none;
  take_away(found);
  return found;
}

}  // namespace

const Features& features() {
  static const Features found = look();
  return found;
}

std::string why_guests_cannot_run(const Features& features) {
  const char* missing = nullptr;
  if (!features.seccomp_listener) {
    missing = "seccomp user notification (Linux 5.0, or a container that allows it)";
  } else if (!features.pidfd_getfd) {
    missing = "pidfd_getfd (Linux 5.6)";
  } else if (!features.addfd) {
    missing = "SECCOMP_IOCTL_NOTIF_ADDFD (Linux 5.9)";
  }
  if (missing == nullptr) return {};
  return std::string("this kernel has no ") + missing +
         ", which unmodified programs need; programs built into Lanyard, labs in virtual time, "
         "show, why and replay all work";
}

std::vector<std::string> fallbacks_in_use(const Features& features) {
  std::vector<std::string> sentences;
  if (!features.addfd_send)
    sentences.emplace_back(
        "no SECCOMP_ADDFD_FLAG_SEND (Linux 5.14): a program that a signal interrupts in socket or "
        "accept may keep a descriptor it was not told of");
  if (!features.pidfd_thread)
    sentences.emplace_back(
        "no PIDFD_THREAD (Linux 6.9): sockets of a thread that does not share its process's "
        "descriptors are not found");
  if (!features.wait_killable)
    sentences.emplace_back(
        "no SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19): a signal may make a program's "
        "call run twice");
  if (!features.sync_wake_up)
    sentences.emplace_back(
        "no SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (Linux 6.6): socket calls take up to 85 "
        "microseconds instead of 4");
  switch (features.containment) {
    case Containment::user_and_pid:
      break;
    case Containment::user:
      sentences.emplace_back(
          "/proc may not be mounted anew: programs see the machine's other processes");
      break;
    case Containment::privileged:
      sentences.emplace_back(
          "no user namespaces (a chroot?): programs run as root with fewer powers");
      break;
    case Containment::filter_only:
      sentences.emplace_back(
          "no namespaces for this user: names come from memory files, and every socket that is "
          "not served is refused");
      break;
  }
  if (features.id_map == IdMap::single)
    sentences.emplace_back(
        "newuidmap or an entry in /etc/subuid is missing: programs have one user id, and changing "
        "it is answered with success");
  return sentences;
}

}  // namespace lanyard::guest
