// SPDX-License-Identifier: Apache-2.0
// The IPv6 header (RFC 8200 3). Its extension headers are in wire/ipv6_extensions.hh.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Version| Traffic Class |           Flow Label                  |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Payload Length        |  Next Header  |   Hop Limit   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                     Source Address (16 bytes)                 :
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                  Destination Address (16 bytes)               :
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <expected>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"

namespace lanyard::ipv6 {

inline constexpr std::size_t first_word_offset = 0;
inline constexpr std::size_t payload_length_offset = 4;
inline constexpr std::size_t next_header_offset = 6;
inline constexpr std::size_t hop_limit_offset = 7;
inline constexpr std::size_t source_offset = 8;
inline constexpr std::size_t destination_offset = 24;
inline constexpr std::size_t header_size = 40;
inline constexpr std::size_t mtu_min = 1280;  // RFC 8200 5

// A header that is in bounds, with a payload length that has come, between addresses that are not
// IPv4-mapped.
class View {
 public:
  // `front` is the packet's first bytes, at least its 40; `packet_size` all that has come, padding
  // included. Errors: bad_version, bad_header_length, bad_total_length, martian_source,
  // martian_destination.
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes front, std::size_t packet_size);
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes packet) {
    return parse(packet, packet.size());
  }
  // The same for a packet quoted by an ICMPv6 error: its length may exceed what was quoted.
  [[nodiscard]] static std::expected<View, DropReason> parse_quoted(Bytes quoted);

  [[nodiscard]] std::uint8_t traffic_class() const {
    return static_cast<std::uint8_t>(load32(from_ + first_word_offset) >> 20);
  }
  [[nodiscard]] std::uint32_t flow_label() const {
    return load32(from_ + first_word_offset) & 0xfffff;
  }
  [[nodiscard]] std::uint16_t payload_length() const {
    return load16(from_ + payload_length_offset);
  }
  [[nodiscard]] std::uint8_t next_header() const { return from_[next_header_offset]; }
  [[nodiscard]] std::uint8_t hop_limit() const { return from_[hop_limit_offset]; }
  [[nodiscard]] IpAddress source() const { return IpAddress::from_v6_bytes(from_ + source_offset); }
  [[nodiscard]] IpAddress destination() const {
    return IpAddress::from_v6_bytes(from_ + destination_offset);
  }

  // The header and all of the packet that lies in `front`, without the frame's padding.
  [[nodiscard]] Bytes packet() const;
  [[nodiscard]] std::size_t payload_size() const { return payload_length(); }
  // The part of the payload that lies in `front`, extension headers included.
  [[nodiscard]] Bytes payload() const { return packet().subspan(header_size); }

 private:
  explicit View(Bytes front) : from_(front.data()), front_size_(front.size()) {}
  const std::uint8_t* from_;
  std::size_t front_size_;
};

struct Header {
  IpAddress source{};
  IpAddress destination{};
  std::uint8_t next_header = 0;
  std::uint8_t hop_limit = 64;
  std::uint8_t traffic_class = 0;
  std::uint32_t flow_label = 0;  // 20 bits

  void write(std::uint8_t* to, std::size_t payload_size) const;
  // Makes the packet's present bytes the payload, at most 65535 of them.
  void push_onto(Packet& packet) const;
};

// A router's change: the hop limit, which must not be 0, less one.
void decrement_hop_limit(std::uint8_t* header);
void set_traffic_class(std::uint8_t* header, std::uint8_t traffic_class);

}  // namespace lanyard::ipv6
