// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/wire.hh"

#include <algorithm>

#include "wire/arp.hh"
#include "wire/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ndp.hh"
#include "wire/protocol.hh"
#include "wire/pseudo.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"

namespace lanyard::lab::drill {

namespace {

Packet framed(Packet packet, ethernet::Type type) {
  ethernet::Header{stack_mac, peer_mac, type}.push_onto(packet);
  return packet;
}

Packet answer_arp(Bytes bytes) {
  const auto view = arp::View::parse(bytes);
  if (!view || view->operation() != arp::Operation::request) return {};
  Packet packet(64, 0);
  arp::Message{arp::Operation::reply, peer_mac, view->target_ip(), view->sender_mac(),
               view->sender_ip()}
      .push_onto(packet);
  return framed(std::move(packet), ethernet::Type::arp);
}

Packet answer_neighbour(const ipv6::View& ip, Bytes message) {
  const auto view = ndp::View::parse(message);
  if (!view || view->type() != ndp::Type::neighbour_solicitation) return {};
  ndp::Message answer;
  answer.type = ndp::Type::neighbour_advertisement;
  answer.target = view->target();
  answer.is_solicited = answer.is_override = true;
  answer.options.target_link_address = peer_mac;
  Packet packet(64, 256);
  answer.push_onto(packet, view->target(), ip.source());
  ipv6::Header{.source = view->target(),
               .destination = ip.source(),
               .next_header = protocol::icmpv6,
               .hop_limit = ndp::hop_limit}
      .push_onto(packet);
  return framed(std::move(packet), ethernet::Type::ipv6);
}

void read_tcp(Seen& seen, Bytes segment) {
  const auto view = tcp::View::parse(segment);
  if (!view) return;
  seen.kind = PacketEvent::Kind::tcp;
  seen.source.port = view->source_port();
  seen.destination.port = view->destination_port();
  seen.flags = view->flags().bits;
  seen.has_accurate_ecn = (segment[tcp::data_offset_offset] & 1) != 0;
  seen.sequence = view->sequence().value();
  seen.acknowledgment = view->acknowledgment().value();
  seen.window = view->window();
  seen.urgent = view->urgent_pointer();
  seen.options = read_options(view->option_bytes());
  seen.bytes = static_cast<std::uint32_t>(view->payload_size());
}

bool read_transport(Seen& seen, std::uint8_t protocol, Bytes payload) {
  if (protocol == protocol::tcp) {
    read_tcp(seen, payload);
    return seen.source.port != 0;
  }
  if (protocol == protocol::udp) {
    const auto view = udp::View::parse(payload);
    if (!view) return false;
    seen.kind = PacketEvent::Kind::udp;
    seen.source.port = view->source_port();
    seen.destination.port = view->destination_port();
    seen.bytes = static_cast<std::uint32_t>(view->payload_size());
    return true;
  }
  const auto view = icmp::View::parse(payload);
  const bool is_icmp = protocol == protocol::icmp || protocol == protocol::icmpv6;
  if (!is_icmp || !view) return false;
  seen.kind = PacketEvent::Kind::icmp;
  seen.icmp_type = view->type();
  seen.icmp_code = view->code();
  seen.icmp_rest = view->rest();
  return true;
}

FromStack read_v4(Seen seen, Bytes bytes) {
  const auto ip = ipv4::View::parse(bytes);
  if (!ip) return {};
  seen.source.address = ip->source();
  seen.destination.address = ip->destination();
  seen.ttl = ip->ttl();
  seen.traffic_class = ip->traffic_class();
  FromStack result;
  if (read_transport(seen, ip->protocol(), ip->payload())) result.packet = std::move(seen);
  return result;
}

FromStack read_v6(Seen seen, Bytes bytes) {
  const auto ip = ipv6::View::parse(bytes, bytes.size());
  if (!ip) return {};
  seen.source.address = ip->source();
  seen.destination.address = ip->destination();
  seen.ttl = ip->hop_limit();
  seen.traffic_class = ip->traffic_class();
  FromStack result;
  const Bytes payload = ip->payload();
  if (ip->next_header() == protocol::icmpv6 && !payload.empty() && ndp::is_ndp(payload[0])) {
    result.answer = answer_neighbour(*ip, payload);
  } else if (ip->next_header() != protocol::hop_by_hop &&
             read_transport(seen, ip->next_header(), payload)) {
    result.packet = std::move(seen);
  }
  return result;
}

void put_ip(Packet& packet, const Seen& seen, std::uint8_t protocol, Bytes options = {}) {
  const IpAddress& source = seen.source.address;
  if (source.is_v4()) {
    ipv4::Header{.source = source,
                 .destination = seen.destination.address,
                 .protocol = protocol,
                 .ttl = seen.ttl,
                 .traffic_class = seen.traffic_class,
                 .dont_fragment = true,
                 .options = options}
        .push_onto(packet);
  } else {
    ipv6::Header{.source = source,
                 .destination = seen.destination.address,
                 .next_header = protocol,
                 .hop_limit = seen.ttl,
                 .traffic_class = seen.traffic_class}
        .push_onto(packet);
  }
}

Packet finished(Packet packet, const Seen& seen, std::uint8_t protocol, Bytes options = {}) {
  put_ip(packet, seen, protocol, options);
  return framed(std::move(packet),
                seen.source.address.is_v4() ? ethernet::Type::ipv4 : ethernet::Type::ipv6);
}

std::vector<std::uint8_t> tcp_bytes(const Seen& seen, Bytes options, std::size_t data) {
  std::vector<std::uint8_t> bytes(tcp::header_size_min + options.size() + data);
  std::uint8_t* const at = bytes.data();
  store16(at + tcp::source_port_offset, seen.source.port);
  store16(at + tcp::destination_port_offset, seen.destination.port);
  store32(at + tcp::sequence_offset, seen.sequence);
  store32(at + tcp::acknowledgment_offset, seen.acknowledgment);
  const std::size_t words = (tcp::header_size_min + options.size()) / 4;
  at[tcp::data_offset_offset] =
      static_cast<std::uint8_t>((words << 4) | (seen.has_accurate_ecn ? 1 : 0));
  at[tcp::flags_offset] = seen.flags;
  store16(at + tcp::window_offset, seen.window);
  store16(at + tcp::urgent_pointer_offset, seen.urgent);
  std::copy(options.begin(), options.end(), at + tcp::header_size_min);
  return bytes;
}

}  // namespace

FromStack read_frame(Instant now, Packet frame) {
  const Bytes bytes = frame.linear();
  const auto outer = ethernet::View::parse(bytes);
  if (!outer) return {};
  Seen seen;
  seen.at = now;
  if (outer->type() == ethernet::Type::arp) {
    FromStack result;
    result.answer = answer_arp(outer->payload());
    return result;
  }
  if (outer->type() == ethernet::Type::ipv4) return read_v4(seen, outer->payload());
  if (outer->type() == ethernet::Type::ipv6) return read_v6(seen, outer->payload());
  return {};
}

Packet build_frame(const Seen& seen, const PacketEvent& said) {
  const PseudoHeader pseudo{seen.source.address, seen.destination.address,
                            said.kind == PacketEvent::Kind::udp ? protocol::udp : protocol::tcp};
  if (said.kind == PacketEvent::Kind::udp) {
    Packet packet = Packet::copy_of(std::vector<std::uint8_t>(seen.bytes));
    udp::Header{seen.source.port, seen.destination.port}.push_onto(packet, seen.source.address,
                                                                   seen.destination.address);
    return finished(std::move(packet), seen, protocol::udp);
  }
  const auto options = write_options(seen.options).value_or(std::vector<std::uint8_t>{});
  std::vector<std::uint8_t> bytes = tcp_bytes(seen, options, seen.bytes);
  const std::uint16_t sum = transport_checksum(pseudo, bytes);
  store16(bytes.data() + tcp::checksum_offset,
          said.prefix.has_bad_checksum ? static_cast<std::uint16_t>(sum + 1) : sum);
  return finished(Packet::copy_of(bytes, 128), seen, protocol::tcp, said.prefix.ip_options);
}

Packet build_icmp(const Seen& seen, const Seen& quoted) {
  // RFC 792: the header and 64 bits; RFC 1812 4.3.2.3 allows more, so the whole header is quoted.
  const bool is_udp = quoted.kind == PacketEvent::Kind::udp;
  std::vector<std::uint8_t> transport;
  if (is_udp) {
    transport.resize(udp::header_size);
    udp::Header{quoted.source.port, quoted.destination.port}.write(transport.data(), quoted.bytes);
  } else {
    transport = tcp_bytes(quoted, {}, 0);
  }
  Packet inner = Packet::copy_of(transport, 128);
  put_ip(inner, quoted, is_udp ? protocol::udp : protocol::tcp);
  std::vector<std::uint8_t> body(inner.front().begin(), inner.front().end());
  Packet packet = Packet::copy_of(body, 128);
  const icmp::Header header{seen.icmp_type, seen.icmp_code, seen.icmp_rest};
  const bool is_v4 = seen.source.address.is_v4();
  if (is_v4) {
    header.push_onto_v4(packet);
  } else {
    header.push_onto_v6(packet, seen.source.address, seen.destination.address);
  }
  return finished(std::move(packet), seen, is_v4 ? protocol::icmp : protocol::icmpv6);
}

bool translate_icmp_to_v6(Seen& packet) {
  namespace v4 = icmp::v4;
  namespace v6 = icmp::v6;
  const bool is_unreachable = packet.icmp_type == v4::destination_unreachable;
  if (is_unreachable && packet.icmp_code == v4::fragmentation_needed) {
    packet.icmp_type = v6::packet_too_big;
    packet.icmp_code = 0;
    return true;
  }
  if (is_unreachable) {
    packet.icmp_type = v6::destination_unreachable;
    switch (packet.icmp_code) {
      case v4::network_unreachable:
      case 6:
        packet.icmp_code = v6::no_route;
        return true;
      case v4::host_unreachable:
      case 7:
        packet.icmp_code = v6::address_unreachable;
        return true;
      case v4::port_unreachable:
        packet.icmp_code = v6::port_unreachable;
        return true;
      case v4::protocol_unreachable:
        packet.icmp_type = v6::parameter_problem;
        packet.icmp_code = v6::unknown_next_header;
        return true;
      case 9:
      case 10:
      case v4::administratively_prohibited:
        packet.icmp_code = v6::administratively_prohibited;
        return true;
      default:
        return false;
    }
  }
  if (packet.icmp_type == v4::source_quench) return false;
  if (packet.icmp_type == v4::time_exceeded) packet.icmp_type = v6::time_exceeded;
  if (packet.icmp_type == v4::parameter_problem) packet.icmp_type = v6::parameter_problem;
  return true;
}

}  // namespace lanyard::lab::drill
