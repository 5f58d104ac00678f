// SPDX-License-Identifier: Apache-2.0
#include "wire/udp.hh"

#include <algorithm>

#include "core/check.hh"
#include "wire/protocol.hh"

namespace lanyard::udp {

// BI-42: a length below 8 or above the IP payload is dropped; what lies beyond it is not delivered.
// RFC 768 [RFC768-a].
std::expected<View, DropReason> View::parse(Bytes front, std::size_t packet_size) {
  if (front.size() < header_size) return std::unexpected(DropReason::bad_udp_length);
  const View view(front);
  if (view.length() < header_size || view.length() > packet_size) {
    return std::unexpected(DropReason::bad_udp_length);
  }
  return view;
}

Bytes View::payload() const {
  return Bytes(from_, std::min<std::size_t>(front_size_, length())).subspan(header_size);
}

bool has_good_checksum(const View& view, const IpAddress& source, const IpAddress& destination,
                       const Packet& packet) {
  // RFC 768 [RFC1122-4.1.3.4-a]: a zero checksum was not computed. RFC 8200 8.1 [RFC8200-8.1-a]:
  // over IPv6 there is no such choice.
  const bool is_checked = packet.offload.checksum_wanted || packet.offload.checksum_good;
  if (view.checksum() == 0 && !is_checked) return source.is_v4();
  return lanyard::has_good_checksum({source, destination, protocol::udp}, packet, view.length());
}

void Header::write(std::uint8_t* to, std::size_t payload_size) const {
  CHECK(header_size + payload_size <= 0xffff);
  store16(to + source_port_offset, source_port);
  store16(to + destination_port_offset, destination_port);
  store16(to + length_offset, static_cast<std::uint16_t>(header_size + payload_size));
  store16(to + checksum_offset, 0);
}

void Header::push_onto(Packet& packet, const IpAddress& source, const IpAddress& destination,
                       ChecksumBy by) const {
  const std::size_t payload_size = packet.size();
  write(packet.push_front(header_size), payload_size);
  put_checksum({source, destination, protocol::udp}, packet, checksum_offset, by);
}

}  // namespace lanyard::udp
