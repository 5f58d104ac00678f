// SPDX-License-Identifier: Apache-2.0
// Links and the timeline as text: read, written back and read again; and what they do to a lab.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "lab.hh"
#include "lab/action_text.hh"

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;

using Lab = test::EndedLab;

std::string problems_of(std::string_view text) {
  const auto lab = parse_lab(text, "f");
  if (lab) return "accepted";
  std::string all;
  for (const Diagnostic& each : lab.error())
    if (!each.is_warning) all += (all.empty() ? "" : "\n") + to_text(each);
  return all;
}

TEST(LinkValues, AreWrittenBackAsTheyAreRead) {
  const std::pair<std::string_view, std::string_view> values[] = {
      {"delay", "20ms"},
      {"jitter", "5ms"},
      {"jitter", "5ms normal correlation 25% in order"},
      {"jitter", "5ms paretonormal"},
      {"jitter", "5ms table wifi.dist"},
      {"rate", "50Mbit"},
      {"rate", "unlimited"},
      {"rate", "trace lte.trace"},
      {"bucket", "1Mbit burst 10KB"},
      {"bucket", "none"},
      {"queue", "64KB"},
      {"queue", "100 packets"},
      {"queue", "codel"},
      {"queue", "codel target 10ms interval 200ms ecn"},
      {"queue", "fq-codel flows 16 limit 100 no-ecn"},
      {"queue", "pie target 20ms"},
      {"queue", "red min 30KB max 90KB chance 10% ecn"},
      {"queue", "priority limit 50"},
      {"loss", "1%"},
      {"loss", "1% correlation 25%"},
      {"loss", "gilbert p 1% r 10% bad 100% good 0%"},
      {"loss", "states p13 1% p31 90% p32 5% p23 50% p14 0.1%"},
      {"drop", "nothing"},
      {"drop", "7th packet, every 100th packet, first SYN from alice"},
      {"drop", "tcp 7-9 from alice to 10.0.9.0/24, all icmp"},
      {"duplicate", "1%"},
      {"corrupt", "0.25% correlation 10%"},
      {"truncate", "1% to 100B"},
      {"reorder", "25% correlation 50% gap 5"},
      {"black-hole", "1400"},
      {"black-hole", "off"},
      {"mtu", "1400"}};
  for (const auto& [key, text] : values) {
    LinkChange change;
    const auto problem = parse_link_value(key, text, change);
    ASSERT_FALSE(problem.has_value()) << key << ": " << text << ": " << problem->what;
    const auto written = link_values(change);
    ASSERT_EQ(written.size(), 1U) << text;
    EXPECT_EQ(written[0].first, key);
    EXPECT_EQ(written[0].second, text);
    LinkQuality quality;
    apply(change, quality);
    LinkQuality again;
    apply(change_to(quality), again);
    EXPECT_EQ(quality, again) << text;
  }
}

TEST(LinkValues, WrongOnesSayWhatWouldBeRight) {
  const std::string_view head = "hosts: [a, b]\nlinks:\n  - a -- b: { ";
  const std::pair<std::string_view, std::string_view> values[] = {
      {"jitter: 5ms gauss",
       "f:3:23: bad distribution `gauss`: write uniform, normal, pareto, paretonormal or `table "
       "FILE`, then `correlation 25%`, then `in order`"},
      {"loss: 1% correlation 100%",
       "f:3:21: a correlation of 100%: nothing would ever change: write less, as in 25%"},
      {"loss: gilbert q 1%",
       "f:3:21: bad word `q`: write `gilbert p 1% r 10%`, and `bad 100% good 0%` if need be"},
      {"loss: states p13 60% p14 60%",
       "f:3:21: more than 100% of the ways out of a state: p13 and p14 together, and p31 and p32 "
       "together, are at most 100%"},
      {"drop: sometimes",
       "f:3:21: bad drop `sometimes`: write `packet 7`, `packets 7-9`, `every 100th`, `first SYN "
       "of alice`, `3rd tcp from alice to bob`, `all icmp`, or `nothing`"},
      {"drop: first SYN of alcie", "f:3:21: unknown node `alcie`: known are a and b"},
      {"queue: codel flows 3",
       "f:3:22: bad queue `flows`: codel has `limit`, `target`, `interval`, `ecn`"},
      {"queue: cake",
       "f:3:22: bad queue `cake`: write a size as in 64KB, `100 packets`, codel, fq-codel, pie, "
       "`red min 30KB max 90KB` or priority"},
      {"bucket: 1Mbit", "f:3:23: bad bucket `1Mbit`: write `bucket: 1Mbit burst 10KB`, or `none`"},
      {"rate: trace x.trace",
       "f:3:21: the lab has no file `x.trace`: add `files: [x.trace]` to the lab"},
      {"black-hole: 3", "f:3:27: bad black-hole `3`: write 68 or more, as in 1400, or `off`"},
      {"reorder: 25% gap 0",
       "f:3:24: bad reorder `25% gap 0`: write `25%`, `25% correlation 50%` or `100% gap 5`"},
      {"truncate: 1% to 3B",
       "f:3:25: bad truncate `1% to 3B`: a frame has at least its header of 14B"}};
  for (const auto& [value, problem] : values)
    EXPECT_EQ(problems_of(fmt::format("{}{} }}\n", head, value)), problem);
}

// An editor that completes by the schema offers every key and every action there is.
TEST(LinkValues, TheSchemaKnowsEveryKeyAndAction) {
  std::ifstream file(LANYARD_SOURCE_DIR "/docs/lab.schema.json");
  const std::string schema{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(schema.empty());
  for (const std::string& key : link_change_keys())
    EXPECT_NE(schema.find(fmt::format("\"{}\": {{", key)), std::string::npos) << key;
  const std::size_t pattern = schema.find("^(cut|heal|");
  ASSERT_NE(pattern, std::string::npos);
  const std::string verbs = schema.substr(pattern, schema.find(')', pattern) - pattern);
  for (const std::string& verb : action_verbs())
    EXPECT_NE(verbs.find(verb), std::string::npos) << verb;
}

constexpr std::string_view small_lab = R"(
hosts:
  bob: { run: http serve }
  alice: { run: { do: http get http://bob/, at: 1s, expect: any } }
  carol:
switches: [office]
groups: { left: [alice, carol], right: bob }
links: [alice -- office, bob -- office, carol -- office]
)";

TEST(Actions, AreWrittenBackAsTheyAreRead) {
  const auto lab = parse_lab(small_lab, "t");
  ASSERT_TRUE(lab.has_value());
  const ActionReader reader(lab->model, true);
  const std::string_view lines[] = {"cut alice -- office",
                                    "cut office -> bob",
                                    "heal alice -> office",
                                    "heal all",
                                    "set alice -- office delay 20ms, loss 5%",
                                    "set office -> bob drop packet 7-9, first SYN from alice",
                                    "partition alice,carol -- bob",
                                    "partition alice -> bob",
                                    "heal alice,carol -> bob",
                                    "crash bob",
                                    "restart office",
                                    "set alice -- office mtu 1400",
                                    "kill bob",
                                    "kill alice SIGTERM",
                                    "start bob",
                                    "address carol 10.0.1.77/24, fd00::7/64",
                                    "name bob 10.0.1.9, fd00::9",
                                    "name bob nothing"};
  for (const std::string_view line : lines) {
    const auto read = reader.read(line);
    ASSERT_TRUE(read.has_value()) << line << ": " << read.error().what;
    ASSERT_EQ(read->size(), 1U) << line;
    EXPECT_EQ(text_of(read->front(), lab->model), line);
  }
  EXPECT_EQ(text_of(reader.read("partition left -- right")->front(), lab->model),
            "partition alice,carol -- bob");
  for (const std::string_view line : {"clock bob ahead 5s", "clock bob fast 1%", "clock bob right"})
    EXPECT_EQ(text_of(ActionReader(lab->model, false).read(line)->front(), lab->model), line);
}

TEST(Actions, MomentsAreWrittenBackAsTheyAreRead) {
  const auto lab = parse_lab(small_lab, "t");
  ASSERT_TRUE(lab.has_value());
  const ActionReader reader(lab->model);
  const std::string_view moments[] = {"5s",
                                      "10s every 5s x3",
                                      "1.5s every 1s",
                                      "when bob listens on 80",
                                      "when bob listens on 80 +2s",
                                      "when alice prints \"all is ready\" +1s every 2s x4",
                                      "when alice starts",
                                      "when alice exits"};
  for (const std::string_view moment : moments) {
    Action action;
    const auto read = reader.read_moment(moment, nullptr, action);
    ASSERT_TRUE(read.has_value()) << moment << ": " << read.error().what;
    EXPECT_EQ(moment_text(action), moment);
  }
  Action before, after;
  ASSERT_TRUE(reader.read_moment("when alice exits +2s", nullptr, before));
  ASSERT_TRUE(reader.read_moment("+3s", &before, after));
  EXPECT_EQ(moment_text(after), "when alice exits +5s");
  ASSERT_TRUE(reader.read_moment("every 5s x3", nullptr, after));
}

TEST(Actions, ATimelineIsWrittenAsALabFileHasIt) {
  const auto lab = parse_lab(fmt::format("{}{}", small_lab, R"(
at:
  5s: [cut alice -- office, partition left -> right]
  +2s: heal alice -- office
  10s every 1s x2: { set office -- bob: { loss: 5%, drop: [packet 7, all icmp] } }
  'when alice prints "x: y"': crash bob
  20s: flap office -- bob down 100ms up 900ms x3
)"),
                             "t");
  if (!lab)
    for (const Diagnostic& each : lab.error()) ADD_FAILURE() << to_text(each);
  ASSERT_TRUE(lab.has_value());
  const std::string text = timeline_text(lab->model.timeline, lab->model);
  EXPECT_EQ(text, R"(at:
  - 'when alice prints "x: y"': crash bob
  - 5s: cut alice -- office
  - 5s: partition alice,carol -> bob
  - 7s: heal alice -- office
  - 10s every 1s x2: set bob -- office loss 5%, drop 7th packet, all icmp
  - 20s every 1s x3: cut bob -- office
  - 20.1s every 1s x3: heal bob -- office
)");
  const auto again = parse_lab(fmt::format("{}{}", small_lab, text), "t");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(timeline_text(again->model.timeline, again->model), text);
}

TEST(Actions, WrongOnesAreRefusedWithTheirPlace) {
  const std::string head = fmt::format("{}at:\n  ", small_lab);
  const std::pair<std::string_view, std::string_view> lines[] = {
      {"1s: partition left -- rihgt", "f:10:25: unknown node `rihgt`: did you mean `right`?"},
      {"1s: partition left -- alice", "f:10:25: alice is on both sides: leave it out on one side"},
      {"1s: cut left -- right",
       "f:10:11: groups are not linked, they are parted: write `partition left -- right`"},
      {"1s: crash dave",
       "f:10:13: unknown node `dave`: known are bob, alice, carol, office, left "
       "and right"},
      {"1s: kill carol", "f:10:12: `carol` runs no program: give it `run:`, or name another"},
      {"1s: clock bob +5s",
       "f:10:17: that is no way for a clock to go: write `clock bob fast 1%`, `clock bob slow "
       "200ppm`, `clock bob ahead 5s` or `clock bob right`"},
      {"1s: clock bob ahead 0s",
       "f:10:17: bad step in `bob ahead 0s`: write `clock bob ahead 5s`; at most 366 days"},
      {"1s: clock bob ahead",
       "f:10:17: bad step in `bob ahead`: write `clock bob ahead 5s`; at most 366 days"},
      {"1s: clock bob slow 95%",
       "f:10:17: bad clock rate in `bob slow 95%`: write `clock bob fast 1%`, `clock bob slow "
       "200ppm`, `clock bob ahead 5s` or `clock bob right`; at most fast 100% or slow 90%"},
      {"1s: clock office fast 1%",
       "f:10:13: office has no clock of its own: name one host or router with a stack of ours"},
      {"when bob hears: cut alice -- office",
       "f:10:8: bad event `bob hears`: write `when bob listens on 80`, `when alice prints "
       "\"ready\"`, `when alice starts` or `when alice exits`"},
      {"every 0: heal all", "f:10:9: that is too often: write 1us or more, as in `every 5s`"},
      {"5s every 1s 3: heal all",
       "f:10:15: bad time `5s every 1s 3`: write `5s`, `+2s`, `every 5s x3`, `10s every 5s`, or "
       "`when bob listens on 80 +1s`"},
      {"1s: address bob 10.0.1.9",
       "f:10:19: bad address `10.0.1.9`: write an address and its prefix length, as in "
       "10.0.1.5/24 or fd00::5/64"},
      {"1s: flap alice -- office",
       "f:10:7: `flap alice -- office` is not whole: write `flap r1 -- dc down 100ms up 900ms "
       "x5`"}};
  for (const auto& [line, problem] : lines)
    EXPECT_EQ(problems_of(fmt::format("{}{}\n", head, line)), problem) << line;
}

TEST(Faults, APartitionKeepsGroupsApartUntilItIsHealed) {
  Lab lab(R"(
hosts:
  a: { run: [{ do: ping c -c 1, name: parted, at: 1s, expect: any },
             { do: ping b -c 1, name: near, at: 1s, expect: exit 0 },
             { do: ping c -c 1, name: late, at: 20s, expect: exit 0 }] }
  b:
  c: { run: { do: ping d -c 1, name: other, at: 1s, expect: exit 0 } }
  d:
switches: [s]
groups: { left: [a, b], right: [c, d] }
links: [a -- s, b -- s, c -- s, d -- s]
at: { 500ms: partition left -- right, 15s: heal left -- right }
check: [drops kept back by a partition > 0, drops filtered == 0]
)");
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_EQ(lab.printed("parted").find("time="), std::string::npos) << lab.printed("parted");
}

TEST(Faults, ACrashedServerIsGoneAndServesAgainAfterItsRestart) {
  Lab lab(R"(
hosts:
  server: { run: http serve }
  client:
    run: [{ do: http get http://server/, name: early, at: 1s, expect: exit 0 },
          { do: ping server -c 1, name: during, at: 3s, expect: any },
          { do: http get http://server/, name: late, at: 20s, expect: exit 0 }]
links: [server -- client]
at: { 2s: crash server, 10s: restart server }
check: [drops machine is down > 0, drops no carrier == 0]
)");
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_EQ(lab.printed("during").find("time="), std::string::npos) << lab.printed("during");
}

TEST(Faults, AProgramIsKilledAndStartedAgain) {
  Lab lab(R"(
hosts:
  server: { run: http serve }
  client:
    run: [{ do: http get http://server/, name: during, at: 3s, expect: any },
          { do: http get http://server/, name: late, at: 6s, expect: exit 0 }]
links: [server -- client]
at: { 2s: kill server, 5s: start server }
)");
  EXPECT_EQ(lab.complaints(), "");
  for (const ProgramRow& row : lab.world->programs()) {
    if (row.name != "during") continue;
    EXPECT_NE(row.status, 0);
  }
}

TEST(Faults, AfterAnEventCountsFromIt) {
  Lab lab(R"(
hosts:
  server: { run: { do: http serve, at: 4s } }
  client: { run: [{ do: ping server -c 1, name: before, at: 4500ms, expect: exit 0 },
                  { do: ping server -c 1, name: after, at: 6s, expect: any }] }
links: [server -- client]
at: { when server listens on 80 +1s: cut server -- client }
check: [drops (server -- client) > 0]
)");
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_EQ(lab.printed("after").find("time="), std::string::npos);
}

TEST(Faults, NamesAndAddressesChange) {
  Lab lab(R"(
hosts:
  server:
  client: { run: [{ do: lookup web, name: unknown, at: 1s, expect: any },
                  { do: lookup web, name: known, at: 3s, expect: exit 0 },
                  { do: ping 10.0.1.77 -c 1, name: moved, at: 6s, expect: exit 0 }] }
links: [server -- client]
at: { 2s: name web 10.0.1.9, 5s: address server 10.0.1.77/24 }
check: ['known prints "10.0.1.9"']
)");
  EXPECT_EQ(lab.complaints(), "");
}

// A repeated action comes as often as it says.
TEST(Faults, ARepeatedSetHappensEachTime) {
  Lab lab(R"(
hosts:
  a: { run: { do: ping 10.0.1.2 -c 10, at: 1s, expect: any } }
  b:
links: [a -- b]
at: { 1500ms every 2s x3: cut a -- b, 2500ms every 2s x3: heal a -- b }
check: ["a prints \"7 received\""]
)");
  EXPECT_EQ(lab.complaints(), "");
}

TEST(Faults, AQueueThatIsAskedCarriesATransferAndDropsEarly) {
  Lab lab(R"(
seed: 5
hosts:
  a: { run: { do: bulk send b 3000000, expect: exit 0 } }
  b: { run: bulk serve }
links: [a -- b: { rate: 10Mbit, delay: 20ms, queue: codel }]
check: [drops dropped early by the queue > 0, a ends before 10s]
)");
  EXPECT_EQ(lab.complaints(), "");
}

TEST(Faults, ATransferLivesThroughEverythingALinkCanDo) {
  Lab lab(R"(
seed: 5
hosts:
  a: { run: { do: bulk send b 1000000, expect: exit 0 } }
  b: { run: bulk serve }
links:
  - a -- b:
      { rate: 20Mbit, delay: 10ms, jitter: 2ms pareto, loss: gilbert p 0.5% r 80%, duplicate: 1%,
        corrupt: 0.5%, truncate: 0.2%, reorder: 2%, drop: [first SYN of a, every 500th] }
check: [tcp retransmits > 0, a ends before 60s]
)");
  EXPECT_EQ(lab.complaints(), "");
}

TEST(Faults, AProgramIsStartedByAnEvent) {
  Lab lab(R"(
hosts:
  server: { run: { do: http serve, at: 4s } }
  client: { run: [{ do: http get http://server/, at: when server listens on 80, expect: exit 0 },
                  { do: ping server -c 1, name: next, at: when client exits +2s, expect: exit 0 },
                  { do: ping server -c 1, name: never, at: when server listens on 81 }] }
links: [server -- client]
)");
  EXPECT_EQ(lab.complaints(), "");
  const auto row = [&](std::string_view name) {
    return *std::ranges::find(lab.world->programs(), name, &ProgramRow::name);
  };
  EXPECT_GE(row("client").started, Instant::start() + Duration::seconds(4));
  EXPECT_LT(row("client").started, Instant::start() + Duration::milliseconds(4010));
  EXPECT_EQ(row("next").started, row("client").ended + Duration::seconds(2));
  EXPECT_EQ(row("never").state, ProgramState::waiting);
}

TEST(Faults, WhatAProgramWaitsForIsLookedAtWhenTheFileIsRead) {
  constexpr std::string_view head = "lab: f\nlinks: [a -- b]\nhosts:\n  b: { run: ping a }\n";
  const auto run = [](std::string_view when) {
    return fmt::format("  a: {{ run: {{ do: ping b, at: {} }} }}", when);
  };
  const std::pair<std::string_view, std::string_view> lines[] = {
      {"when b hears", "f:5:31: bad event `b hears`"},
      {"when c starts", "f:5:31: unknown program `c`"},
      {"when a starts", "f:5:31: a waits for itself"},
      {"when b starts every 2s", "f:5:31: a program of `run` is started once"},
      {"soon", "f:5:31: bad at `soon`"}};
  for (const auto& [when, problem] : lines) {
    const std::string found = problems_of(fmt::format("{}{}\n", head, run(when)));
    EXPECT_TRUE(found.starts_with(problem)) << when << ": " << found;
  }
}

}  // namespace
}  // namespace lanyard::lab
