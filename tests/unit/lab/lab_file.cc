// SPDX-License-Identifier: Apache-2.0
// What a lab file says becomes a model.
#include "lab/lab_file.hh"

#include <gtest/gtest.h>

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;

Model model_of(std::string_view text) {
  auto lab = parse_lab(text, "test.yaml");
  if (!lab) {
    for (const Diagnostic& each : lab.error()) ADD_FAILURE() << to_text(each);
    return {};
  }
  for (const Diagnostic& each : lab->warnings) ADD_FAILURE() << to_text(each);
  return std::move(lab->model);
}

constexpr std::string_view first_lab = R"(lab: first-lab
seed: 7
hosts:
  bob:   { run: python3 -m http.server 80 }
  alice: { run: { do: curl -s http://bob/, at: 1s, expect: exit 0 } }
switches: [office, dc]
routers:  [r1]
links:
  - alice -- office
  - office -- r1
  - r1 -- dc: { delay: 20ms, rate: 50Mbit, loss: 1%, queue: 64KB }
  - dc -- bob
at:
  5s: cut r1 -- dc
  7s: heal r1 -- dc
check:
  - alice exits 0
  - tcp retransmits > 0
)";

TEST(LabFile, TheFirstLabIsReadAsItIsWritten) {
  const Model model = model_of(first_lab);
  EXPECT_EQ(model.name, "first-lab");
  EXPECT_EQ(model.file, "test.yaml");
  EXPECT_EQ(model.text, first_lab);
  EXPECT_EQ(model.seed, 7U);
  ASSERT_EQ(model.nodes.size(), 5U);
  EXPECT_EQ(model.nodes[0].name, "bob");
  EXPECT_EQ(model.nodes[0].programs.at(0).command, "python3 -m http.server 80");
  const ProgramSpec& curl = model.nodes[1].programs.at(0);
  EXPECT_EQ(curl.name, "alice");
  EXPECT_EQ(curl.command, "curl -s http://bob/");
  EXPECT_EQ(curl.at, 1_s);
  EXPECT_EQ(curl.expected_status, 0);
  EXPECT_EQ(model.nodes[2].kind, NodeKind::switching);
  EXPECT_EQ(model.nodes[4].kind, NodeKind::router);
  ASSERT_EQ(model.links.size(), 4U);
  EXPECT_EQ(model.link_name(2), "r1 -- dc");
  LinkQuality expected;
  expected.delay = 20_ms;
  expected.rate_bits_per_second = 50'000'000;
  expected.queue_bytes = 64'000;
  expected.loss_parts_per_billion = 10'000'000;
  EXPECT_EQ(model.links[2].a_to_b, expected);
  EXPECT_EQ(model.links[2].b_to_a, expected);
  ASSERT_EQ(model.timeline.size(), 2U);
  EXPECT_EQ(model.timeline[0].kind, Action::Kind::cut);
  EXPECT_EQ(model.timeline[0].at, 5_s);
  EXPECT_EQ(model.timeline[1].kind, Action::Kind::heal);
  EXPECT_EQ(model.timeline[1].link, 2U);
  ASSERT_EQ(model.checks.size(), 2U);
  EXPECT_EQ(model.checks[1].check.counter, "tcp retransmits");
  EXPECT_EQ(time_of(model), TimeMode::real);
}

TEST(LabFile, SectionsMayStandInAnyOrder) {
  const Model model = model_of("links: [a -- b]\nhosts: [a, b]\n");
  EXPECT_EQ(model.link_name(0), "a -- b");
}

TEST(LabFile, CountsMakeManyHostsAndAStarNamesThemAll) {
  const Model model = model_of(
      "hosts:\n  web*3: { run: 'http get http://s{n}/' }\n  s*3:\nswitches: [lan]\n"
      "links:\n  - web* -- s*: { delay: 1ms }\n  - web* -- lan\n");
  ASSERT_EQ(model.nodes.size(), 7U);
  EXPECT_EQ(model.nodes[2].name, "web3");
  EXPECT_EQ(model.nodes[2].programs.at(0).command, "http get http://s3/");
  EXPECT_EQ(model.nodes[2].programs.at(0).name, "web3");
  ASSERT_EQ(model.links.size(), 6U);
  EXPECT_EQ(model.link_name(1), "web2 -- s2");
  EXPECT_EQ(model.links[1].a_to_b.delay, 1_ms);
  EXPECT_EQ(model.link_name(5), "web3 -- lan");
}

TEST(LabFile, RunIsOneLineOneMappingOrAListOfBoth) {
  const Model model = model_of(
      "hosts:\n  a:\n    run:\n      - http serve\n"
      "      - { do: /bin/ping b, at: 500ms, expect: exit 1, env: { LANG: C }, dir: /tmp, name: "
      "pinger "
      "}\n"
      "      - { do: echo serve, expect: any }\n  b:\nlinks: [a -- b]\n");
  const auto& programs = model.nodes[0].programs;
  ASSERT_EQ(programs.size(), 3U);
  EXPECT_EQ(programs[0].name, "a");
  EXPECT_EQ(programs[1].name, "pinger");
  EXPECT_EQ(programs[1].at, 500_ms);
  EXPECT_EQ(programs[1].expected_status, 1);
  EXPECT_EQ(programs[1].environment.at("LANG"), "C");
  EXPECT_EQ(programs[1].directory, "/tmp");
  EXPECT_EQ(programs[2].name, "a.3");
  EXPECT_TRUE(programs[2].any_status);
}

TEST(LabFile, OneDirectionOfALinkCanDiffer) {
  const Model model = model_of(
      "hosts: [a, b]\nlinks:\n  - a -- b: { delay: 5ms }\n  - b -> a: { loss: 2%, rate: 1Mbit }\n");
  EXPECT_EQ(model.links[0].a_to_b.loss_parts_per_billion, 0U);
  EXPECT_EQ(model.links[0].b_to_a.loss_parts_per_billion, 20'000'000U);
  EXPECT_EQ(model.links[0].b_to_a.delay, 5_ms);
}

TEST(LabFile, AddressesMacsAndTheKernelAsAHost) {
  const Model model = model_of(
      "hosts:\n  a: { address: [10.0.1.5/24, 'fd01::5/64'], mac: '02:00:00:00:00:aa', mtu: 1400, "
      "gateway: 10.0.1.1 }\n"
      "  k: { kind: linux, dns: 10.0.1.1 }\nrouters: [r]\n"
      "links:\n  - a -- r: { addresses: { r: 10.0.1.1/24 }, mtu: 9000 }\n  - k -- r\n");
  ASSERT_EQ(model.nodes[0].addresses.size(), 2U);
  EXPECT_EQ(to_text(model.nodes[0].addresses[1]), "fd01::5/64");
  EXPECT_EQ(to_text(*model.nodes[0].mac), "02:00:00:00:00:aa");
  EXPECT_EQ(model.nodes[0].mtu, 1400U);
  EXPECT_EQ(model.nodes[1].kind, NodeKind::kernel_host);
  EXPECT_EQ(to_text(model.links[0].b.addresses.at(0)), "10.0.1.1/24");
  EXPECT_EQ(model.links[0].mtu, 9000U);
  EXPECT_EQ(time_of(model), TimeMode::real);
}

TEST(LabFile, TheTimelineTakesListsSetAndOneWayCutsAndIsSorted) {
  const Model model = model_of(
      "hosts: [a, b, c]\nlinks: [a -- b, b -- c]\nat:\n  2s: [heal b -- a, { set b -- c: { loss: "
      "5%, delay: 1s } }]\n"
      "  1s: cut a -> b\n");
  ASSERT_EQ(model.timeline.size(), 3U);
  EXPECT_EQ(model.timeline[0].kind, Action::Kind::cut);
  EXPECT_TRUE(model.timeline[0].a_to_b);
  EXPECT_FALSE(model.timeline[0].b_to_a);
  EXPECT_EQ(model.timeline[1].kind, Action::Kind::heal);
  EXPECT_EQ(model.timeline[1].link, 0U);
  EXPECT_EQ(model.timeline[2].change.loss_parts_per_billion, 50'000'000U);
  EXPECT_EQ(model.timeline[2].change.delay, 1_s);
  EXPECT_FALSE(model.timeline[2].change.queue_bytes);
}

TEST(LabFile, AnchorsAndAliasesAreCopies) {
  const Model model =
      model_of("hosts: [a, b, c]\nlinks:\n  - a -- b: &slow { delay: 9ms }\n  - b -- c: *slow\n");
  EXPECT_EQ(model.links[1].a_to_b.delay, 9_ms);
}

TEST(LabFile, AHostWithoutALinkIsAWarning) {
  const auto lab = parse_lab("hosts: [a, b, c]\nlinks: [a -- b]\n", "w.yaml");
  ASSERT_TRUE(lab);
  ASSERT_EQ(lab->warnings.size(), 1U);
  EXPECT_EQ(to_text(lab->warnings[0]),
            "w.yaml:1:15: warning: `c` has no link: nothing can reach it; add a line such as `- c "
            "-- ...` to links");
}

TEST(LabFile, AGatewayThatIsNobodyIsAWarningUnlessSomebodyBecomesIt) {
  const std::string text =
      "hosts:\n  a: { gateway: 10.0.1.9 }\n  b:\n  c: { gateway: 10.0.1.1 }\nrouters: [r]\n"
      "switches: [s]\nlinks: [r -- s, a -- s, b -- s, c -- s]\n";
  const auto lab = parse_lab(text, "w.yaml");
  ASSERT_TRUE(lab);
  ASSERT_EQ(lab->warnings.size(), 1U);
  EXPECT_EQ(to_text(lab->warnings[0]),
            "w.yaml:2:3: warning: nobody has the address 10.0.1.9, the gateway of a: name an "
            "address of a router next to it, or leave it out and one is chosen");
  const auto later = parse_lab(text + "at: { 1s: address b 10.0.1.9/24 }\n", "w.yaml");
  ASSERT_TRUE(later);
  EXPECT_TRUE(later->warnings.empty());
}

}  // namespace
}  // namespace lanyard::lab
