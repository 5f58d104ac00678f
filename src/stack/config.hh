// SPDX-License-Identifier: Apache-2.0
// The configuration and all limits of one machine, on one page; units last in the name. Rows for
// looking in.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/time.hh"
#include "internet/config.hh"
#include "link/config.hh"
#include "transport/config.hh"
#include "wire/address.hh"

namespace lanyard::stack {

class Steering;

struct Config {
  std::string name = "host";
  link::Config link;
  internet::Config internet;
  transport::Config transport;
  // One of several stacks with this machine's addresses (steering.hh); null: the only one.
  std::shared_ptr<const Steering> steering;
  unsigned shard = 0;
};

struct InterfaceConfig {
  std::string name = "eth0";
  MacAddress mac;
  std::uint32_t mtu = 1500;
  // Set for an interface that gets its addresses by itself: the EUI-64 link-local one, and by
  // SLAAC.
  bool makes_link_local = true;
  // Looks for IPv6 routers and believes them, if it makes its link-local address and does not
  // forward.
  bool solicits_routers = true;
  // The duplicate check of RFC 4862 5.4 and RFC 5227; off where whoever configures knows that
  // addresses are unique.
  bool checks_duplicates = false;
  // A router (forwarding on) sends router advertisements with the prefixes of its addresses here.
  bool advertises = false;
  // What the link can do for us (see core/packet.hh, Offload).
  bool takes_checksums = false;
  std::uint32_t super_segment_bytes_max = 0;
};

struct Route {
  IpPrefix destination;
  IpAddress gateway;  // unspecified: on-link
  std::uint32_t interface = 0;
  std::uint32_t metric = 0;
};

struct NeighbourRow {
  std::uint32_t interface = 0;
  IpAddress address;
  MacAddress mac;
  std::string state;  // RFC 4861 names: INCOMPLETE REACHABLE STALE DELAY PROBE; PERMANENT
};

struct InterfaceRow {
  std::uint32_t index = 0;
  std::string name;
  MacAddress mac;
  std::uint32_t mtu = 0;
  bool is_up = true;
  std::vector<IpPrefix> addresses;
  std::uint64_t received_frames = 0, received_bytes = 0, sent_frames = 0, sent_bytes = 0,
                dropped_frames = 0;
};

}  // namespace lanyard::stack
