// SPDX-License-Identifier: Apache-2.0
// Which of our addresses to send from (RFC 6724 5; for IPv4 the same rules over mapped addresses,
// after RFC 1122 3.3.4.3's wish for an address on the next hop's network).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "wire/address.hh"

namespace lanyard::internet {

struct SourceCandidate {
  IpPrefix prefix;
  std::uint32_t interface = 0;
  bool is_deprecated = false;
  bool is_temporary = false;
};

struct SourceWish {
  IpAddress destination;
  IpAddress next_hop;
  std::uint32_t interface = 0;  // the packet leaves by it
};

// RFC 6724 3.1 and 3.2: 1 interface-local, 2 link-local, 5 site-local, 14 global.
[[nodiscard]] unsigned scope_of(const IpAddress& address);

struct PolicyRow {
  std::uint8_t precedence;
  std::uint8_t label;
};
// RFC 6724 2.1, the default table.
[[nodiscard]] PolicyRow policy_of(const IpAddress& address);

// The best candidate; nothing when there is none of the destination's family. Among equals the
// first.
[[nodiscard]] std::optional<IpAddress> select_source(const SourceWish& wish,
                                                     std::span<const SourceCandidate> candidates);

// A destination with the source that would be used for it.
struct DestinationCandidate {
  IpAddress address;
  std::optional<IpPrefix> source;  // nothing: it cannot be reached
  bool is_source_deprecated = false;
};

// RFC 6724 6: the best first, equals as they were.
void order_destinations(std::span<DestinationCandidate> candidates);

}  // namespace lanyard::internet
