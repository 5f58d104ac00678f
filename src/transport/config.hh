// SPDX-License-Identifier: Apache-2.0
// Limits and timings of the transport layer, all in one place. The defaults are Linux's where the
// RFCs leave a choice.
#pragma once

#include <cstdint>

#include "core/time.hh"

namespace lanyard::transport {

struct Config {
  // Ports.
  std::uint16_t privileged_ports_end = 1024;  // binding below needs may_bind_privileged
  bool may_bind_privileged = true;
  std::uint16_t ephemeral_first = 32768;  // RFC 6056 3.2 asks for a large range; Linux's default
  std::uint16_t ephemeral_last = 60999;
  // Buffers.
  std::uint32_t send_buffer_bytes = 4 * 1024 * 1024;
  std::uint32_t receive_buffer_bytes = 4 * 1024 * 1024;
  std::uint32_t udp_receive_buffer_bytes = 512 * 1024;
  std::uint32_t backlog_max = 4096;  // net.core.somaxconn
  // TCP.
  std::uint32_t half_open_min = 256;  // embryonic connections of a listener, whatever its backlog
  std::uint32_t connections_max = 16 * 1024 * 1024;
  std::uint32_t orphan_retries_max = 8;  // R2 once the program is gone, as Linux
  bool errors_abort_opening = true;  // RFC 5461 4.1: as deployed stacks, any ICMP error ends a SYN
  Duration rto_min =
      Duration::milliseconds(200);  // RFC 6298 2.4 says 1 s SHOULD; deployed stacks 200 ms
  Duration rto_initial = Duration::seconds(1);  // RFC 6298 2.1
  Duration rto_max = Duration::seconds(120);    // RFC 6298 2.5: at least 60 s
  std::uint32_t syn_retries_max = 7;     // R2 for a SYN lasts at least 3 minutes (RFC 9293 3.8.3)
  std::uint32_t retries_max = 15;        // R2 (RFC 9293 3.8.3), about 15 minutes as Linux counts
  Duration msl = Duration::seconds(30);  // TIME-WAIT is twice this; Linux's 60 s
  Duration fin_wait_2_timeout = Duration::seconds(60);        // for orphans, as Linux
  Duration delayed_ack_max = Duration::milliseconds(40);      // RFC 9293 3.8.6.3: below 500 ms
  Duration peer_ack_delay_max = Duration::milliseconds(200);  // RFC 8985 7.2, as Linux delays
  Duration keep_alive_idle = Duration::seconds(7200);         // RFC 9293 3.8.4: not below two hours
  Duration keep_alive_interval = Duration::seconds(75);
  std::uint32_t keep_alive_probes_max = 9;
  std::uint32_t challenge_acks_per_second = 100;  // RFC 5961 7, per connection and randomised
  std::uint32_t time_wait_max = 65536;
  std::uint32_t out_of_order_segments_max = 8192;  // per connection
};

}  // namespace lanyard::transport
