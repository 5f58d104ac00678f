// SPDX-License-Identifier: Apache-2.0
// Path MTUs learned from ICMP (RFC 1191, RFC 8201): bounded, aged, only ever lowered, and never
// below the floor of the family.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>

#include "core/time.hh"
#include "internet/config.hh"
#include "wire/address.hh"

namespace lanyard::internet {

inline constexpr std::uint32_t ipv6_mtu_min = 1280;  // RFC 8200 5
// RFC 1191 3 lets a path go down to 68; below this we fragment instead, since tiny segments cost
// more than they carry and are asked for by attackers only.
inline constexpr std::uint32_t ipv4_path_mtu_floor = 552;

struct PathMtu {
  std::uint32_t mtu = 0;
  bool is_floor = false;  // IPv4: the path takes less than `mtu`; datagrams must be fragmentable
};

class PathMtus {
 public:
  explicit PathMtus(const Config& config) : config_(config) {}

  // Nothing: the interface's own.
  [[nodiscard]] std::optional<PathMtu> find(const IpAddress& destination) const;
  // A router reported `reported` (0: it did not say) about a datagram of `quoted_bytes` that was
  // sent with a path MTU of `current`. The path MTU from now on; nothing: the report is ignored.
  std::optional<std::uint32_t> on_too_big(Instant now, const IpAddress& destination,
                                          std::uint32_t reported, std::uint32_t quoted_bytes,
                                          std::uint32_t current);
  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  // Grows whenever find() may answer otherwise than before.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] std::size_t size() const { return by_destination_.size(); }

 private:
  struct Entry {
    IpAddress destination;
    PathMtu path;
    Instant forgotten_at;
  };
  void keep(Instant now, const IpAddress& destination, const PathMtu& path);
  const Config& config_;
  std::list<Entry> entries_;  // the next to be forgotten first
  std::unordered_map<IpAddress, std::list<Entry>::iterator> by_destination_;
  std::uint64_t version_ = 0;
};

}  // namespace lanyard::internet
