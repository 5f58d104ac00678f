// SPDX-License-Identifier: Apache-2.0
// The lab's text and seed are in the run file; in virtual time they decide everything else.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/again.hh"
#include "cli/run_verbs.hh"
#include "cli/scratch_file.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

struct Outcome {
  lab::RunFile again;
  std::optional<lab::RunDifference> difference;
};

int report(const ReplayOptions& options, const lab::RunFile& run, const Outcome& outcome) {
  const auto& difference = outcome.difference;
  if (options.json) {
    nlohmann::json json{{"run", options.run},
                        {"lab", run.lab_name},
                        {"seed", run.seed},
                        {"bytes", run.bytes.size()},
                        {"same", !difference.has_value()}};
    if (!options.output.empty()) json["output"] = options.output;
    if (difference.has_value())
      json["difference"] = difference_json(run, outcome.again, *difference);
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return difference.has_value() ? exit_failed : exit_ok;
  }
  const std::string kept =
      options.output.empty() ? "" : fmt::format("The replay is kept in {}.\n", options.output);
  if (!difference.has_value()) {
    fmt::print("{}, seed {}: replayed to {} s; the same run file, byte for byte ({}).\n{}",
               printable(run.lab_name), run.seed, seconds(run.ended_at),
               bytes_text(run.bytes.size()), kept);
    return exit_ok;
  }
  fmt::print("{}, seed {}: the replay differs.\n{}{}", printable(run.lab_name), run.seed,
             difference_text(run, outcome.again, *difference), kept);
  return exit_failed;
}

}  // namespace

int replay(const ReplayOptions& options) {
  const auto run = open_whole_run(options.run);
  if (!run.has_value()) return exit_usage;
  if (!run->is_virtual) {
    fmt::print(stderr,
               "lanyard: {}: this run was in real time, with programs that are not built in; only "
               "runs in virtual time can be replayed\n",
               printable(options.run));
    return exit_usage;
  }
  const auto lab = load_lab_text(run->lab_text, run->lab_file);
  if (lab == nullptr) return exit_usage;
  lab->model.seed = run->seed;
  std::error_code error;
  if (!options.output.empty() && std::filesystem::equivalent(options.run, options.output, error)) {
    fmt::print(stderr, "lanyard: {} is the run itself; give another file\n", options.output);
    return exit_usage;
  }
  const ScratchFile scratch;
  const std::string& path = options.output.empty() ? scratch.path() : options.output;
  Progress progress;
  if (const auto problem = run_again(*lab, {path, run->ended_at}, progress)) {
    fmt::print(stderr, "lanyard: {}\n", *problem);
    return exit_failed;
  }
  auto again = open_whole_run(path);
  if (!again.has_value()) return exit_failed;
  Outcome outcome{std::move(*again), {}};
  outcome.difference = lab::first_difference(*run, outcome.again);
  return report(options, *run, outcome);
}

}  // namespace lanyard::cli
