// SPDX-License-Identifier: Apache-2.0
#include "core/checksum.hh"

#include <bit>
#include <cstddef>
#include <cstring>

namespace lanyard {
namespace {

std::uint16_t fold(std::uint64_t sum) {
  while ((sum >> 16) != 0) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(sum);
}

// The folded sum of `bytes` as 16-bit words in network order, from an even place; the last odd byte
// is padded with zero. RFC 1071 2 (B), (C): the sum does not depend on byte order but for a final
// swap, and may be taken in wider words.
std::uint16_t sum_words(const std::uint8_t* at, std::size_t size) {
  std::uint64_t sum = 0;
  for (; size >= 8; at += 8, size -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    sum += (word >> 32) + (word & 0xffffffff);
  }
  std::uint64_t last = 0;
  std::memcpy(&last, at, size);
  sum += (last >> 32) + (last & 0xffffffff);
  const std::uint16_t folded = fold(sum);
  return std::endian::native == std::endian::little ? std::byteswap(folded) : folded;
}

}  // namespace

void ChecksumSum::add(Bytes bytes) {
  if (bytes.empty()) return;
  const std::uint16_t sum = sum_words(bytes.data(), bytes.size());
  sum_ += odd_ ? std::byteswap(sum) : sum;
  odd_ = odd_ != ((bytes.size() & 1) != 0);
}

std::uint16_t ChecksumSum::folded() const {
  return fold(sum_);
}

std::uint16_t checksum(Bytes bytes) {
  ChecksumSum sum;
  sum.add(bytes);
  return sum.finish();
}

std::uint16_t copy_and_sum(MutableBytes to, Bytes from) {
  if (from.empty()) return 0;
  std::memcpy(to.data(), from.data(), from.size());
  return sum_words(from.data(), from.size());
}

// RFC 1624 3, equation 3: HC' = ~(~HC + ~m + m').
std::uint16_t checksum_updated(std::uint16_t checksum, std::uint16_t old_word,
                               std::uint16_t new_word) {
  const std::uint64_t sum = std::uint64_t{static_cast<std::uint16_t>(~checksum)} +
                            static_cast<std::uint16_t>(~old_word) + new_word;
  return static_cast<std::uint16_t>(~fold(sum));
}

}  // namespace lanyard
