// SPDX-License-Identifier: Apache-2.0
#include "frame_facts.hh"

#include <fmt/format.h>

#include <algorithm>

namespace lanyard::simulation {
namespace {

std::uint16_t at16(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}
std::uint32_t at32(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint32_t>(at16(bytes, offset)) << 16 | at16(bytes, offset + 2);
}
std::string text(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// RFC 1071, a byte pair at a time.
std::uint32_t sum_of(Bytes bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += at16(bytes, i);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint64_t>(bytes.back()) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint32_t>(sum);
}
bool is_good(std::uint32_t sum) {
  return ((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

void read_tcp(FrameFacts& facts, Bytes segment) {
  if (segment.size() < 20) return void(facts.problem = "a TCP header is cut short");
  const std::size_t header = std::size_t{4} * (segment[12] >> 4);
  if (header < 20 || header > segment.size())
    return void(facts.problem = "a TCP data offset points outside the segment");
  invariants::Segment tcp;
  tcp.sequence = at32(segment, 4);
  tcp.acknowledgment = at32(segment, 8);
  tcp.flags = segment[13];
  tcp.window = at16(segment, 14);
  tcp.payload = segment.subspan(header);
  for (std::size_t i = 20; i < header && segment[i] != 0;) {
    if (segment[i] == 1) {
      ++i;
      continue;
    }
    if (i + 1 >= header || segment[i + 1] < 2 || i + segment[i + 1] > header)
      return void(facts.problem = "a TCP option is malformed");
    if (segment[i] == 2) tcp.mss = at16(segment, i + 2);
    if (segment[i] == 3) tcp.scale = segment[i + 2];
    i += segment[i + 1];
  }
  const std::string ports = text(segment.first(4));
  const std::size_t half = facts.addresses.size() / 2;
  facts.flow = facts.addresses + ports;
  facts.back = facts.addresses.substr(half) + facts.addresses.substr(0, half) + ports.substr(2) +
               ports.substr(0, 2);
  facts.tcp = tcp;
}

void read_transport(FrameFacts& facts, Bytes payload) {
  const std::uint32_t pseudo = sum_of(bytes_of(facts.addresses)) + facts.protocol +
                               static_cast<std::uint32_t>(payload.size());
  if (facts.protocol == 6) {
    if ((pseudo + sum_of(payload)) % 0xffff != 0)
      return void(facts.problem = "a TCP checksum is wrong");
    return read_tcp(facts, payload);
  }
  if (facts.protocol == 17) {
    if (payload.size() < 8 || at16(payload, 4) != payload.size())
      return void(facts.problem = "a UDP length is wrong");
    const bool has_checksum = at16(payload, 6) != 0;
    if ((!has_checksum && facts.version == 6) ||
        (has_checksum && (pseudo + sum_of(payload)) % 0xffff != 0))
      return void(facts.problem = "a UDP checksum is wrong");
  }
  if (facts.protocol == 1) {
    if (payload.size() < 8 || !is_good(sum_of(payload)))
      return void(facts.problem = "an ICMP checksum is wrong");
    facts.is_icmp_error = payload[0] == 3 || payload[0] == 4 || payload[0] == 5 ||
                          payload[0] == 11 || payload[0] == 12;
  }
  if (facts.protocol == 58) {
    if (payload.size() < 4 || (pseudo + sum_of(payload)) % 0xffff != 0)
      return void(facts.problem = "an ICMPv6 checksum is wrong");
    facts.is_icmp_error = payload[0] < 128;
  }
}

void read_v4(FrameFacts& facts, Bytes packet, bool is_broadcast) {
  if (packet.size() < 20) return void(facts.problem = "an IPv4 header is cut short");
  const std::size_t header = std::size_t{4} * (packet[0] & 15);
  const std::size_t total = at16(packet, 2);
  if (packet[0] >> 4 != 4 || header < 20 || total < header || total > packet.size())
    return void(facts.problem = "an IPv4 header's lengths are wrong");
  if (!is_good(sum_of(packet.first(header))))
    return void(facts.problem = "an IPv4 header checksum is wrong");
  facts.version = 4;
  facts.hops = packet[8];
  facts.protocol = packet[9];
  facts.identification = at16(packet, 4);
  facts.may_fragment = (packet[6] & 0x40) == 0;
  facts.is_first_fragment = (at16(packet, 6) & 0x1fff) == 0;
  facts.is_fragment = (at16(packet, 6) & 0x3fff) != 0;
  facts.addresses = text(packet.subspan(12, 8));
  facts.is_to_group = packet[16] >= 224 || is_broadcast;
  if (!facts.is_fragment) read_transport(facts, packet.subspan(header, total - header));
}

void read_v6(FrameFacts& facts, Bytes packet) {
  if (packet.size() < 40 || packet[0] >> 4 != 6)
    return void(facts.problem = "an IPv6 header is cut short");
  const std::size_t length = at16(packet, 4);
  if (length + 40 > packet.size()) return void(facts.problem = "an IPv6 payload length is wrong");
  facts.version = 6;
  facts.hops = packet[7];
  facts.protocol = packet[6];
  facts.addresses = text(packet.subspan(8, 32));
  facts.is_to_group = packet[24] == 255;
  facts.is_fragment = packet[6] == 44;
  if (facts.is_fragment) {
    facts.may_fragment = true;
    facts.is_first_fragment = (at16(packet, 42) & 0xfff8) == 0;
    return;
  }
  read_transport(facts, packet.subspan(40, length));
}

}  // namespace

FrameFacts facts_of(Bytes frame) {
  FrameFacts facts;
  if (frame.size() < 14) {
    facts.problem = "a frame is shorter than its header";
    return facts;
  }
  const bool is_broadcast =
      std::ranges::all_of(frame.first(6), [](std::uint8_t byte) { return byte == 255; });
  if (at16(frame, 12) == 0x0800) read_v4(facts, frame.subspan(14), is_broadcast);
  if (at16(frame, 12) == 0x86dd) read_v6(facts, frame.subspan(14));
  return facts;
}

}  // namespace lanyard::simulation
