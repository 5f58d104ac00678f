// SPDX-License-Identifier: Apache-2.0
// The UDP header (RFC 768).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Source Port          |       Destination Port        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |            Length             |           Checksum            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <expected>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"
#include "wire/pseudo.hh"

namespace lanyard::udp {

inline constexpr std::size_t source_port_offset = 0;
inline constexpr std::size_t destination_port_offset = 2;
inline constexpr std::size_t length_offset = 4;
inline constexpr std::size_t checksum_offset = 6;
inline constexpr std::size_t header_size = 8;

// A header that is in bounds, with 8 <= length <= the IP payload that has come.
class View {
 public:
  // `front` is the datagram's first bytes, at least its header; `packet_size` the IP payload's
  // size. Error: bad_udp_length.
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes front, std::size_t packet_size);
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes datagram) {
    return parse(datagram, datagram.size());
  }

  [[nodiscard]] Port source_port() const { return load16(from_ + source_port_offset); }
  [[nodiscard]] Port destination_port() const { return load16(from_ + destination_port_offset); }
  // Header and payload: what the checksum covers. The IP payload may be longer.
  [[nodiscard]] std::uint16_t length() const { return load16(from_ + length_offset); }
  [[nodiscard]] std::uint16_t checksum() const { return load16(from_ + checksum_offset); }
  [[nodiscard]] std::size_t payload_size() const { return length() - header_size; }
  // The part of the payload that lies in `front`.
  [[nodiscard]] Bytes payload() const;

 private:
  explicit View(Bytes front) : from_(front.data()), front_size_(front.size()) {}
  const std::uint8_t* from_;
  std::size_t front_size_;
};

// Is the checksum of a received datagram, which begins the packet, right? Zero means "none" over
// IPv4 and is wrong over IPv6.
[[nodiscard]] bool has_good_checksum(const View& view, const IpAddress& source,
                                     const IpAddress& destination, const Packet& packet);

struct Header {
  Port source_port = 0;
  Port destination_port = 0;

  // Writes header_size bytes; the checksum is left 0.
  void write(std::uint8_t* to, std::size_t payload_size) const;
  // Makes the packet's present bytes the payload (at most 65527), and writes the checksum or leaves
  // it to the device.
  void push_onto(Packet& packet, const IpAddress& source, const IpAddress& destination,
                 ChecksumBy by = ChecksumBy::us) const;
};

}  // namespace lanyard::udp
