// SPDX-License-Identifier: Apache-2.0
// Something that is still to happen in a world (schedule.hh).
#pragma once

#include <cstdint>

#include "core/time.hh"

namespace lanyard::lab {

enum class DueKind : std::uint8_t {
  action,        // of the timeline; index
  start,         // a program; index
  arrival,       // the next frame of a direction; index of the direction
  overtaking,    // a frame that came before one that was sent earlier; index of its slot
  transmit,      // a queue's next frame; index of its direction
  check,         // a counter's time is up; index
  service,       // a node's own deadline
  quiet,         // look whether the lab has come to rest
  stop_timeout,  // programs had time enough to end
};

struct Due {
  Instant at;
  std::uint32_t owner = 0;  // 0: the world, else node + 1
  DueKind kind = DueKind::service;
  std::uint32_t index = 0;
  std::uint64_t sequence = 0;
};

}  // namespace lanyard::lab
