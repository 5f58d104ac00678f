// SPDX-License-Identifier: Apache-2.0
// Limits and timings of the transport layer, all in one place. The defaults are Linux's where the
// RFCs leave a choice.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/time.hh"
#include "transport/congestion/kind.hh"

namespace lanyard::transport {

// TCP Fast Open (RFC 7413), the bits of Linux's net.ipv4.tcp_fastopen.
namespace fast_open {
inline constexpr std::uint32_t client = 0x1;
inline constexpr std::uint32_t server = 0x2;  // of listeners that ask for it
inline constexpr std::uint32_t client_without_cookie = 0x4;
inline constexpr std::uint32_t server_without_cookie = 0x200;
inline constexpr std::uint32_t all_listeners = 0x400;
}  // namespace fast_open

// Whether Explicit Congestion Notification is used (RFC 3168); Linux's net.ipv4.tcp_ecn is 0, 2, 1.
enum class Ecn : std::uint8_t { off, when_asked, ask };
// RFC 4821: whether the path's MTU is probed; Linux's net.ipv4.tcp_mtu_probing.
enum class PathProbing : std::uint8_t { off, after_black_hole, always };
// RFC 6191 for active opens; Linux's net.ipv4.tcp_tw_reuse.
enum class Reuse : std::uint8_t { off, always, of_loopback };

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
  std::uint32_t not_sent_low_water = 0;  // of sockets without TCP_NOTSENT_LOWAT; 0: none
  std::uint32_t backlog_max = 4096;      // net.core.somaxconn
  // TCP.
  std::uint32_t half_open_min = 256;  // embryonic connections of a listener, whatever its backlog
  std::uint32_t connections_max = 16 * 1024 * 1024;
  std::uint32_t unfolded_connections_max = 4096;  // beyond these the idle ones are kept small
  std::uint32_t orphan_retries_max = 8;           // R2 once the program is gone, as Linux
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
  // Of all connections: what is beyond it is forgotten, and sent again.
  std::uint32_t out_of_order_bytes_max = 256 * 1024 * 1024;
  // Negotiated where both ends can (RFC 7323, RFC 2018).
  bool timestamps = true, window_scaling = true, sack = true;
  bool timestamps_required = true;    // RFC 7323 3.2: a segment without is dropped; Linux takes it
  bool tail_probes = true;            // RFC 8985 7
  bool slow_start_after_idle = true;  // RFC 5681 4.1
  bool user_timeout_option = false;   // RFC 5482; off, as there
  bool resets_when_backlog_full = false;
  Ecn ecn = Ecn::when_asked;
  Reuse time_wait_reuse = Reuse::always;
  congestion::Kind congestion = congestion::Kind::cubic;
  PathProbing path_probing = PathProbing::after_black_hole;
  std::uint32_t path_probe_base_bytes = 1024;  // of payload: what is tried when nothing comes back
  std::uint32_t path_probe_least_bytes = 48;
  Duration path_probe_interval = Duration::seconds(600);  // RFC 4821 7.3: five to ten minutes
  std::uint32_t fast_open = fast_open::client;
  // Shared by the machines behind one address; none: of the machine's own chance.
  std::optional<std::array<std::uint64_t, 2>> fast_open_key{};
};

}  // namespace lanyard::transport
