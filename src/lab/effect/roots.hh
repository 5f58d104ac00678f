// SPDX-License-Identifier: Apache-2.0
// Roots of whole numbers, rounded down.
#pragma once

#include <cstdint>

namespace lanyard::lab {

// Products of two 64-bit numbers; an extension that both compilers have.
__extension__ using Wide = __int128;
__extension__ using WideUnsigned = unsigned __int128;

[[nodiscard]] constexpr std::uint64_t square_root(std::uint64_t number) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31U; bit != 0; bit >>= 1U) {
    const std::uint64_t next = root | bit;
    if (next <= number / next) root = next;
  }
  return root;
}

// Of numbers below 2^96.
[[nodiscard]] constexpr std::uint64_t cube_root(WideUnsigned number) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31U; bit != 0; bit >>= 1U) {
    const WideUnsigned next = root | bit;
    if (next * next * next <= number) root = static_cast<std::uint64_t>(next);
  }
  return root;
}

}  // namespace lanyard::lab
