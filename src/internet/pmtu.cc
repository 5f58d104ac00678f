// SPDX-License-Identifier: Apache-2.0
#include "internet/pmtu.hh"

#include <algorithm>
#include <array>

namespace lanyard::internet {

namespace {

// RFC 1191 7.1: the plateaus to go down by when a router does not say its MTU.
constexpr std::array<std::uint32_t, 10> plateaus = {32000, 17914, 8166, 4352, 2002,
                                                    1492,  1006,  508,  296,  68};

std::uint32_t plateau_below(std::uint32_t bytes) {
  for (const std::uint32_t plateau : plateaus) {
    if (plateau < bytes) return plateau;
  }
  return plateaus.back();
}

}  // namespace

std::optional<PathMtu> PathMtus::find(const IpAddress& destination) const {
  if (by_destination_.empty()) return std::nullopt;
  const auto found = by_destination_.find(destination);
  if (found == by_destination_.end()) return std::nullopt;
  return found->second->path;
}

std::optional<std::uint32_t> PathMtus::on_too_big(Instant now, const IpAddress& destination,
                                                  std::uint32_t reported,
                                                  std::uint32_t quoted_bytes,
                                                  std::uint32_t current) {
  if (destination.is_v6()) {
    // RFC 8201 4 [RFC8201-4-a], RFC 8021, BI-33: below 1280 nobody may ask, and no atomic
    // fragments.
    if (reported < ipv6_mtu_min || reported >= current) return std::nullopt;
    keep(now, destination, {reported, false});
    return reported;
  }
  // RFC 1191 5 [RFC1191-3-a], BI-33: an old router says 0; then the next plateau below is taken.
  const std::uint32_t wanted =
      reported == 0 ? plateau_below(std::min(quoted_bytes, current)) : reported;
  if (wanted < 68 || wanted >= current) return std::nullopt;
  const bool is_floor = wanted < ipv4_path_mtu_floor;
  const PathMtu path{std::min(current, std::max(wanted, ipv4_path_mtu_floor)), is_floor};
  keep(now, destination, path);
  return path.mtu;
}

void PathMtus::keep(Instant now, const IpAddress& destination, const PathMtu& path) {
  ++version_;
  const auto known = by_destination_.find(destination);
  if (known != by_destination_.end()) {
    entries_.erase(known->second);
    by_destination_.erase(known);
  } else if (entries_.size() >= std::max(1U, config_.path_mtus_max)) {
    by_destination_.erase(entries_.front().destination);
    entries_.pop_front();
  }
  entries_.push_back({destination, path, now + config_.path_mtu_kept_for});
  by_destination_.emplace(destination, std::prev(entries_.end()));
}

void PathMtus::poll(Instant now) {
  // RFC 1191 6.3 [RFC1191-6.3-a]: a larger MTU is tried only when the entry has aged away.
  while (!entries_.empty() && entries_.front().forgotten_at <= now) {
    by_destination_.erase(entries_.front().destination);
    entries_.pop_front();
    ++version_;
  }
}

Instant PathMtus::next_deadline() const {
  return entries_.empty() ? Instant::never() : entries_.front().forgotten_at;
}

}  // namespace lanyard::internet
