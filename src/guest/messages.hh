// SPDX-License-Identifier: Apache-2.0
// The message headers and control messages of sendmsg and recvmsg, in a program's memory.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "guest/supervisor.hh"

namespace lanyard::guest {

// Where a call's bytes, address and control messages are.
struct Supervisor::Buffers {
  std::vector<iovec> parts;  // addresses of the program
  std::uint64_t name_at = 0;
  socklen_t name_size = 0;
  std::uint64_t name_size_at = 0;  // recvfrom: where the size is, and goes
  std::uint64_t header_at = 0;     // recvmsg: the msghdr to be completed
  std::uint64_t control_at = 0;
  std::size_t control_size = 0;
};

// What control messages of a send say. Errors: invalid for what is not served.
struct SendControl {
  socket::DatagramFacts facts;
  std::size_t segment_bytes = 0;  // UDP_SEGMENT: cut the bytes into datagrams of this size
};
[[nodiscard]] Result<SendControl> parse_control(const std::string& control,
                                                const VirtualSocket& socket);

// Control messages to be given to a program, one behind the other.
class ControlWriter {
 public:
  void add(int level, int type, const void* data, std::size_t size);
  template <typename T>
  void add(int level, int type, const T& value) {
    add(level, type, &value, sizeof value);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};
[[nodiscard]] std::string facts_as_control(const VirtualSocket& socket,
                                           const socket::DatagramFacts& facts);
[[nodiscard]] std::string error_as_control(Instant now, const VirtualSocket& socket,
                                           const socket::QueuedError& error);

// All the bytes of `parts`, and back; false: no such memory.
[[nodiscard]] bool gather(pid_t thread, const std::vector<iovec>& parts, MutableBytes to,
                          std::size_t& size);
[[nodiscard]] bool scatter(pid_t thread, const std::vector<iovec>& parts, Bytes from);

}  // namespace lanyard::guest
