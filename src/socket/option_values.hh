// SPDX-License-Identifier: Apache-2.0
// What the options of more than one kind of socket are checked by.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lanyard::socket {

inline constexpr std::int64_t buffer_bytes_least = 2304;  // socket(7): SO_RCVBUF's least
inline constexpr std::int64_t buffer_bytes_most = 64 * 1024 * 1024;

inline bool within(std::int64_t value, std::int64_t least, std::int64_t most) {
  return value >= least && value <= most;
}

// socket(7): the kernel doubles the value, to leave room for its own book-keeping, and shows the
// doubled one.
inline std::uint32_t buffer_size(std::int64_t value, std::int64_t least = buffer_bytes_least) {
  return static_cast<std::uint32_t>(std::clamp(value * 2, least, buffer_bytes_most));
}

}  // namespace lanyard::socket
