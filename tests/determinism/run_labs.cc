// SPDX-License-Identifier: Apache-2.0
// run_labs THREADS REPEATS FOLDER LAB..: runs each lab so many times, all of them side by side on
// so many threads of this one process, and leaves FOLDER/<lab>.<repeat>.pcapng. Prints the compiler
// it was built with. labs.py compares what several of them leave.
#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <memory>
#include <string_view>

#include "lab/lab_file.hh"
#include "lab/parallel.hh"

namespace {

struct Lab {
  lanyard::lab::Model model;
  lanyard::lab::Plan plan;
};

std::unique_ptr<Lab> read(const std::string& path) {
  auto lab = std::make_unique<Lab>();
  auto file = lanyard::lab::read_lab(path);
  if (!file) {
    fmt::print(stderr, "{}\n", lanyard::lab::to_text(file.error().front()));
    return nullptr;
  }
  lab->model = std::move(file->model);
  auto plan = lanyard::lab::make_plan(lab->model);
  if (!plan) {
    fmt::print(stderr, "{}: {}\n", path, plan.error().front().what);
    return nullptr;
  }
  lab->plan = std::move(*plan);
  return lab;
}

unsigned number(std::string_view text) {
  unsigned value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) {
    fmt::print(stderr, "usage: run_labs THREADS REPEATS FOLDER LAB..\n");
    return 2;
  }
#if defined(__clang__)
  fmt::print("clang {}\n", __clang_major__);
#else
  fmt::print("g++ {}\n", __GNUC__);
#endif
  const unsigned repeats = number(arguments[2]);
  std::vector<std::unique_ptr<Lab>> labs;
  std::vector<lanyard::lab::WorldJob> jobs;
  for (int i = 4; i < count; ++i) {
    labs.push_back(read(arguments[i]));
    if (labs.back() == nullptr) return 2;
    for (unsigned repeat = 0; repeat < repeats; ++repeat)
      jobs.push_back(
          {.model = &labs.back()->model,
           .plan = &labs.back()->plan,
           .run_file = fmt::format("{}/{}.{}.pcapng", arguments[3],
                                   std::filesystem::path(arguments[i]).stem().string(), repeat)});
  }
  for (const auto& outcome : run_many(jobs, number(arguments[1]))) {
    if (outcome.problem.empty()) continue;
    fmt::print(stderr, "{}\n", outcome.problem);
    return 1;
  }
  return 0;
}
