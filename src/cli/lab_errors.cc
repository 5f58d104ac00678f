// SPDX-License-Identifier: Apache-2.0
#include "cli/lab_errors.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/capture.hh"

namespace lanyard::cli {
namespace {

constexpr std::size_t source_columns_max = 140;

// Line `number` (from 1) of a text, without its end.
std::string_view line_of(std::string_view source, std::uint32_t number) {
  for (std::uint32_t line = 1; line < number; ++line) {
    const std::size_t end = source.find('\n');
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
  std::string_view line = source.substr(0, source.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void print_problems(const std::vector<lab::Diagnostic>& problems, std::string_view source) {
  const Paper paper = paper_of(STDERR_FILENO);
  for (const lab::Diagnostic& problem : problems) {
    fmt::print(stderr, "{}", problem_text(problem, source, paper));
  }
}

std::string source_of(const std::string& path) {
  const auto bytes = read_bytes(path);
  return bytes.has_value() ? std::string(text_of(*bytes)) : std::string();
}

using Read = std::expected<lab::LabFile, std::vector<lab::Diagnostic>>;

using Print = void (*)(const std::vector<lab::Diagnostic>&, std::string_view source);

void print_json(const std::vector<lab::Diagnostic>& problems, std::string_view) {
  using nlohmann::json;
  json rows = json::array();
  for (const lab::Diagnostic& problem : problems)
    rows.push_back({{"file", problem.file},
                    {"line", problem.line},
                    {"column", problem.column},
                    {"what", problem.what},
                    {"fix", problem.fix},
                    {"warning", problem.is_warning}});
  fmt::print("{}\n", json{{"ok", false}, {"problems", rows}}.dump(2, ' ', false,
                                                                  json::error_handler_t::replace));
}

// Actions on clocks in a lab that runs in real time.
std::vector<lab::Diagnostic> wrong_clocks(const lab::Model& model, const std::string& path) {
  std::vector<lab::Diagnostic> problems;
  if (lab::time_of(model) != lab::TimeMode::real) return problems;
  for (const lab::Action& action : model.timeline)
    if (action.kind == lab::Action::Kind::clock || action.kind == lab::Action::Kind::step)
      problems.push_back(
          {path, action.mark.line, action.mark.column, "clocks go wrong in virtual time only",
           "unmodified programs read the clock of this machine; leave it out", false});
  return problems;
}

std::unique_ptr<LoadedLab> planned(Read file, const std::string& path, std::string_view source,
                                   Print print = print_problems) {
  if (!file.has_value()) {
    print(file.error(), source);
    return nullptr;
  }
  print_problems(file->warnings, source);
  auto loaded = std::make_unique<LoadedLab>();
  loaded->model = std::move(file->model);
  if (const auto wrong = wrong_clocks(loaded->model, path); !wrong.empty()) {
    print(wrong, source);
    return nullptr;
  }
  auto plan = lab::make_plan(loaded->model);
  if (!plan.has_value()) {
    std::vector<lab::Diagnostic> problems;
    for (const lab::PlanProblem& problem : plan.error()) {
      problems.push_back(
          {path, problem.mark.line, problem.mark.column, problem.what, problem.fix, false});
    }
    print(problems, source);
    return nullptr;
  }
  loaded->plan = std::move(*plan);
  return loaded;
}

}  // namespace

std::string problem_text(const lab::Diagnostic& problem, std::string_view source,
                         const Paper& paper) {
  std::string text =
      paint(paper, problem.is_warning ? Ink::yellow : Ink::red, printable(lab::to_text(problem)));
  text += "\n";
  const std::string_view line = line_of(source, problem.line);
  if (problem.line == 0 || problem.column == 0 || line.empty()) return text;
  // A caret under a line that must be cut would point at nothing.
  const std::string shown = printable(line);
  if (shown.size() > source_columns_max || problem.column > line.size() + 1) return text;
  const std::string before = printable(line.substr(0, problem.column - 1));
  return text + fmt::format("    {}\n    {}{}\n", shown, std::string(columns_of(before), ' '),
                            paint(paper, Ink::bold, "^"));
}

std::unique_ptr<LoadedLab> load_lab(const std::string& path) {
  auto file = lab::read_lab(path);
  const std::string source = file.has_value() ? file->model.text : source_of(path);
  return planned(std::move(file), path, source);
}

std::unique_ptr<LoadedLab> load_lab_or_json(const std::string& path) {
  auto file = lab::read_lab(path);
  const std::string source = file.has_value() ? file->model.text : source_of(path);
  return planned(std::move(file), path, source, print_json);
}

std::unique_ptr<LoadedLab> load_lab_text(std::string_view text, const std::string& file) {
  return planned(lab::parse_lab(text, file), file, text);
}

}  // namespace lanyard::cli
