// SPDX-License-Identifier: Apache-2.0
// RFC 1071 2 (B), (C): the sum does not depend on byte order but for a final swap, and may be taken
// in wider words. 32-bit words are summed into 64 bits, which cannot overflow below 2^34 bytes.
#include "core/checksum_paths.hh"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lanyard {
namespace {

std::uint64_t low_and_high(std::uint64_t word) {
  return (word >> 32) + (word & 0xffffffff);
}

// Copies and sums from where wider strides have stopped.
std::uint64_t sum_rest(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  if (to != nullptr && size > 0) std::memcpy(to, from, size);
  std::uint64_t sum = 0;
  for (; size >= 8; from += 8, size -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, 8);
    sum += low_and_high(word);
  }
  std::uint64_t last = 0;
  if (size > 0) std::memcpy(&last, from, size);
  return sum + low_and_high(last);
}

std::uint16_t fold_to_network(std::uint64_t sum) {
  while ((sum >> 16) != 0) sum = (sum >> 16) + (sum & 0xffff);
  const auto folded = static_cast<std::uint16_t>(sum);
  return std::endian::native == std::endian::little ? std::byteswap(folded) : folded;
}

}  // namespace

std::uint16_t sum_plain(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  return fold_to_network(sum_rest(to, from, size));
}

#if defined(__x86_64__)

bool has_avx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
}

namespace {

constexpr std::size_t vector_bytes = 32;
constexpr std::size_t stride = 4 * vector_bytes;

// One vector: copied if wanted, its 32-bit words added to the 64-bit lanes of `sum`.
template <bool copies>
__attribute__((target("avx2"), always_inline)) inline __m256i add_vector(
    __m256i sum, [[maybe_unused]] std::uint8_t* to, const std::uint8_t* from) {
  const auto* source = static_cast<const __m256i*>(static_cast<const void*>(from));
  const __m256i words = _mm256_loadu_si256(source);
  if constexpr (copies) {
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to)), words);
  }
  const __m256i low = _mm256_blend_epi32(words, _mm256_setzero_si256(), 0xaa);
  return _mm256_add_epi64(_mm256_add_epi64(sum, low), _mm256_srli_epi64(words, 32));
}

template <bool copies>
__attribute__((target("avx2"))) std::uint64_t sum_strides(std::uint8_t* to,
                                                          const std::uint8_t* from,
                                                          std::size_t size) {
  __m256i a = _mm256_setzero_si256();
  __m256i b = a;
  __m256i c = a;
  __m256i d = a;
  for (std::size_t i = 0; i + stride <= size; i += stride) {
    std::uint8_t* out = copies ? to + i : nullptr;
    a = add_vector<copies>(a, out, from + i);
    b = add_vector<copies>(b, copies ? out + vector_bytes : nullptr, from + i + vector_bytes);
    c = add_vector<copies>(c, copies ? out + 2 * vector_bytes : nullptr,
                           from + i + 2 * vector_bytes);
    d = add_vector<copies>(d, copies ? out + 3 * vector_bytes : nullptr,
                           from + i + 3 * vector_bytes);
  }
  const __m256i sum = _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d));
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  return static_cast<std::uint64_t>(_mm_extract_epi64(half, 0)) +
         static_cast<std::uint64_t>(_mm_extract_epi64(half, 1));
}

}  // namespace

std::uint16_t sum_avx2(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  const std::size_t wide = size / stride * stride;
  const std::uint64_t sum =
      to == nullptr ? sum_strides<false>(to, from, wide) : sum_strides<true>(to, from, wide);
  std::uint8_t* rest = to == nullptr ? nullptr : to + wide;
  return fold_to_network(sum + sum_rest(rest, from + wide, size - wide));
}

#endif

}  // namespace lanyard
