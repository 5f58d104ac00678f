// SPDX-License-Identifier: Apache-2.0
#include "internet/addressing.hh"

#include <algorithm>

#include "link/arp.hh"
#include "wire/ipv6.hh"

namespace lanyard::internet {

namespace {

constexpr std::uint32_t probes_v4 = 3;         // RFC 5227 1.1: PROBE_NUM
constexpr std::uint32_t announcements_v4 = 2;  // ANNOUNCE_NUM
constexpr Duration probe_wait = Duration::seconds(1);
constexpr Duration probe_min = Duration::seconds(1);
constexpr Duration announce_wait = Duration::seconds(2);
constexpr Duration announce_interval = Duration::seconds(2);
constexpr Duration defend_interval = Duration::seconds(10);
constexpr std::uint32_t transmits_v6 = 1;  // RFC 4862 5.1: DupAddrDetectTransmits
constexpr Duration delay_max_v6 = Duration::seconds(1);
constexpr std::size_t nonces_max = 8;

}  // namespace

Addressing::Addressing(Shared& shared, Output& output, Groups& groups)
    : shared_(shared),
      output_(output),
      groups_(groups),
      chance_(shared.seed.branch("addressing").stream()),
      secret_(shared.seed.branch("stable identifiers").stream().key()) {}

Duration Addressing::random_below(Duration bound) {
  return Duration::nanoseconds(
      static_cast<std::int64_t>(chance_.below(static_cast<std::uint64_t>(bound.count_ns()))));
}

void Addressing::add(Instant now, Interface& interface, InterfaceAddress address) {
  const IpAddress ip = address.prefix.address;
  remove(now, interface, ip);
  const bool is_checked = interface.checks_duplicates && !interface.link.is_loopback;
  if (is_checked) address.state = AddressState::tentative;
  interface.addresses.push_back(address);
  // RFC 4861 7.2.1 [RFC4861-7.2.1-a], RFC 4291 2.8 [RFC4291-2.8-a]: heard from now on; of one that
  // is checked the link is told with the first probe.
  if (ip.is_v6() && !interface.link.is_loopback) {
    groups_.change(now, interface, solicited_node(ip), std::nullopt, SourceFilter{}, true);
  }
  shared_.interfaces.index_addresses();
  const std::uint32_t index = interface.link.index;
  const std::uint8_t full = ip.is_v4() ? 32 : 128;
  // An address given by a router says nothing about what is on the link (RFC 4861 6.3.4).
  if (address.prefix.length < full && !interface.link.is_loopback &&
      (!address.is_autoconfigured || ip.is_link_local())) {
    shared_.routes.add({{address.prefix.network(), address.prefix.length},
                        {IpAddress(), index, 0, RouteOrigin::connected}});
  }
  watch(interface, ip);
  if (!is_checked) return;
  // RFC 4862 5.4.2, RFC 5227 2.1.1: not all at once after a power cut.
  const Duration delay = random_below(ip.is_v4() ? probe_wait : delay_max_v6);
  schedule(now + delay, {Task::Kind::probe, index, ip, 0});
}

void Addressing::remove(Instant now, Interface& interface, const IpAddress& address) {
  const auto found =
      std::find_if(interface.addresses.begin(), interface.addresses.end(),
                   [&](const InterfaceAddress& a) { return a.prefix.address == address; });
  if (found == interface.addresses.end()) return;
  const IpPrefix network{found->prefix.network(), found->prefix.length};
  interface.addresses.erase(found);
  if (address.is_v6() && !interface.link.is_loopback) {
    groups_.change(now, interface, solicited_node(address), SourceFilter{}, std::nullopt,
                   !interface.checks_duplicates);
  }
  const bool is_shared = std::any_of(
      interface.addresses.begin(), interface.addresses.end(), [&](const InterfaceAddress& a) {
        return a.prefix.length == network.length && network.contains(a.prefix.address);
      });
  if (!is_shared) shared_.routes.remove(network, IpAddress(), interface.link.index);
  shared_.interfaces.index_addresses();
}

void Addressing::watch(const Interface& interface, const IpAddress& address) {
  // One of them to an address, however often a router speaks of it.
  std::erase_if(tasks_, [&](const auto& each) {
    const Task& task = each.second;
    return task.kind == Task::Kind::lifetime && task.interface == interface.link.index &&
           task.address == address;
  });
  const InterfaceAddress* found = interface.find(address);
  if (found == nullptr) return;
  const Instant next = found->state == AddressState::deprecated
                           ? found->valid_until
                           : std::min(found->preferred_until, found->valid_until);
  if (next == Instant::never()) return;
  schedule(next, {Task::Kind::lifetime, interface.link.index, address, 0});
}

// RFC 4862 5.5.4 [RFC4862-5.5.4-a]: preferred, then deprecated, then gone.
void Addressing::on_lifetime(Instant now, Interface& interface, const IpAddress& address) {
  InterfaceAddress* found = interface.find(address);
  if (found == nullptr) return;
  if (found->valid_until <= now) return remove(now, interface, address);
  const bool is_over = found->preferred_until <= now;
  if (is_over && found->state == AddressState::preferred) {
    found->state = AddressState::deprecated;
    shared_.interfaces.index_addresses();
  }
  watch(interface, address);
}

void Addressing::poll(Instant now) {
  while (!tasks_.empty() && tasks_.begin()->first <= now) {
    const Task task = tasks_.begin()->second;
    tasks_.erase(tasks_.begin());
    run(now, task);
  }
}

Instant Addressing::next_deadline() const {
  return tasks_.empty() ? Instant::never() : tasks_.begin()->first;
}

void Addressing::run(Instant now, Task task) {
  Interface& interface = shared_.interfaces.at(task.interface);
  switch (task.kind) {
    case Task::Kind::probe:
      return probe(now, interface, task);
    case Task::Kind::announce:
      return announce(now, interface, task);
    case Task::Kind::lifetime:
      return on_lifetime(now, interface, task.address);
    case Task::Kind::renew:
      return renew(now, interface, task);
  }
}

void Addressing::probe(Instant now, Interface& interface, Task task) {
  const InterfaceAddress* found = interface.find(task.address);
  // [RFC5227-2.1-b]: once done, or found double, it is not repeated.
  if (found == nullptr || found->state != AddressState::tentative) return;
  if (task.address.is_v4()) {
    probe_v4(now, interface, task);
  } else {
    probe_v6(now, interface, task);
  }
}

// RFC 5227 2.1.1 [RFC5227-2.1-a].
void Addressing::probe_v4(Instant now, Interface& interface, Task task) {
  if (task.sent == probes_v4) return finish_check(now, interface, task.address);
  shared_.machine.transmit(now, interface.link.index,
                           link::arp_request(interface.link.mac, IpAddress::any(Family::ipv4),
                                             task.address, std::nullopt));
  ++task.sent;
  const Duration wait =
      task.sent == probes_v4 ? announce_wait : probe_min + random_below(Duration::seconds(1));
  schedule(now + wait, task);
}

// RFC 4862 5.4.2 [RFC4862-5.4-a].
void Addressing::probe_v6(Instant now, Interface& interface, Task task) {
  if (task.sent == transmits_v6) return finish_check(now, interface, task.address);
  if (task.sent == 0) {
    // RFC 4862 5.4.2 [RFC4862-5.4.2-a]: the group before the first probe, and as late as it.
    const IpAddress group = solicited_node(task.address);
    groups_.change(now, interface, group, SourceFilter{}, std::nullopt, true);
    groups_.change(now, interface, group, std::nullopt, SourceFilter{}, false);
  }
  ndp::Message message;
  message.type = ndp::Type::neighbour_solicitation;
  message.target = task.address;
  std::array<std::uint8_t, 8> random;
  store64(random.data(), chance_.next());
  std::array<std::uint8_t, 6>& nonce = message.options.nonce.emplace();
  std::copy_n(random.begin(), nonce.size(), nonce.begin());
  if (nonces_.size() == nonces_max) nonces_.erase(nonces_.begin());
  nonces_.push_back(nonce);
  send(now, interface, IpAddress::any(Family::ipv6), solicited_node(task.address), message);
  ++task.sent;
  schedule(now + shared_.link_config.retransmit_interval, task);
}

void Addressing::finish_check(Instant now, Interface& interface, const IpAddress& address) {
  interface.find(address)->state = AddressState::preferred;
  shared_.interfaces.index_addresses();
  if (address.is_v4()) {
    announce(now, interface, {Task::Kind::announce, interface.link.index, address, 0});
  }
}

// RFC 5227 2.3 [RFC5227-2.3-a].
void Addressing::announce(Instant now, Interface& interface, Task task) {
  const InterfaceAddress* found = interface.find(task.address);
  if (found == nullptr || !found->is_usable()) return;
  shared_.machine.transmit(
      now, interface.link.index,
      link::arp_request(interface.link.mac, task.address, task.address, std::nullopt));
  if (++task.sent < announcements_v4) schedule(now + announce_interval, task);
}

void Addressing::on_conflict(Instant now, Interface& interface, const IpAddress& address) {
  InterfaceAddress* found = interface.find(address);
  if (found == nullptr) return;
  if (found->state == AddressState::tentative) {
    if (try_another(now, interface, *found)) return;
    // RFC 4862 5.4.5 [RFC4862-5.4.5-a], RFC 5227 2.1.1 [RFC5227-2.1.1-a], BI-41: not ours, and no
    // other is tried: whoever answers every probe gets no storm.
    found->state = AddressState::duplicate;
    const bool is_hardware_based =
        address == eui64_address({*IpAddress::parse("fe80::"), 64}, interface.link.mac);
    if (is_hardware_based) interface.is_ipv6_disabled = true;
    shared_.interfaces.index_addresses();
    return;
  }
  if (!address.is_v4() || !found->is_usable()) return;
  // RFC 5227 2.4 (c) [RFC5227-2.4-a]: whoever configured it meant it; one announcement in ten
  // seconds defends it. (b), RFC 3927 2.5: what the machine chose by itself it gives up then.
  if (now < next_defence_) {
    found->is_lost = found->is_lost || found->yields;
    return;
  }
  next_defence_ = now + defend_interval;
  shared_.machine.transmit(now, interface.link.index,
                           link::arp_request(interface.link.mac, address, address, std::nullopt));
}

bool Addressing::is_own_nonce(const std::array<std::uint8_t, 6>& nonce) const {
  return std::find(nonces_.begin(), nonces_.end(), nonce) != nonces_.end();
}

void Addressing::send(Instant now, Interface& interface, const IpAddress& source,
                      const IpAddress& to, const ndp::Message& message) {
  Packet packet(64 + message.size(), 0);
  message.push_onto(packet, source, to);
  ipv6::Header{.source = source,
               .destination = to,
               .next_header = static_cast<std::uint8_t>(Protocol::icmpv6),
               .hop_limit = ndp::hop_limit}
      .push_onto(packet);
  Hop hop;
  hop.kind = to.is_multicast() ? Hop::Kind::multicast : Hop::Kind::unicast;
  hop.interface = &interface;
  hop.next = to;
  hop.source = source;
  hop.mtu = interface.link.mtu;
  output_.transmit(now, hop, std::move(packet));
}

void Addressing::join(Instant now, Interface& interface, const IpAddress& group) {
  groups_.change(now, interface, group, std::nullopt, SourceFilter{}, !interface.checks_duplicates);
}

}  // namespace lanyard::internet
