// SPDX-License-Identifier: Apache-2.0
// Ethernet frames (RFC 894), and 802.3 frames with LLC and SNAP (RFC 1042), which hosts receive
// mixed with them. The frame check sequence is the device's business and never present.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                      Destination address                      |
//   +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                               |                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//   |                        Source address                         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |   EtherType (>= 0x600), or    |
//   |   802.3 length and then:      |  DSAP AA | SSAP AA | Control 03 | OUI 00 00 00 | EtherType
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <cstring>
#include <expected>
#include <string_view>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"

namespace lanyard::ethernet {

inline constexpr std::size_t destination_offset = 0;
inline constexpr std::size_t source_offset = 6;
inline constexpr std::size_t type_offset = 12;
inline constexpr std::size_t header_size = 14;
inline constexpr std::size_t llc_snap_size = 8;
inline constexpr std::uint16_t type_min = 0x0600;  // below it the field is an 802.3 length

// What the payload is. Any other 16-bit value may appear.
enum class Type : std::uint16_t {
  llc = 0,  // 802.3 with an LLC header other than SNAP's: the payload begins with that header
  ipv4 = 0x0800,
  arp = 0x0806,
  vlan = 0x8100,
  ipv6 = 0x86dd,
  service_vlan = 0x88a8,
};

// "IPv4", or nothing for a type without a name here.
[[nodiscard]] std::string_view name_of(Type type);

// A frame whose header is in bounds and whose payload length is what the frame really holds.
class View {
 public:
  // `front` is the frame's first bytes, at least its headers; `frame_size` the whole frame's.
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes front, std::size_t frame_size);
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes frame) {
    return parse(frame, frame.size());
  }

  [[nodiscard]] MacAddress destination() const { return mac_at(destination_offset); }
  [[nodiscard]] MacAddress source() const { return mac_at(source_offset); }
  // The EtherType, SNAP's if the frame is 802.3 with SNAP.
  [[nodiscard]] Type type() const { return type_; }
  // The bytes before the payload: 14, or 22 with SNAP.
  [[nodiscard]] std::size_t header_size() const { return header_size_; }
  // The payload's bytes; of an 802.3 frame without the padding.
  [[nodiscard]] std::size_t payload_size() const { return payload_size_; }
  // The part of the payload that lies in `front`.
  [[nodiscard]] Bytes payload() const;

 private:
  explicit View(Bytes front) : front_(front) {}
  bool take_802_3(std::size_t length);
  [[nodiscard]] MacAddress mac_at(std::size_t offset) const;
  Bytes front_;
  Type type_{};
  std::size_t header_size_ = ethernet::header_size;
  std::size_t payload_size_ = 0;
};

// An Ethernet II header. RFC 1122 2.3.3 [RFC1122-2.3.3-c]: no other encapsulation is ever sent.
struct Header {
  MacAddress destination{};
  MacAddress source{};
  Type type{};

  void write(std::uint8_t* to) const {
    std::memcpy(to + destination_offset, destination.bytes.data(), destination.bytes.size());
    std::memcpy(to + source_offset, source.bytes.data(), source.bytes.size());
    store16(to + type_offset, static_cast<std::uint16_t>(type));
  }
  void push_onto(Packet& packet) const { write(packet.push_front(header_size)); }
};

}  // namespace lanyard::ethernet
