// SPDX-License-Identifier: Apache-2.0
// A segment that has come, its header read once: the SEG variables of RFC 9293 3.3.1.
#pragma once

#include <cstdint>

#include "internet/datagram.hh"
#include "wire/tcp.hh"

namespace lanyard::tcp {

// Whether a timestamp was made before another (RFC 7323 5.2).
[[nodiscard]] inline bool is_older(std::uint32_t timestamp, std::uint32_t than) {
  return static_cast<std::int32_t>(timestamp - than) < 0;
}

struct Segment {
  SequenceNumber sequence;        // SEG.SEQ
  SequenceNumber acknowledgment;  // SEG.ACK
  std::uint32_t window = 0;       // SEG.WND, scaled by the connection
  std::uint16_t urgent_pointer = 0;
  Flags flags;
  Options options;
  std::size_t payload_offset = 0;  // in `datagram->packet`
  std::uint32_t payload_size = 0;
  const internet::Datagram* datagram = nullptr;
  Endpoint local, remote;

  // SEG.LEN (9293-3.4-b).
  [[nodiscard]] std::uint32_t length() const {
    return payload_size + (flags.syn() ? 1 : 0) + (flags.fin() ? 1 : 0);
  }
  [[nodiscard]] SequenceNumber end() const { return sequence + length(); }
};

}  // namespace lanyard::tcp
