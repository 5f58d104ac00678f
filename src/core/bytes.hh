// SPDX-License-Identifier: Apache-2.0
// Bytes as spans, and integers in network order. Nothing here checks bounds: wire/ checks once,
// when it parses.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace lanyard {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

// The integer of type T stored in network order at `from`; sizeof(T) bytes must be there.
template <typename T>
[[nodiscard]] inline T load_network(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  return value;
}

// Stores `value` in network order at `to`; sizeof(T) bytes must be there.
template <typename T>
inline void store_network(std::uint8_t* to, T value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof value);
}

[[nodiscard]] inline std::uint16_t load16(const std::uint8_t* from) {
  return load_network<std::uint16_t>(from);
}
[[nodiscard]] inline std::uint32_t load32(const std::uint8_t* from) {
  return load_network<std::uint32_t>(from);
}
[[nodiscard]] inline std::uint64_t load64(const std::uint8_t* from) {
  return load_network<std::uint64_t>(from);
}
inline void store16(std::uint8_t* to, std::uint16_t value) {
  store_network(to, value);
}
inline void store32(std::uint8_t* to, std::uint32_t value) {
  store_network(to, value);
}
inline void store64(std::uint8_t* to, std::uint64_t value) {
  store_network(to, value);
}

// The bytes of a text, without its terminator.
[[nodiscard]] inline Bytes bytes_of(std::string_view text) {
  return {static_cast<const std::uint8_t*>(static_cast<const void*>(text.data())), text.size()};
}

// The text that bytes spell, byte for byte.
[[nodiscard]] inline std::string_view text_of(Bytes bytes) {
  return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

}  // namespace lanyard
