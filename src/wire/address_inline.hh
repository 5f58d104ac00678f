// SPDX-License-Identifier: Apache-2.0
// What is asked of addresses several times for each packet: a few loads say it. Part of
// wire/address.hh.
#pragma once

#include <type_traits>

#include "wire/address.hh"

namespace lanyard {

inline IpAddress IpAddress::from_v4_bytes(const std::uint8_t* four) {
  return v4(four[0], four[1], four[2], four[3]);
}

inline bool IpAddress::is_v4() const {
  return load64(bytes_.data()) == 0 && load32(bytes_.data() + 8) == 0xffff;
}

inline std::uint32_t IpAddress::v4_number() const {
  return load32(bytes_.data() + 12);
}

inline bool IpAddress::is_unspecified() const {
  const std::uint64_t low = load64(bytes_.data() + 8);
  return load64(bytes_.data()) == 0 && (low == 0 || low == 0x0000ffff00000000);
}

inline bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[12] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

constexpr bool operator==(const IpAddress& a, const IpAddress& b) {
  if (std::is_constant_evaluated()) return a.bytes_ == b.bytes_;
  return load64(a.bytes_.data()) == load64(b.bytes_.data()) &&
         load64(a.bytes_.data() + 8) == load64(b.bytes_.data() + 8);
}

}  // namespace lanyard

template <>
struct std::hash<lanyard::IpAddress> {
  std::size_t operator()(const lanyard::IpAddress& address) const noexcept;
};
template <>
struct std::hash<lanyard::MacAddress> {
  std::size_t operator()(const lanyard::MacAddress& address) const noexcept;
};
