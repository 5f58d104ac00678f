// SPDX-License-Identifier: Apache-2.0
// What kinds of packets went by: the counters behind checks such as `packets arp < 20`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/packet.hh"

namespace lanyard::lab {

enum class TrafficKind : std::uint8_t { arp, ndp, icmp, tcp, udp, dns, tcp_reset, count };

struct Traffic {
  std::uint64_t packets = 0, bytes = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(TrafficKind::count)> kinds{};

  // Looks into the headers; anything may be in the frame. A super-segment counts as its pieces.
  void count(const Packet& frame);
  void add(const Traffic& other);
  [[nodiscard]] std::uint64_t of(TrafficKind kind) const {
    return kinds[static_cast<std::size_t>(kind)];
  }
};

}  // namespace lanyard::lab
