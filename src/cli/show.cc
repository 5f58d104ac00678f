// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/facts.hh"
#include "cli/show_parts.hh"
#include "lab/nearest.hh"
#include "lab/replay/input.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;

void complain(const std::string& file, const FileProblem& problem) {
  fmt::print(stderr, "lanyard: {}: offset {}: {}\n", printable(file), problem.offset,
             printable(problem.what));
}

struct Opened {
  Shown shown;
  int status = exit_ok;  // exit_failed: the file is cut short
};

// Reads a run, or any capture. What is wrong is said on standard error.
std::expected<Opened, int> open_file(const std::string& path) {
  auto bytes = read_bytes(path);
  if (!bytes.has_value()) {
    fmt::print(stderr, "lanyard: {}: {}\n", printable(path), bytes.error().what);
    return std::unexpected(exit_usage);
  }
  auto capture = parse_capture(*bytes);
  if (!capture.has_value()) {
    complain(path, capture.error());
    return std::unexpected(exit_usage);
  }
  const int status = capture->cut_short.has_value() ? exit_failed : exit_ok;
  if (capture->cut_short.has_value()) complain(path, *capture->cut_short);
  if (!capture->has_lanyard_blocks) return Opened{std::move(*capture), status};
  auto run = lab::parse_run_file(std::move(*bytes));
  if (!run.has_value()) {
    complain(path, {run.error().offset, run.error().what});
    return Opened{std::move(*capture), exit_failed};
  }
  if (!run->is_whole && status == exit_ok) {
    fmt::print(stderr, "lanyard: {}: the run was cut off: its end was not written\n",
               printable(path));
    return Opened{std::move(*run), exit_failed};
  }
  return Opened{std::move(*run), status};
}

std::size_t frames_in(const Shown& shown) {
  const auto* run = std::get_if<lab::RunFile>(&shown);
  return run != nullptr ? run->packets.size() : std::get<Capture>(shown).frames.size();
}

Tale tale_for(const Shown& shown, const TaleFilter& filter) {
  const auto* run = std::get_if<lab::RunFile>(&shown);
  return run != nullptr ? tale_of(*run, filter) : tale_of(std::get<Capture>(shown), filter);
}

bool has_node(const lab::RunFile& run, const std::string& name) {
  for (const lab::RunNode& node : run.nodes) {
    if (node.name == name) return true;
  }
  return false;
}

void print_heading(const lab::RunFile& run, const Paper& paper) {
  fmt::print("{}  seed {}, {} time, {} frames at {} ports\n\n",
             paint(paper, Ink::bold, printable(run.lab_name)), run.seed,
             run.is_virtual ? "virtual" : "real", grouped(run.packets.size()), run.ports.size());
}

void print_verdicts(const lab::RunFile& run, const Paper& paper) {
  if (run.verdicts.empty()) return;
  fmt::print("\n");
  for (const lab::Verdict& verdict : run.verdicts) {
    const std::string mark =
        verdict.is_good ? paint(paper, Ink::green, "ok  ") : paint(paper, Ink::red, "FAIL");
    fmt::print("{} {}  ({})\n", mark, printable(verdict.text), printable(verdict.happened));
  }
}

int show_diagram(const Shown& shown, const ShowOptions& options) {
  const Paper paper = paper_of(STDOUT_FILENO);
  const auto* run = std::get_if<lab::RunFile>(&shown);
  const Tale tale = tale_for(shown, {options.nodes, lifelines_that_fit(paper)});
  const StoryOptions story{options.protocols, options.unfold};
  if (options.json) {
    json page = diagram_json(tale, story, options.limit);
    if (run != nullptr) page["lab"] = {{"name", run->lab_name}, {"seed", run->seed}};
    fmt::print("{}\n", page.dump(2, ' ', false, json::error_handler_t::replace));
    return exit_ok;
  }
  if (run != nullptr) print_heading(*run, paper);
  fmt::print("{}", diagram_page(tale, story, options.limit, paper));
  if (run != nullptr && options.nodes.empty() && options.protocols.empty()) {
    print_verdicts(*run, paper);
  }
  return exit_ok;
}

int show_frame(const Shown& shown, const ShowOptions& options) {
  const Paper paper = paper_of(STDOUT_FILENO);
  const std::uint64_t number = options.packet.value_or(options.journey.value_or(0));
  if (number == 0 || number > frames_in(shown)) {
    fmt::print(stderr, "lanyard: there is no packet {}; the file has 1 to {}\n", number,
               frames_in(shown));
    return exit_usage;
  }
  const auto index = static_cast<std::size_t>(number - 1);
  if (options.packet.has_value()) {
    fmt::print("{}", options.json ? packet_json(shown, index).dump(2) + "\n"
                                  : packet_page(shown, index, paper));
    return exit_ok;
  }
  const auto* run = std::get_if<lab::RunFile>(&shown);
  if (run == nullptr) {
    fmt::print(stderr, "lanyard: a journey needs a run file: this capture has one place only\n");
    return exit_usage;
  }
  fmt::print("{}", options.json ? journey_json(*run, index).dump(2) + "\n"
                                : journey_page(*run, index, paper));
  return exit_ok;
}

int show_inputs(const Shown& shown, const ShowOptions& options) {
  const auto* run = std::get_if<lab::RunFile>(&shown);
  if (run == nullptr || !run->has_inputs) {
    fmt::print(stderr,
               "lanyard: {}: what entered from outside is in the run files of labs in real time\n",
               printable(options.file));
    return exit_usage;
  }
  json page = json::array();
  std::uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit;
  lab::InputReader reader(*run);
  for (auto input = reader.next(); left-- > 0; input = reader.next()) {
    if (!input) {
      complain(options.file, {input.error().offset, input.error().what});
      return exit_failed;
    }
    if (!*input) break;
    const std::string text = lab::text_of(**input, *run);
    if (options.json)
      page.push_back({{"time_ns", (*input)->at.count_ns()}, {"input", text}});
    else
      fmt::print("{:>12}  {}\n", seconds((*input)->at), printable(text));
  }
  if (options.json) fmt::print("{}\n", page.dump(2, ' ', false, json::error_handler_t::replace));
  return exit_ok;
}

}  // namespace

int show(const ShowOptions& options) {
  for (const std::string& name : options.protocols) {
    const std::span<const std::string> known = protocol_names();
    if (std::ranges::find(known, name) != known.end()) continue;
    fmt::print(stderr, "lanyard: --proto: unknown protocol '{}': {}\n", printable(name),
               lab::suggestion(name, known));
    return exit_usage;
  }
  const auto opened = open_file(options.file);
  if (!opened.has_value()) return opened.error();
  if (const auto* run = std::get_if<lab::RunFile>(&opened->shown)) {
    for (const std::string& name : options.nodes) {
      if (has_node(*run, name)) continue;
      fmt::print(stderr, "lanyard: there is no node '{}' in this run\n", printable(name));
      return exit_usage;
    }
  }
  if (options.inputs) {
    const int status = show_inputs(opened->shown, options);
    return status == exit_ok ? opened->status : status;
  }
  const bool is_one = options.packet.has_value() || options.journey.has_value();
  const int status =
      is_one ? show_frame(opened->shown, options) : show_diagram(opened->shown, options);
  return status == exit_ok ? opened->status : status;
}

}  // namespace lanyard::cli
