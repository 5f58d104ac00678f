// SPDX-License-Identifier: Apache-2.0
#include "device/af_packet.hh"

#include "device/packet_socket.hh"

namespace lanyard::device {

std::expected<std::unique_ptr<AfPacket>, std::string> AfPacket::open(const std::string& interface) {
  const auto descriptor = open_packet_socket();
  if (!descriptor) return std::unexpected(descriptor.error());
  std::unique_ptr<AfPacket> device(new AfPacket(*descriptor));
  if (auto done = bind_packet_socket(*descriptor, interface); !done) {
    return std::unexpected(done.error());
  }
  device->frames_.set({.has_header = true, .cuts_tcp = true, .cuts_udp = false});
  return device;
}

}  // namespace lanyard::device
