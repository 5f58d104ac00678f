// SPDX-License-Identifier: Apache-2.0
// Two runs side by side: the same lab gives the same file, and of two that differ the first
// difference is named.
#include "lab/compare.hh"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "lab.hh"
#include "lab/recorder.hh"

namespace lanyard::lab {
namespace {

constexpr std::string_view pinged =
    "lab: t\nseed: 3\nhosts:\n  bob:\n  alice: { run: ping bob -c 3 }\n"
    "links:\n  - alice -- bob: { delay: 5ms, loss: 20% }\n";

class Compare : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  RunFile run_of(std::string_view text, std::uint64_t seed = 3) {
    test::PlannedLab lab(text);
    lab.model.seed = seed;
    auto recorder = *Recorder::open({.path = path_});
    World world(lab.model, lab.plan, {.recorder = recorder.get()});
    world.run();
    auto run = read_run_file(path_);
    EXPECT_TRUE(run);
    return std::move(*run);
  }

  const std::string path_ =
      std::filesystem::temp_directory_path() /
      (std::string("lanyard_compare_") +
       testing::UnitTest::GetInstance()->current_test_info()->name() + ".pcapng");
};

TEST_F(Compare, TheSameLabTwiceIsTheSameFile) {
  const RunFile first = run_of(pinged);
  const RunFile second = run_of(pinged);
  EXPECT_FALSE(first_difference(first, second));
}

TEST_F(Compare, ARunThatWasCutShortIsComparedAsFarAsItGoes) {
  const RunFile whole = run_of(pinged);
  for (const std::size_t missing : {std::size_t{1}, std::size_t{700}, whole.bytes.size() / 4}) {
    auto cut =
        parse_run_file({whole.bytes.begin(), whole.bytes.end() - static_cast<long>(missing)});
    ASSERT_TRUE(cut && cut->is_cut_short);
    ASSERT_GT(cut->packets.size(), 3U);
    EXPECT_FALSE(first_difference(*cut, whole)) << missing;
    // What was written must be there again, to its last frame.
    RunFile again = run_of(pinged);
    again.packets.resize(cut->packets.size() - 1);
    EXPECT_TRUE(first_difference(*cut, again)) << missing;
    cut->packets[1].at += Duration::nanoseconds(1);
    EXPECT_TRUE(first_difference(*cut, whole)) << missing;
  }
}

TEST_F(Compare, AnotherSeedIsSaidBeforeWhatComesOfIt) {
  const auto difference = first_difference(run_of(pinged), run_of(pinged, 4));
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->what, RunDifference::What::lab);
  EXPECT_EQ(difference->detail, "seed");
}

TEST_F(Compare, AFlippedBitOfAFrameIsNamedWithItsPlace) {
  const RunFile first = run_of(pinged);
  RunFile second = run_of(pinged);
  const std::size_t last = second.packets.size() - 1;
  second.bytes[second.packets[last].offset + 20] ^= 1;
  const auto difference = first_difference(first, second);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->what, RunDifference::What::frame);
  EXPECT_EQ(difference->index, last);
  EXPECT_EQ(difference->detail, "bytes");
  EXPECT_EQ(difference->offset, 20U);
  EXPECT_EQ(difference->at, first.packets[last].at);
  EXPECT_EQ(difference->node, first.ports[first.packets[last].port].node);
}

TEST_F(Compare, OfSeveralTheEarliestInTimeIsNamed) {
  const RunFile first = run_of(pinged);
  RunFile second = run_of(pinged);
  second.bytes.back() ^= 1;
  // An event of the middle, and a frame behind it.
  const std::size_t middle = second.events.size() / 2;
  second.events[middle].event.values[0] += 1;
  second.packets.back().comment = "dropped: queue full";
  const auto difference = first_difference(first, second);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->what, RunDifference::What::event);
  EXPECT_EQ(difference->index, middle);
  EXPECT_EQ(difference->detail, "values");
}

TEST_F(Compare, ARunThatEndsEarlierLacksTheRest) {
  const RunFile first = run_of(pinged);
  RunFile second = run_of(pinged);
  second.bytes.pop_back();
  second.packets.resize(4);
  second.events.resize(second.events.size() - 1);
  const auto difference = first_difference(first, second);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->what, RunDifference::What::frame);
  EXPECT_EQ(difference->index, 4U);
  EXPECT_TRUE(difference->is_in_first);
  EXPECT_FALSE(difference->is_in_second);
}

TEST_F(Compare, WhatIsReadTheSameButStandsOtherwiseIsTheLayout) {
  const RunFile first = run_of(pinged);
  RunFile second = run_of(pinged);
  second.bytes[9] ^= 1;
  const auto difference = first_difference(first, second);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->what, RunDifference::What::layout);
  EXPECT_EQ(difference->offset, 9U);
}

}  // namespace
}  // namespace lanyard::lab
