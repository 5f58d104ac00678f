// SPDX-License-Identifier: Apache-2.0
// Worlds on several threads are what they are on one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <stdexcept>

#include "lab/lab_file.hh"
#include "lab/parallel.hh"

namespace lanyard::lab {
namespace {

// TCP with loss, name look-ups, pings, a cut and a heal: pools, tasks, timers and dice are all
// used.
constexpr std::string_view lossy = R"(
hosts:
  web: { run: [http serve, bulk serve, echo serve] }
  alice:
    run:
      - { do: ping web -c 3, name: pinger, expect: any }
      - { do: http get http://web/, name: browser, at: 20ms, expect: any }
      - { do: bulk send web 200000, name: mover, at: 30ms, expect: any }
switches: [office]
routers: [r1]
links:
  - alice -- office
  - office -- r1
  - r1 -- web: { delay: 5ms, rate: 20Mbit, loss: 2%, queue: 32KB }
at:
  150ms: cut r1 -- web
  400ms: heal r1 -- web
)";

struct Lab {
  explicit Lab(std::string_view text)
      : model(parse_lab(text, "t.yaml")->model), plan(*make_plan(model)) {}
  Model model;
  Plan plan;
};

std::vector<std::uint64_t> seeds(std::size_t count) {
  std::vector<std::uint64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

std::string bytes_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The run files of these seeds, in one text each.
std::vector<std::string> run_files(const Lab& lab, std::size_t count, unsigned threads) {
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("lanyard_parallel_" + std::to_string(getpid())))
          .string();
  std::filesystem::create_directories(folder);
  const std::vector<std::uint64_t> wanted = seeds(count);
  std::vector<WorldJob> jobs = jobs_of(lab.model, lab.plan, wanted);
  for (std::size_t i = 0; i < jobs.size(); ++i)
    jobs[i].run_file = folder + "/" + std::to_string(i) + ".pcapng";
  std::vector<std::string> files;
  for (const WorldOutcome& each : run_many(jobs, threads)) EXPECT_EQ(each.problem, "");
  for (const WorldJob& job : jobs) files.push_back(bytes_of_file(job.run_file));
  std::filesystem::remove_all(folder);
  return files;
}

TEST(ManyWorlds, WriteTheSameRunFilesOnOneTwoAndFourThreads) {
  const Lab lab(lossy);
  const std::vector<std::string> alone = run_files(lab, 6, 1);
  ASSERT_EQ(alone.size(), 6U);
  EXPECT_GT(alone[0].size(), 200'000U);
  EXPECT_NE(alone[0], alone[1]) << "seeds make no difference";
  EXPECT_EQ(run_files(lab, 6, 2), alone);
  EXPECT_EQ(run_files(lab, 6, 4), alone);
}

TEST(ManyWorlds, ComeBackInTheOrderOfTheJobs) {
  const Lab lab(lossy);
  const std::vector<std::uint64_t> wanted = seeds(12);
  const auto alone = run_many(jobs_of(lab.model, lab.plan, wanted), 1);
  const auto together = run_many(jobs_of(lab.model, lab.plan, wanted), 4);
  ASSERT_EQ(alone.size(), 12U);
  ASSERT_EQ(together.size(), 12U);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(together[i].frames, alone[i].frames) << "seed " << i + 1;
    EXPECT_EQ(together[i].ended, alone[i].ended) << "seed " << i + 1;
  }
}

TEST(ManyWorlds, ALabOfRealTimeIsRefusedWithItsReason) {
  const Lab lab("hosts: { alice: { run: 'true' } }\n");
  const WorldOutcome outcome = run_world({.model = &lab.model, .plan = &lab.plan});
  EXPECT_FALSE(outcome.is_good);
  EXPECT_EQ(outcome.problem, "the lab does not run in virtual time");
}

TEST(Jobs, AreEachDoneOnce) {
  std::array<std::atomic<int>, 1000> done{};
  EXPECT_EQ(for_each_job(done.size(), 4,
                         [&](std::size_t i) {
                           ++done[i];
                           return true;
                         }),
            done.size());
  for (const auto& each : done) EXPECT_EQ(each, 1);
}

TEST(Jobs, StopAtTheFirstThatIsEnoughWhicheverThreadWasFaster) {
  for (const unsigned threads : {1U, 2U, 4U}) {
    const auto found = results_of<int>(
        1000, threads, [](std::size_t i) { return static_cast<int>(i); },
        [](const int& result) { return result >= 20 && result % 3 == 0; });
    ASSERT_EQ(found.size(), 22U);
    EXPECT_EQ(found.back(), 21);
  }
}

TEST(Jobs, WhatTheFirstFailingOneThrowsComesOut) {
  for (const unsigned threads : {1U, 4U}) {
    try {
      for_each_job(100, threads, [](std::size_t i) -> bool {
        if (i >= 7) throw std::runtime_error(std::to_string(i));
        return true;
      });
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "7");
    }
  }
}

}  // namespace
}  // namespace lanyard::lab
