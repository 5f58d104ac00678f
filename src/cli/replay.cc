// SPDX-License-Identifier: Apache-2.0
// The lab's text and seed are in the run file; in virtual time they decide everything else. In real
// time what entered the lab from outside does, and that is in the file, too.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/again.hh"
#include "cli/output_file.hh"
#include "cli/run_verbs.hh"
#include "cli/scratch_file.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"
#include "lab/replay/input.hh"

namespace lanyard::cli {
namespace {

struct Outcome {
  lab::RunFile again;
  std::optional<lab::RunDifference> difference;
  Instant until;  // how far it was replayed
};

// The moment up to which a run can be made again: in real time that of the last input there is.
Instant kept_until(const lab::RunFile& run) {
  if (run.is_virtual || !run.is_cut_short) return run.ended_at;
  Instant last = Instant::start();
  lab::InputReader reader(run);
  for (auto input = reader.next(); input && *input; input = reader.next()) last = (*input)->at;
  return last;
}

// Says on standard error why a run cannot be replayed.
bool may_be_replayed(const std::string& path, const lab::RunFile& run) {
  if (run.is_virtual) return true;
  lab::RunFileProblem problem;
  if (!run.has_inputs) {
    problem.what =
        "this run was in real time, and what its programs did was not written down; make the run "
        "again with this version of Lanyard";
  } else if (run.inputs.empty()) {
    problem.what = "the run was killed before anything of what its programs did was written";
  } else if (const auto found = lab::inputs_problem(run)) {
    problem = *found;
  } else {
    return true;
  }
  fmt::print(stderr, "lanyard: {}: offset {}: {}\n", printable(path), problem.offset,
             printable(problem.what));
  return false;
}

// What a person is told of a replay that came out the same.
std::string same_text(const lab::RunFile& run, const lab::RunFile& again) {
  const std::string size = bytes_text(run.bytes.size());
  if (run.is_cut_short)
    return fmt::format("the same {} frames and {} events",
                       std::min(run.packets.size(), again.packets.size()),
                       std::min(run.events.size(), again.events.size()));
  if (run.bytes == again.bytes) return fmt::format("the same run file, byte for byte ({})", size);
  return fmt::format("the same {} frames and {} events", run.packets.size(), run.events.size());
}

int report(const ReplayOptions& options, const lab::RunFile& run, const Outcome& outcome) {
  const auto& difference = outcome.difference;
  if (options.json) {
    nlohmann::json json{{"run", options.run},
                        {"lab", run.lab_name},
                        {"seed", run.seed},
                        {"bytes", run.bytes.size()},
                        {"frames", run.packets.size()},
                        {"same", !difference.has_value()},
                        {"is_whole", !run.is_cut_short}};
    if (!options.output.empty()) json["output"] = options.output;
    if (difference.has_value())
      json["difference"] = difference_json(run, outcome.again, *difference);
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return difference.has_value() ? exit_failed : exit_ok;
  }
  const std::string kept =
      options.output.empty() ? "" : fmt::format("The replay is kept in {}.\n", options.output);
  if (!difference.has_value()) {
    fmt::print("{}, seed {}: replayed to {} s; {}.\n{}", printable(run.lab_name), run.seed,
               seconds(outcome.until), same_text(run, outcome.again), kept);
    return exit_ok;
  }
  fmt::print("{}, seed {}: the replay differs.\n{}{}", printable(run.lab_name), run.seed,
             difference_text(run, outcome.again, *difference), kept);
  return exit_failed;
}

}  // namespace

int replay(const ReplayOptions& options) {
  const auto run = open_run(options.run, true);
  if (!run.has_value()) return exit_usage;
  if (!may_be_replayed(options.run, *run)) return exit_usage;
  const auto lab = load_lab_text(run->lab_text, run->lab_file);
  if (lab == nullptr) return exit_usage;
  lab->model.seed = run->seed;
  if (!may_write(options.output, options.run)) return exit_usage;
  const ScratchFile scratch;
  const std::string& path = options.output.empty() ? scratch.path() : options.output;
  const Instant until = kept_until(*run);
  Progress progress;
  const auto problem = run->is_virtual ? run_again(*lab, {path, until}, progress)
                                       : play_again(*run, *lab, path, progress);
  if (problem) {
    fmt::print(stderr, "lanyard: {}\n", *problem);
    return exit_failed;
  }
  auto again = lab::read_run_file(path);
  if (!again.has_value() || !(again->is_whole || run->is_cut_short)) {
    fmt::print(stderr, "lanyard: the replay's own run file cannot be read back\n");
    return exit_failed;
  }
  Outcome outcome{std::move(*again), {}, until};
  outcome.difference = lab::first_difference(*run, outcome.again);
  // Another version of Lanyard may write the same things in another way.
  if (outcome.difference && outcome.difference->what == lab::RunDifference::What::layout &&
      run->version != outcome.again.version)
    outcome.difference.reset();
  return report(options, *run, outcome);
}

}  // namespace lanyard::cli
