// SPDX-License-Identifier: Apache-2.0
// A lab run once more, quietly, and its run file beside the first one's: `run --repeat` and
// `replay`.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/lab_errors.hh"
#include "cli/progress.hh"
#include "lab/compare.hh"

namespace lanyard::cli {

struct AgainOptions {
  std::string path;                    // of the new run file
  Instant ends_at = Instant::never();  // virtual time: no event after it; the first ended there
};

// Runs it; the sentence says why that could not be. Interrupted: "interrupted".
[[nodiscard]] std::optional<std::string> run_again(const LoadedLab& lab,
                                                   const AgainOptions& options, Progress& progress);

// A run in real time once more, from what its file says entered it (inputs_problem said nothing).
[[nodiscard]] std::optional<std::string> play_again(const lab::RunFile& run, const LoadedLab& lab,
                                                    const std::string& path, Progress& progress);

// "frame 17, alice:eth0, 1.020143 s: bytes differ ..." and what each of the two has there, in
// lines.
[[nodiscard]] std::string difference_text(const lab::RunFile& first, const lab::RunFile& second,
                                          const lab::RunDifference& difference);
[[nodiscard]] nlohmann::json difference_json(const lab::RunFile& first, const lab::RunFile& second,
                                             const lab::RunDifference& difference);

// The run file at `path`; what is wrong with it is said on standard error: file, offset, reason.
// Unless it may be, a run that was cut short is wrong.
[[nodiscard]] std::optional<lab::RunFile> open_run(const std::string& path,
                                                   bool may_be_cut_short = false);

}  // namespace lanyard::cli
