// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "internet/input.hh"
#include "wire/front.hh"
#include "wire/protocol.hh"

namespace lanyard::internet {

namespace {

constexpr std::size_t payload_bytes_max = 65535;

// The least that counts as a whole upper-layer header (RFC 7112 1).
std::size_t upper_header_min(std::uint8_t protocol) {
  return protocol == protocol::tcp ? 20 : 8;
}

Trouble trouble_of(std::uint8_t code) {
  switch (code) {
    case icmp::v6::unknown_next_header:
      return Trouble::unknown_next_header;
    case icmp::v6::unknown_option:
      return Trouble::unknown_option;
    case icmp::v6::incomplete_header_chain:
      return Trouble::incomplete_header_chain;
    default:
      return Trouble::header_problem;
  }
}

}  // namespace

void Input::on_ipv6(Instant now, const Arrival& arrival, Packet&& packet) {
  make_headers_contiguous(packet);
  const auto view = ipv6::View::parse(packet.front(), packet.size());
  if (!view) return drop(now, arrival, view.error(), packet);
  const std::size_t size = ipv6::header_size + view->payload_size();
  if (packet.size() > size) packet.truncate(size);
  if (shared_.interfaces.at(arrival.interface).is_ipv6_disabled) {
    return drop(now, arrival, DropReason::not_local, packet);
  }
  const Judged judged = judge_v6(*view, arrival);
  switch (judged.way) {
    case Way::here: {
      ipv6::WalkFrom from;
      from.next_header = view->next_header();
      return deliver_v6(now, arrival, std::move(packet), from, false);
    }
    case Way::onward:
      return forward_v6(now, arrival, std::move(packet), *view);
    case Way::nowhere:
      return drop(now, arrival, judged.reason, packet);
  }
}

Input::Judged Input::judge_v6(const ipv6::View& view, const Arrival& arrival) const {
  const IpAddress source = view.source();
  const IpAddress destination = view.destination();
  const Interfaces& interfaces = shared_.interfaces;
  const bool is_inside = arrival.was_looped || arrival.interface == loopback_interface;
  // RFC 4291 2.5.2, 2.5.3, 2.7 [RFC4291-2.5-a], [RFC4291-2.7-a], BI-34.
  if (source.is_multicast() || (source.is_loopback() && !is_inside)) {
    return {Way::nowhere, DropReason::martian_source};
  }
  if (source.is_unspecified() && !destination.is_multicast()) {
    return {Way::nowhere, DropReason::martian_source};
  }
  if (!is_inside && interfaces.role(source, arrival.interface) == Role::own) {
    return {Way::nowhere, DropReason::martian_source};
  }
  if (destination.is_unspecified() || (destination.is_loopback() && !is_inside)) {
    return {Way::nowhere, DropReason::martian_destination};
  }
  switch (interfaces.role(destination, arrival.interface)) {
    case Role::own: {
      const bool is_elsewhere =
          shared_.config.strong_host && !is_inside &&
          interfaces.interface_of(destination, arrival.interface) != arrival.interface;
      if (arrival.was_link_broadcast || is_elsewhere) {
        return {Way::nowhere, DropReason::not_local};
      }
      return {Way::here, DropReason::none};
    }
    case Role::group: {
      const unsigned scope = destination.bytes()[1] & 0x0fU;
      if (scope == 0 || (scope == 1 && !is_inside)) {
        return {Way::nowhere, DropReason::martian_destination};
      }
      return interfaces.is_member(destination, arrival.interface)
                 ? Judged{Way::here, DropReason::none}
                 : Judged{Way::nowhere, DropReason::not_local};
    }
    case Role::tentative:
      // RFC 4862 5.4 [RFC4862-5.4-b]: it is nobody's yet.
      return {Way::nowhere, DropReason::not_local};
    case Role::broadcast:
    case Role::network:
    case Role::other:
      break;
  }
  if (!shared_.config.forwarding) return {Way::nowhere, DropReason::not_local};
  return {Way::onward, DropReason::none};
}

void Input::deliver_v6(Instant now, const Arrival& arrival, Packet&& packet,
                       const ipv6::WalkFrom& from, bool was_fragmented) {
  auto view = ipv6::View::parse_quoted(packet.front());
  ipv6::Walk walk = ipv6::walk(*view, from);
  if (walk.outcome == ipv6::Walk::Outcome::truncated && packet.front().size() < packet.size()) {
    view = ipv6::View::parse_quoted(packet.linear());
    walk = ipv6::walk(*view, from);
  }
  switch (walk.outcome) {
    case ipv6::Walk::Outcome::upper_layer:
      return hand_up_v6(now, arrival, std::move(packet), walk, was_fragmented);
    case ipv6::Walk::Outcome::fragment:
      return on_fragment_v6(now, arrival, std::move(packet), walk);
    case ipv6::Walk::Outcome::no_next_header:
      // RFC 8200 4.7 [RFC8200-4.7-a].
      return;
    case ipv6::Walk::Outcome::discard:
      return drop(now, arrival, walk.reason, packet);
    case ipv6::Walk::Outcome::parameter_problem:
      return on_walk_problem(now, arrival, packet, walk);
    case ipv6::Walk::Outcome::truncated:
      return drop(now, arrival, DropReason::bad_extension_header, packet);
  }
}

// BI-23, BI-26, BI-27, [RFC4443-3.4-a]: each such packet gets its own error, if any.
void Input::on_walk_problem(Instant now, const Arrival& arrival, const Packet& packet,
                            const ipv6::Walk& walk) {
  const Complaint complaint{trouble_of(walk.code), static_cast<std::uint32_t>(walk.pointer),
                            arrival, walk.answer_multicast};
  refuse(now, complaint,
         walk.reason == DropReason::none ? DropReason::bad_extension_header : walk.reason, packet);
}

void Input::hand_up_v6(Instant now, const Arrival& arrival, Packet&& packet, const ipv6::Walk& walk,
                       bool was_fragmented) {
  const Bytes front = packet.front();
  const auto view = ipv6::View::parse_quoted(front);
  Datagram datagram;
  datagram.source = view->source();
  datagram.destination = view->destination();
  datagram.protocol = static_cast<Protocol>(walk.protocol);
  datagram.hop_limit = view->hop_limit();
  datagram.traffic_class = view->traffic_class();
  datagram.flow_label = view->flow_label();
  datagram.was_link_broadcast = arrival.was_link_broadcast;
  datagram.interface = arrival.interface;
  header_.assign(front.begin(), front.begin() + static_cast<std::ptrdiff_t>(walk.offset));
  packet.pull_front(walk.offset);
  datagram.packet = std::move(packet);
  deliver(now, arrival, datagram, header_, walk.named_at, was_fragmented);
}

// RFC 7112 5, RFC 8200 4.5 [RFC8200-4.5-h].
bool Input::has_whole_chain(const ipv6::View& view, const ipv6::Walk& walk,
                            std::uint8_t next_header) const {
  ipv6::WalkFrom from;
  from.offset = walk.offset + ipv6::fragment_header_size;
  from.next_header = next_header;
  from.named_at = walk.offset;
  from.is_first = false;
  from.is_reassembled = true;
  const ipv6::Walk inner = ipv6::walk(view, from);
  if (inner.outcome == ipv6::Walk::Outcome::truncated) return false;
  return inner.outcome != ipv6::Walk::Outcome::upper_layer ||
         inner.offset + upper_header_min(inner.protocol) <= view.packet().size();
}

void Input::on_fragment_v6(Instant now, const Arrival& arrival, Packet&& packet,
                           const ipv6::Walk& walk) {
  const Bytes front = packet.linear();
  const auto view = ipv6::View::parse_quoted(front);
  const auto header = ipv6::FragmentView::parse(front.subspan(walk.offset));
  if (!header) return drop(now, arrival, DropReason::bad_fragment, packet);
  const std::size_t data_at = walk.offset + ipv6::fragment_header_size;
  // RFC 6946 4 [RFC6946-4-a], BI-18: whole in itself, whatever else carries its identification.
  if (header->is_atomic()) {
    ipv6::WalkFrom from;
    from.offset = data_at;
    from.next_header = header->next_header();
    from.named_at = walk.offset;
    from.is_first = false;
    from.is_reassembled = true;
    return deliver_v6(now, arrival, std::move(packet), from, true);
  }
  const std::size_t size = packet.size() - data_at;
  // RFC 8200 4.5 [RFC8200-4.5-f], BI-19.
  if (header->more_fragments() && size % 8 != 0) {
    return refuse(now,
                  {Trouble::header_problem, std::uint32_t{ipv6::payload_length_offset}, arrival},
                  DropReason::bad_fragment, packet);
  }
  // [RFC8200-4.5-g], BI-14.
  if (header->offset() + size > payload_bytes_max) {
    const auto pointer = static_cast<std::uint32_t>(walk.offset + 2);
    return refuse(now, {Trouble::header_problem, pointer, arrival}, DropReason::bad_fragment,
                  packet);
  }
  if (header->offset() == 0 && !has_whole_chain(*view, walk, header->next_header())) {
    return refuse(now, {Trouble::incomplete_header_chain, 0, arrival}, DropReason::bad_fragment,
                  packet);
  }
  Fragment fragment;
  // RFC 8200 4.5 [RFC8200-4.5-d].
  fragment.key = {view->source(), view->destination(), header->identification(), 0};
  fragment.offset = static_cast<std::uint32_t>(header->offset());
  fragment.more = header->more_fragments();
  fragment.ecn = view->traffic_class() & 3;
  fragment.header.bytes.assign(front.begin(), front.begin() + static_cast<std::ptrdiff_t>(data_at));
  fragment.header.fragment_at = static_cast<std::uint16_t>(walk.offset);
  fragment.header.next_at = static_cast<std::uint16_t>(walk.named_at);
  fragment.header.interface = arrival.interface;
  fragment.header.was_link_broadcast = arrival.was_link_broadcast;
  packet.pull_front(data_at);
  fragment.data = std::move(packet);
  auto result = reassembly_.add(now, std::move(fragment));
  take_given_up(now);
  if (!result) return drop(now, arrival, result.error(), {});
  if (*result) on_whole_v6(now, arrival, std::move(**result));
}

// The fragment header goes, its Next Header moves to where it was announced.
void Input::on_whole_v6(Instant now, const Arrival& arrival, Reassembled whole) {
  std::vector<std::uint8_t>& header = whole.header.bytes;
  const std::size_t fragment_at = whole.header.fragment_at;
  const std::uint8_t next_header = header[fragment_at];
  header.erase(header.begin() + static_cast<std::ptrdiff_t>(fragment_at), header.end());
  header[whole.header.next_at] = next_header;
  const std::size_t payload = header.size() - ipv6::header_size + whole.data.size();
  if (payload > payload_bytes_max) {
    return drop(now, arrival, DropReason::bad_fragment, whole.data);
  }
  store16(&header[ipv6::payload_length_offset], static_cast<std::uint16_t>(payload));
  const auto traffic_class = static_cast<std::uint8_t>(load32(header.data()) >> 20);
  ipv6::set_traffic_class(header.data(),
                          static_cast<std::uint8_t>((traffic_class & 0xfc) | whole.ecn));
  Packet packet = std::move(whole.data);
  std::copy(header.begin(), header.end(), packet.push_front(header.size()));
  ipv6::WalkFrom from;
  from.offset = fragment_at;
  from.next_header = next_header;
  from.named_at = whole.header.next_at;
  from.is_first = false;
  from.is_reassembled = true;
  deliver_v6(now, arrival, std::move(packet), from, true);
}

}  // namespace lanyard::internet
