// SPDX-License-Identifier: Apache-2.0
// Datagrams of our own: header, fragments, copies for ourselves.
#include "internet/output.hh"

#include <algorithm>

#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv4_options.hh"
#include "wire/ipv4_plain.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/protocol.hh"

namespace lanyard::internet {

namespace {

constexpr std::size_t datagram_bytes_max = 65535;
// In front of a fragment: Ethernet, a VLAN tag, IP with all its options.
constexpr std::size_t fragment_headroom = 96;

// All headers of a super-segment as far as the packet holds them, which each segment repeats.
std::size_t repeated_header_size(const Packet& packet) {
  const std::size_t start = packet.offload.checksum_start;
  constexpr std::size_t tcp_checksum_offset = 16;
  constexpr std::size_t tcp_data_offset = 12;
  constexpr std::size_t udp_header_size = 8;
  const Bytes front = packet.front();
  const bool is_tcp = packet.offload.checksum_offset == tcp_checksum_offset;
  if (!is_tcp || start + tcp_data_offset >= front.size()) return start + udp_header_size;
  return start + std::size_t{4} * (front[start + tcp_data_offset] >> 4);
}

// `size` bytes of the packet as a packet of their own, sharing the bytes.
Packet piece_of(const Packet& packet, std::size_t offset, std::size_t size) {
  Packet piece(fragment_headroom, 0);
  piece.append_from(packet, offset, size);
  piece.cause = packet.cause;
  piece.id = packet.id;
  return piece;
}

}  // namespace

Output::Output(Shared& shared) : shared_(shared) {
  RandomStream chance = shared.seed.branch("internet").stream();
  flow_key_ = chance.key();
  identification_key_ = chance.key();
  for (std::uint32_t& identification : identifications_) {
    identification = static_cast<std::uint32_t>(chance.next());
  }
}

bool Output::fits(const Hop& hop, const Packet& packet, std::size_t header_bytes) {
  if (header_bytes + packet.size() <= hop.mtu) return true;
  const Offload& offload = packet.offload;
  if (offload.segment_bytes == 0) return false;
  return header_bytes + repeated_header_size(packet) + offload.segment_bytes <= hop.mtu;
}

// What conversations send nearly always: a whole IPv4 packet to a neighbour that is known, by a way
// that is. False: nothing was done.
bool Output::send_plain(Instant now, const Hop& hop, Datagram& datagram) {
  Packet& packet = datagram.packet;
  const bool is_plain = hop.kind == Hop::Kind::unicast && datagram.destination.is_v4() &&
                        fits(hop, packet, ipv4::header_size_min) &&
                        ipv4::header_size_min + packet.size() <= datagram_bytes_max;
  Interface& interface = *hop.interface;
  if (!is_plain || !interface.link.is_up || interface.link.is_loopback) return false;
  const auto mac = interface.neighbours.resolve(now, hop.next);
  if (!mac) return false;
  const std::uint8_t hop_limit = hop_limit_of(hop, datagram);
  const std::size_t size = ipv4::header_size_min + packet.size();
  ipv4::Plain header{.source = hop.source.v4_number(),
                     .destination = datagram.destination.v4_number(),
                     .total_length = static_cast<std::uint16_t>(size),
                     .traffic_class = datagram.traffic_class,
                     .ttl = hop_limit,
                     .protocol = static_cast<std::uint8_t>(datagram.protocol),
                     .may_fragment = datagram.may_fragment || hop.must_fragment};
  if (header.may_fragment) {
    header.identification = static_cast<std::uint16_t>(next_identification(hop.source, datagram));
  }
  const bool is_ready = packet.offload.segment_bytes == 0 &&
                        (interface.link.takes_checksums || !packet.offload.checksum_wanted);
  if (!is_ready) {
    ipv4::write_plain(packet.push_front(ipv4::header_size_min), header);
    put_on_link(now, interface, *mac, std::move(packet));
    return true;
  }
  // Nothing is left to be done on the link but the frame's header.
  std::uint8_t* const frame = packet.push_front(ethernet::header_size + ipv4::header_size_min);
  ethernet::Header{*mac, interface.link.mac, ethernet::Type::ipv4}.write(frame);
  ipv4::write_plain(frame + ethernet::header_size, header);
  shared_.machine.transmit(now, interface.link.index, std::move(packet));
  return true;
}

Result<void> Output::send(Instant now, Datagram&& datagram) {
  if (const Hop* const known = recall(datagram.destination, datagram.source, datagram.interface)) {
    if (send_plain(now, *known, datagram)) return {};
  }
  const auto hop = choose(datagram.destination, datagram.source, datagram.interface);
  if (!hop) return unexpected(hop.error());
  datagram.source = hop->source;
  return datagram.destination.is_v4() ? send_v4(now, *hop, datagram) : send_v6(now, *hop, datagram);
}

std::uint8_t Output::hop_limit_of(const Hop& hop, const Datagram& datagram) const {
  // [RFC1122-3.2.1.7-a], [RFC1122-3.2.1.7-c]: never zero; transport's wish, a router's, or ours.
  if (datagram.hop_limit != 0) return datagram.hop_limit;
  const bool is_advertised = datagram.destination.is_v6() && hop.interface->ipv6_hop_limit != 0;
  if (is_advertised) return hop.interface->ipv6_hop_limit;
  return std::max<std::uint8_t>(1, shared_.config.default_hop_limit);
}

std::uint32_t Output::next_identification(const IpAddress& source, const Datagram& datagram) {
  // RFC 6864 4 [RFC6864-4-b], [RFC1122-3.2.1.5-a], RFC 7739 5.3 [RFC8200-4.5-a]: one counter for
  // each hash of the pair, so that no identification comes back soon and none tells of others.
  const bool is_known = identified_.protocol == datagram.protocol &&
                        identified_.destination == datagram.destination &&
                        identified_.source == source;
  if (!is_known) {
    std::array<std::uint8_t, 33> key;
    std::copy_n(source.bytes().begin(), 16, key.begin());
    std::copy_n(datagram.destination.bytes().begin(), 16, key.begin() + 16);
    key[32] = static_cast<std::uint8_t>(datagram.protocol);
    identified_ = {source, datagram.destination, datagram.protocol,
                   siphash(identification_key_, key)};
  }
  const std::uint64_t hash = identified_.hash;
  const std::uint32_t count = identifications_[hash % identifications_.size()]++;
  return count + static_cast<std::uint32_t>(hash >> 32);
}

Result<void> Output::send_v4(Instant now, const Hop& hop, Datagram& datagram) {
  Packet& packet = datagram.packet;
  if (ipv4::header_size_min + packet.size() > datagram_bytes_max) {
    return unexpected(Errno::message_too_long);
  }
  const bool fits_whole = fits(hop, packet, ipv4::header_size_min);
  const bool may_fragment = datagram.may_fragment || hop.must_fragment;
  // RFC 791 3.2 [RFC791-3.2-a]: DF forbids it to us as to any router.
  if (!fits_whole && !may_fragment) return unexpected(Errno::message_too_long);
  ipv4::Header header{.source = datagram.source,
                      .destination = datagram.destination,
                      .protocol = static_cast<std::uint8_t>(datagram.protocol),
                      .ttl = hop_limit_of(hop, datagram),
                      .traffic_class = datagram.traffic_class,
                      .dont_fragment = !may_fragment,
                      .options = {}};
  // RFC 6864 4.1 [RFC6864-4-a]: nobody reads the identification of an atomic datagram.
  if (may_fragment) {
    header.identification = static_cast<std::uint16_t>(next_identification(hop.source, datagram));
  }
  if (!fits_whole) finish_checksum(packet);
  header.push_onto(packet);
  send_copies(now, hop, datagram, packet);
  if (fits_whole) {
    transmit(now, hop, std::move(packet));
  } else {
    transmit_fragments(now, hop, std::move(packet));
  }
  return {};
}

// raw(7): such a packet is not fragmented, and goes where the call says, whatever its header names.
Result<void> Output::send_with_header(Instant now, Datagram&& datagram) {
  const auto hop = choose(datagram.destination, datagram.source, datagram.interface);
  if (!hop) return unexpected(hop.error());
  Packet& packet = datagram.packet;
  if (packet.size() > std::min<std::size_t>(hop->mtu, datagram_bytes_max))
    return unexpected(Errno::message_too_long);
  datagram.source = hop->source;
  ipv4::complete_header(packet.mutable_front(), hop->source,
                        static_cast<std::uint16_t>(next_identification(hop->source, datagram)));
  send_copies(now, *hop, datagram, packet);
  transmit(now, *hop, std::move(packet));
  return {};
}

Result<void> Output::send_v6(Instant now, const Hop& hop, Datagram& datagram) {
  Packet& packet = datagram.packet;
  if (packet.size() > datagram_bytes_max) return unexpected(Errno::message_too_long);
  const std::uint8_t hop_limit = hop_limit_of(hop, datagram);
  const ipv6::Header header{
      .source = datagram.source,
      .destination = datagram.destination,
      .next_header = static_cast<std::uint8_t>(datagram.protocol),
      .hop_limit = hop_limit,
      .traffic_class = datagram.traffic_class,
      .flow_label = datagram.flow_label != 0 ? datagram.flow_label : flow_label_of(datagram)};
  if (fits(hop, packet, ipv6::header_size)) {
    header.push_onto(packet);
    send_copies(now, hop, datagram, packet);
    transmit(now, hop, std::move(packet));
    return {};
  }
  if (!datagram.may_fragment) return unexpected(Errno::message_too_long);
  finish_checksum(packet);
  send_v6_fragments(now, hop, datagram, hop_limit);
  return {};
}

void Output::send_v6_fragments(Instant now, const Hop& hop, const Datagram& datagram,
                               std::uint8_t hop_limit) {
  // RFC 8200 4.5 [RFC8200-4.5-b], [RFC8200-4.5-c]: our only header chain is the transport header,
  // which fits the first fragment; pieces follow one another without overlap.
  const std::size_t room =
      (hop.mtu - ipv6::header_size - ipv6::fragment_header_size) / std::size_t{8} * 8;
  const std::uint32_t identification = next_identification(datagram.source, datagram);
  const ipv6::Header header{.source = datagram.source,
                            .destination = datagram.destination,
                            .next_header = protocol::fragment,
                            .hop_limit = hop_limit,
                            .traffic_class = datagram.traffic_class,
                            .flow_label = flow_label_of(datagram)};
  for (std::size_t offset = 0; offset < datagram.packet.size(); offset += room) {
    const std::size_t size = std::min(room, datagram.packet.size() - offset);
    Packet piece = piece_of(datagram.packet, offset, size);
    ipv6::FragmentHeader{static_cast<std::uint8_t>(datagram.protocol), offset,
                         offset + size < datagram.packet.size(), identification}
        .write(piece.push_front(ipv6::fragment_header_size));
    header.push_onto(piece);
    send_copies(now, hop, datagram, piece);
    transmit(now, hop, std::move(piece));
  }
}

// RFC 791 3.2 [RFC791-3.2-b], RFC 1812 4.2.2.7 [RFC1812-4.2.2.7-a]: as few as possible, in order,
// each as large as the link takes; later ones carry the options marked copied.
void Output::transmit_fragments(Instant now, const Hop& hop, Packet&& packet) {
  const auto view = ipv4::View::parse(packet.front(), packet.size());
  if (!view) return shared_.machine.on_drop(now, hop.interface->link.index, view.error(), packet);
  const auto later = ipv4::options_of_later_fragments(view->options());
  const std::size_t end = view->total_length();
  const std::size_t begin_offset = view->offset();
  const bool more_after = view->more_fragments();
  ipv4::Header header{.source = view->source(),
                      .destination = view->destination(),
                      .protocol = view->protocol(),
                      .ttl = view->ttl(),
                      .traffic_class = view->traffic_class(),
                      .identification = view->identification(),
                      .options = view->options()};
  for (std::size_t at = view->header_size(); at < end;) {
    const std::size_t room = (hop.mtu - header.size()) / 8 * 8;
    const std::size_t size = end - at + header.size() <= hop.mtu ? end - at : room;
    Packet piece = piece_of(packet, at, size);
    header.offset = begin_offset + at - view->header_size();
    header.more_fragments = at + size < end || more_after;
    header.push_onto(piece);
    transmit(now, hop, std::move(piece));
    at += size;
    header.options = Bytes(later.bytes).first(later.size);
  }
}

// RFC 6437 3 [RFC6437-3-a]: a hash of the flow under a secret, constant while the flow lasts.
std::uint32_t Output::flow_label_of(const Datagram& datagram) const {
  std::array<std::uint8_t, 37> key{};
  std::copy_n(datagram.source.bytes().begin(), 16, key.begin());
  std::copy_n(datagram.destination.bytes().begin(), 16, key.begin() + 16);
  key[32] = static_cast<std::uint8_t>(datagram.protocol);
  const bool has_ports = datagram.protocol == Protocol::tcp || datagram.protocol == Protocol::udp;
  const Bytes front = datagram.packet.front();
  if (has_ports && front.size() >= 4) std::copy_n(front.begin(), 4, key.begin() + 33);
  const auto label = static_cast<std::uint32_t>(siphash(flow_key_, key)) & 0xfffff;
  return label == 0 ? 1 : label;
}

// RFC 1112 6.1, 7.2 [RFC1122-3.3.7-a]: a member of the group, or of the network a broadcast goes
// to, hears what its own machine sends.
void Output::send_copies(Instant now, const Hop& hop, const Datagram& datagram,
                         const Packet& packet) {
  if (hop.kind == Hop::Kind::local || hop.kind == Hop::Kind::unicast) return;
  if (hop.interface->link.is_loopback) return;
  const std::uint32_t index = hop.interface->link.index;
  const bool hears =
      hop.kind == Hop::Kind::broadcast ||
      (datagram.loops_multicast && shared_.interfaces.is_member(datagram.destination, index));
  // Neighbour discovery and the like are for others.
  if (!hears || datagram.protocol == Protocol::icmpv6) return;
  shared_.machine.loop_back(now, index, packet.share());
}

}  // namespace lanyard::internet
