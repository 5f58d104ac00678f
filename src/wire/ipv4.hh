// SPDX-License-Identifier: Apache-2.0
// The IPv4 header (RFC 791 3.1). Its options are in wire/ipv4_options.hh.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Version|  IHL  |   DSCP    |ECN|          Total Length         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Identification        |0|D|M|      Fragment Offset    |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Time to Live |    Protocol   |         Header Checksum       |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                         Source Address                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                      Destination Address                      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    Options                    |    Padding    |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <expected>

#include "core/bytes.hh"
#include "core/checksum.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"

namespace lanyard::ipv4 {

inline constexpr std::size_t version_ihl_offset = 0;
inline constexpr std::size_t traffic_class_offset = 1;
inline constexpr std::size_t total_length_offset = 2;
inline constexpr std::size_t identification_offset = 4;
inline constexpr std::size_t fragment_offset = 6;
inline constexpr std::size_t ttl_offset = 8;
inline constexpr std::size_t protocol_offset = 9;
inline constexpr std::size_t checksum_offset = 10;
inline constexpr std::size_t source_offset = 12;
inline constexpr std::size_t destination_offset = 16;
inline constexpr std::size_t header_size_min = 20;
inline constexpr std::size_t options_size_max = 40;
inline constexpr std::uint16_t dont_fragment_bit = 0x4000;
inline constexpr std::uint16_t more_fragments_bit = 0x2000;

// A header, options included, that is in bounds, with header <= total length <= what has come.
class View {
 public:
  // `front` is the datagram's first bytes, at least its header; `packet_size` all that has come,
  // padding of the frame included. Errors: bad_version, bad_header_length, bad_total_length. The
  // header checksum is not looked at.
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes front, std::size_t packet_size);
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes packet) {
    return parse(packet, packet.size());
  }
  // The same for a datagram quoted by an ICMP error: its total length may exceed what was quoted.
  [[nodiscard]] static std::expected<View, DropReason> parse_quoted(Bytes quoted);

  [[nodiscard]] std::size_t header_size() const {
    return std::size_t{4} * (from_[version_ihl_offset] & 0x0fU);
  }
  [[nodiscard]] std::uint8_t traffic_class() const { return from_[traffic_class_offset]; }
  [[nodiscard]] std::uint16_t total_length() const { return load16(from_ + total_length_offset); }
  [[nodiscard]] std::uint16_t identification() const {
    return load16(from_ + identification_offset);
  }
  [[nodiscard]] bool is_reserved_flag_set() const { return (from_[fragment_offset] & 0x80) != 0; }
  [[nodiscard]] bool dont_fragment() const { return (fragment_word() & dont_fragment_bit) != 0; }
  [[nodiscard]] bool more_fragments() const { return (fragment_word() & more_fragments_bit) != 0; }
  // Where this fragment's payload belongs, in bytes.
  [[nodiscard]] std::size_t offset() const { return std::size_t{8} * (fragment_word() & 0x1fffU); }
  [[nodiscard]] bool is_fragment() const { return more_fragments() || offset() != 0; }
  [[nodiscard]] std::uint8_t ttl() const { return from_[ttl_offset]; }
  [[nodiscard]] std::uint8_t protocol() const { return from_[protocol_offset]; }
  [[nodiscard]] std::uint16_t header_checksum() const { return load16(from_ + checksum_offset); }
  [[nodiscard]] bool has_good_checksum() const { return checksum(header()) == 0; }
  [[nodiscard]] IpAddress source() const { return IpAddress::from_v4_bytes(from_ + source_offset); }
  [[nodiscard]] IpAddress destination() const {
    return IpAddress::from_v4_bytes(from_ + destination_offset);
  }

  [[nodiscard]] Bytes header() const { return {from_, header_size()}; }
  [[nodiscard]] Bytes options() const { return header().subspan(header_size_min); }
  // What the header says the payload is; the front may hold less of it.
  [[nodiscard]] std::size_t payload_size() const { return total_length() - header_size(); }
  // The part of the payload that lies in `front`, without the frame's padding.
  [[nodiscard]] Bytes payload() const;

 private:
  explicit View(Bytes front) : from_(front.data()), front_size_(front.size()) {}
  [[nodiscard]] std::uint16_t fragment_word() const { return load16(from_ + fragment_offset); }
  const std::uint8_t* from_;
  std::size_t front_size_;
};

struct Header {
  IpAddress source{};
  IpAddress destination{};
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 64;
  std::uint8_t traffic_class = 0;
  std::uint16_t identification = 0;
  bool dont_fragment = false;
  bool more_fragments = false;
  std::size_t offset = 0;  // of a fragment, in bytes; a multiple of 8
  Bytes options{};         // at most 40 bytes; padded with End of Option List

  [[nodiscard]] std::size_t size() const { return header_size_min + (options.size() + 3) / 4 * 4; }
  // Writes size() bytes, checksum included.
  void write(std::uint8_t* to, std::size_t payload_size) const;
  // Makes the packet's present bytes the payload; header and payload together <= 65535 bytes.
  void push_onto(Packet& packet) const;
};

// A router's change: the TTL, which must not be 0, less one; the checksum follows (RFC 1624).
void decrement_ttl(std::uint8_t* header);
// Changes DSCP and ECN in place; the checksum follows.
void set_traffic_class(std::uint8_t* header, std::uint8_t traffic_class);

}  // namespace lanyard::ipv4
