// SPDX-License-Identifier: Apache-2.0
// Limits and timings of the link layer, all in one place.
#pragma once

#include <cstdint>

#include "core/time.hh"

namespace lanyard::link {

struct Config {
  std::uint32_t neighbours_max = 4096;
  std::uint32_t neighbour_queue_packets_max = 16;  // per unresolved neighbour
  std::uint32_t held_packets_max = 1024;           // of all unresolved neighbours together
  std::uint32_t solicitations_max = 3;  // RFC 4861 10: MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT
  Duration retransmit_interval =
      Duration::seconds(1);  // RFC 4861 10: RETRANS_TIMER; RFC 1122 2.3.2.1
  Duration reachable_time =
      Duration::seconds(30);  // RFC 4861 10: REACHABLE_TIME, before randomisation
  Duration delay_first_probe = Duration::seconds(5);  // RFC 4861 10: DELAY_FIRST_PROBE_TIME
  Duration stale_kept_for = Duration::seconds(600);   // an unused entry is forgotten after this
};

}  // namespace lanyard::link
