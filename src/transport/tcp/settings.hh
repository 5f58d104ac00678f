// SPDX-License-Identifier: Apache-2.0
// What a program may set on a connection or listener, and what it may learn (TCP_INFO). Accepted
// connections inherit their listener's settings.
#pragma once

#include <cstdint>

#include "core/time.hh"
#include "transport/config.hh"

namespace lanyard::tcp {

struct Settings {
  bool no_delay = false;             // TCP_NODELAY: no Nagle
  bool cork = false;                 // TCP_CORK: full segments only, for 200 ms at most
  bool keep_alive = false;           // SO_KEEPALIVE
  bool urgent_inline = false;        // SO_OOBINLINE
  bool reports_soft_errors = false;  // IP_RECVERR: ICMP soft errors become pending errors
  bool may_fragment = false;         // IP_PMTUDISC_DONT: IPv4 without DF
  std::uint8_t hop_limit = 0;        // 0: the machine's default
  std::uint8_t traffic_class = 0;
  bool fast_open_connect = false;         // TCP_FASTOPEN_CONNECT: connect waits for the first data
  bool fast_open_without_cookie = false;  // TCP_FASTOPEN_NO_COOKIE
  bool user_timeout_option = false;  // RFC 5482, ENABLED: told to the peer, and the peer's is heard
  congestion::Kind congestion = congestion::Kind::cubic;  // TCP_CONGESTION
  std::uint16_t fast_open_pending_max = 0;                // TCP_FASTOPEN of a listener; 0: off
  std::uint16_t mss_max = 0;                              // TCP_MAXSEG; 0: what the path takes
  std::uint32_t window_clamp = 0;                         // TCP_WINDOW_CLAMP; 0: none
  std::uint32_t send_buffer_bytes = 0;
  std::uint32_t receive_buffer_bytes = 0;
  std::uint32_t not_sent_low_water = 0;  // TCP_NOTSENT_LOWAT; 0: none
  std::uint32_t not_sent_default = 0;    // the machine's, which reads as none
  std::uint32_t syn_retries_max = 0;     // TCP_SYNCNT
  std::uint32_t keep_alive_probes_max = 0;
  std::uint64_t pacing_rate_max = UINT64_MAX;  // SO_MAX_PACING_RATE, octets/s; 0 or most: none
  Duration keep_alive_idle;
  Duration keep_alive_interval;
  Duration user_timeout;  // TCP_USER_TIMEOUT; zero: the configured number of retries
  Duration fin_wait_2;    // TCP_LINGER2: of an orphan; negative: straight to CLOSED
  Duration defer_accept;  // TCP_DEFER_ACCEPT; zero: off

  // What unsent octets must stay below for the socket to be writable; 0: they do not matter.
  [[nodiscard]] std::uint32_t low_water() const {
    return not_sent_low_water != 0 ? not_sent_low_water : not_sent_default;
  }
  [[nodiscard]] bool is_paced() const { return pacing_rate_max - 1 < UINT64_MAX - 1; }
  [[nodiscard]] static Settings defaults(const transport::Config& config);
  friend bool operator==(const Settings&, const Settings&) = default;
};

// What Linux's struct tcp_info says that we can answer truthfully; units as there.
struct Info {
  std::uint8_t state = 0, ca_state = 0, retransmits = 0, probes = 0, backoff = 0, options = 0,
               snd_wscale = 0, rcv_wscale = 0;
  std::uint32_t rto_us = 0, ato_us = 0, snd_mss = 0, rcv_mss = 0, unacked = 0, sacked = 0, lost = 0,
                retrans = 0;
  std::uint32_t last_data_sent_ms = 0, last_data_recv_ms = 0, last_ack_recv_ms = 0, pmtu = 0,
                rcv_ssthresh = 0;
  std::uint32_t rtt_us = 0, rttvar_us = 0, snd_ssthresh = 0, snd_cwnd = 0, advmss = 0,
                reordering = 0, rcv_space = 0;
  std::uint32_t total_retrans = 0, segs_out = 0, segs_in = 0, notsent_bytes = 0, min_rtt_us = 0,
                snd_wnd = 0;
  std::uint32_t delivered = 0, dsack_dups = 0, reord_seen = 0, data_segs_out = 0;
  std::uint64_t bytes_acked = 0, bytes_received = 0, bytes_sent = 0, bytes_retrans = 0,
                delivery_rate = 0, pacing_rate = 0, max_pacing_rate = 0;
  bool is_delivery_rate_limited = false;  // by the application
  std::uint64_t busy_us = 0, window_limited_us = 0, buffer_limited_us = 0;
};

}  // namespace lanyard::tcp
