// SPDX-License-Identifier: Apache-2.0
// RFC 1071 2 (C) with 64 bytes at a time: one instruction of AVX-512 VNNI multiplies the 32 words
// of a vector by one and adds neighbours to the 32-bit lanes of a sum.
#include "core/checksum_paths.hh"

#if defined(__x86_64__)

#include <immintrin.h>

#include <bit>

#define WITH_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

namespace lanyard {

bool has_avx512() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

namespace {

constexpr std::size_t vector_bytes = 64;
constexpr std::size_t stride = 4 * vector_bytes;
// Words are multiplied as signed numbers, which the flipped top bit makes of them: each counts 2^15
// too little, and those of all lanes together stay above -2^31.
constexpr std::uint64_t missing_in_vector = (vector_bytes / 2) << 15;
constexpr std::size_t lanes_bytes_max = std::size_t{64} * 1024;

WITH_AVX512 inline __m512i add_words(__m512i sum, __m512i words) {
  const __m512i flipped = _mm512_xor_si512(words, _mm512_set1_epi16(INT16_MIN));
  return _mm512_dpwssd_epi32(sum, flipped, _mm512_set1_epi16(1));
}

// The vector at `from`, which is aligned: copied if wanted, and added.
template <bool copies>
WITH_AVX512 inline __m512i add_vector(__m512i sum, [[maybe_unused]] std::uint8_t* to,
                                      const std::uint8_t* from) {
  const __m512i words = _mm512_load_si512(from);
  if constexpr (copies) _mm512_storeu_si512(to, words);
  return add_words(sum, words);
}

// The same for those of its bytes that the mask has; the others are not touched.
template <bool copies>
WITH_AVX512 inline __m512i add_part(__m512i sum, [[maybe_unused]] std::uint8_t* to,
                                    const std::uint8_t* from, __mmask64 mask) {
  const __m512i words = _mm512_maskz_loadu_epi8(mask, from);
  if constexpr (copies) _mm512_mask_storeu_epi8(to, mask, words);
  return add_words(sum, words);
}

// The sum of the sixteen lanes. (g++ 12 warns of its own header where halves are taken unmasked.)
WITH_AVX512 inline std::int64_t sum_of_lanes(__m512i sum) {
  const __m256i half = _mm256_add_epi32(_mm512_maskz_extracti64x4_epi64(0xf, sum, 0),
                                        _mm512_maskz_extracti64x4_epi64(0xf, sum, 1));
  __m128i few = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  few = _mm_add_epi32(few, _mm_unpackhi_epi64(few, few));
  return _mm_extract_epi32(few, 0) + std::int64_t{_mm_extract_epi32(few, 1)};
}

// `size` bytes from `skipped` bytes behind `begin` on, which is aligned; at most lanes_bytes_max
// with those.
template <bool copies>
WITH_AVX512 inline std::uint64_t sum_lanes(std::uint8_t* to, const std::uint8_t* begin,
                                           std::size_t skipped, std::size_t size) {
  const std::size_t all = skipped + size;
  const auto at = [&](std::size_t offset) { return copies ? to + offset - skipped : nullptr; };
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  __m512i b = _mm512_setzero_si512();
  __m512i c = b;
  __m512i d = b;
  __m512i a = add_part<copies>(b, at(0), begin, ones << skipped);
  std::size_t i = vector_bytes;
  for (; i + stride <= all; i += stride) {
    a = add_vector<copies>(a, at(i), begin + i);
    b = add_vector<copies>(b, at(i + vector_bytes), begin + i + vector_bytes);
    c = add_vector<copies>(c, at(i + 2 * vector_bytes), begin + i + 2 * vector_bytes);
    d = add_vector<copies>(d, at(i + 3 * vector_bytes), begin + i + 3 * vector_bytes);
  }
  const std::size_t left = all - i;
  if ((left & (2 * vector_bytes)) != 0) {
    a = add_vector<copies>(a, at(i), begin + i);
    b = add_vector<copies>(b, at(i + vector_bytes), begin + i + vector_bytes);
    i += 2 * vector_bytes;
  }
  if ((left & vector_bytes) != 0) {
    c = add_vector<copies>(c, at(i), begin + i);
    i += vector_bytes;
  }
  const std::size_t last = left % vector_bytes;
  if (last != 0) d = add_part<copies>(d, at(i), begin + i, ~(ones << last));
  const __m512i lanes = _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d));
  const std::uint64_t vectors = (all + vector_bytes - 1) / vector_bytes;
  return static_cast<std::uint64_t>(sum_of_lanes(lanes)) + vectors * missing_in_vector;
}

template <bool copies>
WITH_AVX512 std::uint16_t sum_all(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  std::size_t skipped = std::bit_cast<std::uintptr_t>(from) % vector_bytes;
  const bool begins_odd = (skipped & 1) != 0;
  std::uint64_t sum = 0;
  while (skipped + size > lanes_bytes_max) {
    const std::size_t part = lanes_bytes_max - vector_bytes - skipped;
    sum += sum_lanes<copies>(to, from - skipped, skipped, part);
    from += part;
    if constexpr (copies) to += part;
    size -= part;
    skipped = 0;
  }
  sum += sum_lanes<copies>(to, from - skipped, skipped, size);
  const std::uint16_t folded = fold_to_network(sum);
  // From an odd place on each byte counted as the other of its word.
  return begins_odd ? std::byteswap(folded) : folded;
}

}  // namespace

std::uint16_t sum_avx512(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  if (size < vector_bytes) return sum_plain(to, from, size);
  return to == nullptr ? sum_all<false>(to, from, size) : sum_all<true>(to, from, size);
}

}  // namespace lanyard

#endif
