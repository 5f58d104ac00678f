// SPDX-License-Identifier: Apache-2.0
#include "core/checksum.hh"

#include <bit>
#include <cstddef>
#include <cstring>

#include "core/check.hh"
#include "core/checksum_paths.hh"

namespace lanyard {
namespace {

std::uint16_t fold(std::uint64_t sum) {
  while ((sum >> 16) != 0) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(sum);
}

using Sum = std::uint16_t (*)(std::uint8_t* to, const std::uint8_t* from, std::size_t size);

Sum best_sum() {
#if defined(__x86_64__)
  if (has_avx512()) return sum_avx512;
  if (has_avx2()) return sum_avx2;
#endif
  return sum_plain;
}

// Until this is set, while statics are being initialised, the plain one serves.
Sum wide_sum = best_sum();

// Below this size the wide way only costs its set-up.
constexpr std::size_t wide_bytes_min = 64;

std::uint16_t copy_or_sum(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  if (size < wide_bytes_min || wide_sum == nullptr) return sum_plain(to, from, size);
  return wide_sum(to, from, size);
}

}  // namespace

std::uint16_t ChecksumSum::sum_of_many(Bytes bytes) {
  return copy_or_sum(nullptr, bytes.data(), bytes.size());
}

std::uint16_t checksum(Bytes bytes) {
  return static_cast<std::uint16_t>(~copy_or_sum(nullptr, bytes.data(), bytes.size()));
}

std::uint16_t copy_and_sum(MutableBytes to, Bytes from) {
  CHECK(to.size() == from.size());
  return copy_or_sum(to.data(), from.data(), from.size());
}

// RFC 1624 3, equation 3: HC' = ~(~HC + ~m + m').
std::uint16_t checksum_updated(std::uint16_t checksum, std::uint16_t old_word,
                               std::uint16_t new_word) {
  const std::uint64_t sum = std::uint64_t{static_cast<std::uint16_t>(~checksum)} +
                            static_cast<std::uint16_t>(~old_word) + new_word;
  return static_cast<std::uint16_t>(~fold(sum));
}

}  // namespace lanyard
