// SPDX-License-Identifier: Apache-2.0
// Why something was dropped. A drop is a counter, a reason and an event, never an error. One list
// for all layers, so that a person, a counter and a packet comment use the same words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lanyard {

enum class DropReason : std::uint8_t {
  none,
  // link
  frame_too_short,
  frame_too_long,
  not_for_us,
  unknown_ethertype,
  bad_vlan,
  link_down,
  link_loss,
  queue_full,
  no_carrier,
  same_segment,
  port_blocked,
  // neighbours
  bad_arp,
  neighbour_unresolved,
  neighbour_queue_full,
  bad_ndp,
  // internet
  bad_version,
  bad_header_length,
  bad_total_length,
  bad_ip_checksum,
  martian_source,
  martian_destination,
  not_local,
  no_route,
  hop_limit_exceeded,
  needs_fragmentation,
  forwarding_off,
  bad_option,
  source_route,
  unknown_protocol,
  bad_extension_header,
  bad_fragment,
  fragment_overlap,
  reassembly_timeout,
  reassembly_full,
  bad_icmp,
  icmp_ignored,
  filtered,
  // transport
  bad_udp_length,
  bad_udp_checksum,
  no_socket,
  receive_buffer_full,
  bad_tcp_header,
  bad_tcp_checksum,
  tcp_no_connection,
  tcp_unacceptable,
  tcp_no_ack,
  tcp_bad_ack,
  tcp_backlog_full,
  tcp_paws,
  out_of_memory,
  other_shard,
  // what a lab does on purpose; numbers stay as they are, since run files have them
  parted,
  machine_down,
  black_holed,
  dropped_as_told,
  dropped_early,
  count
};

inline constexpr std::size_t drop_reasons = static_cast<std::size_t>(DropReason::count);

// "queue full": the words a person reads in counters, packet comments and events.
[[nodiscard]] std::string_view to_text(DropReason reason);

using DropCounters = std::array<std::uint64_t, drop_reasons>;

}  // namespace lanyard
