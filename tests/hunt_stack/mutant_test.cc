// SPDX-License-Identifier: Apache-2.0
// The tenth planted bug: a copy of our own TCP, linked into this program only, that gives a
// connection up once it has sent the same octets again for the time of one retransmission
// (tests/CMakeLists.txt says which line is changed). tests/hunt runs the same hunt on the stack
// itself.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "../hunt/transfer_lab.hh"
#include "lab/hunt/hunt.hh"
#include "lab/lab_file.hh"

namespace lanyard::lab::hunt {
namespace {

TEST(Planted, ARetransmissionBugInACopyOfTheStackIsFoundAndMadeSmall) {
  const auto lab = parse_lab(planted::transfer_lab, "transfer.yaml");
  ASSERT_TRUE(lab);
  const HuntResult result = Hunt(lab->model, {.runs_max = 1000}).run();
  ASSERT_TRUE(result.found) << "not found in " << result.runs << " runs";
  const Found& found = *result.found;
  fmt::print("run {}, {} of {} faults, {} runs to make it small\n{}\n", found.run,
             found.attempt.faults.size(), found.faults_found, found.shrink_attempts, found.text);
  EXPECT_GT(found.run, 0U);
  EXPECT_EQ(found.attempt.faults.size(), 1U) << found.text;
  EXPECT_TRUE(found.is_verified);
}

}  // namespace
}  // namespace lanyard::lab::hunt
