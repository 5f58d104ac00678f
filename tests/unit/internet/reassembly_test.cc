// SPDX-License-Identifier: Apache-2.0
#include "internet/reassembly.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/random.hh"

namespace lanyard::internet {
namespace {

using namespace literals;

class Fragments : public ::testing::Test {
 protected:
  Config config;
  Reassembly reassembly{config};
  Instant now = Instant::start();
  std::vector<std::uint8_t> data = [] {
    std::vector<std::uint8_t> bytes(4000);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    return bytes;
  }();
  FragmentKey key{IpAddress::v4(10, 0, 0, 9), IpAddress::v4(10, 0, 0, 1), 7, 17};

  Fragment piece(std::size_t offset, std::size_t size, bool more, std::uint8_t flip = 0) {
    Fragment fragment;
    fragment.key = key;
    fragment.offset = static_cast<std::uint32_t>(offset);
    fragment.more = more;
    std::vector<std::uint8_t> bytes(data.begin() + static_cast<std::ptrdiff_t>(offset % 4000),
                                    data.begin() + static_cast<std::ptrdiff_t>(offset % 4000));
    for (std::size_t i = 0; i < size; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(data[(offset + i) % data.size()] ^ flip));
    }
    fragment.data = Packet::copy_of(bytes);
    fragment.header.bytes = {1, 2, 3};
    return fragment;
  }
  // What came of it: "held", "whole" or the reason.
  std::string add(Fragment fragment) {
    auto result = reassembly.add(now, std::move(fragment));
    if (!result) return std::string(to_text(result.error()));
    if (!*result) return "held";
    whole.resize((*result)->data.size());
    (*result)->data.copy_to(0, whole);
    return "whole";
  }
  std::vector<std::uint8_t> whole;
};

TEST_F(Fragments, AnyOrderAndExactDuplicatesGiveTheWhole) {
  // RFC 815 [RFC815-a]
  std::vector<std::size_t> order = {0, 1, 2, 3, 4};
  do {
    std::string last;
    for (const std::size_t i : order) {
      last = add(piece(i * 800, 800, i != 4));
      if (last == "held") {
        EXPECT_EQ(add(piece(i * 800, 800, i != 4)), "held");
      }
    }
    ASSERT_EQ(last, "whole");
    ASSERT_EQ(whole, data);
    ASSERT_EQ(reassembly.bytes(), 0u);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(Fragments, AnyOverlapKillsTheDatagramAndWhatIsStillToCome) {
  // BI-13, BI-17, RFC 8200 4.5 [RFC8200-4.5-i], RFC 5722
  const std::string overlap{to_text(DropReason::fragment_overlap)};
  struct Liar {
    std::size_t offset, size;
    std::uint8_t flip;
  };
  // Inside; over the end; around; the same place with other bytes.
  for (const Liar& liar : {Liar{16, 80, 0}, {400, 800, 0}, {0, 1600, 0}, {0, 800, 0xff}}) {
    ++key.identification;
    EXPECT_EQ(add(piece(0, 800, true)), "held");
    EXPECT_EQ(add(piece(1600, 2400, false)), "held");
    EXPECT_EQ(add(piece(liar.offset, liar.size, true, liar.flip)), overlap);
    EXPECT_EQ(add(piece(800, 800, true)), overlap);
  }
}

TEST_F(Fragments, BytesBehindTheEndAndASecondEndAreOverlaps) {
  // BI-13
  const std::string overlap{to_text(DropReason::fragment_overlap)};
  EXPECT_EQ(add(piece(800, 800, false)), "held");
  EXPECT_EQ(add(piece(1600, 80, true)), overlap);
  ++key.identification;
  EXPECT_EQ(add(piece(800, 800, true)), "held");
  EXPECT_EQ(add(piece(400, 80, false)), overlap);
}

TEST_F(Fragments, PingOfDeathTakesItsDatagramWithIt) {
  // BI-14, RFC 8200 4.5 [RFC8200-4.5-g]
  EXPECT_EQ(add(piece(0, 800, true)), "held");
  EXPECT_EQ(add(piece(65528, 800, false)), to_text(DropReason::bad_fragment));
  EXPECT_EQ(add(piece(800, 3200, false)), to_text(DropReason::fragment_overlap));
}

TEST_F(Fragments, MillionsOfTinyFragmentsStayWithinTheLimits) {
  // BI-15
  config.reassembly_bytes_max = 256 * 1024;
  std::size_t given_up = 0;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    key.identification = i * 2654435761U;
    add(piece((i % 50) * 8 + 8, 8, true));
    given_up += reassembly.take_given_up().size();
    ASSERT_LE(reassembly.bytes(), config.reassembly_bytes_max + 1024);
  }
  EXPECT_LE(reassembly.datagrams(), config.reassembly_datagrams_max);
  EXPECT_GT(given_up, 190'000u);
  // Others still get through.
  key.identification = 1;
  EXPECT_EQ(add(piece(0, 800, true)), "held");
  EXPECT_EQ(add(piece(800, 3200, false)), "whole");
}

TEST_F(Fragments, OfMoreDatagramsThanMayBeTheOldestIsGivenUp) {
  // BI-15
  EXPECT_EQ(reassembly.next_deadline(), Instant::never());
  config.reassembly_datagrams_max = 2;
  for (std::uint32_t i = 1; i <= 3; ++i) {
    key.identification = i;
    EXPECT_EQ(add(piece(0, 800, true)), "held");
  }
  const auto given_up = reassembly.take_given_up();
  ASSERT_EQ(given_up.size(), 1u);
  EXPECT_EQ(given_up[0].reason, DropReason::reassembly_full);
  EXPECT_EQ(given_up[0].key.identification, 1u);
}

TEST_F(Fragments, TheNewestDatagramIsNotGivenUpForItself) {
  // BI-15: however little room there is, or nothing large would ever get through.
  config.reassembly_bytes_max = 1000;
  EXPECT_EQ(add(piece(0, 800, true)), "held");
  EXPECT_EQ(add(piece(800, 800, true)), "held");
  EXPECT_EQ(add(piece(1600, 2400, false)), "whole");
  EXPECT_TRUE(reassembly.take_given_up().empty());
}

TEST_F(Fragments, TooManyPiecesOfOneDatagramAreRefused) {
  // BI-15
  for (std::uint32_t i = 0; i < config.fragments_per_datagram_max; ++i) {
    EXPECT_EQ(add(piece(i * 16, 8, true)), "held");
  }
  EXPECT_EQ(add(piece(3000, 8, true)), to_text(DropReason::bad_fragment));
  EXPECT_LT(reassembly.bytes(), 1000u);
}

TEST_F(Fragments, IncompleteOnesAreGivenUpAfterAMinuteFixed) {
  // [RFC1122-3.3.2-b], RFC 8200 4.5 [RFC8200-4.5-e], BI-21
  add(piece(0, 800, true));
  now = now + 30_s;
  add(piece(1600, 800, true));
  ++key.identification;
  add(piece(800, 800, true));
  EXPECT_EQ(reassembly.next_deadline(), Instant::start() + 60_s);
  reassembly.poll(Instant::start() + 60_s);
  auto gone = reassembly.take_given_up();
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_TRUE(gone[0].has_first);
  EXPECT_EQ(gone[0].first.size(), 800u);
  EXPECT_EQ(gone[0].header.bytes, (std::vector<std::uint8_t>{1, 2, 3}));
  reassembly.poll(Instant::start() + 90_s);
  gone = reassembly.take_given_up();
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_FALSE(gone[0].has_first);
  EXPECT_EQ(reassembly.bytes(), 0u);
}

TEST_F(Fragments, KeysTellDatagramsApart) {
  // RFC 8200 4.5 [RFC8200-4.5-d]
  add(piece(0, 800, true));
  FragmentKey other = key;
  other.source = IpAddress::v4(10, 0, 0, 8);
  std::swap(key, other);
  EXPECT_EQ(add(piece(800, 3200, false)), "held");
  std::swap(key, other);
  EXPECT_EQ(add(piece(800, 3200, false)), "whole");
}

TEST_F(Fragments, RandomCutsAndOrdersGiveTheWhole) {
  // RFC 815 [RFC815-a]
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomStream chance = Seed(seed).stream();
    key.identification = static_cast<std::uint32_t>(1000 + seed);
    std::vector<std::pair<std::size_t, std::size_t>> cuts;
    for (std::size_t at = 0; at < data.size();) {
      const std::size_t size = std::min<std::size_t>((chance.below(90) + 1) * 8, data.size() - at);
      cuts.emplace_back(at, size);
      at += size;
    }
    for (std::size_t i = cuts.size(); i > 1; --i) std::swap(cuts[i - 1], cuts[chance.below(i)]);
    std::string last;
    for (const auto& [at, size] : cuts) last = add(piece(at, size, at + size < data.size()));
    ASSERT_EQ(last, "whole");
    ASSERT_EQ(whole, data);
  }
}

TEST_F(Fragments, CongestionThatOneFragmentMetIsTheDatagramsIfItCanSaySo) {
  // RFC 3168 5.3
  constexpr std::uint8_t not_ect = 0, ect = 2, ce = 3;
  struct Case {
    std::uint8_t first, second, whole;
  };
  for (const Case& each : {Case{ect, ce, ce}, {ce, ect, ce}, {ect, ect, ect}, {not_ect, ce, 0}}) {
    ++key.identification;
    Fragment first = piece(0, 800, true), second = piece(800, 800, false);
    first.ecn = each.first;
    second.ecn = each.second;
    ASSERT_FALSE(*reassembly.add(now, std::move(first)));
    EXPECT_EQ((*reassembly.add(now, std::move(second)))->ecn, each.whole);
  }
}

TEST_F(Fragments, ASecondEndIsALieAndSoIsOneBeforeWhatHasCome) {
  // BI-17
  const std::string overlap{to_text(DropReason::fragment_overlap)};
  EXPECT_EQ(add(piece(1600, 800, false)), "held");
  EXPECT_EQ(add(piece(800, 400, false)), overlap);
  ++key.identification;
  EXPECT_EQ(add(piece(1600, 800, true)), "held");
  EXPECT_EQ(add(piece(800, 400, false)), overlap);
  ++key.identification;
  EXPECT_EQ(add(piece(1600, 800, false)), "held");
  EXPECT_EQ(add(piece(2400, 800, true)), overlap);
}

TEST_F(Fragments, AFragmentOfNothingIsNone) {
  EXPECT_EQ(add(piece(800, 0, true)), std::string(to_text(DropReason::bad_fragment)));
  EXPECT_EQ(reassembly.bytes(), 0u);
}

TEST_F(Fragments, OfADatagramThatWasKilledNobodyIsToldAtItsEnd) {
  // BI-13: a time exceeded would answer whoever sent the overlap.
  EXPECT_EQ(add(piece(800, 800, true)), "held");
  EXPECT_EQ(add(piece(1000, 800, true)), std::string(to_text(DropReason::fragment_overlap)));
  reassembly.poll(now + 61_s);
  EXPECT_TRUE(reassembly.take_given_up().empty());
  EXPECT_EQ(reassembly.bytes(), 0u);
  // One whose first fragment never came is given up without something to quote.
  ++key.identification;
  EXPECT_EQ(add(piece(800, 800, true)), "held");
  reassembly.poll(now + 61_s);
  const auto given_up = reassembly.take_given_up();
  ASSERT_EQ(given_up.size(), 1u);
  EXPECT_FALSE(given_up[0].has_first);
}

}  // namespace
}  // namespace lanyard::internet
