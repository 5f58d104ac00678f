// SPDX-License-Identifier: Apache-2.0
// Frames for the tests: what the builders make, wrapped down to Ethernet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/packet.hh"
#include "wire/address.hh"

namespace lanyard::wire::test {

struct NamedFrame {
  std::string name;
  std::vector<std::uint8_t> bytes;
};

inline const IpAddress alice4 = IpAddress::v4(10, 0, 0, 1);
inline const IpAddress bob4 = IpAddress::v4(10, 0, 0, 2);
inline const IpAddress alice6 = *IpAddress::parse("fe80::a");
inline const IpAddress bob6 = *IpAddress::parse("fe80::b");
inline const MacAddress alice_mac{{2, 0, 0, 0, 0, 0xa}};
inline const MacAddress bob_mac{{2, 0, 0, 0, 0, 0xb}};

// Bytes written as hexadecimal, blanks ignored.
std::vector<std::uint8_t> from_hex(std::string_view text);
// All bytes of a packet.
std::vector<std::uint8_t> bytes_in(const Packet& packet);
// A packet holding these bytes as one shared slice, with nothing in front.
Packet sliced(Bytes bytes);
// Puts an IP header of the addresses' family and an Ethernet header in front.
void wrap(Packet& packet, std::uint8_t protocol, const IpAddress& source = alice4,
          const IpAddress& destination = bob4, std::uint8_t hop_limit = 64);
// One frame of every kind a builder can make; deterministic.
std::vector<NamedFrame> all_frames();

}  // namespace lanyard::wire::test
