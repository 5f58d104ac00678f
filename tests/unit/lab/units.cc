// SPDX-License-Identifier: Apache-2.0
#include "lab/units.hh"

#include <gtest/gtest.h>

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;

TEST(Units, DurationsAreExact) {
  EXPECT_EQ(parse_duration("20ms", "delay"), 20_ms);
  EXPECT_EQ(parse_duration("1.5us", "delay"), 1500_ns);
  EXPECT_EQ(parse_duration(" 2 min ", "delay"), 120_s);
  EXPECT_EQ(parse_duration("0", "delay"), 0_s);
  EXPECT_EQ(parse_duration("0.000000001s", "delay"), 1_ns);
  EXPECT_EQ(parse_duration("1d", "delay"), 86400_s);
}

TEST(Units, WhatIsFinerThanANanosecondIsRefused) {
  EXPECT_FALSE(parse_duration("1.5ns", "delay"));
  EXPECT_FALSE(parse_duration("99999999999999999h", "delay"));
  EXPECT_FALSE(parse_duration("1.2.3s", "delay"));
  EXPECT_FALSE(parse_duration("", "delay"));
  EXPECT_FALSE(parse_duration("ms", "delay"));
}

TEST(Units, RatesSizesAndShares) {
  EXPECT_EQ(parse_rate("50Mbit", "rate"), 50'000'000U);
  EXPECT_EQ(parse_rate("2.5Gbit/s", "rate"), 2'500'000'000U);
  EXPECT_EQ(parse_rate("56kbps", "rate"), 56'000U);
  EXPECT_EQ(parse_size("64KB", "queue"), 64'000U);
  EXPECT_EQ(parse_size("64KiB", "queue"), 65'536U);
  EXPECT_EQ(parse_share("1%", "loss"), 10'000'000U);
  EXPECT_EQ(parse_share("0.0000001%", "loss"), 1U);
  EXPECT_EQ(parse_share("100%", "loss"), 1'000'000'000U);
  EXPECT_FALSE(parse_share("0.00000001%", "loss"));
}

TEST(Units, TextsAreTheShortestExactOnes) {
  EXPECT_EQ(rate_text(50'000'000), "50Mbit");
  EXPECT_EQ(rate_text(1'500'000), "1500kbit");
  EXPECT_EQ(size_text(64'000), "64KB");
  EXPECT_EQ(size_text(65'536), "64KiB");
  EXPECT_EQ(size_text(1), "1B");
  EXPECT_EQ(share_text(10'000'000), "1%");
  EXPECT_EQ(share_text(2'500'000), "0.25%");
}

}  // namespace
}  // namespace lanyard::lab
