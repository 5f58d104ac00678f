// SPDX-License-Identifier: Apache-2.0
// The control messages of sendmsg and recvmsg.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "guest/supervisor.hh"

namespace lanyard::guest {

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

}  // namespace lanyard::guest
