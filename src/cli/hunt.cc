// SPDX-License-Identifier: Apache-2.0
#include "cli/hunt.hh"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/lab_errors.hh"
#include "cli/output_file.hh"
#include "cli/progress.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"
#include "core/random.hh"
#include "lab/hunt/hunt.hh"
#include "lab/nearest.hh"
#include "lab/units.hh"

namespace lanyard::cli {
namespace {

using lab::hunt::Found;
using nlohmann::json;

constexpr Duration default_budget = Duration::seconds(60);

std::atomic<int> interrupted_by = 0;
static_assert(std::atomic<int>::is_always_lock_free);

// While it lives, the first Ctrl-C (or SIGTERM) ends the search as a budget does that is used up,
// so that what was looked at is said and kept. The second ends the process.
class Interrupts {
 public:
  Interrupts() {
    interrupted_by = 0;
    struct sigaction action {};
    action.sa_handler = [](int signal) { interrupted_by = signal; };
    action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &action, &before_[i]);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() {
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before_[i], nullptr);
  }

 private:
  static constexpr std::array<int, 2> signals{SIGINT, SIGTERM};
  std::array<struct sigaction, 2> before_{};
};

// Whatever makes two hunts different: a state file of one is no use to another.
std::string identity_of(const HuntOptions& options, const lab::Model& model) {
  std::vector<std::string_view> kinds(options.faults.begin(), options.faults.end());
  if (kinds.empty())
    for (const auto& kind : lab::hunt::fault_kinds()) kinds.push_back(kind.name);
  std::string text = fmt::format("{}\n{}\n", options.seed, fmt::join(kinds, ","));
  text += model.text;
  return fmt::format("{:016x}", siphash({1, 2}, bytes_of(text)));
}

// How many runs are known to be good. The sentence says why the file is of no use.
std::expected<std::uint64_t, std::string> read_state(const std::string& path,
                                                     const std::string& identity) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return 0;
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const json state = json::parse(text, nullptr, false);
  if (!state.is_object() || !state.contains("hunt") || !state["hunt"].is_string() ||
      !state.contains("runs") || !state["runs"].is_number_unsigned())
    return std::unexpected("it is not the state of a hunt");
  if (state["hunt"] != identity)
    return std::unexpected("it is the state of a hunt with another lab file, --seed or --faults");
  return state["runs"].get<std::uint64_t>();
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.flush();
  if (stream) return true;
  fmt::print(stderr, "lanyard: {}: the file cannot be written\n", path);
  return false;
}

int refuse(const std::string& what) {
  fmt::print(stderr, "lanyard: {}\n", what);
  return exit_usage;
}

// The kinds that `--faults` names; the sentence says which one is unknown.
std::expected<std::vector<const lab::hunt::FaultKind*>, std::string> kinds_of(
    const std::vector<std::string>& names) {
  std::vector<const lab::hunt::FaultKind*> kinds;
  for (const std::string& name : names) {
    kinds.push_back(lab::hunt::fault_kind(name));
    if (kinds.back() != nullptr) continue;
    std::vector<std::string> known;
    for (const auto& kind : lab::hunt::fault_kinds()) known.emplace_back(kind.name);
    return std::unexpected(fmt::format("--faults: unknown kind `{}`: {}", printable(name),
                                       lab::suggestion(name, known)));
  }
  return kinds;
}

json fault_json(const lab::Model& model, const lab::hunt::Fault& fault) {
  return {{"kind", fault.kind->name},
          {"text", to_text(model, fault)},
          {"at_ns", fault.at.count_ns()},
          {"lasts_ns", fault.lasts.count_ns()},
          {"amount", fault.amount}};
}

json found_json(const lab::Model& model, const Found& found) {
  json faults = json::array();
  for (const auto& fault : found.attempt.faults) faults.push_back(fault_json(model, fault));
  return {{"run", found.run},
          {"check", found.failed.text},
          {"happened", found.failed.happened},
          {"seed", found.attempt.seed},
          {"faults", std::move(faults)},
          {"faults_before_shrinking", found.faults_found},
          {"shrink_runs", found.shrink_attempts},
          {"left_out", found.left_out},
          {"lowered", found.lowered},
          {"smallest", found.is_smallest},
          {"verified", found.is_verified},
          {"lab", found.text}};
}

void print_found(const HuntOptions& options, const lab::Model& model, const Found& found) {
  const std::size_t count = found.attempt.faults.size();
  fmt::print("Run {} fails: {} ({}).\n", found.run, printable(found.failed.text),
             printable(found.failed.happened));
  if (count == 0)
    fmt::print("Nothing needs to be broken for it; seed {}.\n", found.attempt.seed);
  else
    fmt::print("{} of its {} fault{} {} enough (seed {}, {} runs to find out):\n", count,
               found.faults_found, found.faults_found == 1 ? "" : "s", count == 1 ? "is" : "are",
               found.attempt.seed, found.shrink_attempts);
  for (const auto& fault : found.attempt.faults) fmt::print("  {}\n", to_text(model, fault));
  if (!found.left_out.empty())
    fmt::print("Not needed for it, and left out: {}.\n",
               printable(fmt::format("{}", fmt::join(found.left_out, ", "))));
  if (!found.lowered.empty())
    fmt::print("Fewer are enough: {}.\n",
               printable(fmt::format("{}", fmt::join(found.lowered, ", "))));
  if (!found.is_smallest)
    fmt::print("There may be a smaller one: the runs for that were used up.\n");
  fmt::print("{}\n", found.is_verified ? "Run twice more, it failed the same way."
                                       : "Run again, it did NOT fail the same way.");
  if (options.output.empty())
    fmt::print("\n{}", found.text);
  else
    fmt::print("The lab that shows it: `lanyard run {}`.\n", shell_quoted(options.output));
}

// The hunt's options, or the sentence why not.
std::expected<lab::hunt::HuntOptions, std::string> prepare(const HuntOptions& options) {
  using Clock = std::chrono::steady_clock;
  lab::hunt::HuntOptions how{.seed = options.seed, .threads = options.jobs};
  if (options.runs) how.runs_max = *options.runs;
  auto kinds = kinds_of(options.faults);
  if (!kinds) return std::unexpected(kinds.error());
  how.kinds = std::move(*kinds);
  Duration budget = options.runs ? Duration::infinite() : default_budget;
  if (!options.budget.empty()) {
    const auto given = lab::parse_duration(options.budget, "budget");
    if (!given)
      return std::unexpected(
          fmt::format("--budget: {}: {}", given.error().what, given.error().fix));
    budget = *given;
  }
  const Clock::time_point end = budget == Duration::infinite()
                                    ? Clock::time_point::max()
                                    : Clock::now() + std::chrono::nanoseconds(budget.count_ns());
  how.is_out_of_time = [end] { return interrupted_by != 0 || Clock::now() >= end; };
  return how;
}

}  // namespace

int hunt(const HuntOptions& options) {
  const auto lab = options.json ? load_lab_or_json(options.lab) : load_lab(options.lab);
  if (lab == nullptr) return exit_usage;
  if (const std::string reason = lab::hunt::why_not(lab->model); !reason.empty())
    return refuse(
        fmt::format("{}: only labs in virtual time can be hunted, and {}", options.lab, reason));
  if (!lab::hunt::may_fail(lab->model))
    return refuse(fmt::format(
        "{}: nothing in it can fail: give a host a program (`run:`) or the lab a `check:`",
        options.lab));
  if (!may_write(options.output, options.lab) || !may_write(options.state, options.lab))
    return exit_usage;
  auto how = prepare(options);
  if (!how) return refuse(how.error());
  const std::string identity = identity_of(options, lab->model);
  if (!options.state.empty()) {
    const auto first = read_state(options.state, identity);
    if (!first) return refuse(fmt::format("{}: {}", options.state, first.error()));
    how->first = *first;
  }
  Progress progress;
  how->on_progress = [&](const lab::hunt::HuntProgress& now) {
    if (progress.is_due()) progress.show(fmt::format("hunting: {} runs, all good", now.runs));
  };
  const auto result = [&] {
    const Interrupts interrupts;
    return lab::hunt::Hunt(lab->model, std::move(*how)).run();
  }();
  const int signal = result.found ? 0 : interrupted_by.load();
  progress.clear();
  if (!options.state.empty() &&
      !write_file(options.state,
                  json{{"hunt", identity}, {"runs", result.found ? result.found->run : result.runs}}
                          .dump() +
                      "\n"))
    return exit_failed;
  if (result.found && !options.output.empty() && !write_file(options.output, result.found->text))
    return exit_failed;
  if (options.json) {
    json outcome{{"lab", lab->model.name}, {"runs", result.runs}, {"found", nullptr}};
    if (signal != 0) outcome["interrupted"] = true;
    if (result.found) outcome["found"] = found_json(lab->model, *result.found);
    if (result.found && !options.output.empty()) outcome["file"] = options.output;
    fmt::print("{}\n", outcome.dump(2));
  } else if (result.found) {
    print_found(options, lab->model, *result.found);
  } else {
    fmt::print("{}{} runs, none fails (seed {}).\n", signal != 0 ? "Interrupted. " : "",
               result.runs, options.seed);
  }
  return result.found ? exit_failed : signal != 0 ? 128 + signal : exit_ok;
}

}  // namespace lanyard::cli
