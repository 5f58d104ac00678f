// SPDX-License-Identifier: Apache-2.0
// A find is shown by the smallest lab: what the failure does not need is left out, and it stays the
// same failure.
#include <gtest/gtest.h>

#include "lab/action_text.hh"
#include "lab/hunt/hunt.hh"
#include "lab/hunt/lab_counts.hh"
#include "lab/hunt/lab_parts.hh"
#include "lab/lab_file.hh"

namespace lanyard::lab::hunt {
namespace {

constexpr std::string_view crowded = R"(lab: crowded
hosts:
  shop: { run: [http serve, echo serve] }
  alice: { run: { do: http get http://shop/, at: 500ms, expect: exit 0 } }
  carol: { run: { do: ping shop -c 2, expect: exit 0 } }
  noise*3: { run: ping carol -c 2 }
switches: [office, dc]
routers: [r1, r2]
groups: { staff: [alice, carol] }
links:
  - alice -- office
  - carol -- office
  - office -- r1: { delay: 2ms }
  - r1 -- dc: { delay: 20ms }
  - dc -- shop
  - dc -- r2
  - noise* -- office
at:
  100ms: set carol -- office delay 5ms
  +1s: set carol -- office delay 6ms
check:
  - alice ends before 2s
  - carol exits 0
)";

Model model_of(std::string_view text) {
  auto lab = parse_lab(text, "f");
  if (!lab) ADD_FAILURE() << to_text(lab.error().front()) << "\n" << text;
  return lab ? std::move(lab->model) : Model{};
}

TEST(HuntParts, WhatAFindDoesNotNeedIsLeftOut) {
  const Model model = model_of(crowded);
  const HuntResult result = Hunt(model, {.runs_max = 50, .kinds = {fault_kind("crash")}}).run();
  ASSERT_TRUE(result.found);
  const Found& found = *result.found;
  EXPECT_TRUE(found.is_verified && found.is_smallest) << found.text;
  const Model small = model_of(found.text);
  EXPECT_FALSE(small.node("carol") || small.node("noise1") || small.node("r2")) << found.text;
  EXPECT_TRUE(small.groups.empty()) << found.text;
  // A shop that is not there would be another failure.
  for (const char* name : {"alice", "office", "r1", "dc", "shop"})
    EXPECT_TRUE(small.node(name)) << name << "\n" << found.text;
  EXPECT_EQ(small.links.size(), 4U) << found.text;
  EXPECT_EQ(small.nodes[*small.node("shop")].programs.size(), 1U) << found.text;
  EXPECT_EQ(small.checks.size(), 1U) << found.text;
  EXPECT_EQ(small.timeline.size(), 2U) << found.text;  // crash and restart
  for (const std::string& name : found.left_out) EXPECT_NE(name, "carol -- office");
}

// The check names the third client: three pairs are left of twenty.
TEST(HuntParts, CountsAreLoweredToWhatTheFailureNeeds) {
  const Model model = model_of(R"(lab: counted
hosts:
  shop*20: { run: http serve }
  client*20: { run: { do: "http get http://shop{n}/", at: 500ms, expect: any } }
  idle*7: {}
switches: [office]
links:
  - client* -- shop*: { delay: 2ms }
  - idle* -- office
  - client* -- office
check:
  - client3 exits 0
)");
  const HuntResult result = Hunt(model, {.runs_max = 400, .kinds = {fault_kind("crash")}}).run();
  ASSERT_TRUE(result.found);
  const Found& found = *result.found;
  EXPECT_TRUE(found.is_verified && found.is_smallest) << found.text;
  const Model small = model_of(found.text);
  EXPECT_TRUE(small.node("client3") && small.node("shop3")) << found.text;
  EXPECT_FALSE(small.node("client4") || small.node("shop4") || small.node("idle1")) << found.text;
  EXPECT_EQ(found.lowered.size(), 2U) << found.text;
  EXPECT_NE(
      found.text.find("# Fewer are enough: shop*20 became shop*3, client*20 became client*3."),
      std::string::npos)
      << found.text;
}

TEST(LabCounts, TheSmallestIsFoundByHalves) {
  const auto counts_of = [](LabCounts::Counts counts, std::size_t attempts, auto still_fails) {
    return lower_counts(std::move(counts), attempts, still_fails).counts;
  };
  using Counts = LabCounts::Counts;
  EXPECT_EQ(counts_of({100, 100, 7}, 99, [](const Counts& c) { return c[0] == c[1] && c[0] > 36; }),
            (Counts{37, 37, 1}));
  EXPECT_EQ(counts_of({100}, 99, [](const Counts& c) { return c[0] > 98; }), (Counts{99}));
  EXPECT_EQ(counts_of({100}, 99, [](const Counts&) { return false; }), (Counts{100}));
  EXPECT_FALSE(lower_counts({100}, 3, [](const Counts& c) { return c[0] > 36; }).is_finished);
}

// Without faults it fails by itself, and would for want of nearly everything.
TEST(HuntParts, ALabThatFailsAsItIsStaysWhole) {
  const std::string text = std::string(crowded) + "  - alice prints \"no such thing\"\n";
  const Model model = model_of(text);
  const HuntResult result = Hunt(model, {.runs_max = 1}).run();
  ASSERT_TRUE(result.found);
  EXPECT_TRUE(result.found->left_out.empty());
  EXPECT_EQ(model_of(result.found->text).nodes.size(), model.nodes.size());
}

TEST(HuntParts, EveryPartCanBeLeftOutByItself) {
  const LabParts parts(*parse_yaml(crowded), "alice ends before 2s");
  const LabText text(crowded);
  const std::size_t before = model_of(crowded).nodes.size();
  std::vector<std::string> no_labs;
  std::size_t smaller = 0;
  for (std::size_t part = 0; part < parts.count(); ++part) {
    std::vector<bool> left_out(parts.count(), false);
    left_out[part] = true;
    ASSERT_EQ(parts.names_of(left_out).size(), 1U);
    const std::string without = text.with_sections(parts.without(left_out));
    EXPECT_NE(without, crowded) << parts.names_of(left_out)[0];
    const auto lab = parse_lab(without, "f");
    if (lab)
      smaller += lab->model.nodes.size() < before ? 1 : 0;
    else
      no_labs.push_back(parts.names_of(left_out)[0]);
  }
  // A check needs its program, a line of the timeline its link.
  EXPECT_EQ(no_labs, (std::vector<std::string>{"the program of alice", "the program of carol",
                                               "carol -- office"}));
  EXPECT_EQ(smaller, 8U);
}

// What the author's timeline says by an event or relative to another line happens in every run.
TEST(HuntParts, MomentsByEventsStayInTheTimeline) {
  const LabText text(
      "hosts:\n  a: { run: http serve }\n  b: {}\nlinks: [a -- b]\nat:\n"
      "  1s: cut a -- b\n  +500ms: heal a -- b\n  when a listens on 80 +1s: crash b\n");
  const Model model = model_of(text.with({.lines = {{Duration::milliseconds(700), "crash a"}}}));
  ASSERT_EQ(model.timeline.size(), 4U);
  std::string all;
  for (const Action& each : model.timeline) all += moment_text(each) + "; ";
  EXPECT_EQ(all, "700ms; 1s; when a listens on 80 +1s; 1.5s; ");
}

}  // namespace
}  // namespace lanyard::lab::hunt
