// SPDX-License-Identifier: Apache-2.0
#include "senders.hh"

#include <fmt/format.h>

#include "stack/stack.hh"

namespace lanyard::simulation {
namespace {

// A probe for a lost tail (RFC 8985 7.3) may go beyond the window, and segments are counted in
// wholes.
constexpr std::uint32_t more_segments = 2;

}  // namespace

std::string Senders::look(const std::vector<std::uint32_t>& nodes) {
  for (const std::uint32_t node : nodes) {
    stack::Stack* stack = world_.stack(node);
    if (stack == nullptr) continue;
    for (const tcp::Row& row : stack->tcp().rows()) {
      if (row.connection == tcp::ConnectionId::none) continue;
      const tcp::Info info = stack->tcp().info(world_.now(), row.connection);
      const std::uint64_t fresh = info.bytes_sent - info.bytes_retrans;
      std::uint64_t& before = sent_[{node, row.connection}];
      const bool has_sent = fresh > before;
      before = fresh;
      // RFC 5681 3.1: while nothing is lost, nothing new goes beyond the congestion window.
      if (has_sent && info.ca_state == 0 && info.unacked > info.snd_cwnd + more_segments)
        return fmt::format("{} segments in flight, the congestion window is {} at {}, {}: {} - {}",
                           info.unacked, info.snd_cwnd, world_.model().nodes[node].name,
                           to_text(world_.now()), to_text(row.local), to_text(row.remote));
    }
  }
  return {};
}

}  // namespace lanyard::simulation
