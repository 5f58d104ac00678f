// SPDX-License-Identifier: Apache-2.0
// User and group ids inside a user namespace: programs of a virtual host run as its root, and the
// machine's files belong to whom they did.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>

#include "guest/probe.hh"

namespace lanyard::guest {

// The best map this user may write: root all, others the ranges of /etc/subuid if newuidmap is
// installed, else the one id.
[[nodiscard]] IdMap best_id_map();

// Writes the maps of `process`, which has just entered its own user namespace. Returns which one it
// became (ranges may fall back to single), or a sentence.
[[nodiscard]] std::expected<IdMap, std::string> map_ids(pid_t process, IdMap wanted);

}  // namespace lanyard::guest
