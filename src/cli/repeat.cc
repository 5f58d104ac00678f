// SPDX-License-Identifier: Apache-2.0
#include "cli/repeat.hh"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/verbs.hh"

namespace lanyard::cli {

Repeats repeat_run(const LoadedLab& lab, std::uint32_t runs, const std::string& path) {
  Repeats repeats;
  Progress progress;
  const std::string other = path + ".repeat";
  while (repeats.runs < runs && repeats.problem.empty() && !repeats.difference) {
    repeats.problem = run_again(lab, {.path = other}, progress).value_or("");
    if (!repeats.problem.empty()) break;
    ++repeats.runs;
    auto first = open_run(path);
    auto second = open_run(other);
    if (!first || !second) {
      repeats.problem = "a run file cannot be read back";
      break;
    }
    repeats.difference = lab::first_difference(*first, *second);
    if (!repeats.difference) continue;
    repeats.kept = other;
    repeats.first = std::move(*first);
    repeats.other = std::move(*second);
  }
  if (runs > 1 && repeats.kept.empty()) std::remove(other.c_str());
  return repeats;
}

int Repeats::status() const {
  return difference || !problem.empty() ? exit_failed : exit_ok;
}

std::string Repeats::text() const {
  if (!problem.empty()) return fmt::format("run {} failed: {}\n", runs + 1, problem);
  if (!difference) return fmt::format("{} runs, the same run file byte for byte\n", runs);
  std::string text = fmt::format("run {} differs from run 1; it is kept in {}\n{}", runs, kept,
                                 difference_text(first, other, *difference));
  if (!first.is_virtual)
    text +=
        "This lab runs in real time: its programs and the kernel decide when things happen, and "
        "each run is another. `lanyard replay` makes one of them again.\n";
  return text;
}

nlohmann::json Repeats::json() const {
  nlohmann::json page{{"runs", runs}, {"same", status() == exit_ok}};
  if (!problem.empty()) page["problem"] = problem;
  if (!difference) return page;
  page["difference"] = difference_json(first, other, *difference);
  page["run_file"] = kept;
  return page;
}

}  // namespace lanyard::cli
