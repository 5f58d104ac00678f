// SPDX-License-Identifier: Apache-2.0
// Searches seeds and fault schedules for a run of a lab whose checks fail, and makes what it finds
// small. Run 0 is the lab as it is written; run n is drawn from the hunt's seed and n alone. The
// failing run of the lowest number is what is found, so the answer is the same on any number of
// threads. Virtual time only.
//
//   Hunt hunt(model, options);
//   const HuntResult result = hunt.run();
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab/hunt/fault.hh"
#include "lab/hunt/lab_text.hh"
#include "lab/hunt/shrink.hh"
#include "lab/model.hh"
#include "lab/rows.hh"

namespace lanyard::lab::hunt {

struct HuntProgress {
  std::uint64_t runs = 0;
  bool is_shrinking = false;
  std::size_t attempts = 0;  // while shrinking
};

struct HuntOptions {
  std::uint64_t seed = 1;
  std::uint64_t runs_max = UINT64_MAX;
  std::uint64_t first = 0;                   // runs before it are known to be good
  unsigned threads = 0;                      // 0: as many as cores
  std::vector<const FaultKind*> kinds = {};  // empty: all
  Duration lasts_max = Duration::seconds(10);
  std::size_t faults_max = 6;
  std::size_t shrink_attempts_max = 3000;
  std::function<bool()> is_out_of_time = {};  // asked between runs, from several threads
  std::function<void(const HuntProgress&)> on_progress =
      {};  // now and then, on the caller's thread
};

struct Found {
  std::uint64_t run = 0;
  Verdict failed;                // the first check that fails, as it does in the small run
  Attempt attempt;               // small
  std::size_t faults_found = 0;  // before it was made small
  std::size_t shrink_attempts = 0;
  std::vector<std::string> left_out = {};  // of the lab: it fails without
  std::vector<std::string> lowered = {};   // "client*100 became client*3": it fails with fewer
  bool is_smallest = true;                 // false: shrinking was ended by its limit
  bool is_verified = false;                // run twice more, from its text: it fails the same way
  std::string text;                        // a lab file that shows it
};

struct HuntResult {
  std::uint64_t runs = 0;  // the first one not made
  std::optional<Found> found;
};

class Hunt {
 public:
  // `model` was read from `model.text`, and its programs all run in virtual time. It must outlive
  // the hunt.
  Hunt(const Model& model, HuntOptions options);
  [[nodiscard]] HuntResult run();

 private:
  struct Outcome {
    bool is_skipped = false;
    std::vector<Verdict> failed;
  };
  void learn();
  [[nodiscard]] Attempt attempt_of(std::uint64_t run) const;
  [[nodiscard]] std::string text_of(const Attempt& attempt) const;
  [[nodiscard]] std::vector<Verdict> failures_of(const std::string& text) const;
  [[nodiscard]] Found make_small(std::uint64_t run, const Verdict& failed) const;
  [[nodiscard]] LabText without_needless(Found& found) const;
  [[nodiscard]] std::string heading_of(const Found& found) const;

  const Model& model_;
  HuntOptions options_;
  LabText text_;
  std::optional<Duration> until_;  // given to a lab that has none
  Duration horizon_;
  std::vector<Duration> moments_;
};

// Why a lab cannot be hunted: the program or host that has only real time. Empty: it can.
[[nodiscard]] std::string why_not(const Model& model);
// Whether anything in it is expected of it: a program, or a check.
[[nodiscard]] bool may_fail(const Model& model);

}  // namespace lanyard::lab::hunt
