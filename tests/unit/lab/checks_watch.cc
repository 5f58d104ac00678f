// SPDX-License-Identifier: Apache-2.0
// Checks about packets, requests and flows: how they are read, and what they say of a lab.
#include <gtest/gtest.h>

#include "lab.hh"
#include "lab/check.hh"
#include "lab/check_watch.hh"

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;

// Each check of the lab: "ok" or what happened.
std::vector<std::string> judged(std::string_view text) {
  const test::EndedLab lab(text);
  std::vector<std::string> all;
  if (!lab.world) return all;
  for (const Verdict& each : lab.world->verdicts())
    all.push_back(each.is_good ? "ok" : each.text + ": " + each.happened);
  return all;
}

TEST(WatchedChecks, SayWhatIsWrongWithThem) {
  const std::pair<std::string_view, std::string_view> lines[] = {
      {"http requests to bob", "a comparison is missing"},
      {"p0 of request time < 1s", "bad percentile `p0`"},
      {"after heal, all flows progress", "`after heal` is not whole"},
      {"no packet from a to b today", "`today` is too much here"},
      {"SYN from a to b >= many", "bad number `many`"}};
  for (const auto& [line, what] : lines) {
    const auto read = parse_watched(line);
    ASSERT_TRUE(read.has_value()) << line;
    ASSERT_FALSE(read->has_value()) << line;
    EXPECT_EQ(read->error().what, what);
  }
  EXPECT_FALSE(parse_watched("alice exits 0").has_value());
  EXPECT_FALSE(parse_watched("packets arp < 20").has_value());
}

TEST(WatchedChecks, CountPacketsAndRequestsAndTheirTimes) {
  const auto all = judged(R"(
hosts:
  server: { run: http serve }
  client:
    run: [{ do: http get http://server/, name: one, at: 1s, expect: exit 0 },
          { do: http get http://server/, name: two, at: 2s, expect: exit 0 },
          { do: http get http://server/, name: three, at: 8s, expect: exit 0 }]
  other: { run: { do: ping client -c 1, at: 1s, expect: exit 0 } }
switches: [s]
links: [server -- s, client -- s: { delay: 20ms }, other -- s]
check:
  - http requests to server == 3
  - http requests to server == 2 within 5s
  - http requests from other == 0
  - no packet from other to server
  - SYN from client to server == 3
  - p99 of request time to server < 41ms
  - p50 of request time to server < 40ms
  - no SYN from client to server
)");
  ASSERT_EQ(all.size(), 12U);
  for (std::size_t i = 4; i < 10; ++i) EXPECT_EQ(all[i], "ok") << i;
  EXPECT_EQ(all[10], "p50 of request time to server < 40ms: it is 40ms over 3 answered requests");
  EXPECT_TRUE(all[11].starts_with("no SYN from client to server: 3 of `SYN from client to server`"))
      << all[11];
}

// A flow that a cut has stopped gets on when its next retransmission comes.
// Alice's second request meets a cut link.
TEST(WatchedChecks, ACounterIsLookedAtWhenItsTimeIsUp) {
  const auto all = judged(R"(
hosts:
  bob: { run: http serve }
  alice:
    run: [{ do: http get http://bob/, name: one, at: 1s, expect: exit 0 },
          { do: http get http://bob/, name: two, at: 3s, expect: exit 0 }]
links: [alice -- bob]
at:
  2.5s: cut alice -- bob
  6s: heal alice -- bob
check:
  - tcp retransmits (alice) == 0 within 2s
  - tcp retransmits(alice) == 0 within 5 s
  - drops link down (alice -- bob) == 0 within 2.6s
  - packets tcp > 0 within 500ms
  - packets tcp > 0 within 600s
)");
  ASSERT_EQ(all.size(), 7U);
  EXPECT_EQ(all[2], "ok");
  EXPECT_TRUE(
      all[3].starts_with("tcp retransmits(alice) == 0 within 5 s: "
                         "tcp retransmits (alice) is "))
      << all[3];
  EXPECT_TRUE(all[3].ends_with(" by 5s, not == 0")) << all[3];
  EXPECT_EQ(all[4], "ok");
  EXPECT_EQ(all[5], "packets tcp > 0 within 500ms: packets tcp is 0 by 500ms, not > 0");
  EXPECT_EQ(all[6], "ok");
}

// Three megabytes into a short queue: alice's side of the link drops, bob's does not.
TEST(Counters, OfALinkOrADirectionAndOfAReasonInAnyOrder) {
  const auto all = judged(R"(
hosts:
  bob: { run: bulk serve }
  alice: { run: { do: bulk send bob 3000000, expect: exit 0 } }
links: [alice -- bob: { rate: 5Mbit, delay: 10ms, queue: 20KB }]
check:
  - drops queue full (alice -- bob) > 3
  - drops (alice -> bob) queue full > 3
  - bob -> alice drops queue full == 0
  - drops queue full on bob -> alice == 0
  - packets tcp (alice -> bob) > 2000
  - packets tcp (bob -> alice) < 2000
  - bytes (alice -> bob) > 3MB
)");
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(all[i], "ok");
  EXPECT_EQ(all.size(), 8U);
}

TEST(Counters, OfALinkAreOnlyWhatIsCountedThere) {
  for (const std::string_view line :
       {"tcp retransmits (a -- b) == 0", "a -- b tcp connections == 0", "a -> b == 0"}) {
    const auto read = parse_check(line);
    ASSERT_FALSE(read) << line;
    EXPECT_NE(read.error().what.find("is not counted of a link"), std::string::npos) << line;
  }
}

TEST(WatchedChecks, AfterAHealFlowsGetOnOrAreNamed) {
  constexpr std::string_view lab = R"(
hosts:
  a: { run: { do: bulk send b 3000000, expect: exit 0 } }
  b: { run: bulk serve }
links: [a -- b: { rate: 10Mbit, delay: 5ms }]
at: { 500ms: cut a -- b, 4s: heal a -- b }
check: ["after heal, all flows progress within LIMIT"]
)";
  const auto with = [&](std::string_view limit) {
    std::string text(lab);
    text.replace(text.find("LIMIT"), 5, limit);
    return judged(text);
  };
  EXPECT_EQ(with("10 s").back(), "ok");
  EXPECT_NE(with("1ms").back().find("got on only"), std::string::npos) << with("1ms").back();
}

}  // namespace
}  // namespace lanyard::lab
