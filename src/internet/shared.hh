// SPDX-License-Identifier: Apache-2.0
// What the parts of the internet layer share: the tables of one machine. Internal to internet/.
#pragma once

#include "core/random.hh"
#include "internet/config.hh"
#include "internet/interfaces.hh"
#include "internet/machine.hh"
#include "internet/pmtu.hh"
#include "internet/routes.hh"
#include "link/config.hh"

namespace lanyard::internet {

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

  const Config config;
  const link::Config link_config;
  const Seed seed;
  Machine& machine;
  Interfaces interfaces;
  RouteTable routes;
  PathMtus path_mtus;
};

inline constexpr std::uint32_t loopback_interface = 1;

}  // namespace lanyard::internet
