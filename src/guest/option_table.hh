// SPDX-License-Identifier: Apache-2.0
// Linux's numbers for socket options, in one table: which of ours each is, and what it looks like
// in memory.
#pragma once

#include <cstdint>
#include <string_view>

#include "socket/types.hh"

namespace lanyard::guest {

enum class OptionShape : std::uint8_t {
  number,          // an int
  small_number,    // an int, or one byte (IP_TTL, IP_TOS ...)
  rate,            // an unsigned int or, where there is room, an unsigned long; all ones: no bound
  linger,          // struct linger
  seconds_native,  // lies in the pair, where the kernel keeps it (SO_RCVTIMEO ...)
  group_v4,        // ip_mreq or ip_mreqn
  group_v6,        // ipv6_mreq
  interface_v4,    // in_addr, ip_mreq or ip_mreqn
  interface_name,  // text
  text,
  info,                // struct tcp_info
  icmp_filter,         // struct icmp_filter, struct icmp6_filter
  sticky_packet_info,  // struct in6_pktinfo: of all datagrams to come
  flag,                // a wish about control messages: kept in the virtual socket
  mtu_discovery,
  empty,    // IP_OPTIONS: only the empty one
  refused,  // with `error`
};

struct OptionRow {
  int level, name;
  OptionShape shape;
  socket::Option option = socket::Option::error;
  int error = 0;
  std::string_view text;  // "TCP_ULP"
};

// The row of an option; null if the table has none.
[[nodiscard]] const OptionRow* find_option(int level, int name);

}  // namespace lanyard::guest
