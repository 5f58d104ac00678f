// SPDX-License-Identifier: Apache-2.0
// The two ways to sum: in plain C++ and with AVX2. checksum.cc chooses by what the processor has;
// tests compare both. Each returns the folded sum of `from` as 16-bit words in network order (an
// odd last byte padded with zero) and, given `to`, copies the bytes there on the way.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lanyard {

[[nodiscard]] std::uint16_t sum_plain(std::uint8_t* to, const std::uint8_t* from, std::size_t size);

#if defined(__x86_64__)
[[nodiscard]] bool has_avx2();
[[nodiscard]] std::uint16_t sum_avx2(std::uint8_t* to, const std::uint8_t* from, std::size_t size);
#endif

}  // namespace lanyard
