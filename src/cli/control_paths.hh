// SPDX-License-Identifier: Apache-2.0
// Where labs that are up can be found: one socket per lab in a directory only its owner may enter.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace lanyard::cli {

// $XDG_RUNTIME_DIR/lanyard, or /tmp/lanyard-UID. Made with mode 0700; the sentence says why not
// (not ours, or open to others).
[[nodiscard]] std::expected<std::string, std::string> control_directory();
// The socket of the lab with this name.
[[nodiscard]] std::string control_path(const std::string& directory, const std::string& lab);
// Names of the labs that answer, sorted. Sockets nobody listens on any more are removed.
[[nodiscard]] std::vector<std::string> labs_up(const std::string& directory);

// A connection to a socket, or -1 with errno.
[[nodiscard]] int connect_to(const std::string& path);
// A listening socket at `path`, or -1 with errno; EADDRINUSE if another lanyard answers there.
[[nodiscard]] int listen_at(const std::string& path);

}  // namespace lanyard::cli
