// SPDX-License-Identifier: Apache-2.0
// The sysctl names that scripts set, and what each means to our stack's configuration.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "lab/drill/setup.hh"

namespace lanyard::lab::drill {

namespace {

using Values = std::vector<std::string>;

std::optional<std::int64_t> number_at(const Values& values, std::size_t index) {
  if (index >= values.size()) return std::nullopt;
  std::string_view text = values[index];
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, is_hex ? 16 : 10);
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
  constexpr std::int64_t small = 128 * 1024;
  if (number_at(values, 1).value_or(small) < small)
    setup.kernel_only = "a send buffer that begins so small shows how Linux counts its memory";
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

std::string set_ecn(Setup& setup, std::int64_t value, const Values&) {
  using transport::Ecn;
  if (value < 0 || value > 2) return "accurate ECN is not supported";
  transport_of(setup).ecn = value == 0 ? Ecn::off : value == 1 ? Ecn::ask : Ecn::when_asked;
  return {};
}

// Four numbers of eight hexadecimal digits, the low one first; a second key is for the past.
std::string set_fast_open_key(Setup& setup, std::int64_t, const Values& values) {
  std::array<std::uint64_t, 4> parts{};
  std::string_view rest = values.front();
  for (std::uint64_t& part : parts) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), part, 16);
    if (error != std::errc() || part > UINT32_MAX) return "it is four numbers, a-b-c-d";
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.starts_with("-")) rest.remove_prefix(1);
  }
  transport_of(setup).fast_open_key = {parts[0] | parts[1] << 32, parts[2] | parts[3] << 32};
  return {};
}

std::string set_congestion(Setup& setup, std::int64_t, const Values& values) {
  const auto kind = congestion::kind_of(values.front());
  if (!kind) return "there is no such congestion control";
  transport_of(setup).congestion = *kind;
  return {};
}

constexpr Row rows[] = {
    {"net.ipv4.tcp_timestamps",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).timestamps = value != 0;
       return std::string();
     }},
    {"net.ipv4.tcp_sack",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).sack = value != 0;
       return std::string();
     }},
    {"net.ipv4.tcp_window_scaling",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).window_scaling = value != 0;
       return std::string();
     }},
    {"net.ipv4.tcp_ecn", set_ecn},
    {"net.ipv4.tcp_fastopen",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).fast_open = count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_fastopen_key", set_fast_open_key},
    {"net.ipv4.tcp_congestion_control", set_congestion},
    {"net.ipv4.tcp_notsent_lowat",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).not_sent_low_water = value >= UINT32_MAX ? 0 : count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_early_retrans",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).tail_probes = value > 2;
       return std::string();
     }},
    {"net.ipv4.tcp_tw_reuse",
     [](Setup& setup, std::int64_t value, const Values&) {
       using transport::Reuse;
       transport_of(setup).time_wait_reuse = value == 0   ? Reuse::off
                                             : value == 1 ? Reuse::always
                                                          : Reuse::of_loopback;
       return std::string();
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
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).slow_start_after_idle = value != 0;
       return std::string();
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
     [](Setup& setup, std::int64_t value, const Values&) {
       using transport::PathProbing;
       transport_of(setup).path_probing = value == 0   ? PathProbing::off
                                          : value == 1 ? PathProbing::after_black_hole
                                                       : PathProbing::always;
       return std::string();
     }},
    {"net.ipv4.tcp_base_mss",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).path_probe_base_bytes = count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_mtu_probe_floor",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).path_probe_least_bytes = count(value);
       return std::string();
     }},
    {"net.ipv4.tcp_abort_on_overflow",
     [](Setup& setup, std::int64_t value, const Values&) {
       transport_of(setup).resets_when_backlog_full = value != 0;
       return std::string();
     }},
    {"net.ipv4.tcp_shrink_window",
     [](Setup&, std::int64_t value, const Values&) {
       return only(value, 0, "the window is never taken back");
     }},
    {"net.ipv4.ip_no_pmtu_disc",
     [](Setup&, std::int64_t value,
        const Values&) { return only(value, 0, "the path MTU is always discovered"); }},
    {"net.ipv4.tcp_thin_linear_timeouts",
     [](Setup&, std::int64_t value,
        const Values&) { return only(value, 0, "time-outs always back off"); }},
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
  if (row == std::end(rows)) return {};
  const auto value = number_at(values, 0);
  const bool means_something = row->apply != nothing;
  const bool is_text = row->apply == set_fast_open_key || row->apply == set_congestion;
  if (values.empty() || (!value && means_something && !is_text))
    return {true, false, "its value is no number"};
  const std::string note = row->apply(setup, value.value_or(0), values);
  return {true, means_something && note.empty(), note};
}

// Where our own defaults differ from those of Linux.
void apply_kernel_defaults(stack::Config& config) {
  transport::Config& transport = config.transport;
  transport.path_probing = transport::PathProbing::off;
  transport.time_wait_reuse = transport::Reuse::of_loopback;
  // What the public suites set and compute their cookies with.
  transport.fast_open_key = {0xb2b2b2b2a1a1a1a1, 0xd4d4d4d4c3c3c3c3};
}

// What the init script of the public suites sets.
void apply_linux_defaults(Setup& setup) {
  transport::Config& transport = transport_of(setup);
  transport.syn_retries_max = 5;
  transport.slow_start_after_idle = false;
  transport.timestamps_required = false;
  transport.ecn = transport::Ecn::off;
  transport.fast_open = transport::fast_open::client | transport::fast_open::server |
                        transport::fast_open::all_listeners;
  // Linux counts in clock ticks and its scripts allow for it: the language's own default.
  if (!setup.has_tolerance) setup.tolerance = Duration::milliseconds(4);
}

}  // namespace lanyard::lab::drill
