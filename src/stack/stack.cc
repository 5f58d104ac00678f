// SPDX-License-Identifier: Apache-2.0
#include "stack/stack.hh"

#include <algorithm>

#include "stack/parts.hh"
#include "wire/icmp.hh"
#include "wire/pseudo.hh"

namespace lanyard::stack {

namespace {

// Packets over loopback that one call works off; the rest waits for the next, which is due at once.
constexpr std::size_t looped_at_once_max = 4096;

}  // namespace

Stack::Parts::Parts(const Config& stack_config, const Seed& seed, std::uint32_t node_number,
                    Trace* events)
    : config(stack_config),
      node(node_number),
      trace(events),
      network(config.internet, config.link, seed, *this),
      tcp(config.transport, seed, network, trace, node, outbox),
      udp(config.transport, seed, network, outbox),
      chance(seed.branch("stack").stream()) {}

Stack::Stack(const Config& config, const Seed& seed, std::uint32_t node, Trace* trace)
    : parts_(std::make_unique<Parts>(config, seed, node, trace)) {}

Stack::~Stack() = default;

void Stack::reconfigure(const Config& config) {
  parts_->config.transport = config.transport;
  parts_->config.internet.default_hop_limit = config.internet.default_hop_limit;
  parts_->tcp.on_config_change();
}

std::uint32_t Stack::add_interface(const InterfaceConfig& interface) {
  internet::InterfaceSetup setup;
  setup.link.name = interface.name;
  setup.link.mac = interface.mac;
  setup.link.mtu = interface.mtu;
  setup.link.takes_checksums = interface.takes_checksums;
  setup.link.super_segment_bytes_max = interface.super_segment_bytes_max;
  setup.makes_link_local = interface.makes_link_local;
  setup.solicits_routers = interface.solicits_routers;
  setup.checks_duplicates = interface.checks_duplicates;
  setup.advertises = interface.advertises;
  return parts_->network.add_interface(parts_->latest, setup);
}

void Stack::add_address(Instant now, std::uint32_t interface, const IpPrefix& prefix) {
  parts_->network.add_address(now, interface, prefix);
}

void Stack::remove_address(Instant now, std::uint32_t interface, const IpAddress& address) {
  parts_->network.remove_address(now, interface, address);
}

namespace {

// [RFC1122-3.3.1.2-a]: any number of gateways, told apart by metric and by whether they answer. A
// route that names no interface leaves by the one its gateway is a neighbour on.
internet::Route internal_form(const internet::Network& network, const Route& route) {
  std::uint32_t interface = route.interface;
  if (interface == 0 && !route.gateway.is_unspecified()) {
    const internet::NextHop* hop = network.routes().find(route.gateway, 0);
    if (hop != nullptr) interface = hop->interface;
  }
  return {{route.destination.network(), route.destination.length},
          {route.gateway, interface, route.metric, internet::RouteOrigin::configured}};
}

}  // namespace

void Stack::add_route(const Route& route) {
  const internet::Route wanted = internal_form(parts_->network, route);
  if (parts_->network.interfaces().find(wanted.hop.interface) != nullptr) {
    parts_->network.add_route(wanted);
  }
}

std::size_t Stack::remove_route(const Route& route) {
  return parts_->network.remove_route(
      {route.destination,
       {route.gateway, route.interface, route.metric, internet::RouteOrigin::configured}});
}

void Stack::set_link_up(Instant now, std::uint32_t interface, bool is_up) {
  parts_->latest = std::max(parts_->latest, now);
  parts_->network.set_link_up(now, interface, is_up);
  parts_->work_off(now);
}

void Stack::set_mtu(std::uint32_t interface, std::uint32_t mtu) {
  parts_->network.set_mtu(interface, mtu);
  parts_->tcp.on_mtu_change();
}

bool Stack::on_frame(Instant now, std::uint32_t interface, Packet&& frame) {
  parts_->latest = std::max(parts_->latest, now);
  if (parts_->receive(now, interface, std::move(frame))) return true;
  parts_->work_off(now);
  return false;
}

void Stack::on_frames(Instant now, std::uint32_t interface, std::span<Packet> frames) {
  if (frames.size() == 1) {
    on_frame(now, interface, std::move(frames.front()));
    return;
  }
  parts_->latest = std::max(parts_->latest, now);
  parts_->more_wait = true;  // RFC 9293 3.10.7.4 [MUST-59]
  const bool is_watched = parts_->trace != nullptr && parts_->trace->is_on();
  if (is_watched || !parts_->raw_sinks.empty()) {
    // Whoever watches sees each frame as it came.
    for (Packet& frame : frames) parts_->receive(now, interface, std::move(frame));
  } else {
    parts_->receive_joined(now, interface, frames);
  }
  parts_->more_wait = false;
  parts_->tcp.flush(now);
  parts_->work_off(now);
}

void Stack::poll(Instant now) {
  parts_->latest = std::max(parts_->latest, now);
  parts_->tcp.poll(now);
  parts_->network.poll(now);
  parts_->work_off(now);
}

Instant Stack::next_deadline() const {
  if (!parts_->looped.is_empty()) return parts_->latest;
  return std::min(parts_->tcp.next_deadline(), parts_->network.next_deadline());
}

std::optional<OutFrame> Stack::take_frame() {
  std::optional<OutFrame> frame;
  if (parts_->frames.is_empty()) return frame;
  frame.emplace(std::move(parts_->frames.front()));
  parts_->frames.drop();
  return frame;
}

void Stack::take_frames(std::vector<OutFrame>& frames) {
  if (!parts_->frames.is_empty()) parts_->frames.pop_all(frames);
}

tcp::Tcp& Stack::tcp() {
  return parts_->tcp;
}
udp::Udp& Stack::udp() {
  return parts_->udp;
}
internet::Network& Stack::network() {
  return parts_->network;
}

void Stack::flush(Instant now) {
  parts_->latest = std::max(parts_->latest, now);
  parts_->work_off(now);
}

// What came back over loopback and what transport wants sent then, until neither has anything.
void Stack::Parts::work_off_looped(Instant now) {
  for (std::size_t done = 0; done < looped_at_once_max; ++done) {
    if (!outbox.empty()) send_outbox(now);
    if (looped.is_empty()) return;
    Looped next = looped.pop();
    internet::Arrival arrival;
    arrival.interface = next.interface;
    arrival.was_looped = true;
    link::InterfaceCounters& counters = network.interfaces().at(next.interface).link.counters;
    if (next.interface == 1) {
      ++counters.received_frames;
      counters.received_bytes += next.packet.size();
    }
    network.on_packet(now, arrival, std::move(next.packet));
  }
  if (!outbox.empty()) send_outbox(now);
}

void Stack::Parts::send_outbox(Instant now) {
  // Sending may add to it: a message too long is reported to TCP, which sends again.
  for (std::size_t i = 0; i < outbox.size(); ++i) send_one(now, std::move(outbox[i]));
  outbox.clear();
}

void Stack::Parts::send_one(Instant now, internet::Datagram&& datagram) {
  // It may have to wait for its neighbour; its cause is what happens now.
  if (trace != nullptr && datagram.packet.cause == 0) datagram.packet.cause = trace->cause();
  const auto sent = network.send(now, std::move(datagram));
  if (sent) return;
  if (sent.error() != Errno::message_too_long) {
    return on_drop(now, datagram.interface, DropReason::no_route, datagram.packet);
  }
  // The path became narrower since transport asked: it is told as a router would tell it
  // (RFC 1122 3.3.3, RFC 8201 5.2).
  on_drop(now, datagram.interface, DropReason::needs_fragmentation, datagram.packet);
  const auto path = network.find(datagram.destination, datagram.source, datagram.interface);
  if (!path) return;
  internet::IcmpError error;
  error.kind = internet::IcmpError::Kind::packet_too_big;
  error.mtu = path->mtu;
  error.reporter = path->source;
  error.source = path->source;
  error.destination = datagram.destination;
  error.protocol = datagram.protocol;
  error.quoted = datagram.packet.front();  // a refused datagram is left as it was
  on_icmp_error(now, error);
}

Result<void> Stack::send(Instant now, internet::Datagram datagram) {
  Parts& parts = *parts_;
  parts.latest = std::max(parts.latest, now);
  if (datagram.protocol == internet::Protocol::icmpv6) {
    if (datagram.packet.linear().size() < icmp::header_size) return unexpected(Errno::invalid);
    const auto path = parts.network.find(datagram.destination, datagram.source, datagram.interface);
    if (!path) return unexpected(path.error());
    datagram.source = path->source;
    // RFC 3542 3.1: of ICMPv6 the machine writes the checksum.
    put_checksum(
        {datagram.source, datagram.destination, static_cast<std::uint8_t>(datagram.protocol)},
        datagram.packet, icmp::checksum_offset, ChecksumBy::us);
  }
  const auto sent = parts.network.send(now, std::move(datagram));
  parts.work_off(now);
  return sent;
}

Result<void> Stack::send_with_header(Instant now, internet::Datagram datagram) {
  Parts& parts = *parts_;
  parts.latest = std::max(parts.latest, now);
  const auto sent = parts.network.send_with_header(now, std::move(datagram));
  parts.work_off(now);
  return sent;
}

}  // namespace lanyard::stack
