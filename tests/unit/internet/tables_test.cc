// SPDX-License-Identifier: Apache-2.0
// Path MTUs, the rate limiter, source selection.
#include <gtest/gtest.h>

#include "internet/flows.hh"
#include "internet/pmtu.hh"
#include "internet/rate_limiter.hh"
#include "internet/source_selection.hh"

namespace lanyard::internet {
namespace {

using namespace literals;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

class Mtus : public ::testing::Test {
 protected:
  Config config;
  PathMtus mtus{config};
  Instant now = Instant::start();
  const IpAddress v4 = ip("192.0.2.1");
  const IpAddress v6 = ip("2001:db8::1");
};

TEST_F(Mtus, ReportLowersAndNeverRaises) {
  // RFC 1191 3 [RFC1191-3-a], RFC 8201 4 [RFC8201-4-a]
  EXPECT_EQ(mtus.on_too_big(now, v4, 1400, 1500, 1500), 1400u);
  EXPECT_EQ(mtus.on_too_big(now, v4, 1450, 1500, 1400), std::nullopt);
  EXPECT_EQ(mtus.find(v4)->mtu, 1400u);
  EXPECT_EQ(mtus.on_too_big(now, v6, 1280, 1500, 1500), 1280u);
}

TEST_F(Mtus, AbsurdReportsKeepTheFloor) {
  // BI-33
  for (const std::uint32_t mtu : {1U, 67U, 1500U, 9000U}) {
    EXPECT_EQ(mtus.on_too_big(now, v4, mtu, 1500, 1500), std::nullopt) << mtu;
  }
  for (const std::uint32_t mtu : {68U, 69U, 551U}) {
    EXPECT_EQ(mtus.on_too_big(now, v4, mtu, 1500, 1500), ipv4_path_mtu_floor) << mtu;
    EXPECT_TRUE(mtus.find(v4)->is_floor);
  }
  for (const std::uint32_t mtu : {0U, 1U, 1279U, 1500U, 0xffffffffU}) {
    EXPECT_EQ(mtus.on_too_big(now, v6, mtu, 1500, 1500), std::nullopt) << mtu;
  }
  EXPECT_EQ(mtus.find(v6), std::nullopt);
}

TEST_F(Mtus, RouterThatDoesNotSayIsTakenAtTheNextPlateau) {
  // RFC 1191 5 [RFC1191-3-a], BI-33
  EXPECT_EQ(mtus.on_too_big(now, v4, 0, 1500, 1500), 1492u);
  EXPECT_EQ(mtus.on_too_big(now, v4, 0, 1492, 1492), 1006u);
  EXPECT_EQ(mtus.on_too_big(now, v4, 0, 65535, 1006), ipv4_path_mtu_floor);
}

TEST_F(Mtus, EntryAgesAwayAfterTenMinutesAndNotBefore) {
  // RFC 1191 6.3 [RFC1191-6.3-a]
  mtus.on_too_big(now, v4, 1400, 1500, 1500);
  EXPECT_EQ(mtus.next_deadline(), now + 600_s);
  mtus.poll(now + 599_s);
  EXPECT_TRUE(mtus.find(v4));
  mtus.poll(now + 600_s);
  EXPECT_FALSE(mtus.find(v4));
}

TEST_F(Mtus, TableIsBounded) {
  config.path_mtus_max = 10;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    mtus.on_too_big(now, IpAddress::v4(0xc0000000 + i), 1400, 1500, 1500);
  }
  EXPECT_EQ(mtus.size(), 10u);
  EXPECT_TRUE(mtus.find(IpAddress::v4(0xc0000000 + 999)));
}

TEST(RateLimit, AllowsABurstThenTheRateAndNothingMoreAfterALongRest) {
  // RFC 4443 2.4 (f) [RFC4443-2.4-f], RFC 1812 4.3.2.8 [RFC1812-4.3.2.8-a]
  RateLimiter limiter(10, 3);
  Instant now = Instant::start();
  const auto allowed = [&] {
    int n = 0;
    for (int i = 0; i < 100; ++i) n += limiter.allows(now) ? 1 : 0;
    return n;
  };
  EXPECT_EQ(allowed(), 3);
  now = now + 100_ms;
  EXPECT_EQ(allowed(), 1);
  now = now + 99_ms;
  EXPECT_EQ(allowed(), 0);
  now = now + Duration::seconds(1'000'000);
  EXPECT_EQ(allowed(), 3);
  now = Instant::start();  // BI-94: a clock that goes back gives nothing
  EXPECT_EQ(allowed(), 0);
  RateLimiter none(0, 10);
  EXPECT_FALSE(none.allows(now));
}

// RFC 6724 10.1 and more [RFC6724-5-a]: destination, candidates, what must come out.
struct Selection {
  const char* destination;
  std::vector<const char*> candidates;
  const char* wanted;
};

TEST(SourceSelection, GivesTheExamplesOfRfc6724) {
  const std::vector<Selection> rows = {
      {"2001:db8:1::1", {"2001:db8:3::1/64", "fe80::1/64"}, "2001:db8:3::1"},
      {"2001:db8:1::1", {"2001:db8:1::1/64", "2001:db8:2::1/64"}, "2001:db8:1::1"},
      {"ff05::1", {"2001:db8:3::1/64", "fe80::1/64"}, "2001:db8:3::1"},
      {"2001:db8:1::1", {"2001:db8:1::2/64", "2001:db8:3::2/64"}, "2001:db8:1::2"},
      {"fe80::1", {"fe80::2/64", "2001:db8:1::2/64"}, "fe80::2"},
      {"2002:c633:6401::1",
       {"2002:c633:6401::d5e3:7953:13eb:22e8/64", "2001:db8:1::2/64"},
       "2002:c633:6401::d5e3:7953:13eb:22e8"},
      {"ff02::1", {"2001:db8:3::1/64", "fe80::1/64"}, "fe80::1"},
      {"2001:db8:1::1", {"fd00::1/64", "2001:db8:3::1/64"}, "2001:db8:3::1"},
      {"10.0.2.9", {"10.0.1.1/24", "10.0.2.1/24"}, "10.0.2.1"},
  };
  for (const Selection& row : rows) {
    std::vector<SourceCandidate> candidates;
    for (const char* text : row.candidates) {
      candidates.push_back({IpPrefix::parse(text).value(), 2, false, false});
    }
    const SourceWish wish{ip(row.destination), ip(row.destination), 2};
    EXPECT_EQ(select_source(wish, candidates), ip(row.wanted)) << row.destination;
  }
}

struct Ordering {
  // Destination, its source with length; the first is the one to come first.
  std::vector<std::pair<const char*, const char*>> rows;
  bool is_first_deprecated = false, is_second_deprecated = false;
};

TEST(DestinationOrder, GivesTheExamplesOfRfc6724) {
  // RFC 6724 6, 10.2 [RFC6724-6-a]
  const std::vector<Ordering> all = {
      {{{"2001:db8:1::1", "2001:db8:1::2/64"}, {"198.51.100.121", "169.254.13.78/16"}}},
      {{{"198.51.100.121", "198.51.100.117/24"}, {"2001:db8:1::1", "fe80::1/64"}}},
      {{{"2001:db8:1::1", "2001:db8:1::2/64"}, {"10.1.2.3", "10.1.2.4/24"}}},
      {{{"fe80::1", "fe80::2/64"}, {"2001:db8:1::1", "2001:db8:1::2/64"}}},
      {{{"fe80::1", "fe80::2/64"}, {"2001:db8:1::1", "2001:db8:1::2/64"}}, false, true},
      {{{"2001:db8:1::1", "2001:db8:1::2/64"}, {"fe80::1", "fe80::2/64"}}, false, true},
      {{{"2001:db8:1::1", "2001:db8:1::2/64"}, {"2001:db8:3ffe::1", "2001:db8:3f44::2/64"}}},
      {{{"2002:c633:6401::1", "2002:c633:6401::2/64"}, {"2001:db8:1::1", "fe80::2/64"}}},
      {{{"2001:db8:1::1", "2001:db8:1::2/64"}, {"2002:c633:6401::1", "2002:c633:6401::2/64"}}},
      {{{"10.1.2.3", "10.1.2.4/24"}, {"fd00::1", "fd00::2/64"}}},
      {{{"fd00::1", "fd00::2/64"}, {"2001:db8::1", nullptr}}},
      {{{"10.0.0.2", "10.0.0.1/24"}, {"10.0.0.3", "10.0.0.1/24"}}},
  };
  for (const Ordering& each : all) {
    for (const bool is_turned : {false, true}) {
      std::vector<DestinationCandidate> candidates;
      for (const auto& [destination, source] : each.rows) {
        candidates.push_back({ip(destination), std::nullopt, false});
        if (source != nullptr) candidates.back().source = IpPrefix::parse(source).value();
      }
      candidates[0].is_source_deprecated = each.is_first_deprecated;
      candidates[1].is_source_deprecated = each.is_second_deprecated;
      const bool are_equal = candidates[0].source == candidates[1].source;
      if (is_turned && are_equal) continue;  // rule 10: they stay as they were
      if (is_turned) std::swap(candidates[0], candidates[1]);
      order_destinations(candidates);
      EXPECT_EQ(candidates[0].address, ip(each.rows[0].first)) << each.rows[1].first;
    }
  }
}

TEST(SourceSelection, AvoidsDeprecatedAndForeignInterfacesAndPrefersTemporary) {
  const SourceWish wish{ip("2001:db8:9::1"), ip("fe80::1"), 2};
  const auto choose = [&](SourceCandidate a, SourceCandidate b) {
    const std::array<SourceCandidate, 2> both{a, b};
    return select_source(wish, both);
  };
  const auto candidate = [](const char* text) {
    return SourceCandidate{IpPrefix::parse(text).value(), 2, false, false};
  };
  SourceCandidate first = candidate("2001:db8:1::1/64");
  const SourceCandidate second = candidate("2001:db8:1::2/64");
  EXPECT_EQ(choose(first, second), ip("2001:db8:1::1"));
  first.is_deprecated = true;  // rule 3
  EXPECT_EQ(choose(first, second), ip("2001:db8:1::2"));
  first.is_deprecated = false;
  first.interface = 3;  // rule 5
  EXPECT_EQ(choose(first, second), ip("2001:db8:1::2"));
  first.interface = 2;
  first.is_temporary = true;  // rule 7
  EXPECT_EQ(choose(second, first), ip("2001:db8:1::1"));
}

TEST(Flows, AreFoundUntilSomethingChangesAndOnlyWhereTheyCameIn) {
  Flows flows;
  EXPECT_EQ(flows.find(1, 7, 2), nullptr);
  flows.keep({.version = 1, .ends = 7, .arrived_on = 2, .mtu = 1400, .next = ip("10.0.0.9")});
  ASSERT_NE(flows.find(1, 7, 2), nullptr);
  EXPECT_EQ(flows.find(1, 7, 2)->mtu, 1400U);
  EXPECT_EQ(flows.find(1, 7, 3), nullptr);
  EXPECT_EQ(flows.find(1, 8, 2), nullptr);
  EXPECT_EQ(flows.find(2, 7, 2), nullptr);
}

TEST(Flows, KeepMostOfAHundredAndNeverGiveOneForAnother) {
  Flows flows;
  constexpr std::uint64_t kept = 100, asked = 5000;
  for (std::uint64_t ends = 0; ends < kept; ++ends)
    flows.keep({.version = 3,
                .ends = ends << 32 | 0x0a000001,
                .arrived_on = 2,
                .mtu = static_cast<std::uint32_t>(ends)});
  std::uint64_t found = 0;
  for (std::uint64_t ends = 0; ends < asked; ++ends) {
    const Flows::Flow* const flow = flows.find(3, ends << 32 | 0x0a000001, 2);
    if (flow == nullptr) continue;
    ++found;
    EXPECT_EQ(flow->mtu, ends);
  }
  EXPECT_GE(found, kept * 8 / 10);
  EXPECT_LE(found, kept);
}

}  // namespace
}  // namespace lanyard::internet
