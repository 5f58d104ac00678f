// SPDX-License-Identifier: Apache-2.0
// A lab read from a text and planned, with a world that can be run, for the tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "lab/lab_file.hh"
#include "lab/plan.hh"
#include "lab/world.hh"

namespace lanyard::lab::test {

// Without a world: its model may still be given programs or another seed.
class PlannedLab {
 public:
  explicit PlannedLab(std::string_view text, const std::string& file = "t.yaml") {
    auto lab = parse_lab(text, file);
    if (!lab) {
      for (const Diagnostic& each : lab.error()) ADD_FAILURE() << to_text(each);
      return;
    }
    model = std::move(lab->model);
    plan = *make_plan(model);
    is_good = true;
  }

  Model model;
  Plan plan;
  bool is_good = false;
};

class Lab : public PlannedLab {
 public:
  explicit Lab(std::string_view text, WorldOptions options = {}) : PlannedLab(text) {
    if (is_good) world = std::make_unique<World>(model, plan, std::move(options));
  }
  // What a program printed.
  [[nodiscard]] std::string printed(std::string_view name) const {
    std::string text;
    for (const ProgramOutput& each : world->output())
      if (row(name).id == each.program) text += each.text;
    return text;
  }
  [[nodiscard]] ProgramRow row(std::string_view name) const {
    for (const ProgramRow& each : world->programs())
      if (each.name == name && !each.is_service) return each;
    ADD_FAILURE() << "no program " << name;
    return {};
  }
  // Verdicts that are not good, one a line.
  [[nodiscard]] std::string complaints() const {
    std::string text;
    for (const Verdict& each : world->verdicts())
      if (!each.is_good) text += each.text + ": " + each.happened + "\n";
    return text;
  }

  std::unique_ptr<World> world;
};

// One whose world has run to its end.
class EndedLab : public Lab {
 public:
  explicit EndedLab(std::string_view text) : Lab(text) {
    if (world) world->run();
  }
};

}  // namespace lanyard::lab::test
