// SPDX-License-Identifier: Apache-2.0
#include "lab/why/packets.hh"

#include <algorithm>
#include <map>

#include "wire/arp.hh"
#include "wire/ethernet.hh"
#include "wire/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"
#include "wire/vlan.hh"

namespace lanyard::lab::why {
namespace {

constexpr std::uint8_t neighbour_advertisement = 136;
constexpr std::uint8_t router_solicitation = 133;

void read_tcp(Bytes bytes, std::size_t size, Headers& to) {
  const auto view = tcp::View::parse(bytes, size);
  if (!view) return;
  to.layer = Layer::tcp;
  to.source.port = view->source_port();
  to.destination.port = view->destination_port();
  to.payload = view->payload();
  to.tcp.sequence = view->sequence();
  to.tcp.acknowledgment = view->acknowledgment();
  to.tcp.flags = view->flags();
  to.tcp.window = view->window();
  const tcp::Options options = view->options();
  to.tcp.has_timestamps = options.timestamps.has_value();
  if (!view->flags().syn()) return;
  to.tcp.mss = options.mss.value_or(0);
  to.tcp.has_scale = options.window_scale.has_value();
  to.tcp.scale = options.window_scale.value_or(0);
}

void read_udp(Bytes bytes, std::size_t size, Headers& to) {
  const auto view = udp::View::parse(bytes, size);
  if (!view) return;
  to.layer = Layer::udp;
  to.source.port = view->source_port();
  to.destination.port = view->destination_port();
  to.payload = view->payload();
}

void read_icmp_v6(Bytes bytes, Headers& to) {
  to.layer = Layer::icmp;
  if (bytes.empty()) return;
  if (bytes[0] < router_solicitation || bytes[0] > neighbour_advertisement) return;
  to.layer = Layer::ndp;
  to.is_answer = bytes[0] == neighbour_advertisement;
}

void read_upper(std::uint8_t protocol, Bytes bytes, std::size_t size, Headers& to) {
  if (protocol == protocol::tcp) read_tcp(bytes, size, to);
  if (protocol == protocol::udp) read_udp(bytes, size, to);
  if (protocol == protocol::icmp) to.layer = Layer::icmp;
  if (protocol == protocol::icmpv6) read_icmp_v6(bytes, to);
}

void read_arp(Bytes bytes, Headers& to) {
  const auto view = arp::View::parse(bytes);
  if (!view) return;
  to.layer = Layer::arp;
  to.source.address = view->sender_ip();
  to.destination.address = view->target_ip();
  to.is_answer = view->operation() == arp::Operation::reply;
}

void read_ipv4(Bytes bytes, Headers& to) {
  const auto view = ipv4::View::parse(bytes);
  if (!view) return;
  to.source.address = view->source();
  to.destination.address = view->destination();
  if (view->offset() != 0) return;
  read_upper(view->protocol(), view->payload(), view->payload_size(), to);
}

void read_ipv6(Bytes bytes, Headers& to) {
  const auto view = ipv6::View::parse(bytes, bytes.size());
  if (!view) return;
  to.source.address = view->source();
  to.destination.address = view->destination();
  const ipv6::UpperLayer upper = ipv6::find_upper_layer(*view);
  if (!upper.is_found) return;
  const Bytes rest = view->packet().subspan(upper.offset);
  read_upper(upper.protocol, rest, rest.size(), to);
}

}  // namespace

Headers headers_of(Bytes frame) {
  Headers headers;
  const auto view = ethernet::View::parse(frame);
  if (!view) return headers;
  ethernet::Type type = view->type();
  Bytes payload = view->payload();
  while (vlan::is_tag(type)) {
    const auto tag = vlan::View::parse(payload, type);
    if (!tag) return headers;
    type = tag->type();
    payload = tag->payload();
  }
  if (type == ethernet::Type::arp) read_arp(payload, headers);
  if (type == ethernet::Type::ipv4) read_ipv4(payload, headers);
  if (type == ethernet::Type::ipv6) read_ipv6(payload, headers);
  return headers;
}

Packets::Packets(const RunFile& run) : run_(run), journey_of_record_(run.packets.size()) {
  for (const RunPort& port : run.ports)
    for (const IpPrefix& prefix : port.addresses) owners_.emplace_back(prefix.address, port.node);
  std::sort(owners_.begin(), owners_.end());
  std::map<std::uint64_t, std::size_t> by_number;
  for (std::size_t i = 0; i < run.packets.size(); ++i) {
    const RunPacket& record = run.packets[i];
    // A packet of number 0 is nobody's: each record stands for itself.
    auto [found, is_new] = by_number.try_emplace(record.packet, journeys_.size());
    if (record.packet == 0 || is_new) {
      found->second = journeys_.size();
      Journey journey;
      journey.packet = record.packet;
      journey.from = run.ports[record.port].node;
      journey.sent_at = record.at;
      journey.headers = headers_of(run.frame(record));
      journeys_.push_back(std::move(journey));
    }
    journeys_[found->second].sightings.push_back(i);
    journey_of_record_[i] = found->second;
  }
  for (Journey& journey : journeys_) {
    find_end(journey);
    if (!journey.headers.is_answer) continue;
    for (const std::size_t record : journey.sightings)
      if (!run.packets[record].is_sent)
        answers_.push_back(
            {run.ports[run.packets[record].port].node, run.packets[record].at, record});
  }
  std::sort(answers_.begin(), answers_.end());
}

void Packets::find_end(Journey& journey) const {
  const auto target = owner(journey.headers.destination.address);
  for (const std::size_t i : journey.sightings) {
    const RunPacket& record = run_.packets[i];
    const std::uint32_t node = run_.ports[record.port].node;
    const bool is_end = target ? node == *target
                               : run_.nodes[node].kind != NodeKind::switching &&
                                     journey.headers.destination.address.is_multicast();
    if (!record.is_sent && record.comment.empty() && is_end && !journey.arrival)
      journey.arrival = i;
    if (!record.comment.empty()) journey.dropped = i;
  }
  if (journey.arrival) journey.dropped.reset();
}

std::optional<std::uint32_t> Packets::owner(const IpAddress& address) const {
  const auto found = std::lower_bound(owners_.begin(), owners_.end(), std::pair(address, 0U));
  if (found == owners_.end() || found->first != address) return std::nullopt;
  return found->second;
}

// A frame is received from the port at the link's other end, and sent by a node that received it.
std::vector<std::size_t> Packets::way_to(std::size_t record) const {
  std::vector<std::size_t> way{record};
  const std::vector<std::size_t>& all = of_record(record).sightings;
  for (std::size_t i = all.size(); i-- > 0;) {
    if (all[i] >= way.back()) continue;
    const RunPacket& later = run_.packets[way.back()];
    const RunPacket& earlier = run_.packets[all[i]];
    const RunPort& port = run_.ports[later.port];
    const bool is_before = later.is_sent
                               ? !earlier.is_sent && run_.ports[earlier.port].node == port.node
                               : earlier.is_sent && earlier.port == port.peer;
    if (is_before) way.push_back(all[i]);
  }
  std::reverse(way.begin(), way.end());
  return way;
}

std::optional<std::size_t> Packets::neighbour_answer(std::uint32_t node, Instant at) const {
  const auto found = std::lower_bound(answers_.begin(), answers_.end(), Answer{node, at, 0});
  if (found == answers_.end() || found->node != node || found->at != at) return std::nullopt;
  return found->record;
}

}  // namespace lanyard::lab::why
