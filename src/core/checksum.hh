// SPDX-License-Identifier: Apache-2.0
// The Internet checksum of RFC 1071: the ones' complement of the ones' complement sum of 16-bit
// words.
#pragma once

#include <cstdint>

#include "core/bytes.hh"

namespace lanyard {

// An unfinished sum over bytes added in order. Pieces of odd length may follow one another: the
// parity is kept.
class ChecksumSum {
 public:
  void add(Bytes bytes);
  // One 16-bit word, at an even place.
  void add16(std::uint16_t word) { sum_ += word; }
  void add32(std::uint32_t word) { sum_ += (word >> 16) + (word & 0xffff); }
  // The folded 16-bit sum, not complemented.
  [[nodiscard]] std::uint16_t folded() const;
  // What goes into the header field: the complement of the folded sum.
  [[nodiscard]] std::uint16_t finish() const { return static_cast<std::uint16_t>(~folded()); }

 private:
  std::uint64_t sum_ = 0;
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
