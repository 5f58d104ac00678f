// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <expected>
#include <nlohmann/json.hpp>

#include "cli/capture.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"
#include "lab/drill/runner.hh"

namespace lanyard::cli {
namespace {

using lab::drill::Outcome;
using lab::drill::RunRequest;
using lab::drill::ScriptOption;

// What every script is given: from `--name=value`, `--name` and NAME=VALUE.
std::expected<RunRequest, std::string> request_of(const DrillOptions& options) {
  RunRequest request;
  for (const std::string& word : options.settings) {
    if (!word.starts_with("--") || word.size() < 3) {
      return std::unexpected(fmt::format("`{}` is no option and no file", printable(word)));
    }
    const std::size_t sign = std::min(word.find('='), word.size());
    const std::string value = sign == word.size() ? "" : word.substr(sign + 1);
    request.options.push_back(ScriptOption{{0, 0}, word.substr(2, sign - 2), value});
  }
  for (const std::string& define : options.defines) {
    const std::size_t sign = std::min(define.find('='), define.size());
    request.defines[define.substr(0, sign)] = sign == define.size() ? "1" : define.substr(sign + 1);
  }
  return request;
}

Outcome run_file(const RunRequest& common, const std::string& path) {
  RunRequest request = common;
  request.file = path;
  const auto content = read_bytes(path);
  if (!content) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::wrong_script;
    outcome.file = path;
    outcome.what = content.error().what;
    return outcome;
  }
  request.text = text_of(*content);
  return lab::drill::run_script(request);
}

// file:line: what went wrong; the script's line; the packets around it.
void print_problem(const Outcome& outcome) {
  const std::string place = outcome.mark.line == 0
                                ? printable(outcome.file)
                                : fmt::format("{}:{}:{}", printable(outcome.file),
                                              outcome.mark.line, outcome.mark.column);
  fmt::print("{}: {}: {}\n", place, to_text(outcome.kind), printable(outcome.what));
  if (!outcome.source.empty()) fmt::print("    {}\n", printable(outcome.source));
  for (const std::string& packet : outcome.packets) fmt::print("      {}\n", packet);
}

void print_outcome(const Outcome& outcome, bool is_quiet) {
  const bool has_passed = outcome.kind == Outcome::Kind::passed;
  if (has_passed && !is_quiet) {
    fmt::print("{}: passed ({} events, {})\n", printable(outcome.file), outcome.events,
               to_text(outcome.took));
  }
  for (const std::string& line : outcome.output) fmt::print("    {}\n", printable(line));
  if (!has_passed) print_problem(outcome);
  for (const std::string& warning : outcome.warnings) {
    fmt::print("    not fatal: {}\n", printable(warning));
  }
  if (has_passed && is_quiet) return;
  for (const std::string& note : outcome.notes) fmt::print("    note: {}\n", printable(note));
}

nlohmann::json json_of(const Outcome& outcome) {
  return {{"file", printable(outcome.file)}, {"result", to_text(outcome.kind)},
          {"line", outcome.mark.line},       {"column", outcome.mark.column},
          {"what", printable(outcome.what)}, {"source", printable(outcome.source)},
          {"packets", outcome.packets},      {"notes", outcome.notes},
          {"not_fatal", outcome.warnings},   {"output", outcome.output},
          {"events", outcome.events},        {"virtual_us", outcome.took.count_us()}};
}

std::size_t count(const std::vector<Outcome>& outcomes, Outcome::Kind kind) {
  return static_cast<std::size_t>(
      std::count_if(outcomes.begin(), outcomes.end(),
                    [&](const Outcome& outcome) { return outcome.kind == kind; }));
}

void print_json(const std::vector<Outcome>& outcomes) {
  nlohmann::json scripts = nlohmann::json::array();
  for (const Outcome& outcome : outcomes) scripts.push_back(json_of(outcome));
  const nlohmann::json whole{{"scripts", scripts},
                             {"passed", count(outcomes, Outcome::Kind::passed)},
                             {"failed", count(outcomes, Outcome::Kind::failed)},
                             {"unsupported", count(outcomes, Outcome::Kind::unsupported)},
                             {"wrong", count(outcomes, Outcome::Kind::wrong_script)}};
  fmt::print("{}\n", whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

int drill(const DrillOptions& options) {
  if (options.scripts.empty()) {
    fmt::print(stderr, "lanyard: drill takes at least one script; try `lanyard help drill`\n");
    return exit_usage;
  }
  const auto request = request_of(options);
  if (!request) {
    fmt::print(stderr, "lanyard: {}\n", request.error());
    return exit_usage;
  }
  std::vector<Outcome> outcomes;
  for (const std::string& path : options.scripts) {
    outcomes.push_back(run_file(*request, path));
    if (!options.json) print_outcome(outcomes.back(), options.quiet);
  }
  const std::size_t passed = count(outcomes, Outcome::Kind::passed);
  const std::size_t failed = count(outcomes, Outcome::Kind::failed);
  if (options.json) {
    print_json(outcomes);
  } else if (outcomes.size() > 1) {
    fmt::print("{} scripts: {} passed, {} failed, {} unsupported, {} wrong\n", outcomes.size(),
               passed, failed, count(outcomes, Outcome::Kind::unsupported),
               count(outcomes, Outcome::Kind::wrong_script));
  }
  if (passed == outcomes.size()) return exit_ok;
  return failed > 0 ? exit_failed : exit_usage;
}

}  // namespace lanyard::cli
