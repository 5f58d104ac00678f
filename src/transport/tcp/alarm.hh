// SPDX-License-Identifier: Apache-2.0
// What a connection waits for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lanyard::tcp {

// The deadlines of one connection; one core Timer is armed for the earliest.
enum class Alarm : std::uint8_t {
  retransmit,   // RTO; the zero-window probe; the override of silly-window avoidance
  delayed_ack,  // RFC 9293 3.8.6.3
  idle,         // keep-alive; FIN-WAIT-2 of an orphan
  held_back,    // TCP_CORK holds for 200 ms at most, pacing until the next burst
};
inline constexpr std::size_t alarms = 4;

// What the retransmit alarm is for.
enum class Waiting : std::uint8_t {
  nothing,
  acknowledgment,
  tail_probe,  // RFC 8985 7
  reordering,  // RFC 8985 6: what is late may yet come
  window_probe,
  override
};

}  // namespace lanyard::tcp
