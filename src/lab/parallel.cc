// SPDX-License-Identifier: Apache-2.0
#include "lab/parallel.hh"

#include <sched.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "lab/recorder.hh"
#include "lab/world.hh"

namespace lanyard::lab {

unsigned threads_of_this_machine() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0)
    return static_cast<unsigned>(CPU_COUNT(&allowed));
  return std::max(1U, std::thread::hardware_concurrency());
}

namespace {

// What the threads share: which job is next, and the first failure.
struct Line {
  std::mutex lock;
  std::size_t next = 0;
  std::size_t end = 0;
  std::size_t failed = SIZE_MAX;
  std::exception_ptr failure;

  // False: no further job.
  bool take(std::size_t& index) {
    const std::scoped_lock held(lock);
    if (next >= end) return false;
    index = next++;
    return true;
  }
  void close() {
    const std::scoped_lock held(lock);
    end = next;
  }
  void fail(std::size_t index, std::exception_ptr what) {
    const std::scoped_lock held(lock);
    end = next;
    if (index >= failed) return;
    failed = index;
    failure = std::move(what);
  }
};

void work(Line& line, const std::function<bool(std::size_t)>& job) {
  for (std::size_t index = 0; line.take(index);) {
    try {
      if (!job(index)) line.close();
    } catch (...) {
      line.fail(index, std::current_exception());
    }
  }
}

}  // namespace

std::size_t for_each_job(std::size_t count, unsigned threads,
                         const std::function<bool(std::size_t)>& job) {
  Line line;
  line.end = count;
  const std::size_t wanted = threads == 0 ? threads_of_this_machine() : threads;
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(wanted, count); ++i)
      others.emplace_back([&] { work(line, job); });
    work(line, job);
  }
  if (line.failure) std::rethrow_exception(line.failure);
  return line.next;
}

WorldOutcome run_world(const WorldJob& job) {
  WorldOutcome outcome;
  if (time_of(*job.model) != TimeMode::virtual_) {
    outcome.problem = "the lab does not run in virtual time";
    return outcome;
  }
  Model model = *job.model;
  if (job.seed) model.seed = *job.seed;
  WorldOptions options;
  std::unique_ptr<Recorder> recorder;
  if (!job.run_file.empty()) {
    auto opened = Recorder::open({.path = job.run_file});
    if (!opened) {
      outcome.problem = opened.error();
      return outcome;
    }
    recorder = std::move(*opened);
    options.recorder = recorder.get();
  }
  World world(model, *job.plan, std::move(options));
  world.run();
  if (recorder != nullptr) outcome.problem = recorder->problem();
  outcome.verdicts = world.verdicts();
  outcome.is_good =
      outcome.problem.empty() && std::ranges::all_of(outcome.verdicts, &Verdict::is_good);
  outcome.ended = world.now();
  for (const LinkRow& link : world.links())
    outcome.frames += link.a_counters.frames + link.b_counters.frames;
  return outcome;
}

std::vector<WorldOutcome> run_many(std::span<const WorldJob> jobs, unsigned threads) {
  return results_of<WorldOutcome>(jobs.size(), threads,
                                  [jobs](std::size_t index) { return run_world(jobs[index]); });
}

std::vector<WorldJob> jobs_of(const Model& model, const Plan& plan,
                              std::span<const std::uint64_t> seeds) {
  std::vector<WorldJob> jobs;
  for (const std::uint64_t seed : seeds)
    jobs.push_back({.model = &model, .plan = &plan, .seed = seed});
  return jobs;
}

}  // namespace lanyard::lab
