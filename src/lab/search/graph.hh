// SPDX-License-Identifier: Apache-2.0
// One direction of a conversation over time: what was under way, what the sender allowed itself,
// how long a round trip took.
#pragma once

#include <optional>
#include <vector>

#include "lab/why/walk.hh"

namespace lanyard::lab::search {

struct Point {
  Instant at;
  std::int64_t value = 0;
};

struct Graph {
  Instant from, to;
  std::vector<Point> in_flight;  // bytes, from the wire
  std::vector<Point> cwnd;       // bytes, from the sender's stack; empty: it was not ours
  std::vector<Point> window;     // bytes that the receiver offered, from the wire
  std::vector<Point> rtt_ns;     // samples of the sender's stack, or what the wire says
  std::vector<Point> lost;       // segments sent again: when
};

[[nodiscard]] Graph graph_of(const why::Index& index, std::size_t flow, std::uint8_t side);

// As a picture of its own: three plots over one axis.
[[nodiscard]] std::string svg_of(const Graph& graph, std::string_view title);

}  // namespace lanyard::lab::search
