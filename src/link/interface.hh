// SPDX-License-Identifier: Apache-2.0
// One interface as the link layer knows it: its name, its MAC address, what its wire takes and what
// has passed through it.
#pragma once

#include <cstdint>
#include <string>

#include "wire/address.hh"

namespace lanyard::link {

struct InterfaceCounters {
  std::uint64_t received_frames = 0, received_bytes = 0;
  std::uint64_t sent_frames = 0, sent_bytes = 0;
  std::uint64_t dropped_frames = 0;
};

struct Interface {
  std::uint32_t index = 0;
  std::string name;
  MacAddress mac;
  std::uint32_t mtu = 1500;
  bool is_up = true;
  bool is_loopback = false;  // no frames, no neighbours: what goes out comes in
  bool takes_checksums = false;
  std::uint32_t super_segment_bytes_max = 0;
  InterfaceCounters counters;
};

// The frames an interface takes in: its own address and group addresses (RFC 1112 6.4: the full IP
// address is checked later).
[[nodiscard]] inline bool is_for(const Interface& interface, const MacAddress& destination) {
  return destination == interface.mac || destination.is_group();
}

}  // namespace lanyard::link
