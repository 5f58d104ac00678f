// SPDX-License-Identifier: Apache-2.0
// Many independent worlds at once: jobs on threads, results in the order of the jobs. A world, with
// its stacks, packets and tasks, lives and dies on the thread that made it: blocks and task stacks
// come from pools of that thread. Models and plans are only read, and may be shared.
//
//   auto outcomes = run_many(jobs_of(model, plan, seeds), 0);   // the same on 1 thread or 64
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lab/model.hh"
#include "lab/plan.hh"
#include "lab/rows.hh"

namespace lanyard::lab {

// One thread for each core this process may use.
[[nodiscard]] unsigned threads_of_this_machine();

// Calls job(0) .. job(count - 1), each once, on up to `threads` threads (0: as many as cores), the
// caller's among them. Jobs are begun in their order; once one returns false no further one is
// begun. Returns how many were begun: those are the first ones, and all have ended. What a job
// throws comes out here when all have ended; of several the first job's.
std::size_t for_each_job(std::size_t count, unsigned threads,
                         const std::function<bool(std::size_t)>& job);

// The results of the jobs in their order, up to and with the first that `is_enough`: which one that
// is depends on no thread's speed.
template <typename Result>
std::vector<Result> results_of(
    std::size_t count, unsigned threads, const std::function<Result(std::size_t)>& job,
    const std::function<bool(const Result&)>& is_enough = [](const Result&) { return false; }) {
  std::vector<std::optional<Result>> slots(count);
  for_each_job(count, threads, [&](std::size_t index) {
    slots[index] = job(index);
    return !is_enough(*slots[index]);
  });
  std::vector<Result> results;
  for (std::optional<Result>& slot : slots) {
    if (!slot || (!results.empty() && is_enough(results.back()))) break;
    results.push_back(std::move(*slot));
  }
  return results;
}

// A lab to be run in virtual time. Without an own seed the model's counts.
struct WorldJob {
  const Model* model = nullptr;
  const Plan* plan = nullptr;
  std::optional<std::uint64_t> seed = {};
  std::string run_file = {};  // empty: none is written
};
struct WorldOutcome {
  bool is_good = false;  // every verdict is
  std::string problem;   // why it did not run: not in virtual time, no run file
  std::vector<Verdict> verdicts;
  Instant ended;
  std::uint64_t frames = 0;  // that entered links
};
[[nodiscard]] WorldOutcome run_world(const WorldJob& job);
[[nodiscard]] std::vector<WorldOutcome> run_many(std::span<const WorldJob> jobs, unsigned threads);
// The same lab with these seeds.
[[nodiscard]] std::vector<WorldJob> jobs_of(const Model& model, const Plan& plan,
                                            std::span<const std::uint64_t> seeds);

}  // namespace lanyard::lab
