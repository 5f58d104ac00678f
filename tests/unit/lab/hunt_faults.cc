// SPDX-License-Identifier: Apache-2.0
// Every kind of fault, written as lines of a timeline: a lab file takes them, they happen, and
// afterwards everything is as it was.
#include <gtest/gtest.h>

#include <algorithm>

#include <set>

#include "lab/hunt/fault.hh"
#include "lab/hunt/lab_text.hh"
#include "lab/lab_file.hh"
#include "lab/world.hh"

namespace lanyard::lab::hunt {
namespace {

constexpr std::string_view office =
    "lab: office\nseed: 5\nhosts:\n  alice: { run: { do: ping bob -c 60, expect: any } }\n"
    "  bob: { run: echo serve }\nswitches: [s]\nrouters: [r]\nlinks:\n"
    "  - alice -- s: { delay: 2ms, loss: gilbert p 1% r 50%, jitter: 1ms, duplicate: 1% }\n"
    "  - s -- r: { rate: 10Mbit, queue: 20KB }\n  - r -- bob: { delay: 1ms, black-hole: 1400 }\n";

Model model_of(std::string_view text) {
  auto lab = parse_lab(text, "f.yaml");
  EXPECT_TRUE(lab) << to_text(lab.error().front()) << "\n" << text;
  return lab ? std::move(lab->model) : Model();
}

class EachKind : public testing::TestWithParam<std::string_view> {
 protected:
  const FaultKind& kind() const { return *fault_kind(GetParam()); }
  std::vector<std::uint32_t> targets() const {
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < targets_of(model_, kind().target); ++i)
      if (kind().may_hit == nullptr || kind().may_hit(model_, i)) all.push_back(i);
    return all;
  }
  Fault fault(std::uint32_t target, std::uint32_t strength) {
    Fault fault;
    fault.kind = &kind();
    fault.target = target;
    fault.at = Duration::seconds(2);
    fault.lasts = Duration::seconds(3);
    fault.amount = kind().draw(dice_, strength);
    if (kind().ways == Ways::one) fault.b_to_a = false;
    return fault;
  }
  std::string text_with(const Fault& fault) const {
    return LabText(office).with({.seed = 5, .lines = lines_of(model_, std::vector{fault})});
  }

  Model model_ = model_of(office);
  RandomStream dice_ = Seed(1).stream();
};

TEST_P(EachKind, IsWrittenAsLinesThatALabFileTakes) {
  ASSERT_FALSE(targets().empty());
  for (const std::uint32_t target : targets())
    for (std::uint32_t strength = 0; strength < 4; ++strength) {
      const Model model = model_of(text_with(fault(target, strength)));
      ASSERT_GE(model.timeline.size(), 2U);
      for (const Action& action : model.timeline) {
        EXPECT_GE(action.at, Duration::seconds(2));
        EXPECT_LE(action.at, Duration::seconds(5));
      }
    }
}

// The links have what they had, and every machine is there.
TEST_P(EachKind, LeavesNothingBehind) {
  for (const std::uint32_t target : targets()) {
    const std::string text = text_with(fault(target, 3)) + "until: 200s\n";
    Model model = model_of(text);
    const auto plan = make_plan(model);
    ASSERT_TRUE(plan);
    World world(model, *plan, {});
    world.run();
    for (const LinkRow& link : world.links()) {
      const auto same = std::ranges::find_if(model_.links, [&](const LinkSpec& each) {
        return model_.nodes[each.a.node].name + " -- " + model_.nodes[each.b.node].name ==
               link.name;
      });
      ASSERT_NE(same, model_.links.end()) << link.name;
      EXPECT_TRUE(link.is_up);
      EXPECT_EQ(link.a_to_b, same->a_to_b) << link.name << "\n" << text;
      EXPECT_EQ(link.b_to_a, same->b_to_a) << link.name << "\n" << text;
    }
    for (std::uint32_t node = 0; node < model.nodes.size(); ++node)
      if (model.nodes[node].kind != NodeKind::switching) {
        EXPECT_NE(world.stack(node), nullptr);
      }
  }
}

TEST_P(EachKind, IsMilderUntilItIsMildest) {
  for (std::uint32_t strength = 0; strength < 4; ++strength) {
    std::uint64_t amount = fault(targets().front(), strength).amount;
    int steps = 0;
    while (const auto weaker = kind().weaker(amount)) {
      ASSERT_NE(*weaker, amount);
      amount = *weaker;
      ASSERT_LT(++steps, 100);
    }
  }
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const FaultKind& kind : fault_kinds()) all.push_back(kind.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Faults, EachKind, testing::ValuesIn(names()), [](const auto& each) {
  std::string name(each.param);
  std::erase(name, '-');
  return name;
});

TEST(Faults, AreDrawnOfEveryKindAndOfEveryTargetItCanHit) {
  const Model model = model_of(office);
  Drawing drawing{.kinds = {},
                  .horizon = Duration::seconds(10),
                  .lasts_max = Duration::seconds(3),
                  .moments = {}};
  for (const FaultKind& kind : fault_kinds()) drawing.kinds.push_back(&kind);
  RandomStream dice = Seed(3).stream();
  std::set<std::string_view> kinds;
  std::set<std::uint32_t> crashed;
  std::set<std::pair<bool, bool>> ways;
  for (int i = 0; i < 2000; ++i)
    for (const Fault& fault : draw_faults(model, drawing, dice)) {
      kinds.insert(fault.kind->name);
      if (fault.kind->name == "crash") crashed.insert(fault.target);
      if (fault.kind->name == "loss") ways.emplace(fault.a_to_b, fault.b_to_a);
      if (fault.kind->ways == Ways::both) {
        EXPECT_TRUE(fault.a_to_b && fault.b_to_a);
      }
      if (fault.kind->ways == Ways::one) {
        EXPECT_NE(fault.a_to_b, fault.b_to_a);
      }
      EXPECT_LT(fault.at, Duration::seconds(10));
    }
  EXPECT_EQ(kinds.size(), fault_kinds().size());
  EXPECT_EQ(crashed.size(), model.nodes.size());
  EXPECT_EQ(ways.size(), 3U);
}

TEST(Faults, AreToldToAPerson) {
  const Model model = model_of(office);
  const auto text = [&](std::string_view name, std::uint32_t target, std::uint64_t amount = 0,
                        bool a_to_b = true) {
    Fault fault;
    fault.kind = fault_kind(name);
    fault.target = target;
    fault.a_to_b = a_to_b;
    fault.at = Duration::milliseconds(1500);
    fault.lasts = Duration::seconds(1);
    fault.amount = amount;
    return to_text(model, fault);
  };
  EXPECT_EQ(text("burst-loss", 0, 20'000'000), "burst-loss 2% of alice -- s from 1.5s for 1s");
  EXPECT_EQ(text("crash", 1), "crash of bob from 1.5s for 1s");
  EXPECT_EQ(text("kill", 1), "kill of bob from 1.5s for 1s");
  EXPECT_EQ(text("partition-one-way", 1, 0, false),
            "partition-one-way of what goes to bob from 1.5s for 1s");
  EXPECT_EQ(text("mtu", 0, 1300), "mtu 1300 bytes of alice -- s from 1.5s for 1s");
}

}  // namespace
}  // namespace lanyard::lab::hunt
