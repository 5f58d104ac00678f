// SPDX-License-Identifier: Apache-2.0
// What happened, packet by packet, between the lifelines of a picture. A run file and a foreign
// capture both become a tale; story.hh tells it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/text.hh"
#include "core/bytes.hh"
#include "lab/run_file.hh"

namespace lanyard::cli {

// One packet from the node that made it to the one that got it, or was to.
struct Passage {
  std::uint64_t number = 0;  // of its first frame in the file, from 1
  Instant at{};
  Bytes frame{};  // as it was sent first
  std::size_t from = 0, to = 0;
  std::optional<std::size_t> lost_at_half{};  // as Row::lost_at_half
  std::string reason{};
};

struct Remark {
  Instant at{};
  std::string text{};
  Ink ink = Ink::dim;
  bool is_outcome = false;  // stands behind packets of the same instant, not before them
};

struct Tale {
  std::vector<std::string> lifelines;
  std::vector<Passage> passages;                         // by time
  std::vector<Remark> remarks;                           // by time
  std::size_t nodes_left_out = 0, packets_left_out = 0;  // of nodes for which there is no room
};

struct TaleFilter {
  std::vector<std::string> nodes;  // empty: all
  std::size_t lifelines_max = 12;
};

[[nodiscard]] Tale tale_of(const lab::RunFile& run, const TaleFilter& filter);

}  // namespace lanyard::cli
