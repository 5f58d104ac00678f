// SPDX-License-Identifier: Apache-2.0
// RFC 1071 2 (B), (C): the sum does not depend on byte order but for a final swap, and may be taken
// in wider words. 32-bit words are summed into 64 bits, which cannot overflow below 2^34 bytes.
#include "core/checksum_paths.hh"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lanyard {
namespace {

template <typename Word>
std::uint64_t load(const std::uint8_t* from) {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// The last 0 to 7 bytes. Each step begins at an even place; an odd byte is the first of its word in
// memory.
std::uint64_t sum_tail(const std::uint8_t* from, std::size_t size) {
  std::uint64_t sum = 0;
  if ((size & 4) != 0) {
    sum += load<std::uint32_t>(from);
    from += 4;
  }
  if ((size & 2) != 0) {
    sum += load<std::uint16_t>(from);
    from += 2;
  }
  if ((size & 1) != 0)
    sum += std::uint64_t{*from} << (std::endian::native == std::endian::little ? 0 : 8);
  return sum;
}

}  // namespace

std::uint16_t sum_plain(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  if (to != nullptr && size > 0) std::memcpy(to, from, size);
  std::uint64_t sum = 0;
  for (; size >= 8; from += 8, size -= 8) sum += sum_of_halves(load<std::uint64_t>(from));
  return fold_to_network(sum + sum_tail(from, size));
}

#if defined(__x86_64__)

bool has_avx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
}

namespace {

constexpr std::size_t vector_bytes = 32;
constexpr std::size_t stride = 4 * vector_bytes;

// Adds neighbouring 16-bit words of a vector to the 32-bit lanes of `sum`. They are multiplied as
// signed numbers, which the flipped top bit makes of them: each counts 2^15 too little.
__attribute__((target("avx2"), always_inline)) inline __m256i add_words(__m256i sum,
                                                                        __m256i words) {
  const __m256i flipped = _mm256_xor_si256(words, _mm256_set1_epi16(INT16_MIN));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(flipped, _mm256_set1_epi16(1)));
}
constexpr std::uint64_t missing_in_vector = (vector_bytes / 2) << 15;
// A lane takes 2^16 at most from each vector, four are added, and lanes are signed.
constexpr std::size_t lanes_bytes_max = stride << 12;

// One vector: copied if wanted, and added.
template <bool copies>
__attribute__((target("avx2"), always_inline)) inline __m256i add_vector(
    __m256i sum, [[maybe_unused]] std::uint8_t* to, const std::uint8_t* from) {
  const __m256i words =
      _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(from)));
  if constexpr (copies) {
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to)), words);
  }
  return add_words(sum, words);
}

// Ones behind zeros: read from the middle less n bytes, the last n bytes are ones.
alignas(32) constexpr std::array<std::uint8_t, 2 * vector_bytes> last_bytes = [] {
  std::array<std::uint8_t, 2 * vector_bytes> table{};
  for (std::size_t i = vector_bytes; i < table.size(); ++i) table[i] = 0xff;
  return table;
}();

__attribute__((target("avx2"))) inline __m256i load_vector(const std::uint8_t* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(from)));
}

// The sum of the eight signed lanes.
__attribute__((target("avx2"))) inline std::int64_t sum_of_lanes(__m256i sum) {
  const __m256i wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(sum)),
                                        _mm256_cvtepi32_epi64(_mm256_extracti128_si256(sum, 1)));
  const __m128i half =
      _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  return _mm_extract_epi64(half, 0) + _mm_extract_epi64(half, 1);
}

// `size` is even, at least one vector and no more than lanes_bytes_max. The last vector overlaps
// the one before; what was counted there is masked. It begins at an even place, and 16-bit words
// may lie anywhere in a lane.
template <bool copies>
__attribute__((target("avx2"))) std::uint64_t sum_even(std::uint8_t* to, const std::uint8_t* from,
                                                       std::size_t size) {
  __m256i a = _mm256_setzero_si256();
  __m256i b = a;
  __m256i c = a;
  __m256i d = a;
  std::size_t i = 0;
  const auto at = [to](std::size_t offset) { return copies ? to + offset : nullptr; };
  for (; i + stride <= size; i += stride) {
    a = add_vector<copies>(a, at(i), from + i);
    b = add_vector<copies>(b, at(i + vector_bytes), from + i + vector_bytes);
    c = add_vector<copies>(c, at(i + 2 * vector_bytes), from + i + 2 * vector_bytes);
    d = add_vector<copies>(d, at(i + 3 * vector_bytes), from + i + 3 * vector_bytes);
  }
  for (; i + vector_bytes <= size; i += vector_bytes) {
    a = add_vector<copies>(a, at(i), from + i);
  }
  const std::size_t last = size - vector_bytes;
  const __m256i words = load_vector(from + last);
  if constexpr (copies) {
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to + last)), words);
  }
  const __m256i fresh = _mm256_and_si256(words, load_vector(last_bytes.data() + (size - i)));
  b = add_words(b, fresh);
  const std::int64_t sum =
      sum_of_lanes(_mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d)));
  return static_cast<std::uint64_t>(sum) + (i / vector_bytes + 1) * missing_in_vector;
}

}  // namespace

std::uint16_t sum_avx2(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  std::uint64_t sum = 0;
  while (size > lanes_bytes_max + vector_bytes) {
    sum += to == nullptr ? sum_even<false>(to, from, lanes_bytes_max)
                         : sum_even<true>(to, from, lanes_bytes_max);
    if (to != nullptr) to += lanes_bytes_max;
    from += lanes_bytes_max;
    size -= lanes_bytes_max;
  }
  if (size < vector_bytes) return sum_plain(to, from, size);
  const std::size_t even = size & ~std::size_t{1};
  sum += to == nullptr ? sum_even<false>(to, from, even) : sum_even<true>(to, from, even);
  if (even != size) {
    if (to != nullptr) to[even] = from[even];
    sum += sum_tail(from + even, 1);
  }
  return fold_to_network(sum);
}

#endif

}  // namespace lanyard
