// SPDX-License-Identifier: Apache-2.0
#include "guest/tcp_info.hh"

#include <linux/tcp.h>

#include <cstring>

namespace lanyard::guest {

std::string tcp_info_bytes(const socket::TcpInfo& info) {
  tcp_info out{};
  out.tcpi_state = info.state;
  out.tcpi_ca_state = info.ca_state;
  out.tcpi_retransmits = info.retransmits;
  out.tcpi_probes = info.probes;
  out.tcpi_backoff = info.backoff;
  out.tcpi_options = info.options;
  out.tcpi_snd_wscale = info.snd_wscale & 0xf;
  out.tcpi_rcv_wscale = info.rcv_wscale & 0xf;
  out.tcpi_rto = info.rto_us;
  out.tcpi_ato = info.ato_us;
  out.tcpi_snd_mss = info.snd_mss;
  out.tcpi_rcv_mss = info.rcv_mss;
  out.tcpi_unacked = info.unacked;
  out.tcpi_sacked = info.sacked;
  out.tcpi_lost = info.lost;
  out.tcpi_retrans = info.retrans;
  out.tcpi_last_data_sent = info.last_data_sent_ms;
  out.tcpi_last_data_recv = info.last_data_recv_ms;
  out.tcpi_last_ack_recv = info.last_ack_recv_ms;
  out.tcpi_pmtu = info.pmtu;
  out.tcpi_rcv_ssthresh = info.rcv_ssthresh;
  out.tcpi_rtt = info.rtt_us;
  out.tcpi_rttvar = info.rttvar_us;
  out.tcpi_snd_ssthresh = info.snd_ssthresh;
  out.tcpi_snd_cwnd = info.snd_cwnd;
  out.tcpi_advmss = info.advmss;
  out.tcpi_reordering = info.reordering;
  out.tcpi_rcv_space = info.rcv_space;
  out.tcpi_total_retrans = info.total_retrans;
  out.tcpi_bytes_acked = info.bytes_acked;
  out.tcpi_bytes_received = info.bytes_received;
  out.tcpi_segs_out = info.segs_out;
  out.tcpi_segs_in = info.segs_in;
  out.tcpi_notsent_bytes = info.notsent_bytes;
  out.tcpi_min_rtt = info.min_rtt_us;
  out.tcpi_busy_time = info.busy_us;
  out.tcpi_rwnd_limited = info.window_limited_us;
  out.tcpi_sndbuf_limited = info.buffer_limited_us;
  out.tcpi_delivery_rate = info.delivery_rate;
  out.tcpi_delivery_rate_app_limited = info.is_delivery_rate_limited ? 1 : 0;
  out.tcpi_pacing_rate = info.pacing_rate;
  out.tcpi_max_pacing_rate = info.max_pacing_rate;
  out.tcpi_bytes_sent = info.bytes_sent;
  out.tcpi_bytes_retrans = info.bytes_retrans;
  out.tcpi_snd_wnd = info.snd_wnd;
  std::string bytes(sizeof out, '\0');
  std::memcpy(bytes.data(), &out, sizeof out);
  return bytes;
}

}  // namespace lanyard::guest
