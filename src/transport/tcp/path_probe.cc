// SPDX-License-Identifier: Apache-2.0
// What the path takes, found out by sending (RFC 4821): when full segments vanish without an ICMP
// error, smaller ones are tried; later one larger segment at a time, whose loss says nothing about
// congestion.
#include <algorithm>

#include "transport/tcp/path_probe.hh"

namespace lanyard::tcp {

namespace {

constexpr std::uint16_t time_outs_of_black_hole = 3;  // R1 (RFC 9293 3.8.3)
constexpr std::uint32_t worth_a_probe = 8;            // octets, as Linux
constexpr std::uint32_t last_step = 64;
constexpr std::uint32_t segments_behind = 4;  // that tell of the probe's loss

}  // namespace

// [RFC4821-7-a] 7.7.
void look_for_black_hole(Machine& m, Instant now, Connection& c) {
  if (m.config.path_probing == transport::PathProbing::off) return;
  if (c.retransmits < time_outs_of_black_hole || c.sender.flight() < c.mss) return;
  const std::uint32_t base = m.config.path_probe_base_bytes;
  const std::uint32_t low = c.rare ? c.rare->path_low : 0;
  // [RFC8899-5-a] 5.2: out of the search, done or not, back to the base; where the path does not
  // take even that, on by halves.
  const std::uint32_t asked = low == 0 || low > base ? base : low / 2;
  const std::uint32_t next = std::max(asked, m.config.path_probe_least_bytes);
  if (next >= c.mss) return;
  if (!c.rare) c.rare = std::make_unique<Rare>();
  c.rare->path_low = next;
  c.rare->path_high = 0;
  c.rare->probe_at = now + m.config.path_probe_interval;
  m.compute_mss(c);
  c.sender.lose_all();
}

void start_path_probing(Machine& m, Instant now, Connection& c) {
  if (m.config.path_probing != transport::PathProbing::always) return;
  if (!c.rare) c.rare = std::make_unique<Rare>();
  c.rare->path_low = m.config.path_probe_base_bytes;
  c.rare->probe_at = now;
  m.compute_mss(c);
}

// 7.3: one segment of a size in the middle of what is not known, with enough behind it.
void probe_path(Machine& m, Instant now, Connection& c, const SendLimits& limits) {
  Rare& rare = *c.rare;
  if (rare.is_path_probed || now < rare.probe_at) return;
  if (c.sender.recovery() != Sender::Recovery::none || c.sender.selectively_acknowledged() > 0)
    return;
  const std::uint32_t full = full_payload(c);
  const std::uint32_t high = rare.path_high == 0 ? full : std::min(full, rare.path_high);
  if (high < rare.path_low + worth_a_probe) {
    rare.path_high = 0;
    rare.probe_at = now + m.config.path_probe_interval;
    return;
  }
  const std::uint32_t step = high - rare.path_low;
  const bool is_last = step <= last_step && rare.path_high == 0;
  const std::uint32_t size = is_last ? high : rare.path_low + step / 2;
  const std::uint32_t needed = size + segments_behind * c.mss;
  const std::uint32_t pipe = c.sender.pipe(c.mss);
  if (c.sender.unsent() < needed || c.sender.usable_window() < needed ||
      limits.congestion_window < std::max(pipe + size, needed))
    return;
  const Outgoing probe{.sequence = c.sender.next(), .size = size};
  rare.is_path_probed = true;
  rare.path_probe_from = probe.sequence;
  rare.path_probe_end = probe.sequence + size;
  c.sender.sent(now, probe, size);
  m.send_data(now, c, probe, size);
}

// Has it arrived?
void check_path_probe(Machine& m, Connection& c) {
  Rare& rare = *c.rare;
  if (!rare.is_path_probed || before(c.sender.una(), rare.path_probe_end)) return;
  rare.is_path_probed = false;
  rare.path_low = static_cast<std::uint32_t>(rare.path_probe_end - rare.path_probe_from);
  if (rare.path_low >= full_payload(c)) rare.path_low = 0;
  m.compute_mss(c);
}

// 7.6.2: whether it, and nothing else, is lost.
bool is_only_path_probe_lost(const Connection& c) {
  if (!c.rare || !c.rare->is_path_probed) return false;
  const Rare& rare = *c.rare;
  if (!c.has_sack) return c.sender.una() == rare.path_probe_from;
  const auto hole = c.sender.in_flight()->first_lost();
  const auto size = static_cast<std::uint32_t>(rare.path_probe_end - rare.path_probe_from);
  return hole->left == rare.path_probe_from && hole->right == rare.path_probe_end &&
         c.sender.lost_bytes() == size;
}

void path_probe_lost(Connection& c) {
  if (!c.rare || !c.rare->is_path_probed) return;
  Rare& rare = *c.rare;
  rare.is_path_probed = false;
  rare.path_high = static_cast<std::uint32_t>(rare.path_probe_end - rare.path_probe_from) - 1;
}

}  // namespace lanyard::tcp
