// SPDX-License-Identifier: Apache-2.0
// What the hunt must not find.
#include <gtest/gtest.h>

#include "lab/hunt/hunt.hh"
#include "lab/lab_file.hh"
#include "transfer_lab.hh"

namespace lanyard::lab::hunt {
namespace {

TEST(Control, OurOwnStackStandsWhatItsCopyWithABugDoesNot) {
  const auto lab = parse_lab(planted::transfer_lab, "transfer.yaml");
  ASSERT_TRUE(lab);
  // Shorter than a neighbour may be silent: after three questions a second apart it is unreachable.
  const HuntResult result = Hunt(lab->model, {.runs_max = 300,
                                              .kinds = {fault_kind("cut-one-way")},
                                              .lasts_max = Duration::milliseconds(1500)})
                                .run();
  EXPECT_FALSE(result.found) << result.found->text;
}

}  // namespace
}  // namespace lanyard::lab::hunt
