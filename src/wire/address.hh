// SPDX-License-Identifier: Apache-2.0
// Addresses. An IpAddress is 16 bytes whatever its family: IPv4 is held as the mapped form
// ::ffff:a.b.c.d, which never appears on a wire (RFC 4291 2.5.5.2, and we drop it), so every table
// and socket is family-generic by construction.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hh"

namespace lanyard {

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  [[nodiscard]] static constexpr MacAddress broadcast() {
    return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  }
  [[nodiscard]] static std::optional<MacAddress> parse(
      std::string_view text);  // "02:00:00:00:00:01"
  [[nodiscard]] constexpr bool is_group() const { return (bytes[0] & 1) != 0; }
  [[nodiscard]] constexpr bool is_broadcast() const { return *this == broadcast(); }
  [[nodiscard]] constexpr bool is_zero() const { return *this == MacAddress{}; }
  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

class IpAddress {
 public:
  constexpr IpAddress() = default;  // "::", the IPv6 wildcard
  [[nodiscard]] static constexpr IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c,
                                              std::uint8_t d) {
    IpAddress address;
    address.bytes_ = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
    return address;
  }
  [[nodiscard]] static IpAddress v4(std::uint32_t host_order);
  [[nodiscard]] static IpAddress from_v4_bytes(const std::uint8_t* four);
  [[nodiscard]] static IpAddress from_v6_bytes(const std::uint8_t* sixteen);
  // "10.0.0.1", "fe80::1" (RFC 5952 and RFC 4291 forms); no zone, no prefix.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] static IpAddress any(Family family);
  [[nodiscard]] static IpAddress loopback(Family family);

  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] bool is_v6() const { return !is_v4(); }
  [[nodiscard]] Family family() const { return is_v4() ? Family::ipv4 : Family::ipv6; }
  [[nodiscard]] std::uint32_t v4_number() const;  // host order; is_v4() must hold
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  // The bytes as a wire carries them: 4 or 16.
  [[nodiscard]] Bytes wire_bytes() const;

  [[nodiscard]] bool is_unspecified() const;        // 0.0.0.0 or ::
  [[nodiscard]] bool is_loopback() const;           // 127/8 or ::1
  [[nodiscard]] bool is_multicast() const;          // 224/4 or ff00::/8
  [[nodiscard]] bool is_limited_broadcast() const;  // 255.255.255.255
  [[nodiscard]] bool is_link_local() const;         // 169.254/16 or fe80::/10
  [[nodiscard]] bool is_reserved_v4()
      const;  // 240/4 but for 255.255.255.255, and 0/8 but for 0.0.0.0

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b);

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace lanyard

#include "wire/address_inline.hh"

namespace lanyard {

// An address with the length of its network part: 10.0.1.7/24. Host bits are kept; network() clears
// them.
struct IpPrefix {
  IpAddress address{};
  std::uint8_t length = 0;  // 0..32 for IPv4, 0..128 for IPv6

  [[nodiscard]] static std::optional<IpPrefix> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& other) const;  // false across families
  [[nodiscard]] IpAddress network() const;
  // The directed broadcast address of an IPv4 network of length <= 30; nothing otherwise (RFC 3021,
  // and IPv6 has none).
  [[nodiscard]] std::optional<IpAddress> broadcast() const;
  friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

using Port = std::uint16_t;

// One end of a conversation. `interface` is the zone of a link-local address, 0 when there is none.
struct Endpoint {
  IpAddress address{};
  Port port = 0;
  std::uint32_t interface = 0;
  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

[[nodiscard]] std::string to_text(const MacAddress& address);
[[nodiscard]] std::string to_text(const IpAddress& address);
[[nodiscard]] std::string to_text(const IpPrefix& prefix);
[[nodiscard]] std::string to_text(const Endpoint& endpoint);  // "10.0.0.1:80", "[fe80::1]:80"

// ff02::1:ffXX:XXXX, RFC 4291 2.7.1.
[[nodiscard]] IpAddress solicited_node(const IpAddress& address);
// 33-33-xx-xx-xx-xx (RFC 2464 7) or 01-00-5e-xx-xx-xx (RFC 1112 6.4); the address must be
// multicast.
[[nodiscard]] MacAddress multicast_mac(const IpAddress& group);

}  // namespace lanyard
