// SPDX-License-Identifier: Apache-2.0
// Neighbour discovery (RFC 4861) and stateless address configuration (RFC 4862): neighbours are
// answered and heard, a host finds its routers, prefixes and parameters, a router advertises them.
// Internal to internet/.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "internet/addressing.hh"
#include "internet/output.hh"
#include "internet/rate_limiter.hh"
#include "internet/shared.hh"
#include "wire/ipv6.hh"
#include "wire/ndp.hh"

namespace lanyard::internet {

class Ndp {
 public:
  Ndp(Shared& shared, Output& output, Addressing& addressing);

  // An interface came up: its link-local address is made, routers are looked for, or advertised.
  void start(Instant now, Interface& interface);
  // An ICMPv6 message of types 133 to 137 with its checksum still to be looked at.
  DropReason on_message(Instant now, const Datagram& datagram, const Arrival& arrival);
  // A packet goes back by where it came from: its sender is told (RFC 4861 8.2).
  void redirect(Instant now, const Arrival& arrival, const Packet& packet, const ipv6::View& view,
                const NextHop& route);

  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;

 private:
  DropReason on_solicitation(Instant now, const ndp::View& view, const Datagram& datagram,
                             Interface& interface);
  DropReason on_advertisement(Instant now, const ndp::View& view, Interface& interface);
  DropReason on_router_solicitation(Instant now, const ndp::View& view, const Datagram& datagram,
                                    Interface& interface);
  DropReason on_router_advertisement(Instant now, const ndp::View& view, const Datagram& datagram,
                                     Interface& interface);
  DropReason on_redirect(Instant now, const ndp::View& view, const Datagram& datagram,
                         Interface& interface);

  // Host.
  void solicit_routers(Instant now, Interface& interface);
  void take_router(Instant now, Interface& interface, const IpAddress& router, Duration lifetime);
  void take_parameters(const ndp::View& view, Interface& interface);
  void take_prefix(Instant now, Interface& interface, const ndp::PrefixInformation& prefix);
  void take_address(Instant now, Interface& interface, const ndp::PrefixInformation& prefix);
  void forget_learned(Instant now);

  // Router.
  [[nodiscard]] bool advertises(const Interface& interface) const;
  void advertise(Instant now, Interface& interface);
  void advertise_within(Instant now, Interface& interface, Duration delay_max);

  [[nodiscard]] Duration random_below(Duration bound);

  struct Learned {  // a default router or an on-link prefix
    IpPrefix destination;
    IpAddress gateway;
    std::uint32_t interface;
    Instant until;
  };
  struct InterfaceState {
    std::uint32_t solicitations = 0;
    Instant next_solicitation = Instant::never();
    Duration solicitation_interval;
    bool has_router = false;
    std::uint32_t advertisements = 0;
    Instant next_advertisement = Instant::never();
    Instant last_advertisement = Instant::start() - Duration::seconds(3600);
    std::uint32_t reachable_time_ms = 0;
  };

  Shared& shared_;
  Output& output_;
  Addressing& addressing_;
  RandomStream chance_;
  RateLimiter redirect_limiter_;
  std::map<std::uint32_t, InterfaceState> states_;
  std::vector<Learned> learned_;
  // It is asked for far more often than it changes.
  mutable Instant next_ = Instant::never();
  mutable bool is_next_known_ = false;
};

}  // namespace lanyard::internet
