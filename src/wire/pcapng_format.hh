// SPDX-License-Identifier: Apache-2.0
// The numbers of the pcapng and pcap formats; for pcapng_write.cc and pcapng_read.cc only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lanyard::pcapng {

namespace block_type {
inline constexpr std::uint32_t section = 0x0a0d0d0a;  // the same in both byte orders
inline constexpr std::uint32_t interface = 1;
inline constexpr std::uint32_t simple_packet = 3;
inline constexpr std::uint32_t statistics = 5;
inline constexpr std::uint32_t enhanced_packet = 6;
inline constexpr std::uint32_t custom = 0x00000bad;
inline constexpr std::uint32_t custom_not_copied = 0x40000bad;
// Ours: the body of a custom block, in a block type of the range for local use. tshark 4 shows a
// custom block as one more frame of the capture; a local block it passes over.
inline constexpr std::uint32_t local_custom = 0x80004c59;
}  // namespace block_type

inline constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
inline constexpr std::uint32_t pcap_magic_us = 0xa1b2c3d4;
inline constexpr std::uint32_t pcap_magic_ns = 0xa1b23c4d;
inline constexpr std::size_t pcap_header_size = 24;
inline constexpr std::size_t pcap_packet_header_size = 16;
inline constexpr std::size_t block_size_min = 12;

namespace option {
inline constexpr std::uint16_t end = 0;
inline constexpr std::uint16_t comment = 1;
// of a section header
inline constexpr std::uint16_t hardware = 2;
inline constexpr std::uint16_t os = 3;
inline constexpr std::uint16_t application = 4;
// of an interface description
inline constexpr std::uint16_t name = 2;
inline constexpr std::uint16_t description = 3;
inline constexpr std::uint16_t time_resolution = 9;
inline constexpr std::uint16_t time_offset = 14;
// of an enhanced packet
inline constexpr std::uint16_t flags = 2;
inline constexpr std::uint16_t packet_id = 5;
// Binary, of the enterprise whose number it begins with, and not to be copied by who leaves packets
// out: how many packets back the end of this one is.
inline constexpr std::uint16_t custom_not_copied = 19373;
// of interface statistics
inline constexpr std::uint16_t received = 4;
inline constexpr std::uint16_t dropped = 5;
}  // namespace option

}  // namespace lanyard::pcapng
