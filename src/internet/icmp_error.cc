// SPDX-License-Identifier: Apache-2.0
// Errors we send. The restraints stand in may_complain, one by one.
#include <algorithm>
#include <array>

#include "internet/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/ndp.hh"
#include "wire/protocol.hh"

namespace lanyard::internet {

namespace {

struct TypeAndCode {
  std::uint8_t type;
  std::uint8_t code;
};

TypeAndCode v4_form(Trouble trouble) {
  using namespace icmp::v4;
  switch (trouble) {
    // RFC 1812 4.3.3.1 [RFC1812-4.3.3.1-a]: no route is code 0, a silent last hop code 1.
    case Trouble::no_route:
      return {destination_unreachable, network_unreachable};
    case Trouble::host_unreachable:
      return {destination_unreachable, host_unreachable};
    // RFC 1122 3.2.2.1 [RFC1122-3.2.2.1-a].
    case Trouble::protocol_unreachable:
    case Trouble::unknown_next_header:
      return {destination_unreachable, protocol_unreachable};
    case Trouble::port_unreachable:
      return {destination_unreachable, port_unreachable};
    case Trouble::prohibited:
      return {destination_unreachable, administratively_prohibited};
    case Trouble::source_route_failed:
      return {destination_unreachable, source_route_failed};
    case Trouble::too_big:
      return {destination_unreachable, fragmentation_needed};
    case Trouble::hop_limit_exceeded:
      return {time_exceeded, ttl_exceeded};
    case Trouble::reassembly_time_exceeded:
      return {time_exceeded, reassembly_time_exceeded};
    case Trouble::header_problem:
    case Trouble::unknown_option:
    case Trouble::incomplete_header_chain:
      return {parameter_problem, 0};
    // RFC 1812 5.2.7.2 [RFC1812-5.2.7.2-a]: for the host only.
    case Trouble::redirect:
      return {redirect, 1};
  }
  return {};
}

TypeAndCode v6_form(Trouble trouble) {
  using namespace icmp::v6;
  switch (trouble) {
    case Trouble::no_route:
      return {destination_unreachable, no_route};
    case Trouble::host_unreachable:
      return {destination_unreachable, address_unreachable};
    // RFC 4443 3.1 [RFC4443-3.1-a].
    case Trouble::port_unreachable:
      return {destination_unreachable, port_unreachable};
    case Trouble::prohibited:
    case Trouble::source_route_failed:
      return {destination_unreachable, administratively_prohibited};
    case Trouble::too_big:
      return {packet_too_big, 0};
    case Trouble::hop_limit_exceeded:
      return {time_exceeded, hop_limit_exceeded};
    case Trouble::reassembly_time_exceeded:
      return {time_exceeded, reassembly_time_exceeded};
    case Trouble::header_problem:
      return {parameter_problem, erroneous_header};
    // RFC 8200 4 [RFC8200-4-c].
    case Trouble::protocol_unreachable:
    case Trouble::unknown_next_header:
      return {parameter_problem, unknown_next_header};
    case Trouble::unknown_option:
      return {parameter_problem, unknown_option};
    case Trouble::incomplete_header_chain:
      return {parameter_problem, incomplete_header_chain};
    case Trouble::redirect:
      break;  // IPv6 has its own, in ndp
  }
  return {};
}

// An ICMP message among the quoted bytes that is an error or a redirect.
bool quotes_error(Family family, Bytes message) {
  if (message.empty()) return false;
  const bool is_redirect_v6 =
      family == Family::ipv6 && message[0] == static_cast<std::uint8_t>(ndp::Type::redirect);
  return is_redirect_v6 || icmp::is_error(family, message[0]);
}

bool quotes_error_v4(const ipv4::View& view) {
  return view.protocol() == protocol::icmp && quotes_error(Family::ipv4, view.payload());
}

bool quotes_error_v6(const ipv6::View& view) {
  const ipv6::UpperLayer upper = ipv6::find_upper_layer(view);
  if (!upper.is_found || upper.is_later_fragment || upper.protocol != protocol::icmpv6) {
    return false;
  }
  return quotes_error(Family::ipv6, view.packet().subspan(upper.offset));
}

}  // namespace

Icmp::Icmp(Shared& shared, Output& output)
    : shared_(shared),
      output_(output),
      limiter_(shared.config.icmp_errors_per_second, shared.config.icmp_errors_burst) {}

// [RFC1122-3.2.2-h], RFC 4443 2.4 (e) [RFC4443-2.4-e]: a source that names no single node.
bool Icmp::may_answer(const IpAddress& source, std::uint32_t interface) const {
  if (source.is_unspecified() || source.is_multicast() || source.is_reserved_v4()) return false;
  if (source.is_loopback() && interface != loopback_interface) return false;
  return shared_.interfaces.role(source, interface) != Role::broadcast &&
         !source.is_limited_broadcast();
}

bool Icmp::may_complain(const Complaint& complaint, Bytes quoted) const {
  const std::uint32_t interface = complaint.arrival.interface;
  const bool is_v4 = !quoted.empty() && quoted[0] >> 4 == 4;
  // [RFC1122-3.2.2-f], RFC 1812 4.3.2.7 [RFC1812-4.3.2.7-a]: nothing about a link broadcast.
  if (complaint.arrival.was_link_broadcast && !complaint.answers_multicast) return false;
  if (is_v4) {
    const auto view = ipv4::View::parse_quoted(quoted);
    if (!view) return false;
    const Role role = shared_.interfaces.role(view->destination(), interface);
    // [RFC1122-3.2.2-e], BI-35: nor about an IP broadcast or multicast; [RFC1122-3.2.2-g]: nor
    // about a later fragment; [RFC1122-3.2.2-d]: nor about an error.
    const bool is_group =
        role == Role::broadcast || role == Role::network || view->destination().is_multicast();
    return may_answer(view->source(), interface) && !is_group && view->offset() == 0 &&
           !quotes_error_v4(*view);
  }
  const auto view = ipv6::View::parse_quoted(quoted);
  if (!view || !may_answer(view->source(), interface)) return false;
  if (view->destination().is_multicast() && !complaint.answers_multicast) return false;
  return !quotes_error_v6(*view);
}

void Icmp::complain(Instant now, const Complaint& complaint, Bytes header, const Packet& rest) {
  // RFC 1812 4.3.2.3 [RFC1812-4.3.2.3-a], [RFC1122-3.2.2-b]: as much as fits in 576 octets; RFC
  // 4443 2.4 (c) [RFC4443-2.4-c]: in 1280. The bytes are as received (BI-10).
  std::array<std::uint8_t, ipv6_mtu_min> room;
  const bool is_v4 = (header.empty() ? rest.front()[0] : header[0]) >> 4 == 4;
  const std::size_t room_max = is_v4 ? 576 - ipv4::header_size_min - icmp::header_size
                                     : ipv6_mtu_min - ipv6::header_size - icmp::header_size;
  const std::size_t from_header = std::min(header.size(), room_max);
  const std::size_t from_rest = std::min(rest.size(), room_max - from_header);
  std::copy_n(header.begin(), from_header, room.begin());
  rest.copy_to(0, MutableBytes(room).subspan(from_header, from_rest));
  const Bytes quoted = Bytes(room).first(from_header + from_rest);
  if (!may_complain(complaint, quoted)) return;
  // RFC 4443 2.4 (f) [RFC4443-2.4-f], RFC 1812 4.3.2.8 [RFC1812-4.3.2.8-a].
  if (!limiter_.allows(now)) return;

  const Family family = is_v4 ? Family::ipv4 : Family::ipv6;
  const IpAddress to = is_v4 ? IpAddress::from_v4_bytes(&quoted[ipv4::source_offset])
                             : IpAddress::from_v6_bytes(&quoted[ipv6::source_offset]);
  const IpAddress about = is_v4 ? IpAddress::from_v4_bytes(&quoted[ipv4::destination_offset])
                                : IpAddress::from_v6_bytes(&quoted[ipv6::destination_offset]);
  const std::uint32_t interface = complaint.arrival.interface;
  const bool needs_zone = to.is_v6() && to.is_link_local();
  // RFC 4443 2.2 [RFC4443-2.2-a]: from the address it was sent to, if that is ours; otherwise RFC
  // 1812 4.3.2.4 [RFC1812-4.3.2.4-a]: from one of the interface the error leaves by.
  const bool was_ours = shared_.interfaces.role(about, interface) == Role::own;
  const auto hop = output_.choose(to, was_ours ? about : IpAddress::any(family),
                                  needs_zone && interface > 1 ? interface : 0);
  if (!hop) return;
  const TypeAndCode form = is_v4 ? v4_form(complaint.trouble) : v6_form(complaint.trouble);
  const bool has_pointer_byte = is_v4 && form.type == icmp::v4::parameter_problem;
  Packet packet(64 + icmp::header_size + quoted.size(), 0);
  std::copy(quoted.begin(), quoted.end(), packet.push_front(quoted.size()));
  const icmp::Header icmp_header{form.type, form.code,
                                 has_pointer_byte ? complaint.rest << 24 : complaint.rest};
  Datagram error;
  error.source = hop->source;
  error.destination = to;
  error.interface = needs_zone && interface > 1 ? interface : 0;
  // [RFC1122-3.2.2-i]: a host's errors are routine; RFC 1812 4.3.2.5 [RFC1812-4.3.2.5-a]: a
  // router's are internetwork control.
  error.traffic_class = is_v4 && shared_.config.forwarding ? 0xc0 : 0;
  if (is_v4) {
    error.protocol = Protocol::icmp;
    icmp_header.push_onto_v4(packet);
  } else {
    error.protocol = Protocol::icmpv6;
    icmp_header.push_onto_v6(packet, error.source, to);
  }
  packet.cause = rest.cause;
  error.packet = std::move(packet);
  static_cast<void>(output_.send(now, std::move(error)));
}

}  // namespace lanyard::internet
