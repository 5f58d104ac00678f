// SPDX-License-Identifier: Apache-2.0
#include "internet/network.hh"

#include <algorithm>

#include "internet/addressing.hh"
#include "internet/groups.hh"
#include "internet/icmp.hh"
#include "internet/input.hh"
#include "internet/ndp.hh"
#include "internet/output.hh"
#include "internet/shared.hh"
#include "link/arp.hh"

namespace lanyard::internet {

struct Network::Parts {
  Parts(const Config& config, const link::Config& links, const Seed& seed, Machine& machine)
      : shared(config, links, seed, machine) {}
  Shared shared;
  Output output{shared};
  Icmp icmp{shared, output};
  Groups groups{shared, output};
  Addressing addressing{shared, output, groups};
  Ndp ndp{shared, output, addressing};
  Input input{shared, output, icmp, ndp, groups};
  // The way to whom confirm_reachable() was told of last: true as long as nothing changes.
  struct Confirmed {
    std::uint64_t version = 0;
    IpAddress destination{}, next{};
    link::NeighbourTable* neighbours = nullptr;
  };
  Confirmed confirmed{};
  // The earliest deadline but for the neighbours', which every packet may move; version 0: not
  // known.
  struct Rest {
    std::uint64_t version = 0;
    Instant deadline;
  };
  Rest rest{};
  void forget_rest() { rest.version = 0; }
};

namespace {

// What a link does not cut itself is cut in front of it (output_link.cc).
constexpr std::uint32_t cut_bytes_max = 65535;

InterfaceSetup loopback_setup() {
  InterfaceSetup setup;
  setup.link.name = "lo";
  setup.link.mtu = 65536;
  setup.link.is_loopback = true;
  setup.link.takes_checksums = true;
  setup.makes_link_local = false;
  return setup;
}

}  // namespace

Network::Network(const Config& config, const link::Config& links, const Seed& seed,
                 Machine& machine)
    : parts_(std::make_unique<Parts>(config, links, seed, machine)) {
  add_interface(Instant::start(), loopback_setup());
  add_address(Instant::start(), loopback_interface, {IpAddress::loopback(Family::ipv4), 8});
  add_address(Instant::start(), loopback_interface, {IpAddress::loopback(Family::ipv6), 128});
}

Network::~Network() = default;

std::uint32_t Network::add_interface(Instant now, const InterfaceSetup& setup) {
  Shared& shared = parts_->shared;
  const Seed seed = shared.seed.branch("neighbours " + setup.link.name);
  Interface& interface =
      shared.interfaces.add(setup.link, link::NeighbourTable(shared.link_config, seed.stream()));
  interface.makes_link_local = setup.makes_link_local;
  interface.solicits_routers = setup.solicits_routers;
  interface.checks_duplicates = setup.checks_duplicates;
  interface.advertises = setup.advertises;
  // [RFC1122-3.3.7-a], RFC 4291 2.8 [RFC4291-2.8-a].
  for (const char* group : {"224.0.0.1", "ff01::1", "ff02::1"}) {
    parts_->addressing.join(now, interface, *IpAddress::parse(group));
  }
  if (shared.config.forwarding) {
    for (const char* group : {"224.0.0.2", "ff01::2", "ff02::2"}) {
      parts_->addressing.join(now, interface, *IpAddress::parse(group));
    }
  }
  shared.routes.set_up(interface.link.index, interface.link.is_up);
  if (interface.link.is_up) parts_->ndp.start(now, interface);
  parts_->forget_rest();
  return interface.link.index;
}

void Network::set_mtu(std::uint32_t index, std::uint32_t mtu) {
  internet::Interface* interface = parts_->shared.interfaces.find(index);
  if (interface == nullptr) return;
  interface->link.mtu = mtu;
  parts_->shared.interfaces.index_addresses();
}

void Network::set_link_up(Instant now, std::uint32_t index, bool is_up) {
  Shared& shared = parts_->shared;
  Interface* interface = shared.interfaces.find(index);
  if (interface == nullptr || interface->link.is_up == is_up) return;
  interface->link.is_up = is_up;
  shared.routes.set_up(index, is_up);
  if (is_up) {
    parts_->ndp.start(now, *interface);
    parts_->groups.on_link_up(now, *interface);
  } else {
    interface->neighbours.forget_all();
    parts_->output.work_off(now, *interface);
  }
  parts_->forget_rest();
}

void Network::add_address(Instant now, std::uint32_t index, const IpPrefix& prefix) {
  Interface* interface = parts_->shared.interfaces.find(index);
  if (interface == nullptr) return;
  InterfaceAddress address;
  address.prefix = prefix;
  parts_->addressing.add(now, *interface, address);
  parts_->forget_rest();
}

void Network::remove_address(Instant now, std::uint32_t index, const IpAddress& address) {
  Interface* interface = parts_->shared.interfaces.find(index);
  if (interface != nullptr) parts_->addressing.remove(now, *interface, address);
  parts_->forget_rest();
}

void Network::add_route(const Route& route) {
  parts_->shared.routes.add(route);
}

std::size_t Network::remove_route(const Route& route) {
  return parts_->shared.routes.remove(route.destination, route.hop.gateway, route.hop.interface);
}

Result<std::uint32_t> Network::group_interface(std::uint32_t interface,
                                               const IpAddress& group) const {
  if (!group.is_multicast()) return unexpected(Errno::invalid);
  if (interface == 0) {
    const auto hop = parts_->output.choose(group, IpAddress::any(group.family()), 0);
    if (!hop) return unexpected(Errno::no_such_device);
    return hop->interface->link.index;
  }
  if (parts_->shared.interfaces.find(interface) == nullptr) {
    return unexpected(Errno::no_such_device);
  }
  return interface;
}

Result<void> Network::listen(Instant now, std::uint32_t interface, const IpAddress& group,
                             const std::optional<SourceFilter>& before,
                             const std::optional<SourceFilter>& after) {
  const auto index = group_interface(interface, group);
  if (!index) return unexpected(index.error());
  Interface& on = parts_->shared.interfaces.at(*index);
  const bool is_changed = parts_->groups.change(now, on, group, before, after, false);
  parts_->forget_rest();
  if (!is_changed) {
    return unexpected(Errno::address_not_available);
  }
  return {};
}

bool Network::on_packet(Instant now, const Arrival& arrival, Packet&& packet) {
  if (packet.front().empty() && packet.size() > 0) packet.linear();
  const unsigned version = packet.size() == 0 ? 0U : packet.front()[0] >> 4;
  if (version != 6) {
    const Input::Passed passed = parts_->input.pass_plainly(now, arrival, packet);
    if (passed != Input::Passed::no) return passed == Input::Passed::onward;
    parts_->input.on_ipv4(now, arrival, std::move(packet));
  } else {
    parts_->input.on_ipv6(now, arrival, std::move(packet));
  }
  parts_->forget_rest();
  return false;
}

void Network::on_arp(Instant now, const Arrival& arrival, const Packet& packet) {
  Shared& shared = parts_->shared;
  Interface& interface = shared.interfaces.at(arrival.interface);
  const auto view = arp::View::parse(packet.front());
  if (!view) return shared.machine.on_drop(now, arrival.interface, view.error(), packet);
  const InterfaceAddress* sender = interface.find(view->sender_ip());
  const InterfaceAddress* target = interface.find(view->target_ip());
  link::ArpSituation situation;
  situation.own_mac = interface.link.mac;
  situation.sender_is_ours = sender != nullptr && sender->is_usable();
  situation.target_is_ours = target != nullptr && target->is_usable();
  situation.sender_is_tentative = sender != nullptr && sender->state == AddressState::tentative;
  situation.target_is_tentative = target != nullptr && target->state == AddressState::tentative;
  // A directed broadcast address is nobody's (BI-05).
  const bool is_broadcast =
      shared.interfaces.role(view->sender_ip(), arrival.interface) == Role::broadcast;
  const link::ArpDecision decision = link::decide(*view, situation);
  if (is_broadcast || decision.reason != DropReason::none) {
    return shared.machine.on_drop(now, arrival.interface, DropReason::bad_arp, packet);
  }
  if (decision.is_conflict) {
    parts_->addressing.on_conflict(now, interface,
                                   sender != nullptr ? view->sender_ip() : view->target_ip());
  }
  switch (decision.lesson) {
    case link::ArpDecision::Lesson::nothing:
      break;
    case link::ArpDecision::Lesson::overheard:
      interface.neighbours.on_overheard(now, view->sender_ip(), view->sender_mac());
      break;
    case link::ArpDecision::Lesson::spoken_to:
      interface.neighbours.on_spoken_to(now, view->sender_ip(), view->sender_mac());
      break;
    case link::ArpDecision::Lesson::advertised:
      interface.neighbours.on_advertisement(now, view->sender_ip(),
                                            {view->sender_mac(), true, true, false});
      break;
  }
  if (decision.answers) {
    shared.machine.transmit(now, arrival.interface,
                            link::arp_reply(interface.link.mac, view->message()));
  }
  parts_->output.work_off(now, interface);
  parts_->forget_rest();
}

Result<void> Network::send(Instant now, Datagram&& datagram) {
  return parts_->output.send(now, std::move(datagram));
}

Result<void> Network::send_with_header(Instant now, Datagram&& datagram) {
  return parts_->output.send_with_header(now, std::move(datagram));
}

void Network::poll(Instant now) {
  Shared& shared = parts_->shared;
  for (Interface& interface : shared.interfaces.all()) {
    interface.neighbours.poll(now);
    parts_->output.work_off(now, interface);
  }
  parts_->input.poll(now);
  parts_->groups.poll(now);
  parts_->addressing.poll(now);
  parts_->ndp.poll(now);
  shared.routes.poll(now);
  shared.path_mtus.poll(now);
  settle(now);
  parts_->forget_rest();
}

// RFC 1122 2.4 [RFC1122-2.4-b], RFC 4861 7.2.2: only a neighbour that was asked three times is
// unreachable; then whoever sent the packets is told, we ourselves over loopback.
void Network::settle(Instant now) {
  for (Output::Undeliverable& gone : parts_->output.take_undeliverable()) {
    Arrival arrival;
    arrival.interface = gone.interface;
    parts_->icmp.complain(now, {Trouble::host_unreachable, 0, arrival}, {}, gone.packet);
  }
}

Instant Network::next_deadline() const {
  const Shared& shared = parts_->shared;
  Parts::Rest& rest = parts_->rest;
  // Routes and path MTUs may change while a packet is sent; their version tells.
  if (rest.version != shared.version()) {
    rest = {shared.version(),
            std::min({parts_->input.next_deadline(), parts_->addressing.next_deadline(),
                      parts_->ndp.next_deadline(), shared.routes.next_deadline(),
                      shared.path_mtus.next_deadline(), parts_->groups.next_deadline()})};
  }
  Instant next = rest.deadline;
  for (const Interface& interface : shared.interfaces.all()) {
    next = std::min(next, interface.neighbours.next_deadline());
  }
  return next;
}

Result<Path> Network::find(const IpAddress& destination, const IpAddress& source,
                           std::uint32_t interface) const {
  const auto hop = parts_->output.choose(destination, source, interface);
  if (!hop) return unexpected(hop.error());
  Path path;
  path.source = hop->source;
  path.interface = hop->interface->link.index;
  path.mtu = hop->mtu;
  path.is_local = hop->kind == Hop::Kind::local;
  path.is_broadcast = hop->kind == Hop::Kind::broadcast;
  path.takes_checksums = hop->interface->link.takes_checksums;
  path.super_segment_bytes_max = hop->interface->link.super_segment_bytes_max;
  if (path.super_segment_bytes_max == 0 && !hop->interface->link.is_loopback) {
    path.super_segment_bytes_max = cut_bytes_max;
  }
  return path;
}

std::uint64_t Network::version() const {
  return parts_->shared.version();
}

bool Network::is_own_address(const IpAddress& address, std::uint32_t interface) const {
  const auto found = parts_->shared.interfaces.interface_of(address, interface);
  return found && (interface == 0 || *found == interface);
}

bool Network::is_broadcast(const IpAddress& address) const {
  return parts_->shared.interfaces.role(address, 0) == Role::broadcast;
}

void Network::confirm_reachable(Instant now, const IpAddress& destination) {
  Parts::Confirmed& known = parts_->confirmed;
  if (known.version == parts_->shared.version() && known.destination == destination)
    return known.neighbours->confirm(now, known.next);
  const IpAddress any = IpAddress::any(destination.family());
  const Hop* hop = parts_->output.recall(destination, any, 0);
  if (hop == nullptr) {
    static_cast<void>(parts_->output.choose(destination, any, 0));
    hop = parts_->output.recall(destination, any, 0);
  }
  if (hop == nullptr || hop->kind != Hop::Kind::unicast) return;
  known = {parts_->shared.version(), destination, hop->next, &hop->interface->neighbours};
  known.neighbours->confirm(now, known.next);
}

Interfaces& Network::interfaces() {
  return parts_->shared.interfaces;
}
const Interfaces& Network::interfaces() const {
  return parts_->shared.interfaces;
}
const RouteTable& Network::routes() const {
  return parts_->shared.routes;
}
std::size_t Network::reassembly_bytes() const {
  return parts_->input.reassembly().bytes();
}

}  // namespace lanyard::internet
