// SPDX-License-Identifier: Apache-2.0
// Loses exactly the frames it is told to: the seventh, every hundredth, the first SYN of alice.
// Each rule counts the frames that match it, from when it was made.
#pragma once

#include <vector>

#include "lab/effect/wire.hh"
#include "lab/match.hh"

namespace lanyard::lab {

class ExactDrop final : public Effect {
 public:
  struct Rule {
    std::uint64_t first = 1, last = 1, every = 0;  // as in DropRule
    PacketMatcher match = {};
    std::uint64_t seen = 0;
  };
  explicit ExactDrop(Wire& next) : Effect(next) {}
  void set(std::vector<Rule> rules) { rules_ = std::move(rules); }
  void carry(Instant at, Packet frame) override {
    if (rules_.empty()) return next().carry(at, std::move(frame));
    const FrameFacts facts = facts_of_frame(frame.front(), frame.size());
    bool is_told = false;
    for (Rule& rule : rules_) {
      if (!rule.match.matches(facts)) continue;
      ++rule.seen;
      is_told = is_told || (rule.every != 0 ? rule.seen % rule.every == 0
                                            : rule.seen >= rule.first && rule.seen <= rule.last);
    }
    if (is_told)
      next().drop(at, std::move(frame), DropReason::dropped_as_told);
    else
      next().carry(at, std::move(frame));
  }

 private:
  std::vector<Rule> rules_;
};

}  // namespace lanyard::lab
