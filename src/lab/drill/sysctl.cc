// SPDX-License-Identifier: Apache-2.0
// The sysctl names that scripts set, and what each means to our stack's configuration.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "lab/drill/setup.hh"

namespace lanyard::lab::drill {

namespace {

using Values = std::vector<std::string>;

std::optional<std::int64_t> number_at(const Values& values, std::size_t index) {
  if (index >= values.size()) return std::nullopt;
  const std::string& text = values[index];
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Sets what it means; the text says why it has no effect.
using Apply = std::string (*)(Setup& setup, std::int64_t value, const Values& values);

struct Row {
  std::string_view name;
  Apply apply;
};

std::uint32_t count(std::int64_t value) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, UINT32_MAX));
}

transport::Config& transport_of(Setup& setup) {
  return setup.config.transport;
}

std::string only(std::int64_t value, std::int64_t ours, std::string_view why) {
  return value == ours ? std::string() : std::string(why);
}

std::string nothing(Setup&, std::int64_t, const Values&) {
  return {};
}

// The third number is the largest a buffer may grow to; ours do not grow, so the second counts
// less.
std::string set_receive_buffer(Setup& setup, std::int64_t, const Values& values) {
  const auto bytes = number_at(values, values.size() - 1);
  if (bytes) transport_of(setup).receive_buffer_bytes = count(std::max<std::int64_t>(*bytes, 4096));
  return {};
}
std::string set_send_buffer(Setup& setup, std::int64_t, const Values& values) {
  const auto bytes = number_at(values, values.size() - 1);
  if (bytes) transport_of(setup).send_buffer_bytes = count(std::max<std::int64_t>(*bytes, 4096));
  return {};
}

std::string set_ports(Setup& setup, std::int64_t first, const Values& values) {
  transport_of(setup).ephemeral_first = static_cast<std::uint16_t>(first);
  transport_of(setup).ephemeral_last =
      static_cast<std::uint16_t>(number_at(values, 1).value_or(first));
  return {};
}

std::string set_hop_limit(Setup& setup, std::int64_t value, const Values&) {
  setup.config.internet.default_hop_limit = static_cast<std::uint8_t>(value);
  return {};
}

constexpr Row rows[] = {
    {"net.ipv4.tcp_timestamps",
     [](Setup&, std::int64_t value, const Values&) {
       return value != 0 ? std::string() : "timestamps are always offered";
     }},
    {"net.ipv4.tcp_sack",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 1, "selective acknowledgments are always offered");
     }},
    {"net.ipv4.tcp_window_scaling",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 1, "window scaling is always offered");
     }},
    {"net.ipv4.tcp_ecn",
     [](Setup&, std::int64_t value, const Values&) {
       return value == 0 || value == 2 ? std::string() : "ECN is not asked for";
     }},
    {"net.ipv4.tcp_fin_timeout",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).fin_wait_2_timeout = Duration::seconds(value);
       return std::string();
     }},
    {"net.ipv4.tcp_syn_retries",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).syn_retries_max = count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_synack_retries",
     [](Setup& setup, std::int64_t value, const Values&) {
       return only(value, transport_of(setup).syn_retries_max, "as tcp_syn_retries");
     }},
    {"net.ipv4.tcp_retries2",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).retries_max = count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_orphan_retries",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).orphan_retries_max = value == 0 ? 8 : count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_keepalive_time",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).keep_alive_idle = Duration::seconds(value);
       return std::string();
     }},
    {"net.ipv4.tcp_keepalive_intvl",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).keep_alive_interval = Duration::seconds(value);
       return std::string();
     }},
    {"net.ipv4.tcp_keepalive_probes",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).keep_alive_probes_max = count(value);
       return std::string();
     }},
    {"net.core.somaxconn",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).backlog_max = count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_max_syn_backlog",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).half_open_min = count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_challenge_ack_limit",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).challenge_acks_per_second = count(std::min<std::int64_t>(value, 65'535));
       return std::string();
     }},
    {"net.ipv4.tcp_max_tw_buckets",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).time_wait_max = count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_rto_min_us",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).rto_min = Duration::microseconds(value);
       return std::string();
     }},
    {"net.ipv4.tcp_rto_max_ms",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).rto_max = Duration::milliseconds(value);
       return std::string();
     }},
    {"net.ipv4.tcp_rmem", set_receive_buffer},
    {"net.ipv4.tcp_wmem", set_send_buffer},
    {"net.ipv4.ip_local_port_range", set_ports},
    {"net.ipv4.ip_default_ttl", set_hop_limit},
    {"net.ipv4.tcp_slow_start_after_idle",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 1, "the window is always reduced after idle time");
     }},
    {"net.ipv4.tcp_dsack",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 1, "duplicates are always reported");
     }},
    {"net.ipv4.tcp_reordering",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 3, "the threshold is three, until the path shows otherwise");
     }},
    {"net.ipv4.tcp_retries1",
     [](Setup&, std::int64_t value, const Values&) { return only(value, 3, "R1 is three"); }},
    {"net.ipv4.tcp_rfc1337",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 1, "resets in TIME-WAIT are always ignored");
     }},
    {"net.ipv4.tcp_stdurg",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 0, "the urgent pointer is read as RFC 6093 has it");
     }},
    {"net.ipv4.tcp_mtu_probing",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 0, "the path is not probed");
     }},
    {"net.ipv4.tcp_abort_on_overflow",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 0, "a full accept queue drops");
     }},
    {"net.ipv4.tcp_shrink_window",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 0, "the window is never taken back");
     }},
    {"net.ipv4.ip_no_pmtu_disc",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 0, "the path MTU is always discovered");
     }},
    {"net.ipv4.tcp_thin_linear_timeouts",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 0, "time-outs always back off");
     }},
    // What only tunes how Linux does it; nothing a peer could call wrong depends on it.
    {"net.ipv4.tcp_no_metrics_save", nothing},
    {"net.ipv4.tcp_no_ssthresh_metrics_save", nothing},
    {"net.ipv4.tcp_moderate_rcvbuf", nothing},
    {"net.ipv4.tcp_min_tso_segs", nothing},
    {"net.ipv4.tcp_tso_win_divisor", nothing},
    {"net.ipv4.tcp_tso_rtt_log", nothing},
    {"net.ipv4.tcp_limit_output_bytes", nothing},
    {"net.ipv4.tcp_autocorking", nothing},
    {"net.ipv4.tcp_low_latency", nothing},
    {"net.ipv4.tcp_available_congestion_control", nothing},
    {"net.ipv4.tcp_allowed_congestion_control", nothing},
    {"net.ipv4.tcp_adv_win_scale", nothing},
    {"net.ipv4.tcp_max_reordering", nothing},
    {"net.ipv4.tcp_base_mss", nothing},
    {"net.ipv4.tcp_mtu_probe_floor", nothing},
    {"net.ipv4.tcp_min_snd_mss", nothing},
    {"net.ipv4.tcp_probe_interval", nothing},
    {"net.ipv4.tcp_probe_threshold", nothing},
    {"net.ipv4.tcp_pacing_ss_ratio", nothing},
    {"net.ipv4.tcp_pacing_ca_ratio", nothing},
    {"net.ipv4.tcp_comp_sack_nr", nothing},
    {"net.ipv4.tcp_comp_sack_delay_ns", nothing},
    {"net.ipv4.tcp_comp_sack_slack_ns", nothing},
    {"net.ipv4.tcp_backlog_ack_defer", nothing},
    {"net.ipv4.tcp_workaround_signed_windows", nothing},
    {"net.ipv4.tcp_tw_reuse", nothing},
    {"net.ipv4.tcp_tw_reuse_delay", nothing},
    {"net.ipv4.tcp_fastopen_blackhole_timeout_sec", nothing},
    {"net.ipv4.tcp_app_win", nothing},
    {"net.ipv4.tcp_syncookies", nothing},
    {"net.ipv4.tcp_mem", nothing},
    {"net.ipv4.tcp_min_rtt_wlen", nothing},
    {"net.ipv4.tcp_invalid_ratelimit", nothing},
    {"net.core.rmem_max", nothing},
    {"net.core.wmem_max", nothing},
    {"net.core.netdev_max_backlog", nothing},
    {"net.core.default_qdisc", nothing},
};

}  // namespace

SysctlAnswer apply_sysctl(Setup& setup, std::string_view name,
                          const std::vector<std::string>& values) {
  const auto row = std::find_if(std::begin(rows), std::end(rows),
                                [&](const Row& each) { return each.name == name; });
  if (name == "net.ipv4.tcp_congestion_control") {
    return {true, false, "the algorithm is not chosen this way"};
  }
  if (row == std::end(rows)) return {};
  const auto value = number_at(values, 0);
  const bool means_something = row->apply != nothing;
  if (!value && means_something) return {true, false, "its value is no number"};
  const std::string note = row->apply(setup, value.value_or(0), values);
  return {true, means_something && note.empty(), note};
}

void apply_linux_defaults(Setup& setup) {
  transport_of(setup).syn_retries_max = 6;
  // Linux counts in clock ticks and its scripts allow for it: the language's own default.
  if (!setup.has_tolerance) setup.tolerance = Duration::milliseconds(4);
}

}  // namespace lanyard::lab::drill
