// SPDX-License-Identifier: Apache-2.0
// The ways to sum: in plain C++, with AVX2, with AVX-512. checksum.cc chooses by what the processor
// has; tests compare them. Each returns the folded sum of `from` as 16-bit words in network order
// (an odd last byte padded with zero) and, given `to`, copies the bytes there on the way.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace lanyard {

[[nodiscard]] std::uint16_t sum_plain(std::uint8_t* to, const std::uint8_t* from, std::size_t size);

#if defined(__x86_64__)
[[nodiscard]] bool has_avx2();
[[nodiscard]] std::uint16_t sum_avx2(std::uint8_t* to, const std::uint8_t* from, std::size_t size);
[[nodiscard]] bool has_avx512();
[[nodiscard]] std::uint16_t sum_avx512(std::uint8_t* to, const std::uint8_t* from,
                                       std::size_t size);
#endif

[[nodiscard]] inline std::uint64_t sum_of_halves(std::uint64_t word) {
  return (word >> 32) + (word & 0xffffffff);
}

// A sum of words taken as they lie in memory, folded to one in network order.
[[nodiscard]] inline std::uint16_t fold_to_network(std::uint64_t sum) {
  sum = sum_of_halves(sum);  // at most 33 bits
  sum = (sum >> 32) + ((sum >> 16) & 0xffff) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  const auto folded = static_cast<std::uint16_t>((sum >> 16) + (sum & 0xffff));
  return std::endian::native == std::endian::little ? std::byteswap(folded) : folded;
}

}  // namespace lanyard
