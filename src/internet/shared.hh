// SPDX-License-Identifier: Apache-2.0
// What the parts of the internet layer share: the tables of one machine. Internal to internet/.
#pragma once

#include <algorithm>
#include <deque>

#include "core/random.hh"
#include "internet/config.hh"
#include "internet/interfaces.hh"
#include "internet/machine.hh"
#include "internet/pmtu.hh"
#include "internet/routes.hh"
#include "link/config.hh"

namespace lanyard::internet {

// Routes that redirects made: host routes, the oldest forgotten first.
class Redirects {
 public:
  static constexpr std::size_t redirects_max = 1024;

  // `gateway` unspecified: the destination is on the link.
  void add(RouteTable& routes, const IpPrefix& destination, const IpAddress& gateway,
           std::uint32_t interface) {
    if (const auto known = std::find(made_.begin(), made_.end(), destination);
        known != made_.end()) {
      remove(routes, *known);
      made_.erase(known);
    } else if (made_.size() >= redirects_max) {
      remove(routes, made_.front());
      made_.pop_front();
    }
    routes.add({destination, {gateway, interface, 0, RouteOrigin::redirected}});
    made_.push_back(destination);
  }
  // Forgets what led through a gateway that does not answer.
  void remove_through(RouteTable& routes, const IpAddress& gateway, std::uint32_t interface) {
    std::erase_if(made_, [&](const IpPrefix& destination) {
      const NextHop* hop = routes.find(destination.address, interface);
      const bool is_it = hop != nullptr && hop->origin == RouteOrigin::redirected &&
                         (hop->gateway == gateway || destination.address == gateway);
      if (is_it) remove(routes, destination);
      return is_it;
    });
  }

 private:
  static void remove(RouteTable& routes, const IpPrefix& destination) {
    routes.remove_origin(destination, RouteOrigin::redirected);
  }
  std::deque<IpPrefix> made_;
};

struct Shared {
  Shared(const Config& internet_config, const link::Config& links, const Seed& root,
         Machine& around)
      : config(internet_config),
        link_config(links),
        seed(root),
        machine(around),
        path_mtus(config) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  // Grows with every change that may send a packet another way.
  [[nodiscard]] std::uint64_t version() const {
    return interfaces.version() + routes.version() + path_mtus.version();
  }

  const Config config;
  const link::Config link_config;
  const Seed seed;
  Machine& machine;
  Interfaces interfaces;
  RouteTable routes;
  PathMtus path_mtus;
  Redirects redirects;
};

inline constexpr std::uint32_t loopback_interface = 1;

}  // namespace lanyard::internet
