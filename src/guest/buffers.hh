// SPDX-License-Identifier: Apache-2.0
// Where a sending or receiving call has its bytes, its address and its control messages, in a
// program's memory.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "core/bytes.hh"
#include "core/error.hh"

namespace lanyard::guest {

struct Buffers {
  std::vector<iovec> parts;  // addresses of the program
  std::uint64_t name_at = 0;
  socklen_t name_size = 0;
  std::uint64_t name_size_at = 0;  // recvfrom: where the size is, and goes
  std::uint64_t header_at = 0;     // recvmsg: the msghdr to be completed
  std::uint64_t control_at = 0;
  std::size_t control_size = 0;
};

// What a msghdr says. Errors: bad_address, message_too_long (more parts than UIO_MAXIOV).
[[nodiscard]] Result<Buffers> read_header(pid_t thread, std::uint64_t from);

// All the bytes of `parts`, and back; false: no such memory.
[[nodiscard]] bool gather(pid_t thread, const std::vector<iovec>& parts, MutableBytes to,
                          std::size_t& size);
[[nodiscard]] bool scatter(pid_t thread, const std::vector<iovec>& parts, Bytes from);

}  // namespace lanyard::guest
