// SPDX-License-Identifier: Apache-2.0
#include "wire/address.hh"

#include <cstring>

namespace lanyard {

IpAddress IpAddress::v4(std::uint32_t host_order) {
  std::array<std::uint8_t, 4> four;
  store32(four.data(), host_order);
  return from_v4_bytes(four.data());
}

IpAddress IpAddress::from_v6_bytes(const std::uint8_t* sixteen) {
  IpAddress address;
  std::memcpy(address.bytes_.data(), sixteen, 16);
  return address;
}

IpAddress IpAddress::any(Family family) {
  return family == Family::ipv4 ? v4(0, 0, 0, 0) : IpAddress{};
}

IpAddress IpAddress::loopback(Family family) {
  if (family == Family::ipv4) return v4(127, 0, 0, 1);
  IpAddress address;
  address.bytes_[15] = 1;
  return address;
}

Bytes IpAddress::wire_bytes() const {
  return is_v4() ? Bytes(bytes_).subspan(12) : Bytes(bytes_);
}

bool IpAddress::is_loopback() const {
  return is_v4() ? bytes_[12] == 127 : *this == loopback(Family::ipv6);
}

bool IpAddress::is_limited_broadcast() const {
  return is_v4() && v4_number() == 0xffffffff;
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[12] == 169 && bytes_[13] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_reserved_v4() const {
  if (!is_v4()) return false;
  if (bytes_[12] >= 240) return !is_limited_broadcast();
  return bytes_[12] == 0 && v4_number() != 0;
}

namespace {

// Clears the bits of `bytes` from bit `length` on.
void clear_host_bits(std::uint8_t* bytes, std::size_t size, unsigned length) {
  for (std::size_t i = 0; i < size; ++i) {
    const unsigned kept = length >= 8 ? 8 : length;
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> kept));
    length -= kept;
  }
}

}  // namespace

IpAddress IpPrefix::network() const {
  std::array<std::uint8_t, 16> bytes = address.bytes();
  if (address.is_v4()) {
    clear_host_bits(bytes.data() + 12, 4, length);
  } else {
    clear_host_bits(bytes.data(), 16, length);
  }
  return IpAddress::from_v6_bytes(bytes.data());
}

bool IpPrefix::contains(const IpAddress& other) const {
  return other.family() == address.family() && IpPrefix{other, length}.network() == network();
}

std::optional<IpAddress> IpPrefix::broadcast() const {
  // RFC 3021 2.2: a 31-bit prefix has no directed broadcast address.
  if (!address.is_v4() || length > 30) return std::nullopt;
  return IpAddress::v4(network().v4_number() | (0xffffffffU >> length));
}

IpAddress solicited_node(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::memcpy(bytes.data() + 13, address.bytes().data() + 13, 3);
  return IpAddress::from_v6_bytes(bytes.data());
}

MacAddress multicast_mac(const IpAddress& group) {
  const std::array<std::uint8_t, 16>& from = group.bytes();
  if (group.is_v4()) {
    return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>(from[13] & 0x7f), from[14], from[15]}};
  }
  return {{0x33, 0x33, from[12], from[13], from[14], from[15]}};
}

}  // namespace lanyard

namespace {

// Mixes 64 bits so that every input bit reaches every output bit (the splitmix64 finaliser).
std::size_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

}  // namespace

std::size_t std::hash<lanyard::IpAddress>::operator()(
    const lanyard::IpAddress& address) const noexcept {
  const std::uint8_t* bytes = address.bytes().data();
  return mixed(lanyard::load64(bytes + 8) + mixed(lanyard::load64(bytes)));
}

std::size_t std::hash<lanyard::MacAddress>::operator()(
    const lanyard::MacAddress& address) const noexcept {
  const std::uint8_t* bytes = address.bytes.data();
  return mixed((std::uint64_t{lanyard::load32(bytes)} << 16) | lanyard::load16(bytes + 4));
}
