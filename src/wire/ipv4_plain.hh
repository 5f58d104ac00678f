// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lanyard::ipv4 {

// The header of a whole packet without options that no router may cut; addresses in host order.
struct Plain {
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::uint16_t total_length = 0;
  std::uint8_t traffic_class = 0;
  std::uint8_t ttl = 0;
  std::uint8_t protocol = 0;
};
// Writes its header_size_min bytes, checksum included, as Header would.
void write_plain(std::uint8_t* to, const Plain& header);

}  // namespace lanyard::ipv4
