// SPDX-License-Identifier: Apache-2.0
// Neighbour solicitations and advertisements, and the clock of the rest.
#include "internet/ndp.hh"

#include <algorithm>

#include "wire/icmp.hh"

namespace lanyard::internet {

Ndp::Ndp(Shared& shared, Output& output, Addressing& addressing)
    : shared_(shared),
      output_(output),
      addressing_(addressing),
      chance_(shared.seed.branch("ndp").stream()),
      redirect_limiter_(shared.config.icmp_errors_per_second, shared.config.icmp_errors_burst) {}

Duration Ndp::random_below(Duration bound) {
  return Duration::nanoseconds(
      static_cast<std::int64_t>(chance_.below(static_cast<std::uint64_t>(bound.count_ns()))));
}

DropReason Ndp::on_message(Instant now, const Datagram& datagram, const Arrival& arrival) {
  is_next_known_ = false;
  Interface& interface = shared_.interfaces.at(arrival.interface);
  if (interface.link.is_loopback || arrival.was_looped) return DropReason::bad_ndp;
  if (!icmp::has_good_checksum(Family::ipv6, datagram.source, datagram.destination, datagram.packet,
                               datagram.packet.size())) {
    return DropReason::bad_ndp;
  }
  // BI-38 [RFC4861-4.6-a], [RFC4861-4-a]: options are read by wire/ndp_options; BI-39: what a
  // router let through, or somebody else than a neighbour sent, is not neighbour discovery.
  const auto view = ndp::View::parse(datagram.packet.front());
  if (!view ||
      !ndp::is_acceptable(*view, datagram.source, datagram.destination, datagram.hop_limit)) {
    return DropReason::bad_ndp;
  }
  switch (view->type()) {
    case ndp::Type::router_solicitation:
      return on_router_solicitation(now, *view, datagram, interface);
    case ndp::Type::router_advertisement:
      return on_router_advertisement(now, *view, datagram, interface);
    case ndp::Type::neighbour_solicitation:
      return on_solicitation(now, *view, datagram, interface);
    case ndp::Type::neighbour_advertisement:
      return on_advertisement(now, *view, interface);
    case ndp::Type::redirect:
      return on_redirect(now, *view, datagram, interface);
  }
  return DropReason::bad_ndp;
}

DropReason Ndp::on_solicitation(Instant now, const ndp::View& view, const Datagram& datagram,
                                Interface& interface) {
  const IpAddress target = view.target();
  const InterfaceAddress* own = interface.find(target);
  // RFC 4861 7.2.3 [RFC4861-7.2.3-a].
  if (own == nullptr || own->state == AddressState::duplicate) return DropReason::not_for_us;
  const bool is_check = datagram.source.is_unspecified();
  if (own->state == AddressState::tentative) {
    // RFC 4862 5.4.3 [RFC4862-5.4.3-a]: not answered; a check by another means we both want it.
    const auto& nonce = view.options().nonce;
    const bool is_ours = nonce && addressing_.is_own_nonce(*nonce);
    if (is_check && !is_ours) addressing_.on_conflict(now, interface, target);
    return DropReason::none;
  }
  const auto& mac = view.options().source_link_address;
  if (!is_check && mac && !mac->is_group()) {
    interface.neighbours.on_spoken_to(now, datagram.source, *mac);
    output_.work_off(now, interface);
  }
  // RFC 4861 7.2.4 [RFC4861-7.2.4-a].
  ndp::Message answer;
  answer.type = ndp::Type::neighbour_advertisement;
  answer.target = target;
  answer.is_router = shared_.config.forwarding;
  answer.is_solicited = !is_check;
  answer.is_override = true;
  answer.options.target_link_address = interface.link.mac;
  const IpAddress to = is_check ? *IpAddress::parse("ff02::1") : datagram.source;
  addressing_.send(now, interface, target, to, answer);
  return DropReason::none;
}

DropReason Ndp::on_advertisement(Instant now, const ndp::View& view, Interface& interface) {
  const IpAddress target = view.target();
  if (const InterfaceAddress* own = interface.find(target)) {
    // RFC 4862 5.4.4 [RFC4862-5.4.4-a].
    if (own->state == AddressState::tentative) addressing_.on_conflict(now, interface, target);
    return DropReason::none;
  }
  auto mac = view.options().target_link_address;
  if (mac && mac->is_group()) mac.reset();
  interface.neighbours.on_advertisement(
      now, target, {mac, view.is_solicited(), view.is_override(), view.is_router()});
  output_.work_off(now, interface);
  return DropReason::none;
}

void Ndp::poll(Instant now) {
  if (next_deadline() > now) return;
  is_next_known_ = false;
  for (auto& [index, state] : states_) {
    Interface& interface = shared_.interfaces.at(index);
    if (state.next_solicitation <= now) solicit_routers(now, interface);
    if (state.next_advertisement <= now) advertise(now, interface);
  }
  forget_learned(now);
}

Instant Ndp::next_deadline() const {
  if (is_next_known_) return next_;
  is_next_known_ = true;
  Instant& next = next_;
  next = Instant::never();
  for (const auto& [index, state] : states_) {
    next = std::min({next, state.next_solicitation, state.next_advertisement});
  }
  for (const Learned& learned : learned_) next = std::min(next, learned.until);
  return next;
}

}  // namespace lanyard::internet
