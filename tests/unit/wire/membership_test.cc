// SPDX-License-Identifier: Apache-2.0
#include "wire/membership.hh"

#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/dissect.hh"

namespace lanyard::membership {
namespace {

using wire::test::bytes_in;
using wire::test::from_hex;

std::optional<View> parse(Family family, Bytes bytes) {
  const auto view = View::parse(family, bytes);
  return view ? std::optional(*view) : std::nullopt;
}

TEST(Membership, QueriesOfAllVersionsReadAsTheyWereWritten) {
  // RFC 3376 7.1, RFC 3810 8.1
  for (const char* group : {"0.0.0.0", "239.1.2.3", "::", "ff05::1"}) {
    Query query;
    query.group = *IpAddress::parse(group);
    const bool is_v4 = query.group.is_v4();
    const Family family = query.group.family();
    for (query.version = is_v4 ? 1 : 2; query.version <= 3; ++query.version) {
      const auto bytes = bytes_in(membership::query(query));
      const auto view = parse(family, bytes);
      ASSERT_TRUE(view) << group;
      EXPECT_EQ(view->kind(), Kind::query);
      EXPECT_EQ(view->version(), query.version);
      EXPECT_EQ(view->group(), query.group);
      EXPECT_EQ(view->max_response(), Duration::seconds(10));
      EXPECT_EQ(bytes.size(), (is_v4 ? 8u : 24u) + (query.version == 3 ? 4u : 0u));
      if (query.version < 3) continue;
      EXPECT_EQ(view->robustness(), 2u);
      EXPECT_EQ(view->query_interval(), Duration::seconds(125));
    }
  }
}

TEST(Membership, LongTimesAreWrittenInFloatingPointAndNeverBecomeLonger) {
  // RFC 3376 4.1.1, RFC 3810 5.1.3
  for (const char* group : {"0.0.0.0", "::"}) {
    Query query;
    query.group = *IpAddress::parse(group);
    for (std::int64_t ms = 100; ms < 3'000'000; ms = ms * 3 / 2) {
      query.max_response = Duration::milliseconds(ms);
      const auto bytes = bytes_in(membership::query(query));
      const Duration read = parse(query.group.family(), bytes)->max_response();
      EXPECT_LE(read, query.max_response);
      EXPECT_GE(read.count_ms(), ms * 9 / 10 - 100) << ms;
    }
  }
  // 0xff: (0x1f << 10) tenths of a second.
  const auto most = parse(Family::ipv4, from_hex("11ff0000 00000000 02ff0000"));
  EXPECT_EQ(most->max_response(), Duration::milliseconds(100 * (0x1f << 10)));
  EXPECT_EQ(most->query_interval(), Duration::seconds(0x1f << 10));
}

TEST(Membership, RecordsReadAsTheyWereWrittenAndWordsBehindThemArePassedOver) {
  // RFC 3376 4.2
  const IpAddress group = *IpAddress::parse("239.1.2.3");
  const std::vector<Record> records = {{RecordType::to_exclude, group, {}},
                                       {RecordType::allow_new, group, {wire::test::alice4}}};
  const auto bytes = bytes_in(report(Family::ipv4, records));
  const auto view = parse(Family::ipv4, bytes);
  ASSERT_TRUE(view);
  ASSERT_EQ(view->records().size(), 2u);
  EXPECT_EQ(view->records()[1].sources, records[1].sources);
  const auto with_words =
      from_hex("22000000 00000002 01020000 ef010203 dddddddd dddddddd 02000000 ef010204");
  const auto behind = parse(Family::ipv4, with_words);
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->records()[1].group, *IpAddress::parse("239.1.2.4"));
}

TEST(Membership, WhatIsShorterThanItSaysIsRefused) {
  // RFC 3376 4 [RFC3376-9-a], BI-91
  EXPECT_FALSE(parse(Family::ipv4, from_hex("11640000 ef0102")));
  EXPECT_FALSE(parse(Family::ipv4, from_hex("11640000 ef010203 02")));
  EXPECT_FALSE(parse(Family::ipv4, from_hex("11640000 ef010203 027d0002 0a000001")));
  EXPECT_FALSE(parse(Family::ipv4, from_hex("11640000 00000000 027d0001 0a000001")));
  EXPECT_FALSE(parse(Family::ipv4, from_hex("11640000 0a000001")));  // no group
  EXPECT_FALSE(parse(Family::ipv4, from_hex("22000000 0000ffff 04000000 ef010203")));
  EXPECT_FALSE(parse(Family::ipv4, from_hex("22000000 00000001 04ff0000 ef010203")));
  EXPECT_FALSE(parse(Family::ipv4, from_hex("22000000 00000001 0400ffff ef010203")));
  EXPECT_FALSE(parse(Family::ipv4, from_hex("99000000 00000000")));
  EXPECT_FALSE(parse(Family::ipv6, from_hex("82000000 27100000")));
  EXPECT_FALSE(parse(Family::ipv6, from_hex("8f000000 00000001 06000001")));
}

TEST(Membership, DissectionNamesTheFields) {
  for (const wire::test::NamedFrame& frame : wire::test::all_frames()) {
    if (frame.name == "IGMP query") {
      EXPECT_EQ(wire::summary(frame.bytes), "IGMP Membership Query, general");
    } else if (frame.name == "IGMP leave") {
      EXPECT_EQ(wire::summary(frame.bytes), "IGMP Leave Group 239.1.2.3");
    } else if (frame.name == "MLD query about sources") {
      EXPECT_EQ(wire::summary(frame.bytes),
                "ICMPv6 Multicast Listener Membership Query for ff05::123 from fe80::a, fe80::b");
    } else if (frame.name == "IGMP records") {
      EXPECT_TRUE(wire::summary(frame.bytes)
                      .starts_with("IGMP Membership Report: 239.1.2.3 from 10.0.0.1, 10.0.0.2; "
                                   "239.1.2.3 from anybody; "))
          << wire::summary(frame.bytes);
    }
  }
}

}  // namespace
}  // namespace lanyard::membership
