// SPDX-License-Identifier: Apache-2.0
// What is said to the table of neighbours, and what comes of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"

namespace lanyard::link {

enum class NeighbourState : std::uint8_t { incomplete, reachable, stale, delay, probe, permanent };

// RFC 4861's name: "REACHABLE".
[[nodiscard]] std::string_view to_text(NeighbourState state);

// What an advertisement (or an ARP reply) said, with its flags S, O and R.
struct Advertisement {
  std::optional<MacAddress> mac;
  bool is_solicited = false;
  bool overrides = false;
  bool is_router = false;
};

// What came of the calls, in order. Whoever calls performs it, then clears it.
struct Outcomes {
  struct Solicitation {
    IpAddress target;
    IpAddress source;                      // of the packet that asks for it; a hint
    std::optional<MacAddress> unicast_to;  // nothing: ask everybody
  };
  struct Ready {
    MacAddress mac;
    Packet packet;
  };
  struct Dropped {
    DropReason reason;
    Packet packet;
  };
  struct Change {
    IpAddress address;
    NeighbourState state;
  };
  std::vector<Solicitation> solicitations;
  std::vector<Ready> ready;
  std::vector<Dropped> dropped;
  std::vector<IpAddress> unreachable;      // gave up: no answer
  std::vector<IpAddress> not_routers_now;  // its advertisement no longer has the R flag
  std::vector<Change> changes;
  void clear();
  [[nodiscard]] bool is_empty() const;
};

}  // namespace lanyard::link
