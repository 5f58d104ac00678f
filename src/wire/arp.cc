// SPDX-License-Identifier: Apache-2.0
#include "wire/arp.hh"

#include <algorithm>

namespace lanyard::arp {
namespace {

constexpr std::uint16_t hardware_ethernet = 1;
constexpr std::uint16_t protocol_ipv4 = 0x0800;

}  // namespace

// RFC 826 [RFC826-a]: hardware space, protocol space and both lengths are checked; the rest drops.
std::expected<View, DropReason> View::parse(Bytes bytes) {
  if (bytes.size() < message_size) return std::unexpected(DropReason::bad_arp);
  const std::uint8_t* from = bytes.data();
  if (load16(from + hardware_type_offset) != hardware_ethernet ||
      load16(from + protocol_type_offset) != protocol_ipv4 || from[hardware_length_offset] != 6 ||
      from[protocol_length_offset] != 4) {
    return std::unexpected(DropReason::bad_arp);
  }
  return View(bytes.first(message_size));
}

MacAddress View::mac_at(std::size_t offset) const {
  MacAddress address;
  std::copy_n(bytes_.data() + offset, 6, address.bytes.begin());
  return address;
}

Message View::message() const {
  return {operation(), sender_mac(), sender_ip(), target_mac(), target_ip()};
}

void Message::write(std::uint8_t* to) const {
  store16(to + hardware_type_offset, hardware_ethernet);
  store16(to + protocol_type_offset, protocol_ipv4);
  to[hardware_length_offset] = 6;
  to[protocol_length_offset] = 4;
  store16(to + operation_offset, static_cast<std::uint16_t>(operation));
  std::copy_n(sender_mac.bytes.begin(), 6, to + sender_mac_offset);
  store32(to + sender_ip_offset, sender_ip.v4_number());
  std::copy_n(target_mac.bytes.begin(), 6, to + target_mac_offset);
  store32(to + target_ip_offset, target_ip.v4_number());
}

}  // namespace lanyard::arp
