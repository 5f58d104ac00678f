// SPDX-License-Identifier: Apache-2.0
// Why a lab's links and faults drop a frame, in the words there are (core/drop.hh).
#pragma once

#include "core/drop.hh"

namespace lanyard::lab {

inline constexpr DropReason dropped_early = DropReason::queue_full;    // CoDel, PIE, RED
inline constexpr DropReason dropped_as_told = DropReason::link_loss;   // `drop: packet 7`
inline constexpr DropReason black_holed = DropReason::frame_too_long;  // `black-hole: 1400`
inline constexpr DropReason parted = DropReason::filtered;             // a partition
inline constexpr DropReason machine_down = DropReason::no_carrier;     // crashed

}  // namespace lanyard::lab
