// SPDX-License-Identifier: Apache-2.0
// A lab built by a program is the lab its text describes.
#include "lab/builder.hh"

#include <gtest/gtest.h>

#include "lab/plan.hh"

namespace lanyard::lab {
namespace {

TEST(Builders, WriteALabFile) {
  Builder lab("two");
  lab.seed(9).until("60s");
  lab.host("bob", {{"address", "[10.0.1.5/24, fd01::5/64]"}}).run("bob", "http serve");
  lab.run("alice", "http get http://bob/", {{"at", "1s"}, {"expect", "exit 0"}});
  lab.host("quiet").switching("office").router("r1");
  lab.link("alice", "office").link("office", "r1", {{"delay", "20ms"}, {"loss", "1%"}});
  lab.link("r1", "bob").link("quiet", "office");
  lab.at("5s", "cut office -- r1").at("5s", "cut r1 -- bob").at("6s", "heal r1 -- bob");
  lab.check("alice exits 0").check("alice prints \"200 OK\"");
  const auto file = lab.build();
  ASSERT_TRUE(file) << to_text(file.error().front()) << "\n" << lab.text();
  const Model& model = file->model;
  EXPECT_EQ(model.name, "two");
  EXPECT_EQ(model.seed, 9U);
  EXPECT_EQ(model.text, lab.text());
  ASSERT_EQ(model.nodes.size(), 5U);
  EXPECT_EQ(model.nodes[0].name, "bob");
  EXPECT_EQ(model.nodes[0].addresses.size(), 2U);
  ASSERT_EQ(model.nodes[1].programs.size(), 1U);
  EXPECT_EQ(model.nodes[1].programs[0].command, "http get http://bob/");
  EXPECT_EQ(model.nodes[1].programs[0].at, Duration::seconds(1));
  EXPECT_EQ(model.links.size(), 4U);
  EXPECT_EQ(model.links[1].a_to_b.delay, Duration::milliseconds(20));
  EXPECT_EQ(model.timeline.size(), 3U);
  EXPECT_EQ(model.checks.size(), 2U);
  EXPECT_TRUE(make_plan(model));
}

TEST(Builders, AreToldTheirMistakesByTheLineOfTheText) {
  Builder lab;
  lab.host("alice").host("bob").link("alice", "bbo", {{"dealy", "20ms"}});
  const auto file = lab.build();
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().front().line, 7U) << lab.text();
}

TEST(Builders, AnyCommandIsOneText) {
  Builder lab;
  lab.run("alice", "echo send bob \"a: b\" # 'c' \\ {d}");
  const auto file = lab.build();
  ASSERT_TRUE(file) << to_text(file.error().front());
  EXPECT_EQ(file->model.nodes[0].programs[0].command, "echo send bob \"a: b\" # 'c' \\ {d}");
}

}  // namespace
}  // namespace lanyard::lab
