// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/tcp_info.hh"

#include <map>

namespace lanyard::lab::drill {

namespace {

using Read = std::int64_t (*)(const socket::TcpInfo&);

#define FIELD(name)                                                                      \
  {                                                                                      \
    "tcpi_" #name,                                                                       \
        [](const socket::TcpInfo& info) { return static_cast<std::int64_t>(info.name); } \
  }
#define RENAMED(linux, name)                                                             \
  {                                                                                      \
    "tcpi_" #linux,                                                                      \
        [](const socket::TcpInfo& info) { return static_cast<std::int64_t>(info.name); } \
  }

const std::map<std::string_view, Read>& fields() {
  static const std::map<std::string_view, Read> table{
      FIELD(state),
      FIELD(ca_state),
      FIELD(retransmits),
      FIELD(probes),
      FIELD(backoff),
      FIELD(options),
      FIELD(snd_wscale),
      FIELD(rcv_wscale),
      RENAMED(rto, rto_us),
      RENAMED(ato, ato_us),
      FIELD(snd_mss),
      FIELD(rcv_mss),
      FIELD(unacked),
      FIELD(sacked),
      FIELD(lost),
      FIELD(retrans),
      RENAMED(last_data_sent, last_data_sent_ms),
      RENAMED(last_data_recv, last_data_recv_ms),
      RENAMED(last_ack_recv, last_ack_recv_ms),
      FIELD(pmtu),
      FIELD(rcv_ssthresh),
      RENAMED(rtt, rtt_us),
      RENAMED(rttvar, rttvar_us),
      FIELD(snd_ssthresh),
      FIELD(snd_cwnd),
      FIELD(advmss),
      FIELD(reordering),
      FIELD(rcv_space),
      FIELD(total_retrans),
      FIELD(segs_out),
      FIELD(segs_in),
      FIELD(notsent_bytes),
      RENAMED(min_rtt, min_rtt_us),
      FIELD(snd_wnd),
      FIELD(delivered),
      FIELD(dsack_dups),
      FIELD(reord_seen),
      FIELD(data_segs_out),
      FIELD(bytes_acked),
      FIELD(bytes_received),
      FIELD(bytes_sent),
      FIELD(bytes_retrans),
      FIELD(delivery_rate),
      RENAMED(delivery_rate_app_limited, is_delivery_rate_limited),
      FIELD(pacing_rate),
      FIELD(max_pacing_rate),
      RENAMED(busy_time, busy_us),
      RENAMED(rwnd_limited, window_limited_us),
      RENAMED(sndbuf_limited, buffer_limited_us),
  };
  return table;
}

#undef FIELD
#undef RENAMED

}  // namespace

std::optional<std::int64_t> tcp_info_field(const socket::TcpInfo& info, std::string_view name) {
  const auto found = fields().find(name);
  if (found == fields().end()) return std::nullopt;
  return found->second(info);
}

}  // namespace lanyard::lab::drill
