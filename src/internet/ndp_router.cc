// SPDX-License-Identifier: Apache-2.0
// A router's part: advertisements (RFC 4861 6.2) and redirects (8.2).
#include <algorithm>

#include "internet/ndp.hh"

namespace lanyard::internet {

namespace {

constexpr Duration interval_min = Duration::seconds(200);  // RFC 4861 6.2.1
constexpr Duration interval_max = Duration::seconds(600);
constexpr Duration initial_interval_max = Duration::seconds(16);  // RFC 4861 10
constexpr std::uint32_t initial_advertisements = 3;
constexpr Duration response_delay_max = Duration::milliseconds(500);
constexpr Duration between_advertisements_min = Duration::seconds(3);
constexpr std::uint16_t router_lifetime_s = 1800;
constexpr std::uint32_t valid_lifetime_s = 2'592'000;
constexpr std::uint32_t preferred_lifetime_s = 604'800;

}  // namespace

bool Ndp::advertises(const Interface& interface) const {
  return shared_.config.forwarding && interface.advertises && interface.link.is_up;
}

// RFC 4861 6.1.1 [RFC4861-6.1.1-a]: hosts ignore it.
DropReason Ndp::on_router_solicitation(Instant now, const ndp::View& view, const Datagram& datagram,
                                       Interface& interface) {
  if (!advertises(interface)) return DropReason::icmp_ignored;
  const auto& mac = view.options().source_link_address;
  if (mac && !mac->is_group() && !datagram.source.is_unspecified()) {
    interface.neighbours.on_spoken_to(now, datagram.source, *mac);
    output_.work_off(now, interface);
  }
  // RFC 4861 6.2.6: one answer to all who ask, not too often.
  advertise_within(now, interface, response_delay_max);
  return DropReason::none;
}

void Ndp::advertise_within(Instant now, Interface& interface, Duration delay_max) {
  InterfaceState& state = states_[interface.link.index];
  const Instant soonest = std::max(now, state.last_advertisement + between_advertisements_min);
  state.next_advertisement = std::min(state.next_advertisement, soonest + random_below(delay_max));
}

void Ndp::advertise(Instant now, Interface& interface) {
  InterfaceState& state = states_[interface.link.index];
  state.last_advertisement = now;
  ++state.advertisements;
  Duration wait = interval_min + random_below(interval_max - interval_min);
  if (state.advertisements < initial_advertisements) wait = std::min(wait, initial_interval_max);
  state.next_advertisement = now + wait;
  if (!advertises(interface)) return;
  ndp::Message message;
  message.type = ndp::Type::router_advertisement;
  message.current_hop_limit = shared_.config.default_hop_limit;
  message.router_lifetime_s = router_lifetime_s;
  message.options.source_link_address = interface.link.mac;
  message.options.mtu = interface.link.mtu;
  const InterfaceAddress* link_local = nullptr;
  for (const InterfaceAddress& address : interface.addresses) {
    const IpAddress& ip = address.prefix.address;
    if (ip.is_v4() || !address.is_usable()) continue;
    if (ip.is_link_local()) {
      if (link_local == nullptr) link_local = &address;
      continue;
    }
    ndp::PrefixInformation prefix;
    prefix.prefix = {address.prefix.network(), address.prefix.length};
    prefix.is_on_link = true;
    prefix.is_autonomous = address.prefix.length == 64;
    prefix.valid_lifetime_s = valid_lifetime_s;
    prefix.preferred_lifetime_s = preferred_lifetime_s;
    message.options.prefixes.push_back(prefix);
  }
  // RFC 4861 4.2: without a link-local address nobody would believe it.
  if (link_local == nullptr) return;
  addressing_.send(now, interface, link_local->prefix.address, *IpAddress::parse("ff02::1"),
                   message);
}

void Ndp::redirect(Instant now, const Arrival& arrival, const Packet& packet,
                   const ipv6::View& view, const NextHop& route) {
  Interface& interface = shared_.interfaces.at(arrival.interface);
  const IpAddress source = view.source();
  const IpAddress better = route.is_on_link() ? view.destination() : route.gateway;
  // RFC 4861 8.2: to a neighbour, about a router known by its link-local address or the
  // destination itself.
  if (!shared_.interfaces.is_on_link(source, arrival.interface)) return;
  if (!route.is_on_link() && !better.is_link_local()) return;
  const auto own = std::find_if(
      interface.addresses.begin(), interface.addresses.end(), [](const InterfaceAddress& a) {
        return a.is_usable() && a.prefix.address.is_v6() && a.prefix.address.is_link_local();
      });
  if (own == interface.addresses.end() || !redirect_limiter_.allows(now)) return;
  ndp::Message message;
  message.type = ndp::Type::redirect;
  message.target = better;
  message.destination = view.destination();
  if (const auto known = interface.neighbours.find(now, better);
      known && known->state != link::NeighbourState::incomplete) {
    message.options.target_link_address = known->mac;
  }
  constexpr std::size_t quoted_max = 512;
  const Bytes front = packet.front();
  message.options.redirected_header = front.first(std::min(front.size(), quoted_max) / 8 * 8);
  addressing_.send(now, interface, own->prefix.address, source, message);
}

}  // namespace lanyard::internet
