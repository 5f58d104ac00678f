// SPDX-License-Identifier: Apache-2.0
#include "wire/front.hh"

#include <algorithm>

#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"

namespace lanyard {

namespace {

// More than any header chain that is looked at before the whole packet is.
constexpr std::size_t headers_enough = 128;

}  // namespace

bool holds_headers(Bytes front) {
  if (front.size() < ipv4::header_size_min) return false;
  std::size_t transport = 0;
  std::uint8_t kind = 0;
  if (front[0] >> 4 == 4) {
    transport = std::size_t{4} * (front[0] & 0x0fU);
    kind = front[ipv4::protocol_offset];
  } else {
    transport = ipv6::header_size;
    kind = front[ipv6::next_header_offset];
  }
  if (kind == protocol::udp) return transport + udp::header_size <= front.size();
  if (kind != protocol::tcp || transport + tcp::header_size_min > front.size()) return false;
  const std::uint8_t* const header = front.data() + transport;
  return transport + std::size_t{4} * (header[tcp::data_offset_offset] >> 4) <= front.size();
}

void gather_headers(Packet& packet, std::size_t network) {
  const Bytes front = packet.front();
  if (front.size() >= std::min(packet.size(), headers_enough)) return;
  if (front.size() < network || !holds_headers(front.subspan(network))) packet.linear();
}

}  // namespace lanyard
