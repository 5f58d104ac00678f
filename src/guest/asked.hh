// SPDX-License-Identifier: Apache-2.0
// A call about a socket of ours, and one whose answer must wait.
#pragma once

#include <cstdint>

#include "core/time.hh"
#include "guest/notify.hh"
#include "guest/virtual_socket.hh"

namespace lanyard::guest {

// With the program's end of the pair, while the call is being looked at.
struct Asked {
  const Call& call;
  VirtualSocket& socket;
  const Descriptor& theirs;
  [[nodiscard]] bool is_nonblocking() const;
};

enum class Waits : std::uint8_t { accept, connect, receive, send };

struct Held {
  Call call;
  std::uint64_t inode = 0;
  Waits waits = Waits::accept;
  Instant deadline = Instant::never();
  Instant look_again;  // for signals
  Duration pause;
};

}  // namespace lanyard::guest
