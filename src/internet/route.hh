// SPDX-License-Identifier: Apache-2.0
// A route: where packets to a prefix go next.
#pragma once

#include <compare>
#include <cstdint>

#include "wire/address.hh"

namespace lanyard::internet {

enum class RouteOrigin : std::uint8_t { connected, configured, advertised, redirected };

// Where packets of a route go next. `gateway` unspecified: the destination itself is on the link.
struct NextHop {
  IpAddress gateway;
  std::uint32_t interface = 0;
  std::uint32_t metric = 0;
  RouteOrigin origin = RouteOrigin::configured;

  [[nodiscard]] bool is_on_link() const { return gateway.is_unspecified(); }
  friend auto operator<=>(const NextHop&, const NextHop&) = default;
};

struct Route {
  IpPrefix destination;
  NextHop hop;
  friend auto operator<=>(const Route&, const Route&) = default;
};

}  // namespace lanyard::internet
