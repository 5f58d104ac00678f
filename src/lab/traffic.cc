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

// What most frames are: a segment of TCP over IPv4, no options before it, no reset, not of DNS.
bool is_plain_tcp(Bytes frame) {
  constexpr std::size_t ip = ethernet::header_size, tcp = ip + 20;
  if (frame.size() < tcp + 20) return false;
  const std::uint8_t* const at = frame.data();
  return load16(at + ethernet::type_offset) == static_cast<std::uint16_t>(ethernet::Type::ipv4) &&
         at[ip] == 0x45 && (load16(at + ip + 6) & 0x1fff) == 0 && at[ip + 9] == protocol::tcp &&
         (at[tcp + 13] & tcp_reset_flag) == 0 && load16(at + tcp) != dns_port &&
         load16(at + tcp + 2) != dns_port;
}

}  // namespace

void Traffic::count(const Packet& frame) {
  const bool is_plain = frame.offload.segment_bytes == 0;
  const link::Pieces pieces = is_plain ? link::Pieces{} : link::pieces_of(frame);
  packets += pieces.count;
  bytes += frame.size() + (pieces.count - 1) * pieces.header_bytes;
  const auto add = [&](TrafficKind kind) { kinds[static_cast<std::size_t>(kind)] += pieces.count; };
  if (is_plain && is_plain_tcp(frame.front())) return add(TrafficKind::tcp);
  const auto ethernet = ethernet::View::parse(frame.front(), frame.size());
  if (!ethernet) return;
  if (ethernet->type() == ethernet::Type::arp) return add(TrafficKind::arp);
  const Upper upper = upper_of(ethernet->type(), ethernet->payload());
  if (upper.protocol == protocol::icmp) return add(TrafficKind::icmp);
  if (upper.protocol == protocol::icmpv6 && !upper.bytes.empty()) {
    const bool is_ndp = upper.bytes[0] >= 133 && upper.bytes[0] <= 137;  // RFC 4861 4
    return add(is_ndp ? TrafficKind::ndp : TrafficKind::icmp);
  }
  if (upper.bytes.size() < 8) return;
  if (upper.protocol == protocol::tcp) {
    add(TrafficKind::tcp);
    if (upper.bytes.size() >= 14 && (upper.bytes[13] & tcp_reset_flag) != 0)
      add(TrafficKind::tcp_reset);
  } else if (upper.protocol == protocol::udp) {
    add(TrafficKind::udp);
  } else {
    return;
  }
  if (load16(upper.bytes.data()) == dns_port || load16(upper.bytes.data() + 2) == dns_port)
    add(TrafficKind::dns);
}

void Traffic::add(const Traffic& other) {
  packets += other.packets;
  bytes += other.bytes;
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] += other.kinds[i];
}

}  // namespace lanyard::lab
