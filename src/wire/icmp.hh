// SPDX-License-Identifier: Apache-2.0
// ICMP for IPv4 (RFC 792) and IPv6 (RFC 4443): the same eight bytes, other numbers. Neighbour
// discovery's messages are in wire/ndp.hh.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |     Type      |     Code      |          Checksum             |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  echo: Identifier | Sequence Number;  too big: unused | MTU   |
//   |  parameter problem: Pointer;  redirect: Gateway;  or unused   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  echo: data;  errors: the header and first bytes of the packet they are about
//   +-+-+-+-+-+-+-+-+-+-
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"
#include "wire/pseudo.hh"

namespace lanyard::icmp {

inline constexpr std::size_t type_offset = 0;
inline constexpr std::size_t code_offset = 1;
inline constexpr std::size_t checksum_offset = 2;
inline constexpr std::size_t rest_offset = 4;
inline constexpr std::size_t header_size = 8;

namespace v4 {
inline constexpr std::uint8_t echo_reply = 0;
inline constexpr std::uint8_t destination_unreachable = 3;
inline constexpr std::uint8_t source_quench = 4;
inline constexpr std::uint8_t redirect = 5;
inline constexpr std::uint8_t echo_request = 8;
inline constexpr std::uint8_t time_exceeded = 11;
inline constexpr std::uint8_t parameter_problem = 12;
inline constexpr std::uint8_t timestamp_request = 13;
inline constexpr std::uint8_t timestamp_reply = 14;
// Codes of destination_unreachable (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1).
inline constexpr std::uint8_t network_unreachable = 0;
inline constexpr std::uint8_t host_unreachable = 1;
inline constexpr std::uint8_t protocol_unreachable = 2;
inline constexpr std::uint8_t port_unreachable = 3;
inline constexpr std::uint8_t fragmentation_needed = 4;
inline constexpr std::uint8_t source_route_failed = 5;
inline constexpr std::uint8_t administratively_prohibited = 13;
// Codes of time_exceeded.
inline constexpr std::uint8_t ttl_exceeded = 0;
inline constexpr std::uint8_t reassembly_time_exceeded = 1;
}  // namespace v4

namespace v6 {
inline constexpr std::uint8_t destination_unreachable = 1;
inline constexpr std::uint8_t packet_too_big = 2;
inline constexpr std::uint8_t time_exceeded = 3;
inline constexpr std::uint8_t parameter_problem = 4;
inline constexpr std::uint8_t echo_request = 128;
inline constexpr std::uint8_t echo_reply = 129;
// Codes of destination_unreachable (RFC 4443 3.1).
inline constexpr std::uint8_t no_route = 0;
inline constexpr std::uint8_t administratively_prohibited = 1;
inline constexpr std::uint8_t beyond_scope = 2;
inline constexpr std::uint8_t address_unreachable = 3;
inline constexpr std::uint8_t port_unreachable = 4;
// Codes of time_exceeded.
inline constexpr std::uint8_t hop_limit_exceeded = 0;
inline constexpr std::uint8_t reassembly_time_exceeded = 1;
// Codes of parameter_problem (RFC 4443 3.4, RFC 7112 5).
inline constexpr std::uint8_t erroneous_header = 0;
inline constexpr std::uint8_t unknown_next_header = 1;
inline constexpr std::uint8_t unknown_option = 2;
inline constexpr std::uint8_t incomplete_header_chain = 3;
}  // namespace v6

// Is it an error message, about which no error is ever sent? Unknown ICMPv6 types below 128 are.
[[nodiscard]] bool is_error(Family family, std::uint8_t type);

// A message whose eight bytes are there; what they mean depends on the type.
class View {
 public:
  // `front` is the message's first bytes, at least eight; `message_size` all of the IP payload.
  // Error: bad_icmp. The checksum is not looked at (v4: checksum(), v6: has_good_checksum()).
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes front, std::size_t message_size);
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes message) {
    return parse(message, message.size());
  }

  [[nodiscard]] std::uint8_t type() const { return front_[type_offset]; }
  [[nodiscard]] std::uint8_t code() const { return front_[code_offset]; }
  [[nodiscard]] std::uint16_t checksum() const { return load16(front_.data() + checksum_offset); }
  [[nodiscard]] std::uint32_t rest() const { return load32(front_.data() + rest_offset); }
  // Echo.
  [[nodiscard]] std::uint16_t identifier() const {
    return static_cast<std::uint16_t>(rest() >> 16);
  }
  [[nodiscard]] std::uint16_t sequence() const { return static_cast<std::uint16_t>(rest()); }
  // Fragmentation needed (16 bits, 0: the router did not say); packet too big (32 bits).
  [[nodiscard]] std::uint32_t mtu(Family family) const {
    return family == Family::ipv4 ? rest() & 0xffff : rest();
  }
  // Parameter problem: which byte of the quoted packet.
  [[nodiscard]] std::uint32_t pointer(Family family) const {
    return family == Family::ipv4 ? rest() >> 24 : rest();
  }
  // IPv4 redirect.
  [[nodiscard]] IpAddress gateway() const {
    return IpAddress::from_v4_bytes(front_.data() + rest_offset);
  }
  [[nodiscard]] std::size_t body_size() const { return message_size_ - header_size; }
  // The part behind the eight bytes that lies in `front`: echo data, or the quoted packet.
  [[nodiscard]] Bytes body() const { return front_.subspan(header_size); }

 private:
  View(Bytes front, std::size_t message_size) : front_(front), message_size_(message_size) {}
  Bytes front_;
  std::size_t message_size_;
};

// The packet an error is about, read from the quote in its body.
struct Quote {
  IpAddress source{};
  IpAddress destination{};
  std::uint8_t protocol = 0;  // of the transport header
  Bytes transport{};          // at least its first 8 bytes; empty in a later fragment
  bool is_later_fragment = false;
  std::uint8_t ttl = 0;  // TTL or hop limit as quoted
};
// Nothing if the quote does not hold a whole IP header and 8 bytes of what follows.
[[nodiscard]] std::optional<Quote> parse_quote(Bytes body, Family family);

struct Header {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t rest = 0;

  [[nodiscard]] static Header echo(std::uint8_t type, std::uint16_t identifier,
                                   std::uint16_t sequence) {
    return {type, 0, (std::uint32_t{identifier} << 16) | sequence};
  }
  // Writes header_size bytes; the checksum is left 0.
  void write(std::uint8_t* to) const;
  // Make the packet's present bytes the body and write the checksum.
  void push_onto_v4(Packet& packet) const;
  void push_onto_v6(Packet& packet, const IpAddress& source, const IpAddress& destination) const;
};

// Is the checksum of a message, which is the first `size` bytes of the packet, right? The addresses
// count for IPv6 only.
[[nodiscard]] bool has_good_checksum(Family family, const IpAddress& source,
                                     const IpAddress& destination, const Packet& packet,
                                     std::size_t size);

}  // namespace lanyard::icmp
