// SPDX-License-Identifier: Apache-2.0
// A sequence diagram, ready to be drawn: lifelines side by side, rows from the top down. It knows
// nothing of packets or run files (present.hh makes one from a run), so drawing is tested by
// itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/text.hh"
#include "core/time.hh"

namespace lanyard::cli {

struct Row {
  std::uint64_t number = 0;  // of the frame in the file; 0: none
  Instant at{};
  bool is_note = false;  // a line of text across the picture; no arrow
  std::size_t from = 0;  // lifelines, counted from the left
  std::size_t to = 0;    // equal to `from`: a remark at that lifeline
  // Where it was lost: half a step per unit, so 3 is between lifelines 1 and 2.
  std::optional<std::size_t> lost_at_half{};
  std::string title{};   // in the arrow where there is room: "SYN,ACK"
  std::string detail{};  // to the right of the picture
  Ink ink = Ink::plain;
  bool is_folded = false;  // stands for many: its arrow is dotted
};

struct Picture {
  std::vector<std::string> lifelines;
  std::vector<Row> rows;
};

// The picture as lines of text that fit the paper's width.
[[nodiscard]] std::string draw(const Picture& picture, const Paper& paper);

}  // namespace lanyard::cli
