// SPDX-License-Identifier: Apache-2.0
// The checksum against the plainest reading of RFC 1071.
#include "core/checksum.hh"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "core/checksum_paths.hh"
#include "core/random.hh"

namespace lanyard {
namespace {

// RFC 1071 1: adjacent octets paired to 16-bit integers, ones' complement sum, carry by carry.
std::uint16_t model_sum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += std::uint32_t{bytes[i]} << 8;
    if (i + 1 < bytes.size()) sum += bytes[i + 1];
    sum = (sum >> 16) + (sum & 0xffff);
  }
  return static_cast<std::uint16_t>(sum);
}

std::vector<std::uint8_t> random_bytes(RandomStream& random, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next() >> 56);
  return bytes;
}

using Way = std::uint16_t (*)(std::uint8_t* to, const std::uint8_t* from, std::size_t size);

// Those that this processor has.
std::vector<Way> ways() {
  std::vector<Way> all = {sum_plain};
#if defined(__x86_64__)
  if (has_avx2()) all.push_back(sum_avx2);
  if (has_avx512()) all.push_back(sum_avx512);
#endif
  return all;
}

TEST(Checksum, OfTheExampleInRfc1071) {
  // RFC 1071 3: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2.
  const std::array<std::uint8_t, 8> bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(checksum(bytes), static_cast<std::uint16_t>(~0xddf2));
}

TEST(Checksum, OfNothingIsAllOnes) {
  EXPECT_EQ(checksum({}), 0xffff);
}

// The extremes of each word, and more of them than the lanes of a vector hold.
TEST(Checksum, ManyEqualWordsAsInTheModel) {
  for (const int byte : {0x00, 0x7f, 0x80, 0xff}) {
    for (const std::size_t size : {64UL, 4096UL, 524'288UL, 524'321UL, 3'000'001UL}) {
      std::vector<std::uint8_t> bytes(size, static_cast<std::uint8_t>(byte));
      bytes[size / 2] = 0x31;
      EXPECT_EQ(checksum(bytes), static_cast<std::uint16_t>(~model_sum(bytes)))
          << byte << " " << size;
      std::vector<std::uint8_t> copy(size);
      EXPECT_EQ(copy_and_sum(copy, bytes), model_sum(bytes)) << byte << " " << size;
      EXPECT_EQ(copy, bytes);
    }
  }
}

TEST(Checksum, EveryLengthAndAlignmentAsInTheModel) {
  RandomStream random = Seed(1).stream();
  const std::vector<std::uint8_t> bytes = random_bytes(random, 1700);
  for (std::size_t offset = 0; offset < 33; ++offset) {
    for (std::size_t size = 0; size <= 600; ++size) {
      const Bytes range = Bytes(bytes).subspan(offset, size);
      const std::uint16_t expected = model_sum(range);
      ASSERT_EQ(checksum(range), static_cast<std::uint16_t>(~expected)) << offset << " " << size;
      for (const Way way : ways()) ASSERT_EQ(way(nullptr, range.data(), size), expected);
    }
  }
}

// Around what a way sums in one go, and one more; nothing but the copy is written.
TEST(Checksum, LongRangesAtEveryAlignmentAreSummedAndCopied) {
  RandomStream random = Seed(3).stream();
  const std::vector<std::uint8_t> bytes = random_bytes(random, 530'000);
  for (const std::size_t about : {65'536U, 131'072U, 524'288U}) {
    for (std::size_t i = 0; i < 140; ++i) {
      const std::size_t offset = i % 67;
      const std::size_t size = about - 70 + i;
      const Bytes range = Bytes(bytes).subspan(offset, size);
      const std::uint16_t expected = model_sum(range);
      for (const Way way : ways()) {
        ASSERT_EQ(way(nullptr, range.data(), size), expected) << offset << " " << size;
        std::vector<std::uint8_t> copy(size + 2, 0x5a);
        ASSERT_EQ(way(copy.data() + 1, range.data(), size), expected) << offset << " " << size;
        ASSERT_TRUE(std::equal(range.begin(), range.end(), copy.begin() + 1));
        ASSERT_TRUE(copy.front() == 0x5a && copy.back() == 0x5a) << offset << " " << size;
      }
    }
  }
}

TEST(Checksum, LongRangesOfAllOnesDoNotOverflow) {
  for (const std::size_t size : {65'535U, 65'536U, 1'000'001U}) {
    const std::vector<std::uint8_t> ones(size, 0xff);
    EXPECT_EQ(static_cast<std::uint16_t>(~checksum(ones)), model_sum(ones)) << size;
  }
}

TEST(Checksum, PiecesOfOddLengthSumAsOneRange) {
  RandomStream random = Seed(2).stream();
  for (int run = 0; run < 500; ++run) {
    const std::vector<std::uint8_t> bytes = random_bytes(random, 1 + random.below(3000));
    ChecksumSum sum;
    for (std::size_t done = 0; done < bytes.size();) {
      const std::size_t size = std::min<std::size_t>(random.below(300), bytes.size() - done);
      sum.add(Bytes(bytes).subspan(done, size));
      done += size;
    }
    ASSERT_EQ(sum.folded(), model_sum(bytes)) << "run " << run;
  }
}

TEST(Checksum, WordsAddAsTheirBytesWould) {
  const std::array<std::uint8_t, 6> bytes = {0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54};
  ChecksumSum sum;
  sum.add32(0xfedcba98);
  sum.add16(0x7654);
  EXPECT_EQ(sum.folded(), model_sum(bytes));
}

TEST(Checksum, RangeThatCarriesItsChecksumSumsToZero) {
  RandomStream random = Seed(3).stream();
  for (int run = 0; run < 100; ++run) {
    std::vector<std::uint8_t> bytes = random_bytes(random, 20 + 2 * random.below(700));
    store16(bytes.data() + 10, 0);
    store16(bytes.data() + 10, checksum(bytes));
    EXPECT_EQ(checksum(bytes), 0);
    bytes[3] ^= 1;
    EXPECT_NE(checksum(bytes), 0);
  }
}

TEST(CopyAndSum, CopiesAndSumsEveryLengthAndAlignment) {
  RandomStream random = Seed(4).stream();
  const std::vector<std::uint8_t> bytes = random_bytes(random, 700);
  for (std::size_t offset = 0; offset < 9; ++offset) {
    for (std::size_t size = 0; size <= 600; ++size) {
      const Bytes range = Bytes(bytes).subspan(offset, size);
      std::vector<std::uint8_t> to(size + 2, 0xaa);
      ASSERT_EQ(copy_and_sum(MutableBytes(to).subspan(1, size), range), model_sum(range));
      ASSERT_TRUE(std::equal(range.begin(), range.end(), to.begin() + 1)) << offset << " " << size;
      ASSERT_EQ(to.front(), 0xaa);
      ASSERT_EQ(to.back(), 0xaa);
    }
  }
}

// RFC 1624 4: the example, where the older equation gave 0xffff.
TEST(ChecksumUpdated, OfTheExampleInRfc1624) {
  EXPECT_EQ(checksum_updated(0xdd2f, 0x5555, 0x3285), 0x0000);
}

TEST(ChecksumUpdated, EqualsAFreshChecksum) {
  RandomStream random = Seed(5).stream();
  for (int run = 0; run < 2000; ++run) {
    std::vector<std::uint8_t> bytes = random_bytes(random, 20);
    bytes[0] = 0x45;  // an IP header is never all zeros
    const std::uint16_t before = checksum(bytes);
    const std::uint16_t old_word = load16(bytes.data() + 8);
    const auto new_word = static_cast<std::uint16_t>(random.next());
    store16(bytes.data() + 8, new_word);
    ASSERT_EQ(checksum_updated(before, old_word, new_word), checksum(bytes));
  }
}

}  // namespace
}  // namespace lanyard
