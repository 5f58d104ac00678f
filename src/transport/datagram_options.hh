// SPDX-License-Identifier: Apache-2.0
// What a program may say about the datagrams of a socket: UDP's, and raw and echo sockets'.
#pragma once

#include <cstdint>

#include "internet/datagram.hh"

namespace lanyard::udp {

struct Options {
  bool broadcast = false;        // SO_BROADCAST: sending to one is access_denied without
  bool multicast_loop = true;    // our own groups hear us
  bool dont_fragment = false;    // IP_MTU_DISCOVER: larger than the path is message_too_long
  bool receives_errors = false;  // IP_RECVERR: the error queue, and errors though unconnected
  std::uint8_t hop_limit = 0;    // 0: the machine's default
  std::uint8_t traffic_class = 0;
  std::uint8_t multicast_hop_limit = 1;
  std::uint32_t multicast_interface = 0;
  IpAddress multicast_source;  // of the interface chosen by address (IP_MULTICAST_IF)
  std::uint32_t receive_buffer_bytes = 0;

  // Into the facts of a datagram whose destination is set; what is not negative is said of this
  // one alone.
  void describe(internet::Datagram& datagram, std::int16_t own_hop_limit,
                std::int16_t own_traffic_class) const {
    const bool is_group = datagram.destination.is_multicast();
    datagram.hop_limit = is_group ? multicast_hop_limit : hop_limit;
    if (own_hop_limit >= 0) datagram.hop_limit = static_cast<std::uint8_t>(own_hop_limit);
    datagram.traffic_class =
        own_traffic_class >= 0 ? static_cast<std::uint8_t>(own_traffic_class) : traffic_class;
    datagram.may_fragment = !dont_fragment;
    datagram.loops_multicast = multicast_loop;
  }
};

}  // namespace lanyard::udp
