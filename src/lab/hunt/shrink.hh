// SPDX-License-Identifier: Apache-2.0
// Makes a failing schedule small: fewer faults first (delta debugging, Zeller and Hildebrandt,
// "Simplifying and Isolating Failure-Inducing Input", 2002), then shorter and milder ones, then
// rounder times. What is tried depends on answers only, so the result is the same on any number of
// threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "lab/hunt/fault.hh"

namespace lanyard::lab::hunt {

// One run to be made: the seed of all its chance, and what is broken when.
struct Attempt {
  std::uint64_t seed = 1;
  std::vector<Fault> faults;
  friend bool operator==(const Attempt&, const Attempt&) = default;
};

struct ShrinkOptions {
  unsigned threads = 0;             // 0: as many as cores
  std::size_t attempts_max = 2000;  // the smallest found by then is the answer
  std::uint64_t plain_seed = 1;     // the lab's own: preferred, if it fails as well
};

struct Shrunk {
  Attempt attempt;
  std::size_t attempts = 0;  // runs it took
  bool is_finished = true;   // false: attempts_max came first
};

// `still_fails` is called from several threads. It is not asked about `attempt` itself.
[[nodiscard]] Shrunk shrink(const Attempt& attempt, const ShrinkOptions& options,
                            const std::function<bool(const Attempt&)>& still_fails);

// Which of `count` parts can be left out all together while it still fails.
struct LeftOut {
  std::vector<bool> parts;
  std::size_t attempts = 0;
  bool is_finished = true;
};
[[nodiscard]] LeftOut leave_out(std::size_t count, const ShrinkOptions& options,
                                const std::function<bool(const std::vector<bool>&)>& still_fails);

}  // namespace lanyard::lab::hunt
