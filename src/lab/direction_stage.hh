// SPDX-License-Identifier: Apache-2.0
// What a frame may meet in one direction of a link, in this order.
#pragma once

#include <cstdint>

namespace lanyard::lab {

enum class DirectionStage : std::uint8_t {
  queue,
  rate,
  black_hole,
  exact,
  loss,
  correlated,
  gilbert,
  four_state,
  duplicate,
  corrupt,
  truncate,
  reorder,
  delay,
  jitter
};

}  // namespace lanyard::lab
