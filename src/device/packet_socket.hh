// SPDX-License-Identifier: Apache-2.0
// A packet socket on one interface (packet(7)), as AfPacket and PacketRing use it.
#pragma once

#include <expected>
#include <string>

namespace lanyard::device {

// A sentence about what failed, with errno's words.
[[nodiscard]] std::unexpected<std::string> failure(const std::string& what);

// Opens a non-blocking packet socket that speaks virtio_net_hdr and does not see what it sends
// itself. Nothing arrives before it is bound. Needs CAP_NET_RAW in the network namespace.
[[nodiscard]] std::expected<int, std::string> open_packet_socket();

// Binds it to an interface, which is promiscuous as long as the socket lives, since our stack has a
// MAC address of its own.
[[nodiscard]] std::expected<void, std::string> bind_packet_socket(int descriptor,
                                                                  const std::string& interface);

}  // namespace lanyard::device
