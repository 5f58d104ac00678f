// SPDX-License-Identifier: Apache-2.0
#include "cli/flights.hh"

#include <algorithm>
#include <limits>
#include <map>

namespace lanyard::cli {
namespace {

constexpr std::uint32_t unreached = std::numeric_limits<std::uint32_t>::max();

bool is_lifeline(const lab::RunFile& run, std::uint32_t node) {
  return run.nodes[node].kind != lab::NodeKind::switching;
}

std::vector<std::uint32_t> distances_from(const lab::RunFile& run, std::uint32_t start) {
  std::vector<std::uint32_t> distance(run.nodes.size(), unreached);
  std::vector<std::uint32_t> queue{start};
  distance[start] = 0;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (const lab::RunPort& port : run.ports) {
      if (port.node != queue[i] || port.peer >= run.ports.size()) continue;
      const std::uint32_t next = run.ports[port.peer].node;
      if (distance[next] != unreached) continue;
      distance[next] = distance[queue[i]] + 1;
      queue.push_back(next);
    }
  }
  return distance;
}

// The recorder writes "dropped: queue full".
std::string drop_reason_of(std::string_view comment) {
  constexpr std::string_view prefix = "dropped: ";
  return std::string(comment.starts_with(prefix) ? comment.substr(prefix.size()) : comment);
}

}  // namespace

std::vector<Flight> flights_of(const lab::RunFile& run) {
  std::vector<Flight> flights;
  std::map<std::uint64_t, std::size_t> by_packet;
  for (std::size_t i = 0; i < run.packets.size(); ++i) {
    const std::uint64_t packet = run.packets[i].packet;
    const auto [found, is_new] = by_packet.try_emplace(packet, flights.size());
    // 0: the file does not say; each such frame stands alone.
    if (is_new || packet == 0) {
      found->second = flights.size();
      flights.push_back({packet, {}});
    }
    flights[found->second].sightings.push_back(i);
  }
  return flights;
}

Owners::Owners(const lab::RunFile& run) {
  for (const lab::RunPort& port : run.ports) {
    for (const IpPrefix& prefix : port.addresses) rows_.emplace_back(prefix.address, port.node);
  }
  std::sort(rows_.begin(), rows_.end());
}

std::optional<std::uint32_t> Owners::owner(const IpAddress& address) const {
  const auto found = std::lower_bound(rows_.begin(), rows_.end(), std::pair{address, 0U});
  if (found == rows_.end() || found->first != address) return std::nullopt;
  return found->second;
}

Ending ending_of(const lab::RunFile& run, const Flight& flight,
                 std::optional<std::uint32_t> target) {
  Ending ending;
  const lab::RunPacket& first = run.packets[flight.sightings.front()];
  ending.from = run.ports[first.port].node;
  ending.to = target.value_or(ending.from);
  bool has_arrived = false;
  for (const std::size_t index : flight.sightings) {
    const lab::RunPacket& seen = run.packets[index];
    const std::uint32_t node = run.ports[seen.port].node;
    if (!seen.comment.empty()) {
      ending.reason = drop_reason_of(seen.comment);
      ending.lost_at = node;
      ending.is_lost_on_link = seen.is_sent;
      // What nobody in particular was to have, whoever has it may leave alone.
      has_arrived = has_arrived || (!seen.is_sent && !target.has_value());
    } else if (!seen.is_sent && is_lifeline(run, node) && !(has_arrived && target == ending.to)) {
      has_arrived = true;
      ending.to = node;
    }
  }
  // A flooded frame is dropped by many it is not for; that is no loss if its target has it.
  const bool reached_target = has_arrived && (!target.has_value() || ending.to == *target);
  ending.is_lost = !ending.reason.empty() && !reached_target;
  if (ending.is_lost && target.has_value()) ending.to = *target;
  return ending;
}

std::vector<std::uint32_t> lifeline_order(const lab::RunFile& run) {
  if (run.nodes.empty()) return {};
  const std::vector<std::uint32_t> from_first = distances_from(run, 0);
  std::uint32_t end = 0;
  for (std::uint32_t node = 0; node < run.nodes.size(); ++node) {
    if (!is_lifeline(run, node) || from_first[node] == unreached) continue;
    if (from_first[node] > from_first[end]) end = node;
  }
  const std::vector<std::uint32_t> distance = distances_from(run, end);
  std::vector<std::uint32_t> order;
  for (std::uint32_t node = 0; node < run.nodes.size(); ++node) {
    if (is_lifeline(run, node)) order.push_back(node);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return distance[a] < distance[b]; });
  return order;
}

}  // namespace lanyard::cli
