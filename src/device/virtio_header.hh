// SPDX-License-Identifier: Apache-2.0
// The virtio_net_hdr that stands before each frame of a TAP or packet socket opened with it
// (Virtual I/O Device 1.2, 5.1.6), and our Offload: the same facts in both.
#pragma once

#include <cstdint>
#include <optional>

#include "core/packet.hh"

namespace lanyard::device {

// The kernel's struct virtio_net_hdr (its own header does not compile as C++), in the byte order of
// the machine, as TUN has it unless told otherwise.
struct VirtioHeader {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t header_size = 0;  // a hint: all headers of the frame
  std::uint16_t gso_size = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};
static_assert(sizeof(VirtioHeader) == 10);

namespace virtio {
inline constexpr std::uint8_t flag_checksum_wanted = 1;  // VIRTIO_NET_HDR_F_NEEDS_CSUM
inline constexpr std::uint8_t flag_checksum_good = 2;    // VIRTIO_NET_HDR_F_DATA_VALID
inline constexpr std::uint8_t gso_none = 0;
inline constexpr std::uint8_t gso_tcp_v4 = 1;
inline constexpr std::uint8_t gso_tcp_v6 = 4;
inline constexpr std::uint8_t gso_udp = 5;     // VIRTIO_NET_HDR_GSO_UDP_L4
inline constexpr std::uint8_t gso_ecn = 0x80;  // or'ed to a TCP type: CWR is set
}  // namespace virtio

// The header for a frame of ours; of a super-segment only if its checksum is left to be done, as
// the kernel wants it.
[[nodiscard]] VirtioHeader virtio_header_of(const Packet& frame);

// The facts a received header tells about its frame; nothing if they do not fit the frame, or speak
// of a kind of super-segment that was not asked for.
[[nodiscard]] std::optional<Offload> offload_of(const VirtioHeader& header, const Packet& frame);

}  // namespace lanyard::device
