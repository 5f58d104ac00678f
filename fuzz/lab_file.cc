// SPDX-License-Identifier: Apache-2.0
// Any bytes as a lab file: read, refused with places, or planned; never a crash.
#include "lab/lab_file.hh"

#include "core/check.hh"
#include "lab/plan.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lanyard;
  if (size > 64 * 1024) return 0;
  const auto lab = lab::parse_lab(text_of(Bytes(data, size)), "fuzz.yaml");
  if (!lab) {
    CHECK(!lab.error().empty());
    for (const lab::Diagnostic& each : lab.error())
      CHECK(each.line > 0 && each.column > 0 && !each.what.empty());
    return 0;
  }
  // What was read has been planned once already.
  const auto plan = lab::make_plan(lab->model);
  CHECK(plan.has_value());
  CHECK(plan->nodes.size() == lab->model.nodes.size());
  return 0;
}
