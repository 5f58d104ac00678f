// SPDX-License-Identifier: Apache-2.0
// From the internet layer to the conversations: by protocol, and to whoever else listens.
#include "link/neighbour.hh"
#include "stack/parts.hh"
#include "stack/steering.hh"
#include "wire/icmp.hh"

namespace lanyard::stack {

DropReason Stack::Parts::deliver(Instant now, internet::Datagram& datagram, Bytes ip_header) {
  const bool was_shown = !raw_sinks.empty() && show_raw(now, datagram, ip_header);
  const bool is_v4 = datagram.destination.is_v4();
  switch (datagram.protocol) {
    case internet::Protocol::tcp:
      return tcp.on_segment(now, std::move(datagram), more_wait);
    case internet::Protocol::udp:
      return udp.on_datagram(now, datagram);
    case internet::Protocol::icmp:
    case internet::Protocol::icmpv6:
      if ((datagram.protocol == internet::Protocol::icmp) != is_v4) break;
      if (!echo_sinks.empty()) show_echo(now, datagram, ip_header);
      return DropReason::none;
    case internet::Protocol::igmp:
      if (!is_v4) break;
      return DropReason::none;
    default:
      break;
  }
  // RFC 1122 3.2.2.1 [RFC1122-3.2.2.1-a]: nobody speaks it. BI-07: neither IP in IP.
  return was_shown ? DropReason::none : DropReason::unknown_protocol;
}

bool Stack::Parts::is_other_shards(const internet::Datagram& datagram) const {
  if (config.steering == nullptr) return false;
  const unsigned shard = config.steering->shard_of(datagram);
  return shard != Steering::every && shard != config.shard;
}

bool Stack::Parts::show_raw(Instant now, const internet::Datagram& datagram, Bytes ip_header) {
  const RawKey key{datagram.destination.family(), datagram.protocol};
  bool was_shown = false;
  for (const auto& [wanted, sink] : raw_sinks) {
    if (wanted != key) continue;
    sink->on_datagram(now, datagram, ip_header);
    was_shown = true;
  }
  return was_shown;
}

void Stack::Parts::show_echo(Instant now, const internet::Datagram& datagram, Bytes ip_header) {
  const Family family = datagram.destination.family();
  const Bytes message = datagram.packet.front();
  const auto view = icmp::View::parse(message, datagram.packet.size());
  const std::uint8_t reply = family == Family::ipv4 ? icmp::v4::echo_reply : icmp::v6::echo_reply;
  if (!view || view->type() != reply) return;
  const auto sink = echo_sinks.find({family, view->identifier()});
  if (sink != echo_sinks.end()) sink->second->on_datagram(now, datagram, ip_header);
}

bool Stack::Parts::believes(const internet::IcmpError& error) const {
  return error.protocol != internet::Protocol::tcp || tcp.believes(error);
}

void Stack::Parts::on_icmp_error(Instant now, const internet::IcmpError& error) {
  const Family family = error.destination.family();
  for (const auto& [wanted, sink] : raw_sinks) {
    if (wanted == RawKey{family, error.protocol}) sink->on_icmp_error(now, error);
  }
  // [RFC1122-3.2.2-c], [RFC1122-4.1.3.3-a].
  switch (error.protocol) {
    case internet::Protocol::tcp:
      return tcp.on_icmp_error(now, error);
    case internet::Protocol::udp:
      return udp.on_icmp_error(now, error);
    case internet::Protocol::icmp:
    case internet::Protocol::icmpv6: {
      const auto view = icmp::View::parse(error.quoted, error.quoted.size());
      if (!view) return;
      const auto sink = echo_sinks.find({family, view->identifier()});
      if (sink != echo_sinks.end()) sink->second->on_icmp_error(now, error);
      return;
    }
    case internet::Protocol::igmp:
    default:
      return;
  }
}

// [RFC1122-3.1-b]: every drop is counted by its reason.
void Stack::Parts::on_drop(Instant now, std::uint32_t interface, DropReason reason,
                           const Packet& packet) {
  ++drops[static_cast<std::size_t>(reason)];
  if (trace == nullptr || !trace->takes(EventKind::packet_dropped)) return;
  emit(now, EventKind::packet_dropped,
       {interface, static_cast<std::int64_t>(packet.size()), static_cast<std::int64_t>(packet.id),
        static_cast<std::int64_t>(reason)});
}

void Stack::Parts::on_neighbour(Instant now, std::uint32_t interface, const IpAddress& address,
                                link::NeighbourState state) {
  if (trace == nullptr || !trace->is_on()) return;
  trace->emit(now, node, EventKind::neighbour_changed,
              {interface, static_cast<std::int64_t>(state)},
              lanyard::to_text(address) + " " + std::string(link::to_text(state)));
}

}  // namespace lanyard::stack
