// SPDX-License-Identifier: Apache-2.0
// IPv4 headers read and written without ipv4::View and ipv4::Header.
#pragma once

#include <cstdint>

#include "core/bytes.hh"
#include "wire/address.hh"

namespace lanyard::ipv4 {

// At fragment_offset, of a whole packet none is set: all but DF and the reserved one.
inline constexpr std::uint16_t fragment_bits = 0x3fff;

// The header of a whole packet without options; addresses in host order.
struct Plain {
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::uint16_t total_length = 0;
  std::uint8_t traffic_class = 0;
  std::uint8_t ttl = 0;
  std::uint8_t protocol = 0;
  bool may_fragment = false;  // by routers: DF clear
  std::uint16_t identification = 0;
};
// Writes its header_size_min bytes, checksum included, as Header would.
void write_plain(std::uint8_t* to, const Plain& header);

// Writes what of a program's own header is the machine's to say (raw(7), IP_HDRINCL): the length
// and the checksum, and a source and an identification where they were left zero. `packet` begins
// with a header that is in bounds.
void complete_header(MutableBytes packet, const IpAddress& source, std::uint16_t identification);

}  // namespace lanyard::ipv4
