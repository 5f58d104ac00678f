// SPDX-License-Identifier: Apache-2.0
// Tells a tale: each packet with what it means in its conversation (relative sequence numbers,
// retransmissions, duplicate acknowledgments), long runs of plain data folded into one line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/facts.hh"
#include "cli/picture.hh"
#include "cli/tale.hh"

namespace lanyard::cli {

// One packet, understood.
struct Line {
  const Passage* passage = nullptr;
  Facts facts;
  std::string title, detail;
  Ink ink = Ink::plain;
  std::uint32_t conversation = 0;  // from 1, in order of appearance; 0: none
  bool is_retransmission = false;
  bool is_plain = false;  // may be folded with its like
};

struct StoryOptions {
  std::vector<std::string> protocols;  // empty: all
  bool unfold = false;
};

[[nodiscard]] std::vector<Line> lines_of(const Tale& tale, const StoryOptions& options);
// The picture of these lines and the tale's remarks; remarks are left out when protocols are asked
// for.
[[nodiscard]] Picture picture_of(const Tale& tale, const std::vector<Line>& lines,
                                 const StoryOptions& options);

}  // namespace lanyard::cli
