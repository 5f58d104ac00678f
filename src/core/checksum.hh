// SPDX-License-Identifier: Apache-2.0
// The Internet checksum of RFC 1071: the ones' complement of the ones' complement sum of 16-bit
// words.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "core/bytes.hh"
#include "core/checksum_paths.hh"

namespace lanyard {

// An unfinished sum over bytes added in order. Pieces of odd length may follow one another: the
// parity is kept. RFC 1071 2 (B): summed in the machine's own byte order, swapped at the end.
class ChecksumSum {
 public:
  void add(Bytes bytes) {
    // Headers, and the little that conversations say: in words as they lie.
    if (bytes.size() < few_bytes_end && (bytes.size() & 3) == 0 && !odd_)
      return add_few(bytes.data(), bytes.size());
    const std::uint16_t sum = sum_of_many(bytes);
    sum_ += odd_ == is_little ? sum : std::byteswap(sum);
    odd_ = odd_ != ((bytes.size() & 1) != 0);
  }
  // One word, at an even place.
  void add16(std::uint16_t word) { sum_ += is_little ? std::byteswap(word) : word; }
  void add32(std::uint32_t word) { sum_ += is_little ? std::byteswap(word) : word; }
  // The folded 16-bit sum, not complemented.
  [[nodiscard]] std::uint16_t folded() const { return fold_to_network(sum_); }
  // What goes into the header field: the complement of the folded sum.
  [[nodiscard]] std::uint16_t finish() const { return static_cast<std::uint16_t>(~folded()); }

 private:
  // Below this size the plainest loop is as quick as any.
  static constexpr std::size_t few_bytes_end = 192;
  // It does not know this object, which so need not lie in memory. In network order.
  [[nodiscard]] static std::uint16_t sum_of_many(Bytes bytes);
  // `size` is a multiple of 4. Eight bytes at a time; what they carry over is added again, since
  // 2^64 counts as 1.
  void add_few(const std::uint8_t* from, std::size_t size) {
    std::uint64_t sum = 0;
    const auto take = [&sum](const std::uint8_t* at) {
      std::uint64_t words = 0;
      std::memcpy(&words, at, sizeof words);
      sum += words;
      sum += sum < words ? 1 : 0;
    };
    for (; size >= 32; from += 32, size -= 32) {
      take(from), take(from + 8), take(from + 16), take(from + 24);
    }
    for (; size >= 8; from += 8, size -= 8) take(from);
    sum_ += sum_of_halves(sum);
    if (size == 0) return;
    std::uint32_t word = 0;
    std::memcpy(&word, from, sizeof word);
    sum_ += word;
  }
  static constexpr bool is_little = std::endian::native == std::endian::little;
  std::uint64_t sum_ = 0;  // of words of up to 32 bits: it does not overflow
  bool odd_ = false;
};

// The checksum of one range; 0 when a received range carries a right checksum.
[[nodiscard]] std::uint16_t checksum(Bytes bytes);
// Copies and sums in one pass; `to` is as long as `from`. Returns the folded sum of the bytes, not
// complemented.
std::uint16_t copy_and_sum(MutableBytes to, Bytes from);
// RFC 1624: the checksum after a 16-bit word of the summed range changed.
[[nodiscard]] std::uint16_t checksum_updated(std::uint16_t checksum, std::uint16_t old_word,
                                             std::uint16_t new_word);

}  // namespace lanyard
