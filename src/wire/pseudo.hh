// SPDX-License-Identifier: Apache-2.0
// Checksums of TCP, UDP and ICMPv6, which cover a pseudo-header of the addresses besides their own
// bytes (RFC 9293 3.1, RFC 768, RFC 8200 8.1).
#pragma once

#include <cstdint>

#include "core/bytes.hh"
#include "core/checksum.hh"
#include "core/packet.hh"
#include "wire/address.hh"

namespace lanyard {

// What the IP header contributes to a transport checksum.
struct PseudoHeader {
  IpAddress source{};
  IpAddress destination{};  // of the same family
  std::uint8_t protocol = 0;

  // The unfinished sum over the pseudo-header of a message of `size` bytes. RFC 9293 3.1 [MUST-2]:
  // the IPv4 one sums zero, protocol and length; RFC 8200 8.1's a 32-bit length and the Next
  // Header. Both come to the same words.
  [[nodiscard]] ChecksumSum sum(std::size_t size) const {
    ChecksumSum sum;
    if (source.is_v4()) {
      sum.add32(source.v4_number());
      sum.add32(destination.v4_number());
    } else {
      sum.add16(folded_v6());
    }
    sum.add32(static_cast<std::uint32_t>(size));
    sum.add16(protocol);
    return sum;
  }

 private:
  // Of both addresses.
  [[nodiscard]] std::uint16_t folded_v6() const;
};

// Who computes a checksum that is being written: we now, or whoever takes the packet off our hands.
enum class ChecksumBy : std::uint8_t { us, device };

// Adds the first `size` bytes of a packet, which must be there.
void add_packet(ChecksumSum& sum, const Packet& packet, std::size_t size);
// The checksum of a message that is the first `size` bytes of the packet; 0 when a received one is
// right.
[[nodiscard]] std::uint16_t transport_checksum(const PseudoHeader& pseudo, const Packet& packet,
                                               std::size_t size);
[[nodiscard]] std::uint16_t transport_checksum(const PseudoHeader& pseudo, Bytes message);
// The same of a received message, not summed where the packet's offload facts already answer.
[[nodiscard]] bool has_good_checksum(const PseudoHeader& pseudo, const Packet& packet,
                                     std::size_t size);
// Writes the checksum field at `offset` of a packet that begins with its transport header, or
// leaves it to the device: then the folded pseudo-header sum stands there (Offload).
void put_checksum(const PseudoHeader& pseudo, Packet& packet, std::size_t offset, ChecksumBy by);

}  // namespace lanyard
