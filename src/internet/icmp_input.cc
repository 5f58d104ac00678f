// SPDX-License-Identifier: Apache-2.0
// Messages for us: echo, errors about what we sent, IPv4 redirects.
#include <algorithm>

#include "internet/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"

namespace lanyard::internet {

namespace {

std::optional<IcmpError::Kind> unreachable_v4(std::uint8_t code) {
  using Kind = IcmpError::Kind;
  switch (code) {
    case 0:
    case 6:
    case 11:
      return Kind::network_unreachable;
    case 1:
    case 7:
    case 8:
    case 12:
      return Kind::host_unreachable;
    case 2:
      return Kind::protocol_unreachable;
    case 3:
      return Kind::port_unreachable;
    case 4:
      return Kind::packet_too_big;
    case 5:
      return Kind::source_route_failed;
    case 9:
    case 10:
    case 13:
    case 14:
    case 15:
      return Kind::prohibited;
    default:
      return std::nullopt;
  }
}

std::optional<IcmpError::Kind> unreachable_v6(std::uint8_t code) {
  using Kind = IcmpError::Kind;
  switch (code) {
    case 0:
    case 2:
      return Kind::network_unreachable;
    case 1:
    case 5:
    case 6:
      return Kind::prohibited;
    case 4:
      return Kind::port_unreachable;
    default:
      return Kind::address_unreachable;
  }
}

}  // namespace

std::optional<IcmpError::Kind> kind_of(Family family, std::uint8_t type, std::uint8_t code) {
  using Kind = IcmpError::Kind;
  if (family == Family::ipv4) {
    switch (type) {
      case icmp::v4::destination_unreachable:
        return unreachable_v4(code);
      case icmp::v4::time_exceeded:
        return code == 0 ? Kind::hop_limit_exceeded : Kind::reassembly_time_exceeded;
      case icmp::v4::parameter_problem:
        return Kind::parameter_problem;
      default:
        // [RFC1122-3.2.2.3-a], RFC 6633 [RFC6633-2-a]: source quench is one of these.
        return std::nullopt;
    }
  }
  switch (type) {
    case icmp::v6::destination_unreachable:
      return unreachable_v6(code);
    case icmp::v6::packet_too_big:
      return Kind::packet_too_big;
    case icmp::v6::time_exceeded:
      return code == 0 ? Kind::hop_limit_exceeded : Kind::reassembly_time_exceeded;
    case icmp::v6::parameter_problem:
      return Kind::parameter_problem;
    default:
      // RFC 4443 2.4 (a) [RFC4443-2.4-a]: an unknown error still reaches the transport.
      return icmp::is_error(family, type) ? std::optional(Kind::parameter_problem) : std::nullopt;
  }
}

DropReason Icmp::on_message(Instant now, const Datagram& datagram, const Arrival& arrival) {
  const Family family = datagram.destination.family();
  const Bytes front = datagram.packet.front();
  const auto view = icmp::View::parse(front, datagram.packet.size());
  if (!view) return view.error();
  // BI-29, BI-30, BI-31: the checksum covers what has come and nothing else.
  if (!icmp::has_good_checksum(family, datagram.source, datagram.destination, datagram.packet,
                               datagram.packet.size())) {
    return DropReason::bad_icmp;
  }
  const bool is_v4 = family == Family::ipv4;
  if (is_v4 && view->type() == icmp::v4::redirect) return on_redirect_v4(now, datagram, *view);
  if (icmp::is_error(family, view->type())) return on_error(now, datagram, *view);
  if (view->type() == (is_v4 ? icmp::v4::echo_request : icmp::v6::echo_request)) {
    answer_echo(now, datagram, arrival);
    return DropReason::none;
  }
  if (view->type() == (is_v4 ? icmp::v4::echo_reply : icmp::v6::echo_reply)) {
    return DropReason::none;
  }
  // [RFC1122-3.2.2-a], RFC 4443 2.4 (b) [RFC4443-2.4-b], [RFC1122-3.2.2.7-a], [RFC1122-3.2.2.9-a]:
  // silently.
  return DropReason::icmp_ignored;
}

void Icmp::answer_echo(Instant now, const Datagram& request, const Arrival& arrival) {
  const bool is_v4 = request.destination.is_v4();
  const Role role = shared_.interfaces.role(request.destination, request.interface);
  const bool is_group = role != Role::own;
  // [RFC1122-3.2.2.6-d], BI-35: an answer to all would be a gift to whoever forges the source; RFC
  // 4443 4.2 [RFC4443-4.2-a] wants IPv6 groups answered.
  const bool is_refused =
      is_v4 && (is_group || arrival.was_link_broadcast) && !shared_.config.answers_broadcast_echo;
  if (is_refused || !may_answer(request.source, request.interface)) return;
  Datagram reply;
  // [RFC1122-3.2.2.6-b], [RFC1122-3.3.4.2-a], RFC 4443 4.2: from the address that was asked.
  if (!is_group) reply.source = request.destination;
  reply.destination = request.source;
  reply.protocol = request.protocol;
  reply.traffic_class = request.traffic_class;
  const bool needs_zone = request.source.is_v6() && request.source.is_link_local();
  if (needs_zone && request.interface > 1) reply.interface = request.interface;
  const auto hop = output_.choose(reply.destination, reply.source, reply.interface);
  if (!hop) return;
  reply.source = hop->source;
  // [RFC1122-3.2.2.6-c], RFC 4443 4.1 [RFC4443-4.1-a]: all its data, unchanged. BI-11: no options
  // of the request are used.
  reply.packet = request.packet.share();
  reply.packet.offload = {};
  reply.packet.id = 0;  // the reply is a packet of its own
  const Bytes front = request.packet.front();
  const std::uint32_t rest = load32(front.data() + icmp::rest_offset);
  reply.packet.pull_front(icmp::header_size);
  if (is_v4) {
    icmp::Header{icmp::v4::echo_reply, 0, rest}.push_onto_v4(reply.packet);
  } else {
    icmp::Header{icmp::v6::echo_reply, 0, rest}.push_onto_v6(reply.packet, reply.source,
                                                             reply.destination);
  }
  static_cast<void>(output_.send(now, std::move(reply)));
}

DropReason Icmp::on_error(Instant now, const Datagram& datagram, const icmp::View& view) {
  const Family family = datagram.destination.family();
  const auto kind = kind_of(family, view.type(), view.code());
  if (!kind) return DropReason::icmp_ignored;
  // BI-31, BI-34: an error that does not quote a packet of ours is about nothing.
  const auto quote = icmp::parse_quote(view.body(), family);
  if (!quote || quote->is_later_fragment) return DropReason::bad_icmp;
  if (!shared_.interfaces.interface_of(quote->source, 0)) return DropReason::icmp_ignored;
  IcmpError error;
  error.kind = *kind;
  error.type = view.type();
  error.code = view.code();
  error.reporter = datagram.source;
  error.hop_limit = datagram.hop_limit;
  error.source = quote->source;
  error.destination = quote->destination;
  error.protocol = static_cast<Protocol>(quote->protocol);
  error.quoted = quote->transport;
  if (*kind == IcmpError::Kind::packet_too_big) {
    // [RFC5927-4-a]: nobody narrows a path who does not see what is sent along it.
    if (!shared_.machine.believes(error)) return DropReason::icmp_ignored;
    // RFC 8201 4 [RFC8201-4-b], [RFC4443-3.2-a].
    learn_path_mtu(now, quote->destination, view.mtu(family), view.body());
    const auto known = shared_.path_mtus.find(quote->destination);
    error.mtu = known ? known->mtu : view.mtu(family);
  }
  // [RFC1122-3.2.2.1-b], [RFC1122-3.2.2.4-a], [RFC1122-3.2.2.5-a], [RFC4443-3.1-b]: all are passed
  // up; [RFC1122-3.2.2-c]: by the protocol of the quoted header.
  shared_.machine.on_icmp_error(now, error);
  return DropReason::none;
}

void Icmp::learn_path_mtu(Instant now, const IpAddress& destination, std::uint32_t reported,
                          Bytes quoted) {
  if (destination.is_multicast()) return;
  const auto hop = output_.choose(destination, IpAddress::any(destination.family()), 0);
  if (!hop || hop->kind != Hop::Kind::unicast) return;
  const std::uint32_t quoted_bytes =
      destination.is_v4() ? load16(quoted.data() + ipv4::total_length_offset)
                          : load16(quoted.data() + ipv6::payload_length_offset) + 40U;
  shared_.path_mtus.on_too_big(now, destination, reported, quoted_bytes, hop->mtu);
}

// RFC 1122 3.2.2.2 [RFC1122-3.2.2.2-b], [RFC1122-3.2.2.2-c]: network redirects count as host ones;
// only the present first hop may redirect, and only to a neighbour.
DropReason Icmp::on_redirect_v4(Instant now, const Datagram& datagram, const icmp::View& view) {
  static_cast<void>(now);
  if (!shared_.config.accepts_redirects || shared_.config.forwarding) {
    return DropReason::icmp_ignored;
  }
  const auto quote = icmp::parse_quote(view.body(), Family::ipv4);
  if (view.code() > 3 || !quote) return DropReason::bad_icmp;
  const IpAddress gateway = view.gateway();
  const std::uint32_t interface = datagram.interface;
  const bool was_ours = shared_.interfaces.interface_of(quote->source, 0).has_value();
  const bool is_neighbour = shared_.interfaces.is_on_link(gateway, interface) &&
                            shared_.interfaces.role(gateway, interface) == Role::other &&
                            !gateway.is_multicast();
  const NextHop* present = shared_.routes.find(quote->destination, 0);
  const bool is_first_hop =
      present != nullptr && present->gateway == datagram.source && present->interface == interface;
  if (!was_ours || !is_neighbour || !is_first_hop) return DropReason::icmp_ignored;
  shared_.redirects.add(shared_.routes, {quote->destination, 32}, gateway, interface);
  return DropReason::none;
}

}  // namespace lanyard::internet
