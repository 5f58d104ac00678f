// SPDX-License-Identifier: Apache-2.0
// Numbers, enumerations, sequence numbers, instants and durations as unsigned numbers that are
// small where a value lies near a guess.
#pragma once

#include <concepts>
#include <cstdint>

#include "core/time.hh"
#include "wire/sequence.hh"

namespace lanyard::tcp {

namespace fold_numbers {

template <typename T>
[[nodiscard]] std::uint64_t of(const T& value) {
  if constexpr (std::same_as<T, SequenceNumber>) {
    return value.value();
  } else if constexpr (std::same_as<T, Instant> || std::same_as<T, Duration>) {
    return static_cast<std::uint64_t>(value.count_ns());
  } else {
    return static_cast<std::uint64_t>(value);
  }
}
template <typename T>
[[nodiscard]] T to(std::uint64_t number) {
  if constexpr (std::same_as<T, SequenceNumber>) {
    return SequenceNumber(static_cast<std::uint32_t>(number));
  } else if constexpr (std::same_as<T, Instant>) {
    return Instant::at_ns(static_cast<std::int64_t>(number));
  } else if constexpr (std::same_as<T, Duration>) {
    return Duration::nanoseconds(static_cast<std::int64_t>(number));
  } else {
    return static_cast<T>(number);
  }
}
// Small differences either way become small numbers.
template <typename T>
[[nodiscard]] std::uint64_t zigzag(const T& value, const T& guess) {
  auto difference = static_cast<std::int64_t>(of(value) - of(guess));
  if constexpr (sizeof(T) == 4) difference = static_cast<std::int32_t>(difference);
  return (static_cast<std::uint64_t>(difference) << 1) ^
         static_cast<std::uint64_t>(difference >> 63);
}
// Seven bits in each octet, the least first; all but the last have the eighth set.
inline constexpr std::size_t octets_max = 10;
inline std::uint8_t* put(std::uint8_t* to, std::uint64_t left) {
  for (; left >= 0x80; left >>= 7) *to++ = static_cast<std::uint8_t>(left | 0x80);
  *to++ = static_cast<std::uint8_t>(left);
  return to;
}
struct Taken {
  std::uint64_t number;
  const std::uint8_t* end;
};
inline Taken take(const std::uint8_t* from) {
  std::uint64_t number = 0;
  unsigned shift = 0;
  for (; (*from & 0x80) != 0; shift += 7) number |= std::uint64_t{*from++ & 0x7fU} << shift;
  number |= std::uint64_t{*from++} << shift;
  return {number, from};
}
template <typename T>
[[nodiscard]] T unzigzag(std::uint64_t coded, const T& guess) {
  return to<T>(of(guess) + ((coded >> 1) ^ (~(coded & 1) + 1)));
}

}  // namespace fold_numbers

}  // namespace lanyard::tcp
