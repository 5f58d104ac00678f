// SPDX-License-Identifier: Apache-2.0
// A host's part: routers, prefixes and parameters are learned, addresses made of them.
#include <algorithm>

#include "internet/ndp.hh"

namespace lanyard::internet {

namespace {

constexpr Duration solicitation_delay_max = Duration::seconds(1);  // RFC 4861 10
constexpr Duration solicitation_interval = Duration::seconds(4);
constexpr Duration solicitation_interval_max = Duration::seconds(3600);  // RFC 7559 2
constexpr std::uint32_t reachable_time_ms_max = 3'600'000;
constexpr std::uint32_t infinite_s = 0xffffffff;
constexpr Duration two_hours = Duration::seconds(7200);
constexpr std::size_t learned_max = 64;
constexpr std::uint32_t advertised_metric = 1024;

Instant after(Instant now, std::uint32_t seconds) {
  return seconds == infinite_s ? Instant::never() : now + Duration::seconds(seconds);
}

const IpPrefix link_local_prefix = {*IpAddress::parse("fe80::"), 64};

}  // namespace

void Ndp::start(Instant now, Interface& interface) {
  is_next_known_ = false;
  if (interface.link.is_loopback) return;
  InterfaceState& state = states_[interface.link.index];
  state = {};
  // RFC 4862 5.3 [RFC4862-5.3-a].
  if (interface.makes_link_local) {
    if (addressing_.formed(interface, link_local_prefix) == nullptr)
      addressing_.form(now, interface, {.prefix = link_local_prefix});
  }
  if (shared_.config.forwarding) {
    if (interface.advertises) advertise_within(now, interface, Duration::seconds(1));
  } else if (interface.makes_link_local && interface.solicits_routers) {
    // RFC 4861 6.3.7 [RFC4861-6.3.7-a].
    state.solicitation_interval = solicitation_interval;
    state.next_solicitation = now + random_below(solicitation_delay_max);
  }
}

void Ndp::solicit_routers(Instant now, Interface& interface) {
  InterfaceState& state = states_[interface.link.index];
  ndp::Message message;
  message.type = ndp::Type::router_solicitation;
  const InterfaceAddress* own = addressing_.formed(interface, link_local_prefix);
  const bool has_address = own != nullptr && own->is_usable();
  if (has_address) message.options.source_link_address = interface.link.mac;
  addressing_.send(now, interface, has_address ? own->prefix.address : IpAddress::any(Family::ipv6),
                   *IpAddress::parse("ff02::2"), message);
  // RFC 7559 2: where no router answers, ever more slowly.
  if (++state.solicitations >= 3) {
    state.solicitation_interval =
        std::min(state.solicitation_interval * 2, solicitation_interval_max);
  }
  state.next_solicitation = now + state.solicitation_interval;
}

DropReason Ndp::on_router_advertisement(Instant now, const ndp::View& view,
                                        const Datagram& datagram, Interface& interface) {
  if (shared_.config.forwarding || !interface.solicits_routers) return DropReason::icmp_ignored;
  const IpAddress router = datagram.source;
  const auto& mac = view.options().source_link_address;
  if (mac && !mac->is_group()) {
    // RFC 4861 6.3.4 [RFC4861-6.3.4-d], [RFC4861-7.3.1-a]: known, not confirmed.
    interface.neighbours.on_spoken_to(now, router, *mac);
    interface.neighbours.set_router(router, true);
    output_.work_off(now, interface);
  }
  const std::uint16_t lifetime = view.router_lifetime_s();
  take_router(now, interface, router, Duration::seconds(lifetime));
  if (lifetime > 0) states_[interface.link.index].next_solicitation = Instant::never();
  take_parameters(view, interface);
  for (const ndp::PrefixInformation& prefix : view.options().prefixes) {
    take_prefix(now, interface, prefix);
    take_address(now, interface, prefix);
  }
  return DropReason::none;
}

// RFC 4861 6.3.4 [RFC4861-6.3.4-a]: several are kept, and the route table chooses.
void Ndp::take_router(Instant now, Interface& interface, const IpAddress& router,
                      Duration lifetime) {
  const std::uint32_t index = interface.link.index;
  const IpPrefix everything{IpAddress(), 0};
  const auto known = std::find_if(learned_.begin(), learned_.end(), [&](const Learned& l) {
    return l.gateway == router && l.interface == index;
  });
  if (lifetime == Duration::zero()) {
    if (known == learned_.end()) return;
    shared_.routes.remove(everything, router, index);
    learned_.erase(known);
    return;
  }
  if (known != learned_.end()) {
    known->until = now + lifetime;
    return;
  }
  if (learned_.size() >= learned_max) return;
  learned_.push_back({everything, router, index, now + lifetime});
  shared_.routes.add({everything, {router, index, advertised_metric, RouteOrigin::advertised}});
}

// RFC 4861 6.3.4 [RFC4861-6.3.4-b], [RFC4861-6.3.4-c]: zero says nothing.
void Ndp::take_parameters(const ndp::View& view, Interface& interface) {
  if (view.current_hop_limit() != 0) interface.ipv6_hop_limit = view.current_hop_limit();
  InterfaceState& state = states_[interface.link.index];
  const std::uint32_t reachable = view.reachable_time_ms();
  const bool is_new = reachable != 0 && reachable != state.reachable_time_ms;
  if (is_new && reachable <= reachable_time_ms_max) {
    state.reachable_time_ms = reachable;
    interface.neighbours.set_reachable_time(Duration::milliseconds(reachable));
  }
  if (const std::uint32_t retrans = view.retrans_timer_ms(); retrans != 0) {
    interface.neighbours.set_retransmit_interval(
        Duration::milliseconds(std::clamp(retrans, 100U, 60'000U)));
  }
  // BI-38: an MTU that the link or the protocol does not allow is ignored.
  const auto mtu = view.options().mtu;
  if (mtu && *mtu >= ipv6_mtu_min && *mtu <= interface.link.mtu && *mtu != interface.ipv6_mtu) {
    interface.ipv6_mtu = *mtu;
    shared_.interfaces.index_addresses();
  }
}

// RFC 4861 6.3.4 [RFC4861-6.3.4-e]: which addresses are on this link.
void Ndp::take_prefix(Instant now, Interface& interface, const ndp::PrefixInformation& prefix) {
  const IpPrefix network{prefix.prefix.network(), prefix.prefix.length};
  if (!prefix.is_on_link || network.address.is_link_local() || network.address.is_multicast()) {
    return;
  }
  const std::uint32_t index = interface.link.index;
  const auto known = std::find_if(learned_.begin(), learned_.end(), [&](const Learned& l) {
    return l.destination == network && l.gateway.is_unspecified() && l.interface == index;
  });
  if (prefix.valid_lifetime_s == 0) {
    if (known == learned_.end()) return;
    shared_.routes.remove_origin(network, RouteOrigin::advertised);
    learned_.erase(known);
    return;
  }
  const Instant until = after(now, prefix.valid_lifetime_s);
  if (known != learned_.end()) {
    known->until = until;
    return;
  }
  // A network somebody configured here needs no word of a router.
  const bool is_configured = std::any_of(
      interface.addresses.begin(), interface.addresses.end(), [&](const InterfaceAddress& a) {
        return !a.is_autoconfigured && a.prefix.length == network.length &&
               network.contains(a.prefix.address);
      });
  if (is_configured || learned_.size() >= learned_max) return;
  learned_.push_back({network, IpAddress(), index, until});
  shared_.routes.add({network, {IpAddress(), index, 0, RouteOrigin::advertised}});
}

// RFC 4862 5.5.3 [RFC4862-5.5.3-a], BI-38.
void Ndp::take_address(Instant now, Interface& interface, const ndp::PrefixInformation& prefix) {
  const bool is_usable = prefix.is_autonomous && prefix.prefix.length == 64 &&
                         !prefix.prefix.address.is_link_local() &&
                         !prefix.prefix.address.is_multicast() &&
                         prefix.preferred_lifetime_s <= prefix.valid_lifetime_s;
  if (!is_usable || !interface.makes_link_local) return;
  const IpPrefix network{prefix.prefix.network(), prefix.prefix.length};
  const Instant valid_until = after(now, prefix.valid_lifetime_s);
  const Instant preferred_until = after(now, prefix.preferred_lifetime_s);
  InterfaceAddress* known = addressing_.formed(interface, network);
  if (known == nullptr) {
    if (prefix.valid_lifetime_s == 0) return;
    addressing_.form(
        now, interface,
        {.prefix = network, .preferred_until = preferred_until, .valid_until = valid_until});
    return addressing_.keep_temporary(now, interface, network);
  }
  // RFC 4862 5.5.3 e) [RFC4862-5.5.3-b]: nobody may cut an address below two hours at once.
  const Instant two_hours_on = now + two_hours;
  if (valid_until > two_hours_on || valid_until > known->valid_until) {
    known->valid_until = valid_until;
  } else if (known->valid_until > two_hours_on) {
    known->valid_until = two_hours_on;
  }
  known->preferred_until = preferred_until;
  if (known->state == AddressState::deprecated && preferred_until > now) {
    known->state = AddressState::preferred;
  }
  addressing_.watch(interface, known->prefix.address);
  addressing_.keep_temporary(now, interface, network);
}

void Ndp::forget_learned(Instant now) {
  std::erase_if(learned_, [&](const Learned& learned) {
    if (learned.until > now) return false;
    if (learned.gateway.is_unspecified()) {
      shared_.routes.remove_origin(learned.destination, RouteOrigin::advertised);
    } else {
      // RFC 4861 6.3.5 [RFC4861-6.3.5-a].
      shared_.routes.remove(learned.destination, learned.gateway, learned.interface);
    }
    return true;
  });
}

// RFC 4861 8.1 [RFC4861-8.1-a], 8.3 [RFC4861-8.3-a].
DropReason Ndp::on_redirect(Instant now, const ndp::View& view, const Datagram& datagram,
                            Interface& interface) {
  if (shared_.config.forwarding || !shared_.config.accepts_redirects) {
    return DropReason::icmp_ignored;
  }
  const IpAddress destination = view.destination();
  const IpAddress target = view.target();
  const std::uint32_t index = interface.link.index;
  const bool is_on_link = target == destination;
  if (destination.is_multicast() || (!is_on_link && !target.is_link_local())) {
    return DropReason::bad_ndp;
  }
  const NextHop* present = shared_.routes.find(destination, 0);
  const bool is_first_hop =
      present != nullptr && present->gateway == datagram.source && present->interface == index;
  if (!is_first_hop) return DropReason::bad_ndp;
  shared_.redirects.add(shared_.routes, {destination, 128}, is_on_link ? IpAddress() : target,
                        index);
  const auto& mac = view.options().target_link_address;
  if (mac && !mac->is_group()) {
    interface.neighbours.on_spoken_to(now, target, *mac);
    if (!is_on_link) interface.neighbours.set_router(target, true);
    output_.work_off(now, interface);
  }
  return DropReason::none;
}

}  // namespace lanyard::internet
