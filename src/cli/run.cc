// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/journal.hh"
#include "cli/junit.hh"
#include "cli/lab_page.hh"
#include "cli/output_file.hh"
#include "cli/repeat.hh"
#include "cli/show_parts.hh"
#include "cli/verbs.hh"
#include "cli/world_runner.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;

constexpr std::uint64_t diagram_lines_max = 80;

json programs_json(const lab::World& world) {
  json programs = json::array();
  for (const lab::ProgramRow& program : world.programs()) {
    if (program.is_service) continue;
    json row{{"name", program.name},
             {"node", world.model().nodes[program.node].name},
             {"command", program.command},
             {"outcome", state_text(program)},
             {"status", program.status},
             {"signal", program.signal},
             {"output", ""},
             {"errors", ""}};
    for (const lab::ProgramOutput& output : world.output()) {
      if (output.program != program.id) continue;
      std::string text = row[output.descriptor == 2 ? "errors" : "output"];
      row[output.descriptor == 2 ? "errors" : "output"] = text + output.text;
    }
    programs.push_back(std::move(row));
  }
  return programs;
}

json checks_json(const std::vector<lab::Verdict>& verdicts) {
  json checks = json::array();
  for (const lab::Verdict& verdict : verdicts) {
    checks.push_back({{"text", verdict.text},
                      {"good", verdict.is_good},
                      {"happened", verdict.happened},
                      {"time_ns", verdict.at.count_ns()}});
  }
  return checks;
}

void print_checks(const std::vector<lab::Verdict>& verdicts, const Paper& paper) {
  for (const lab::Verdict& verdict : verdicts) {
    const std::string mark =
        verdict.is_good ? paint(paper, Ink::green, "ok  ") : paint(paper, Ink::red, "FAIL");
    fmt::print("{} {}  ({}{})\n", mark, printable(verdict.text), printable(verdict.happened),
               verdict.is_good ? "" : fmt::format(", at {}", to_text(verdict.at)));
  }
}

// The one command that makes this run again.
std::string run_file_of(const RunOptions& options, const lab::Model& model) {
  if (!options.run_file.empty()) return options.run_file;
  const std::string stem = std::filesystem::path(model.file).stem();
  return (stem.empty() ? model.name : stem) + ".pcapng";
}

// In real time another run is another one: only its file makes it again.
std::string replay_command(const RunOptions& options, const lab::Model& model, bool is_virtual) {
  if (!is_virtual) return "lanyard replay " + shell_quoted(run_file_of(options, model));
  return fmt::format("lanyard run {} --seed {}", shell_quoted(options.lab), model.seed);
}

// False if it cannot be written.
bool write_junit(const RunOptions& options, const lab::Model& model,
                 const std::vector<lab::Verdict>& verdicts, bool is_virtual) {
  if (options.junit.empty()) return true;
  std::ofstream file(options.junit, std::ios::binary);
  file << junit_xml(model.name, replay_command(options, model, is_virtual), verdicts);
  file.flush();
  if (file) return true;
  fmt::print(stderr, "lanyard: {} cannot be written\n", printable(options.junit));
  return false;
}

void print_title(std::string_view title, const Paper& paper) {
  const std::string_view rule = paper.has_utf8 ? "──" : "--";
  fmt::print("\n{}\n", paint(paper, Ink::bold, fmt::format("{0} {1} {0}", rule, title)));
}

// The diagram and one packet's journey, from the run file that was just written.
void print_run(const std::string& path, const Paper& paper) {
  const auto run = lab::read_run_file(path);
  if (!run.has_value()) {
    fmt::print(stderr, "lanyard: {}: offset {}: {}\n", path, run.error().offset, run.error().what);
    return;
  }
  print_title("what happened", paper);
  const Tale tale = tale_of(*run, {{}, lifelines_that_fit(paper)});
  fmt::print("{}", diagram_page(tale, {}, diagram_lines_max, paper));
  const auto index = telling_frame(*run);
  if (!index.has_value()) return;
  print_title("one packet, hop by hop", paper);
  fmt::print("{}", journey_page(*run, *index, paper));
}

void print_begin(const LoadedLab& lab, bool is_virtual, const Paper& paper) {
  fmt::print("{}, seed {}, in {} time\n\n", paint(paper, Ink::bold, lab.model.name), lab.model.seed,
             is_virtual ? "virtual" : "real");
  fmt::print("{}", nodes_page(lab.model, lab.plan, paper));
  print_title("what the programs say", paper);
  std::fflush(stdout);
}

// A program that waited in vain for its moment has not failed, but its author should know.
void note_what_never_began(const lab::World& world, Journal& journal) {
  for (const lab::ProgramRow& program : world.programs()) {
    if (program.is_service || program.state != lab::ProgramState::waiting) continue;
    journal.note(world.now(), fmt::format("{} was never started: its moment did not come: {}",
                                          program.name, program.command));
  }
}

int status_of(const std::vector<lab::Verdict>& verdicts, int signal, const std::string& problem) {
  if (signal != 0 || !problem.empty()) return exit_failed;
  for (const lab::Verdict& verdict : verdicts) {
    if (!verdict.is_good) return exit_failed;
  }
  return exit_ok;
}

// `kept`: where the run is; empty if it could not be written.
void print_end(const std::vector<lab::Verdict>& verdicts, const std::string& kept, int signal,
               const Paper& paper) {
  if (!verdicts.empty()) {
    print_title("checks", paper);
    print_checks(verdicts, paper);
  }
  fmt::print("\n{}", signal != 0 ? "Interrupted. " : "");
  if (kept.empty())
    fmt::print("The run is not kept: it could not be written.\n");
  else
    fmt::print("The run is kept in {}: `lanyard show {}`, or Wireshark.\n", kept,
               shell_quoted(kept));
}

}  // namespace

int run(const RunOptions& options) {
  const auto lab = options.json ? load_lab_or_json(options.lab) : load_lab(options.lab);
  if (lab == nullptr) return exit_usage;
  if (options.seed.has_value()) lab->model.seed = *options.seed;
  const std::string path = run_file_of(options, lab->model);
  if (!may_write(path, options.lab) || !may_write(options.junit, options.lab)) return exit_usage;
  const Paper paper = paper_of(STDOUT_FILENO);
  Progress progress;
  Journal journal(0, [&](const JournalLine& line) {
    progress.clear();
    print_line(line, paper);
  });
  RunnerOptions how{.run_file = path};
  if (!options.json) {
    how.on_output = [&](const auto& program, const auto& output) { journal.take(program, output); };
    how.on_ended = [&](const auto& program) { journal.end(program); };
    how.on_note = [&](std::string_view note) { journal.note({}, note); };
  }
  auto runner = WorldRunner::make(*lab, how);
  if (!runner.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", runner.error());
    return exit_failed;
  }
  if (!options.json) print_begin(*lab, (*runner)->is_virtual(), paper);
  const int signal = (*runner)->run(progress);
  if (!options.json && signal == 0) note_what_never_began((*runner)->world(), journal);
  const auto verdicts = (*runner)->world().verdicts();
  const bool is_virtual = (*runner)->is_virtual();
  const std::string problem = (*runner)->recorder_problem();
  const std::uint32_t runs = signal == 0 && problem.empty() ? options.repeat : 1;
  const Repeats repeats = repeat_run(*lab, runs, path);
  int status = std::max(status_of(verdicts, signal, problem), repeats.status());
  if (!write_junit(options, lab->model, verdicts, is_virtual)) status = exit_failed;
  if (!problem.empty()) fmt::print(stderr, "lanyard: {}\n", problem);
  if (options.json) {
    json outcome{{"lab", lab->model.name},
                 {"seed", lab->model.seed},
                 {"time", (*runner)->is_virtual() ? "virtual" : "real"},
                 {"nodes", nodes_json(lab->model, lab->plan)},
                 {"programs", programs_json((*runner)->world())},
                 {"checks", checks_json(verdicts)},
                 {"again", replay_command(options, lab->model, is_virtual)},
                 {"run_file", problem.empty() ? json(path) : json(nullptr)},
                 {"interrupted", signal != 0},
                 {"ok", status == exit_ok}};
    if (runs > 1) outcome["repeat"] = repeats.json();
    fmt::print("{}\n", outcome.dump(2, ' ', false, json::error_handler_t::replace));
    return status;
  }
  if (!options.quiet && problem.empty()) print_run(path, paper);
  if (runs > 1) {
    print_title("again", paper);
    fmt::print("{}", repeats.text());
  }
  print_end(verdicts, problem.empty() ? path : "", signal, paper);
  if (status != exit_ok)
    fmt::print("The same run again: `{}`\n", replay_command(options, lab->model, is_virtual));
  return status;
}

}  // namespace lanyard::cli
