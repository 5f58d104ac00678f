// SPDX-License-Identifier: Apache-2.0
// The TCP header (RFC 9293 3.1). Its options are in wire/tcp_options.hh.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Source Port          |       Destination Port        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                        Sequence Number                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    Acknowledgment Number                      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Data |       |C|E|U|A|P|R|S|F|                               |
//   | Offset| Rsrvd |W|C|R|C|S|S|Y|I|            Window             |
//   |       |       |R|E|G|K|H|T|N|N|                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |           Checksum            |         Urgent Pointer        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                           [Options]                           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"
#include "wire/pseudo.hh"
#include "wire/sequence.hh"
#include "wire/tcp_options.hh"

namespace lanyard::tcp {

inline constexpr std::size_t source_port_offset = 0;
inline constexpr std::size_t destination_port_offset = 2;
inline constexpr std::size_t sequence_offset = 4;
inline constexpr std::size_t acknowledgment_offset = 8;
inline constexpr std::size_t data_offset_offset = 12;
inline constexpr std::size_t flags_offset = 13;
inline constexpr std::size_t window_offset = 14;
inline constexpr std::size_t checksum_offset = 16;
inline constexpr std::size_t urgent_pointer_offset = 18;
inline constexpr std::size_t header_size_min = 20;

// The control bits, as `flags::syn | flags::ack`.
struct Flags {
  std::uint8_t bits = 0;

  [[nodiscard]] constexpr bool fin() const { return (bits & 0x01) != 0; }
  [[nodiscard]] constexpr bool syn() const { return (bits & 0x02) != 0; }
  [[nodiscard]] constexpr bool rst() const { return (bits & 0x04) != 0; }
  [[nodiscard]] constexpr bool psh() const { return (bits & 0x08) != 0; }
  [[nodiscard]] constexpr bool ack() const { return (bits & 0x10) != 0; }
  [[nodiscard]] constexpr bool urg() const { return (bits & 0x20) != 0; }
  [[nodiscard]] constexpr bool ece() const { return (bits & 0x40) != 0; }
  [[nodiscard]] constexpr bool cwr() const { return (bits & 0x80) != 0; }
  friend constexpr bool operator==(Flags, Flags) = default;
  friend constexpr Flags operator|(Flags a, Flags b) {
    return {static_cast<std::uint8_t>(a.bits | b.bits)};
  }
  constexpr Flags& operator|=(Flags b) { return *this = *this | b; }
};
namespace flags {
inline constexpr Flags none{};
inline constexpr Flags fin{0x01};
inline constexpr Flags syn{0x02};
inline constexpr Flags rst{0x04};
inline constexpr Flags psh{0x08};
inline constexpr Flags ack{0x10};
inline constexpr Flags urg{0x20};
inline constexpr Flags ece{0x40};
inline constexpr Flags cwr{0x80};
}  // namespace flags

// "SYN, ACK": in the order of tshark, "<none>" for no flag.
[[nodiscard]] std::string to_text(Flags flags);

// A header, options included, that is in bounds.
class View {
 public:
  // `front` is the segment's first bytes, at least its header; `segment_size` all of the IP
  // payload. Error: bad_tcp_header.
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes front, std::size_t segment_size);
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes segment) {
    return parse(segment, segment.size());
  }

  [[nodiscard]] Port source_port() const { return load16(from_ + source_port_offset); }
  [[nodiscard]] Port destination_port() const { return load16(from_ + destination_port_offset); }
  [[nodiscard]] SequenceNumber sequence() const {
    return SequenceNumber(load32(from_ + sequence_offset));
  }
  [[nodiscard]] SequenceNumber acknowledgment() const {
    return SequenceNumber(load32(from_ + acknowledgment_offset));
  }
  [[nodiscard]] std::size_t header_size() const {
    return std::size_t{4} * (from_[data_offset_offset] >> 4);
  }
  [[nodiscard]] Flags flags() const { return {from_[flags_offset]}; }
  // RFC 9293 3.1 [MUST-1]: unsigned.
  [[nodiscard]] std::uint16_t window() const { return load16(from_ + window_offset); }
  [[nodiscard]] std::uint16_t checksum() const { return load16(from_ + checksum_offset); }
  [[nodiscard]] std::uint16_t urgent_pointer() const {
    return load16(from_ + urgent_pointer_offset);
  }
  [[nodiscard]] Bytes option_bytes() const {
    return {from_ + header_size_min, header_size() - header_size_min};
  }
  [[nodiscard]] Options options() const { return Options::parse(option_bytes(), flags().syn()); }

  [[nodiscard]] std::size_t payload_size() const { return segment_size_ - header_size(); }
  // The part of the payload that lies in `front`.
  [[nodiscard]] Bytes payload() const {
    return {from_ + header_size(), front_size_ - header_size()};
  }
  // SEG.LEN: the payload, and one each for SYN and FIN.
  [[nodiscard]] std::uint32_t sequence_length() const {
    return static_cast<std::uint32_t>(payload_size()) + flags().syn() + flags().fin();
  }

 private:
  View(Bytes front, std::size_t segment_size)
      : from_(front.data()), front_size_(front.size()), segment_size_(segment_size) {}
  const std::uint8_t* from_;
  std::size_t front_size_;
  std::size_t segment_size_;
};

struct Header {
  Port source_port = 0;
  Port destination_port = 0;
  SequenceNumber sequence{};
  SequenceNumber acknowledgment{};
  Flags flags{};
  std::uint16_t window = 0;  // as on the wire: already scaled down
  std::uint16_t urgent_pointer = 0;
  Options options{};

  [[nodiscard]] std::size_t size() const { return header_size_min + options.size(); }
  // Writes size() bytes; the checksum is left 0.
  void write(std::uint8_t* to) const;
  // Makes the packet's present bytes the payload, and writes the checksum or leaves it to the
  // device.
  void push_onto(Packet& packet, const IpAddress& source, const IpAddress& destination,
                 ChecksumBy by = ChecksumBy::us) const;
};

}  // namespace lanyard::tcp
