// SPDX-License-Identifier: Apache-2.0
#include "lab/match.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wire/arp.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"

namespace lanyard::lab {
namespace {

using Kind = PacketMatch::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 12> words{{{Kind::any, "packet"},
                                                                   {Kind::arp, "arp"},
                                                                   {Kind::ndp, "ndp"},
                                                                   {Kind::icmp, "icmp"},
                                                                   {Kind::udp, "udp"},
                                                                   {Kind::dns, "dns"},
                                                                   {Kind::tcp, "tcp"},
                                                                   {Kind::syn, "SYN"},
                                                                   {Kind::syn_ack, "SYN-ACK"},
                                                                   {Kind::fin, "FIN"},
                                                                   {Kind::rst, "RST"},
                                                                   {Kind::data, "data"}}};

constexpr std::uint16_t dns_port = 53;
constexpr std::uint8_t fin = 1, syn = 2, rst = 4, ack = 16;

bool is_one_of(const std::vector<IpPrefix>& prefixes, const IpAddress& address) {
  return prefixes.empty() || std::ranges::any_of(prefixes, [&](const IpPrefix& each) {
           return each.contains(address);
         });
}

void read_transport(Bytes bytes, std::size_t size, FrameFacts& facts) {
  if (bytes.size() < 8) return;
  if (facts.protocol == protocol::icmpv6)
    facts.is_ndp = bytes[0] >= 133 && bytes[0] <= 137;  // RFC 4861 4
  if (facts.protocol != protocol::tcp && facts.protocol != protocol::udp) return;
  facts.source_port = load16(bytes.data());
  facts.destination_port = load16(bytes.data() + 2);
  std::size_t header = 8;
  if (facts.protocol == protocol::tcp) {
    if (bytes.size() < 14) return;
    header = (bytes[12] >> 4U) * std::size_t{4};
    facts.tcp_flags = bytes[tcp::flags_offset];
  }
  facts.payload_bytes = size > header ? size - header : 0;
}

void read_v4(Bytes packet, FrameFacts& facts) {
  const auto view = ipv4::View::parse_quoted(packet);
  if (!view) return;
  facts.is_ip = true;
  facts.source = view->source();
  facts.destination = view->destination();
  facts.protocol = packet[9];
  facts.is_first_fragment = view->offset() == 0;
  const std::size_t header = view->header_size();
  if (!facts.is_first_fragment || packet.size() < header || view->total_length() < header) return;
  read_transport(packet.subspan(header), view->total_length() - header, facts);
}

void read_v6(Bytes packet, FrameFacts& facts) {
  if (packet.size() < 40) return;
  facts.is_ip = true;
  facts.source = IpAddress::from_v6_bytes(packet.data() + 8);
  facts.destination = IpAddress::from_v6_bytes(packet.data() + 24);
  facts.protocol = packet[6];
  read_transport(packet.subspan(40), load16(packet.data() + 4), facts);
}

}  // namespace

std::string_view word_of(Kind kind) {
  for (const auto& [each, word] : words)
    if (each == kind) return word;
  return "packet";
}

std::optional<Kind> kind_of_packet(std::string_view word) {
  if (word == "packets") return Kind::any;
  for (const auto& [kind, each] : words)
    if (each == word) return kind;
  return {};
}

std::string text_of(const PacketMatch& match) {
  std::string text(word_of(match.kind));
  if (!match.from.empty()) text += " from " + match.from;
  if (!match.to.empty()) text += " to " + match.to;
  return text;
}

FrameFacts facts_of_frame(Bytes front, std::size_t frame_size) {
  FrameFacts facts;
  const auto frame = ethernet::View::parse(front, frame_size);
  if (!frame) return facts;
  const Bytes packet = frame->payload();
  if (frame->type() == ethernet::Type::arp) {
    facts.is_arp = true;
    if (const auto message = arp::View::parse(packet)) {
      facts.source = message->sender_ip();
      facts.destination = message->target_ip();
    }
  } else if (frame->type() == ethernet::Type::ipv4) {
    read_v4(packet, facts);
  } else if (frame->type() == ethernet::Type::ipv6) {
    read_v6(packet, facts);
  }
  return facts;
}

bool PacketMatcher::matches(const FrameFacts& facts) const {
  if (!is_kind(facts)) return false;
  if (from_.empty() && to_.empty()) return true;
  if (!facts.is_ip && !facts.is_arp) return false;
  return is_one_of(from_, facts.source) && is_one_of(to_, facts.destination);
}

bool PacketMatcher::is_kind(const FrameFacts& facts) const {
  const bool is_tcp = facts.is_ip && facts.protocol == protocol::tcp;
  const bool is_udp = facts.is_ip && facts.protocol == protocol::udp;
  const auto has = [&](std::uint8_t flag) { return (facts.tcp_flags & flag) != 0; };
  switch (kind_) {
    case Kind::any:
      return true;
    case Kind::arp:
      return facts.is_arp;
    case Kind::ndp:
      return facts.is_ndp;
    case Kind::icmp:
      return facts.is_ip && !facts.is_ndp &&
             (facts.protocol == protocol::icmp || facts.protocol == protocol::icmpv6);
    case Kind::udp:
      return is_udp;
    case Kind::dns:
      return (is_tcp || is_udp) &&
             (facts.source_port == dns_port || facts.destination_port == dns_port);
    case Kind::tcp:
      return is_tcp;
    case Kind::syn:
      return is_tcp && has(syn) && !has(ack);
    case Kind::syn_ack:
      return is_tcp && has(syn) && has(ack);
    case Kind::fin:
      return is_tcp && has(fin);
    case Kind::rst:
      return is_tcp && has(rst);
    case Kind::data:
      return is_tcp && facts.payload_bytes > 0;
  }
  return false;
}

}  // namespace lanyard::lab
