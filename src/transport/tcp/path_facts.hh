// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lanyard::tcp {

// A connection's path as it was last asked for.
struct PathFacts {
  std::uint32_t mtu = 1500;
  std::uint32_t super_segment_max = 0;
  bool takes_checksums = false;
};

}  // namespace lanyard::tcp
