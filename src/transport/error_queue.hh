// SPDX-License-Identifier: Apache-2.0
// The error queue of a datagram socket (IP_RECVERR, MSG_ERRQUEUE; ip(7)).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/time.hh"
#include "internet/datagram.hh"

namespace lanyard::udp {

// An ICMP error about a datagram of ours (RFC 1122 4.1.3.3), or one that did not fit the path.
struct QueuedError {
  Errno error = Errno::host_unreachable;
  std::uint8_t icmp_type = 0, icmp_code = 0, hop_limit = 0;  // of the packet that brought it
  std::uint32_t info = 0;                                    // the MTU, for message_too_long
  IpAddress reporter;    // unspecified: this machine, when it was to be sent
  Endpoint destination;  // where the datagram went; then what was quoted of it
  std::vector<std::uint8_t> payload;
  Instant arrived;
};

class ErrorQueue {
 public:
  [[nodiscard]] bool is_empty() const { return errors_.empty(); }
  // An ICMP error that came; `payload` is what it quotes behind the transport header.
  void add(Instant now, const internet::IcmpError& error, const Endpoint& destination,
           Bytes payload);
  // What does not fit the path: the entry says how large it may be.
  void add_too_long(Instant now, std::uint32_t mtu, const Endpoint& destination);
  // The first entry. What is pending after it is the next one's error, or nothing, as on Linux.
  std::optional<QueuedError> take(std::optional<Errno>& pending);

 private:
  static constexpr std::size_t errors_max = 64;
  std::deque<QueuedError> errors_;
};

}  // namespace lanyard::udp
