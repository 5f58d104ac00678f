// SPDX-License-Identifier: Apache-2.0
// simulation [--seeds N] [--first N] [--jobs N]   runs seeds up to one that fails, and makes that
//                                                 small; --keep-going runs them all
// simulation --must-find TEXT [--seeds N]          of a copy with a bug: exit 0 if a seed fails
// with
//                                                 a problem that says this
// simulation --seed N [--lab]                     one seed; --lab prints its lab file instead
// simulation --run FILE [--keep RUN]               a lab file that the simulation printed; RUN is
//                                                 for `lanyard show`
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "lab/hunt/shrink.hh"
#include "lab/parallel.hh"
#include "scenario.hh"
#include "simulate.hh"

namespace lanyard::simulation {
namespace {

struct Options {
  std::uint64_t first = 1, seeds = 1000;
  unsigned jobs = 0;
  bool only_prints_lab = false, keeps_going = false, shrinks = true;
  std::string file, run_file, must_find;
};

void print_problems(const Report& report) {
  for (const std::string& problem : report.problems) fmt::print("  {}\n", problem);
}

int run_lab(const std::string& path, const std::string& run_file) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const Report report = simulate(text, run_file);
  print_problems(report);
  fmt::print("{}: {} frames, {} problems\n", path, report.frames, report.problems.size());
  return report.is_good() ? 0 : 1;
}

// Prints the failing seed, how to run it again, and the smallest lab that fails the same way.
void explain(std::uint64_t seed, const Report& report, const Options& options) {
  fmt::print("seed {} fails:\n", seed);
  print_problems(report);
  fmt::print("again: build/release/bin/simulation --seed {}\n", seed);
  if (!options.shrinks) return;
  const std::string rule = rule_of(report.problems.front());
  const Scenario scenario = draw_scenario(seed);
  const auto small = lab::hunt::shrink(
      {seed, scenario.faults}, {.threads = options.jobs, .attempts_max = 300, .plain_seed = seed},
      [&](const lab::hunt::Attempt& attempt) {
        const Report now = simulate(text_of(scenario, attempt.seed, attempt.faults));
        return !now.is_good() && rule_of(now.problems.front()) == rule;
      });
  fmt::print("{} of {} faults are needed (found in {} runs). As a lab, for --run:\n\n{}\n",
             small.attempt.faults.size(), scenario.faults.size(), small.attempts,
             text_of(scenario, seed, small.attempt.faults));
}

// Runs seeds up to one of which `is_enough` is true.
template <typename IsEnough>
std::vector<Report> reports_of(const Options& options, IsEnough is_enough) {
  return lab::results_of<Report>(
      options.seeds, options.jobs,
      [&](std::size_t index) {
        const std::uint64_t seed = options.first + index;
        const Scenario scenario = draw_scenario(seed);
        return simulate(text_of(scenario, seed, scenario.faults));
      },
      is_enough);
}

int find(const Options& options) {
  const auto says_it = [&](const Report& report) {
    return std::ranges::any_of(report.problems, [&](const std::string& problem) {
      return problem.find(options.must_find) != std::string::npos;
    });
  };
  const std::vector<Report> reports = reports_of(options, says_it);
  if (!reports.empty() && says_it(reports.back())) {
    fmt::print("found by seed {}:\n", options.first + reports.size() - 1);
    print_problems(reports.back());
    return 0;
  }
  fmt::print("none of {} seeds finds that `{}`\n", reports.size(), options.must_find);
  return 1;
}

int run_seeds(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  const auto reports = reports_of(
      options, [&](const Report& report) { return !report.is_good() && !options.keeps_going; });
  Report sum;
  std::uint64_t bad = 0;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const Report& report = reports[i];
    sum.frames += report.frames;
    sum.connections += report.connections;
    sum.bytes += report.bytes;
    sum.datagrams += report.datagrams;
    sum.finished += report.finished;
    if (report.is_good()) continue;
    ++bad;
    if (options.keeps_going)
      fmt::print("seed {}: {}\n", options.first + i, report.problems.front());
    else
      explain(options.first + i, report, options);
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  fmt::print(
      "{} seeds from {} on in {} ms: {} frames, {} ends of streams with {} bytes, {} "
      "finished, {} datagrams; {} failed\n",
      reports.size(), options.first, took.count(), sum.frames, sum.connections, sum.bytes,
      sum.finished, sum.datagrams, bad);
  return bad == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    if (word == "--seeds") {
      options.seeds = number();
    } else if (word == "--first") {
      options.first = number();
    } else if (word == "--seed") {
      options.first = number();
      options.seeds = 1;
    } else if (word == "--jobs") {
      options.jobs = static_cast<unsigned>(number());
    } else if (word == "--lab") {
      options.only_prints_lab = true;
    } else if (word == "--no-shrinking") {
      options.shrinks = false;
    } else if (word == "--keep-going") {
      options.keeps_going = true;
    } else if (word == "--keep" && i + 1 < argc) {
      options.run_file = argv[++i];
    } else if (word == "--must-find" && i + 1 < argc) {
      options.must_find = argv[++i];
    } else if (word == "--run" && i + 1 < argc) {
      options.file = argv[++i];
    } else {
      fmt::print(stderr,
                 "usage: simulation [--seeds N] [--first N] [--jobs N] [--keep-going]\n"
                 "                  [--no-shrinking]\n"
                 "       simulation --must-find TEXT [--seeds N]\n"
                 "       simulation --seed N [--lab]\n"
                 "       simulation --run FILE [--keep RUN]\n");
      return 2;
    }
  }
  if (!options.file.empty()) return run_lab(options.file, options.run_file);
  if (!options.must_find.empty()) return find(options);
  if (options.only_prints_lab) {
    const Scenario scenario = draw_scenario(options.first);
    fmt::print("{}", text_of(scenario, options.first, scenario.faults));
    return 0;
  }
  return run_seeds(options);
}

}  // namespace
}  // namespace lanyard::simulation

int main(int argc, char** argv) {
  return lanyard::simulation::run(argc, argv);
}
