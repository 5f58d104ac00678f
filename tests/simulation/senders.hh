// SPDX-License-Identifier: Apache-2.0
// Looks into the stacks between two events, at those that have just sent segments: what an onlooker
// at the wire cannot know.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lab/world.hh"
#include "transport/tcp/tcp.hh"

namespace lanyard::simulation {

class Senders {
 public:
  explicit Senders(lab::World& world) : world_(world) {}

  // What is wrong with the connections of these nodes now; empty: nothing.
  [[nodiscard]] std::string look(const std::vector<std::uint32_t>& nodes);

 private:
  lab::World& world_;
  // New bytes a connection had sent when it was looked at last.
  std::map<std::pair<std::uint32_t, tcp::ConnectionId>, std::uint64_t> sent_;
};

}  // namespace lanyard::simulation
