// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/checksum.hh"
#include "internet/input.hh"
#include "wire/front.hh"
#include "wire/ipv4_options.hh"
#include "wire/ipv4_plain.hh"
#include "wire/protocol.hh"

namespace lanyard::internet {

namespace {

constexpr std::size_t datagram_bytes_max = 65535;

// A header of the least size whose length and checksum are right, as nearly all are; `size` is all
// that has come.
bool is_plain_header(Bytes front, std::size_t size) {
  if (front.size() < ipv4::header_size_min || front[0] != 0x45) return false;
  const std::size_t total = load16(front.data() + ipv4::total_length_offset);
  ChecksumSum sum;
  for (std::size_t at = 0; at < ipv4::header_size_min; at += 4)
    sum.add32(load32(front.data() + at));
  return total >= ipv4::header_size_min && total <= size && sum.finish() == 0;
}

// TCP answers for itself and UDP leaves the packet where it is: so that the IP header may stay in
// front of the payload while they have it.
bool is_of_ports(std::uint8_t protocol) {
  return protocol == protocol::tcp || protocol == protocol::udp;
}

}  // namespace

Input::Passed Input::pass_plainly(Instant now, const Arrival& arrival, Packet& packet) {
  make_headers_contiguous(packet);
  if (!is_plain_header(packet.front(), packet.size())) return Passed::no;
  const std::size_t total = load16(packet.front().data() + ipv4::total_length_offset);
  if (packet.size() > total) packet.truncate(total);
  if (hand_up_plain(now, arrival, packet)) return Passed::handled;
  return forward_known(now, arrival, packet);
}

void Input::on_ipv4(Instant now, const Arrival& arrival, Packet&& packet) {
  // RFC 1812 5.2.2 [RFC1812-5.2.2-a]: the tests, in wire/ipv4 and here.
  const auto view = ipv4::View::parse(packet.front(), packet.size());
  if (!view) return drop(now, arrival, view.error(), packet);
  // [RFC1122-3.2.1.2-a], [RFC1812-4.2.2.5-a].
  if (!view->has_good_checksum()) return drop(now, arrival, DropReason::bad_ip_checksum, packet);
  // [RFC791-3.1-a], BI-07: padding of the frame is not of the datagram.
  if (packet.size() > view->total_length()) packet.truncate(view->total_length());
  if (const DropReason reason = check_source_v4(*view, arrival); reason != DropReason::none) {
    return drop(now, arrival, reason, packet);
  }
  const Judged judged = judge_v4(*view, arrival);
  switch (judged.way) {
    case Way::here:
      return deliver_v4(now, arrival, std::move(packet), *view);
    case Way::onward:
      return forward_v4(now, arrival, std::move(packet), *view);
    case Way::nowhere:
      return drop(now, arrival, judged.reason, packet);
  }
}

// A whole TCP segment or UDP datagram without IP options between the two addresses of the latest
// plain one: all that was found out about them holds. False: nothing was done.
bool Input::hand_up_plain(Instant now, const Arrival& arrival, Packet& packet) {
  const std::uint8_t* const header = packet.front().data();
  const std::uint8_t protocol = header[ipv4::protocol_offset];
  const bool is_plain =
      plain_.version == shared_.interfaces.version() && plain_.interface == arrival.interface &&
      load64(header + ipv4::source_offset) == plain_.raw && is_of_ports(protocol) &&
      (load16(header + ipv4::fragment_offset) & ipv4::fragment_bits) == 0 && !arrival.was_looped &&
      !arrival.was_link_broadcast;
  if (!is_plain) return false;
  packet.pull_front(ipv4::header_size_min);
  Datagram datagram{.source = plain_.source,
                    .destination = plain_.destination,
                    .protocol = static_cast<Protocol>(protocol),
                    .hop_limit = header[ipv4::ttl_offset],
                    .traffic_class = header[ipv4::traffic_class_offset],
                    .is_plain = true,
                    .interface = arrival.interface,
                    .packet = std::move(packet)};
  hand_to_transport(now, arrival, datagram, {header, ipv4::header_size_min}, 0);
  return true;
}

DropReason Input::check_source_v4(const ipv4::View& view, const Arrival& arrival) {
  const IpAddress source = view.source();
  const std::uint64_t version = shared_.interfaces.version();
  if (!arrival.was_looped && good_source_.is(version, source, arrival.interface)) {
    return DropReason::none;
  }
  const IpAddress destination = view.destination();
  const bool is_inside = arrival.was_looped || arrival.interface == loopback_interface;
  // [RFC1122-3.2.1.3-f], [RFC1122-3.2.1.3-c], [RFC1812-5.3.7-a], BI-34: never a source.
  if (source.is_multicast() || source.is_limited_broadcast() || source.is_reserved_v4() ||
      (source.is_loopback() && !is_inside)) {
    return DropReason::martian_source;
  }
  // [RFC1122-3.2.1.3-a]: whoever has no address yet speaks to all.
  if (source.is_unspecified()) {
    const bool is_to_all = destination.is_limited_broadcast() || destination.is_multicast() ||
                           is_broadcast_on(destination, arrival.interface);
    return is_to_all ? DropReason::none : DropReason::martian_source;
  }
  const Role role = shared_.interfaces.role(source, arrival.interface);
  if (role == Role::broadcast || role == Role::network) return DropReason::martian_source;
  // Our own address from a wire is a lie or a loop.
  if (role == Role::own && !is_inside) return DropReason::martian_source;
  if (!arrival.was_looped) {
    const bool is_host = shared_.interfaces.role(source, 0) != Role::broadcast;
    good_source_ = {version, source, arrival.interface, is_host};
  }
  return DropReason::none;
}

// RFC 1812 5.2.3 [RFC1812-5.2.3-a]: here, onward, or nowhere.
Input::Judged Input::judge_v4(const ipv4::View& view, const Arrival& arrival) {
  const IpAddress destination = view.destination();
  const std::uint64_t version = shared_.interfaces.version();
  if (!arrival.was_link_broadcast && !arrival.was_looped &&
      good_destination_.is(version, destination, arrival.interface)) {
    return {Way::here, DropReason::none};
  }
  const bool is_inside = arrival.was_looped || arrival.interface == loopback_interface;
  if (destination.is_loopback() && !is_inside) {
    return {Way::nowhere, DropReason::martian_destination};
  }
  const Interfaces& interfaces = shared_.interfaces;
  switch (interfaces.role(destination, arrival.interface)) {
    case Role::own: {
      // [RFC1122-3.3.6-c]: a broadcast frame with a unicast inside is somebody's mistake.
      if (arrival.was_link_broadcast) return {Way::nowhere, DropReason::not_for_us};
      // [RFC1122-3.3.4.2-c].
      const bool is_elsewhere =
          shared_.config.strong_host && !is_inside &&
          interfaces.interface_of(destination, arrival.interface) != arrival.interface;
      if (is_elsewhere) return {Way::nowhere, DropReason::not_local};
      if (!arrival.was_looped) {
        const bool is_host = interfaces.role(destination, 0) != Role::broadcast;
        good_destination_ = {version, destination, arrival.interface, is_host};
      }
      return {Way::here, DropReason::none};
    }
    case Role::tentative:
      return {Way::nowhere, DropReason::not_local};
    case Role::broadcast:
      // [RFC1122-3.3.6-a]; a broadcast of another network of ours is not forwarded into it:
      // RFC 2644 [RFC1812-5.3.5.2-a], and the limited one never [RFC1812-5.3.5.1-a].
      return is_broadcast_on(destination, arrival.interface)
                 ? Judged{Way::here, DropReason::none}
                 : Judged{Way::nowhere, DropReason::filtered};
    case Role::network:
      // [RFC1122-3.3.6-b], [RFC1812-4.2.3.1-a].
      return {Way::nowhere, DropReason::martian_destination};
    case Role::group:
      return interfaces.is_member(destination, arrival.interface)
                 ? Judged{Way::here, DropReason::none}
                 : Judged{Way::nowhere, DropReason::not_local};
    case Role::other:
      break;
  }
  if (destination.is_unspecified() || destination.is_reserved_v4()) {
    return {Way::nowhere, DropReason::martian_destination};
  }
  // [RFC1122-3.2.1.3-e], [RFC1122-3.1-a]: no forwarding unless told to.
  if (!shared_.config.forwarding) return {Way::nowhere, DropReason::not_local};
  return {Way::onward, DropReason::none};
}

void Input::deliver_v4(Instant now, const Arrival& arrival, Packet&& packet,
                       const ipv4::View& view) {
  if (!view.options().empty()) {
    // [RFC1122-3.2.1.8-a], [RFC1122-3.2.1.8-c], [RFC1122-3.2.1.8-d]: others are passed over, be
    // they malformed or not. [RFC1122-3.2.1.8-f], RFC 7126 4.3, BI-10, BI-11: source routes are
    // not.
    const ipv4::OptionFacts facts = ipv4::examine_options(view.options());
    if (facts.is_malformed) return drop(now, arrival, DropReason::bad_option, packet);
    if (facts.source_routes > 0) return drop(now, arrival, DropReason::source_route, packet);
  }
  // [RFC1122-3.2.1.7-b], [RFC1812-4.2.2.9-a]: nobody here asks for the TTL.
  if (view.is_fragment()) return on_fragment_v4(now, arrival, std::move(packet), view);
  const std::size_t header_size = view.header_size();
  if (is_of_ports(view.protocol())) {
    packet.pull_front(header_size);
    return hand_up_v4(now, arrival, view, std::move(packet), false);
  }
  header_.assign(view.header().begin(), view.header().end());
  packet.pull_front(header_size);
  hand_up_v4(now, arrival, *ipv4::View::parse_quoted(header_), std::move(packet), false);
}

void Input::hand_up_v4(Instant now, const Arrival& arrival, const ipv4::View& view,
                       Packet&& payload, bool was_fragmented) {
  Datagram datagram;
  datagram.source = view.source();
  datagram.destination = view.destination();
  datagram.protocol = static_cast<Protocol>(view.protocol());
  datagram.hop_limit = view.ttl();
  // [RFC1122-3.2.1.6-b].
  datagram.traffic_class = view.traffic_class();
  datagram.was_link_broadcast = arrival.was_link_broadcast;
  datagram.interface = arrival.interface;
  const std::uint64_t version = shared_.interfaces.version();
  datagram.is_plain = !arrival.was_looped && !arrival.was_link_broadcast && good_source_.is_host &&
                      good_destination_.is_host &&
                      good_source_.is(version, datagram.source, arrival.interface) &&
                      good_destination_.is(version, datagram.destination, arrival.interface);
  if (datagram.is_plain) {
    const std::uint64_t raw = load64(view.header().data() + ipv4::source_offset);
    plain_ = {version, raw, arrival.interface, datagram.source, datagram.destination};
  }
  datagram.packet = std::move(payload);
  deliver(now, arrival, datagram, view.header(), 0, was_fragmented);
}

void Input::on_fragment_v4(Instant now, const Arrival& arrival, Packet&& packet,
                           const ipv4::View& view) {
  const std::size_t size = view.payload_size();
  const bool is_cut_wrong = view.more_fragments() && size % 8 != 0;
  const bool is_too_long = view.offset() + size + view.header_size() > datagram_bytes_max;
  // BI-14.
  if (is_cut_wrong || is_too_long) return drop(now, arrival, DropReason::bad_fragment, packet);
  Fragment fragment;
  fragment.key = {view.source(), view.destination(), view.identification(), view.protocol()};
  fragment.offset = static_cast<std::uint32_t>(view.offset());
  fragment.more = view.more_fragments();
  fragment.ecn = view.traffic_class() & 3;
  fragment.header.bytes.assign(view.header().begin(), view.header().end());
  fragment.header.interface = arrival.interface;
  fragment.header.was_link_broadcast = arrival.was_link_broadcast;
  packet.pull_front(view.header_size());
  fragment.data = std::move(packet);
  auto result = reassembly_.add(now, std::move(fragment));
  take_given_up(now);
  if (!result) return drop(now, arrival, result.error(), {});
  if (!*result) return;
  // [RFC1122-3.2.1.4-a]: the header of the whole is that of the first, without its fragment fields.
  Reassembled& whole = **result;
  std::vector<std::uint8_t>& header = whole.header.bytes;
  const std::size_t total = header.size() + whole.data.size();
  if (total > datagram_bytes_max) return drop(now, arrival, DropReason::bad_fragment, whole.data);
  store16(&header[ipv4::total_length_offset], static_cast<std::uint16_t>(total));
  store16(&header[ipv4::fragment_offset], 0);
  header[ipv4::traffic_class_offset] =
      static_cast<std::uint8_t>((header[ipv4::traffic_class_offset] & 0xfc) | whole.ecn);
  store16(&header[ipv4::checksum_offset], 0);
  store16(&header[ipv4::checksum_offset], checksum(header));
  hand_up_v4(now, arrival, *ipv4::View::parse_quoted(header), std::move(whole.data), true);
}

}  // namespace lanyard::internet
