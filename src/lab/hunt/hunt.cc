// SPDX-License-Identifier: Apache-2.0
#include "lab/hunt/hunt.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lab/hunt/lab_counts.hh"
#include "lab/hunt/lab_parts.hh"
#include "lab/lab_file.hh"
#include "lab/observer.hh"
#include "lab/parallel.hh"
#include "lab/plan.hh"
#include "lab/world.hh"

namespace lanyard::lab::hunt {
namespace {

// For a lab that says nothing of when it ends.
constexpr Duration first_until = Duration::seconds(600);
constexpr std::size_t moments_max = 4096;
constexpr std::uint64_t batch_runs = 256;

// When something happened: frames that were sent, programs that began.
class Moments final : public Observer {
 public:
  void on_event(const Event& event) override {
    if (event.kind == EventKind::program_started) add(event.at);
  }
  void on_frame(const RecordedFrame& frame) override {
    if (frame.is_sent) add(frame.at);
  }
  std::vector<Duration> seen;

 private:
  void add(Instant at) {
    const Duration moment = at.since_start();
    if (seen.size() < moments_max && (seen.empty() || seen.back() != moment))
      seen.push_back(moment);
  }
};

// For a comment: on one line.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

std::vector<Verdict> failed_of(std::vector<Verdict> verdicts) {
  std::erase_if(verdicts, [](const Verdict& each) { return each.is_good; });
  return verdicts;
}

// The same but for numbers other than an exit status: "tcp retransmits is 24".
bool is_same_way(std::string_view one, std::string_view other) {
  if (one == other) return true;
  if (one.find(" exited ") != one.npos || other.find(" exited ") != other.npos) return false;
  const auto plain = [](std::string_view text) {
    std::string out(text);
    std::erase_if(out, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    return out;
  };
  return plain(one) == plain(other);
}

}  // namespace

Hunt::Hunt(const Model& model, HuntOptions options)
    : model_(model), options_(std::move(options)), text_(model.text) {
  if (options_.kinds.empty())
    for (const FaultKind& kind : fault_kinds()) options_.kinds.push_back(&kind);
}

// The lab as it is: how long it takes, and when something happens in it.
void Hunt::learn() {
  Model model = model_;
  if (model.until == Duration::infinite()) model.until = first_until;
  const auto plan = make_plan(model);
  if (!plan) return;
  Moments moments;
  WorldOptions options;
  options.observer = &moments;
  World world(model, *plan, std::move(options));
  world.run();
  moments_ = std::move(moments.seen);
  const Duration took = world.now().since_start();
  horizon_ = moments_.empty() ? took : moments_.back() + Duration::milliseconds(100);
  if (model_.until == Duration::infinite()) {
    const std::int64_t seconds = 4 * took.count_ms() / 1000 + 120;
    until_ = std::max(first_until, Duration::seconds(seconds / 60 * 60));
  } else {
    horizon_ = std::min(horizon_, model_.until);
  }
}

Attempt Hunt::attempt_of(std::uint64_t run) const {
  if (run == 0) return {model_.seed, {}};
  RandomStream dice = Seed(options_.seed).branch(fmt::format("hunt {}", run)).stream();
  // Chance of the lab's own is varied in half of the runs.
  const std::uint64_t seed = dice.below(2) == 0 ? model_.seed : 1 + dice.below(1'000'000);
  return {seed, draw_faults(model_,
                            {.kinds = options_.kinds,
                             .horizon = horizon_,
                             .lasts_max = options_.lasts_max,
                             .moments = moments_,
                             .count_max = options_.faults_max},
                            dice)};
}

std::string Hunt::text_of(const Attempt& attempt) const {
  return text_.with(
      {.seed = attempt.seed, .until = until_, .lines = lines_of(model_, attempt.faults)});
}

std::vector<Verdict> Hunt::failures_of(const std::string& text) const {
  auto lab = parse_lab(text, model_.file);
  // What is drawn is valid; should it not be, that is to be seen, not passed over.
  if (!lab) return {{.text = "the lab file of a run is refused: " + to_text(lab.error().front())}};
  lab->model.programs = model_.programs;
  const auto plan = make_plan(lab->model);
  if (!plan) return {{.text = "the lab of a run cannot be planned: " + plan.error().front().what}};
  World world(lab->model, *plan, {});
  world.run();
  return failed_of(world.verdicts());
}

HuntResult Hunt::run() {
  learn();
  HuntResult result{options_.first, {}};
  while (result.runs < options_.runs_max) {
    const std::uint64_t count = std::min(batch_runs, options_.runs_max - result.runs);
    const auto outcomes = results_of<Outcome>(
        count, options_.threads,
        [&](std::size_t index) {
          if (options_.is_out_of_time && options_.is_out_of_time()) return Outcome{true, {}};
          return Outcome{false, failures_of(text_of(attempt_of(result.runs + index)))};
        },
        [](const Outcome& outcome) { return outcome.is_skipped || !outcome.failed.empty(); });
    const bool is_enough =
        !outcomes.empty() && (outcomes.back().is_skipped || !outcomes.back().failed.empty());
    const std::uint64_t last = result.runs + outcomes.size() - 1;
    if (is_enough && outcomes.back().is_skipped) {
      result.runs = last;
      return result;
    }
    result.runs = last + 1;
    if (is_enough) {
      result.found = make_small(last, outcomes.back().failed.front());
      return result;
    }
    if (options_.on_progress) options_.on_progress({.runs = result.runs});
  }
  return result;
}

Found Hunt::make_small(std::uint64_t run, const Verdict& failed) const {
  const std::string check = failed.text;
  const auto verdict_of = [&](const std::string& text) -> std::optional<Verdict> {
    for (const Verdict& each : failures_of(text))
      if (each.text == check) return each;
    return {};
  };
  Found found;
  found.run = run;
  const Attempt attempt = attempt_of(run);
  found.faults_found = attempt.faults.size();
  const Shrunk small =
      shrink(attempt,
             {.threads = options_.threads,
              .attempts_max = options_.shrink_attempts_max,
              .plain_seed = model_.seed},
             [&](const Attempt& each) { return verdict_of(text_of(each)).has_value(); });
  found.attempt = small.attempt;
  found.shrink_attempts = small.attempts;
  found.is_smallest = small.is_finished;
  found.failed = verdict_of(text_of(small.attempt)).value_or(failed);
  const LabText lab = without_needless(found);
  const auto reduced = parse_lab(lab.with({.seed = model_.seed}), model_.file);
  const Model& model = reduced ? reduced->model : model_;
  found.text = lab.with(
      {.seed = found.attempt.seed,
       .until = until_,
       .lines = lines_of(
           model, moved_to(model, model_, found.attempt.faults).value_or(found.attempt.faults)),
       .heading = heading_of(found)});
  const auto again = verdict_of(found.text), once_more = verdict_of(found.text);
  found.is_verified = again && once_more && again->happened == found.failed.happened &&
                      once_more->happened == found.failed.happened;
  return found;
}

// The lab without what the failure does not need. It is the same failure as long as the lab is good
// without the faults, and the same check fails with them in the same way.
LabText Hunt::without_needless(Found& found) const {
  const auto yaml = parse_yaml(model_.text);
  // What fails as it is would also fail for want of a server.
  if (!yaml || (found.attempt.faults.empty() && found.attempt.seed == model_.seed)) return text_;
  const LabParts parts(*yaml, found.failed.text);
  const auto text_without = [&](const std::vector<bool>& left_out) {
    return text_.with_sections(parts.without(left_out));
  };
  const auto still_fails = [&](const std::string& text) {
    const auto lab = parse_lab(text, model_.file);
    if (!lab) return false;
    const auto faults = moved_to(lab->model, model_, found.attempt.faults);
    if (!faults) return false;
    const LabText reduced(text);
    if (!failures_of(reduced.with({.seed = model_.seed, .until = until_})).empty()) return false;
    const auto failed = failures_of(reduced.with(
        {.seed = found.attempt.seed, .until = until_, .lines = lines_of(lab->model, *faults)}));
    return std::ranges::any_of(failed, [&](const Verdict& each) {
      return each.text == found.failed.text && is_same_way(each.happened, found.failed.happened);
    });
  };
  const auto attempts_left = [&] {
    return options_.shrink_attempts_max -
           std::min(options_.shrink_attempts_max, found.shrink_attempts);
  };
  const LeftOut needless = leave_out(
      parts.count(), {.threads = options_.threads, .attempts_max = attempts_left()},
      [&](const std::vector<bool>& left_out) { return still_fails(text_without(left_out)); });
  found.shrink_attempts += needless.attempts;
  found.left_out = parts.names_of(needless.parts);
  const std::string text = text_without(needless.parts);
  const LabText lab(text);
  const auto tree = parse_yaml(text);
  if (!tree) return lab;
  const LabCounts counted(*tree);
  const FewerNodes fewer =
      lower_counts(counted.counts(), attempts_left(), [&](const LabCounts::Counts& counts) {
        return still_fails(lab.with_sections(counted.with(counts)));
      });
  found.shrink_attempts += fewer.attempts;
  found.is_smallest = found.is_smallest && needless.is_finished && fewer.is_finished;
  found.lowered = counted.changes(fewer.counts);
  return LabText(lab.with_sections(counted.with(fewer.counts)));
}

std::string Hunt::heading_of(const Found& found) const {
  std::string heading =
      fmt::format("# Found by `lanyard hunt` in run {} (--seed {}): {} ({}).\n", found.run,
                  options_.seed, one_line(found.failed.text), one_line(found.failed.happened));
  if (found.attempt.faults.empty()) heading += "# Nothing needs to be broken for it.\n";
  for (const Fault& fault : found.attempt.faults)
    heading += fmt::format("#   {}\n", to_text(model_, fault));
  if (!found.left_out.empty())
    heading += one_line(fmt::format("# Not needed for it, and left out: {}.",
                                    fmt::join(found.left_out, ", "))) +
               "\n";
  if (!found.lowered.empty())
    heading +=
        one_line(fmt::format("# Fewer are enough: {}.", fmt::join(found.lowered, ", "))) + "\n";
  return heading;
}

std::string why_not(const Model& model) {
  for (const NodeSpec& node : model.nodes) {
    if (node.kind == NodeKind::kernel_host)
      return fmt::format("{} has the kernel's stack, which has only real time", node.name);
    for (const ProgramSpec& program : node.programs)
      if (!is_built_in(model, program.command))
        return fmt::format("{} runs `{}`, which is not built into Lanyard and has only real time",
                           node.name, program.command);
  }
  return model.time == TimeMode::real ? "it says `time: real`" : "";
}

bool may_fail(const Model& model) {
  return !model.checks.empty() || std::ranges::any_of(model.nodes, [](const NodeSpec& node) {
    return !node.programs.empty();
  });
}

}  // namespace lanyard::lab::hunt
