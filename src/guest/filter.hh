// SPDX-License-Identifier: Apache-2.0
// The seccomp filter of an unmodified program: which calls the supervisor is asked about, which are
// refused, and which run as they are. Read decide() first; the program is its transcription.
#pragma once

#include <linux/filter.h>

#include <expected>
#include <vector>

#include "guest/descriptor.hh"

namespace lanyard::guest {

struct FilterOptions {
  // No network namespace could be made: open and openat are asked about too (memory files for names
  // and addresses), and netlink sockets are refused.
  bool without_namespaces = false;
  // No process namespace: the program could name processes outside, so tracing and the taking of
  // descriptors and namespaces are refused.
  bool sees_outer_processes = false;
  // Only one id is mapped: setuid, setgid, setgroups and chown are answered with 0.
  bool pretends_ids = false;
};

// The program in classic BPF.
[[nodiscard]] std::vector<sock_filter> filter_program(const FilterOptions& options);

// Installs it for the calling thread and all it will start; the listener, or errno. EBUSY: there is
// a listener above already. NO_NEW_PRIVS must be set.
[[nodiscard]] std::expected<Descriptor, int> install_filter(const FilterOptions& options,
                                                            bool wait_killable);

}  // namespace lanyard::guest
