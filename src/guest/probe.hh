// SPDX-License-Identifier: Apache-2.0
// What this kernel, and this user, let us do. Asked once; each missing feature has a fall-back or a
// sentence that says what is missing and what still works.
#pragma once

#include <string>
#include <vector>

namespace lanyard::guest {

// How a virtual host's programs are kept away from the machine's own network, best first.
enum class Containment {
  user_and_pid,  // user, mount, UTS, network and process namespaces: everything ends with its init
  user,          // the same without a process namespace (/proc may not be mounted)
  privileged,    // root where user namespaces are refused (a chroot): the others, and fewer powers
  filter_only,   // no namespace at all: the filter refuses every socket that is not served
};

[[nodiscard]] constexpr bool has_own_processes(Containment containment) {
  return containment == Containment::user_and_pid || containment == Containment::privileged;
}

enum class IdMap {
  all,     // root: every id of the machine is itself
  ranges,  // newuidmap and newgidmap, with the ranges of /etc/subuid: uid 0 is the user
  single,  // uid 0 is the user, and nobody else exists: setuid and chown are answered with 0
  none,    // no user namespace
};

struct Features {
  bool seccomp_listener = false;  // 5.0: without it no unmodified program can run
  bool addfd = false;             // 5.9
  bool addfd_send = false;        // 5.14
  bool pidfd_getfd = false;       // 5.6
  bool wait_killable = false;     // 5.19
  bool sync_wake_up = false;      // 6.6
  bool pidfd_thread = false;      // 6.9
  Containment containment = Containment::filter_only;
  IdMap id_map = IdMap::none;
};

// Looks once and remembers; starts short-lived children to try namespaces in. What the variable
// LANYARD_KERNEL_WITHOUT names (`sync_wake_up,pidfd_thread`) counts as missing, so that fall-backs
// can be tried on a kernel that needs none.
[[nodiscard]] const Features& features();

// Empty if unmodified programs can run; else which feature is missing and what still works.
[[nodiscard]] std::string why_guests_cannot_run(const Features& features);
// Fall-backs in use, a sentence each, for `lanyard version` and the first lines of a run.
[[nodiscard]] std::vector<std::string> fallbacks_in_use(const Features& features);

}  // namespace lanyard::guest
