// SPDX-License-Identifier: Apache-2.0
#include "lab/traffic.hh"

#include "link/segment.hh"
#include "wire/ethernet.hh"
#include "wire/protocol.hh"

namespace lanyard::lab {
namespace {

constexpr std::uint16_t dns_port = 53;
constexpr std::uint8_t tcp_reset_flag = 0x04;

// Where the transport header is and which one; a later fragment and extension headers have none.
struct Upper {
  std::uint8_t protocol = protocol::no_next_header;
  Bytes bytes{};
};

Upper upper_of(ethernet::Type type, Bytes packet) {
  if (type == ethernet::Type::ipv4 && packet.size() >= 20) {
    const std::size_t header = (packet[0] & 0x0fU) * 4;
    const bool is_first = (load16(packet.data() + 6) & 0x1fff) == 0;
    if (header >= 20 && is_first && packet.size() >= header)
      return {packet[9], packet.subspan(header)};
  }
  if (type == ethernet::Type::ipv6 && packet.size() >= 40) return {packet[6], packet.subspan(40)};
  return {};
}

}  // namespace

void Traffic::count(const Packet& frame) {
  const bool is_plain = frame.offload.segment_bytes == 0;
  const link::Pieces pieces = is_plain ? link::Pieces{} : link::pieces_of(frame);
  packets += pieces.count;
  bytes += frame.size() + (pieces.count - 1) * pieces.header_bytes;
  const auto ethernet = ethernet::View::parse(frame.front(), frame.size());
  if (!ethernet) return;
  const auto add_one = [&](TrafficKind kind) {
    kinds[static_cast<std::size_t>(kind)] += pieces.count;
  };
  if (ethernet->type() == ethernet::Type::arp) return add_one(TrafficKind::arp);
  const Upper upper = upper_of(ethernet->type(), ethernet->payload());
  if (upper.protocol == protocol::icmp) return add_one(TrafficKind::icmp);
  if (upper.protocol == protocol::icmpv6 && !upper.bytes.empty()) {
    const bool is_ndp = upper.bytes[0] >= 133 && upper.bytes[0] <= 137;  // RFC 4861 4
    return add_one(is_ndp ? TrafficKind::ndp : TrafficKind::icmp);
  }
  if (upper.bytes.size() < 8) return;
  if (upper.protocol == protocol::tcp) {
    add_one(TrafficKind::tcp);
    if (upper.bytes.size() >= 14 && (upper.bytes[13] & tcp_reset_flag) != 0)
      add_one(TrafficKind::tcp_reset);
  } else if (upper.protocol == protocol::udp) {
    add_one(TrafficKind::udp);
  } else {
    return;
  }
  if (load16(upper.bytes.data()) == dns_port || load16(upper.bytes.data() + 2) == dns_port)
    add_one(TrafficKind::dns);
}

void Traffic::add(const Traffic& other) {
  packets += other.packets;
  bytes += other.bytes;
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] += other.kinds[i];
}

}  // namespace lanyard::lab
