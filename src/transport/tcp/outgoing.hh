// SPDX-License-Identifier: Apache-2.0
// What the sender says may go next, and within which limits it was asked.
#pragma once

#include <cstdint>

#include "wire/sequence.hh"

namespace lanyard::tcp {

// A run of octets that goes out now; with a FIN behind it perhaps.
struct Outgoing {
  SequenceNumber sequence;
  std::uint32_t size = 0;
  bool has_fin = false;
  bool has_push = false;
  bool is_retransmission = false;
};

// What an acknowledgment has moved SND.UNA on by.
struct Acknowledged {
  std::uint32_t octets = 0;  // of the sequence space
  std::uint32_t bytes = 0;   // of data
};

// Why nothing (more) goes out.
enum class Held : std::uint8_t { nothing_to_send, by_window, by_congestion, by_nagle, by_pacing };

// How many segments `octets` are; nearly always one, which needs no division.
[[nodiscard]] inline std::uint32_t segments_of(std::uint32_t octets, std::uint32_t mss) {
  if (octets <= mss) return octets == 0 ? 0 : 1;
  return (octets + mss - 1) / mss;
}

struct SendLimits {
  std::uint32_t mss = 536;              // payload of one segment
  std::uint32_t super_segment_max = 0;  // payload of a super-segment; less than mss: none
  std::uint32_t congestion_window = 0;
  bool no_delay = false;  // Nagle is off
  bool is_corked = false;
};

}  // namespace lanyard::tcp
