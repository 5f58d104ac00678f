// SPDX-License-Identifier: Apache-2.0
// Chance is part of the file format: a run is replayed from its seed. These numbers may never
// change.
#include "core/random.hh"

#include <vector>

#include <gtest/gtest.h>

namespace lanyard {
namespace {

// The reference vectors of the SipHash paper: key 00 01 .. 0f, messages 00, 00 01, ...
TEST(SipHash, GivesTheReferenceVectors) {
  const SipKey key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  std::vector<std::uint8_t> message;
  const std::vector<std::uint64_t> expected = {0x726fdb47dd0e0e31ULL, 0x74f839c593dc67fdULL,
                                               0x0d6c8009d9a94f5aULL, 0x85676696d7fb7e2dULL};
  for (std::size_t size = 0; size < expected.size(); ++size) {
    EXPECT_EQ(siphash(key, message), expected[size]) << size;
    message.push_back(static_cast<std::uint8_t>(size));
  }
  while (message.size() < 15) message.push_back(static_cast<std::uint8_t>(message.size()));
  EXPECT_EQ(siphash(key, message), 0xa129ca6149be45e5ULL);
}

// Every length of a last, incomplete word: computed with another program, as the vectors above were
// by it.
TEST(SipHash, TakesTheLastBytesWhateverTheirNumber) {
  const SipKey key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  std::vector<std::uint8_t> message(8);
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i);
  const std::vector<std::uint64_t> expected = {
      0x93f5f5799a932462ULL, 0x9e0082df0ba9e4b0ULL, 0x7a5dbbc594ddb9f3ULL, 0xf4b32f46226bada7ULL,
      0x751e8fbc860ee5fbULL, 0x14ea5627c0843d90ULL, 0xf723ca908e7af2eeULL, 0xa129ca6149be45e5ULL};
  for (const std::uint64_t hash : expected) {
    EXPECT_EQ(siphash(key, message), hash) << message.size();
    message.push_back(static_cast<std::uint8_t>(message.size()));
  }
}

// The key as above, the messages 00 .. 07 and so on: computed with a program that gives the hashes
// of CPython (SipHash-1-3) too.
TEST(SipHash, WithFewerRoundsTakesWholeWords) {
  const SipKey key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  const std::vector<std::uint64_t> message = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL,
                                              0x1716151413121110ULL, 0x1f1e1d1c1b1a1918ULL,
                                              0x2726252423222120ULL};
  const std::span<const std::uint64_t> words(message);
  EXPECT_EQ(siphash_1_3(key, words.first(0)), 0xabac0158050fc4dcULL);
  EXPECT_EQ(siphash_1_3(key, words.first(1)), 0x369095118d299a8eULL);
  EXPECT_EQ(siphash_1_3(key, words.first(2)), 0xcc4fdd1a7d908b66ULL);
  EXPECT_EQ(siphash_1_3(key, words), 0xc1d2363299e41531ULL);
}

TEST(RandomStream, IsXoshiro256StarStar) {
  // From state 1, 2, 3, 4, as computed by hand from the definition.
  RandomStream random({1, 2, 3, 4});
  EXPECT_EQ(random.next(), 11520U);
  EXPECT_EQ(random.next(), 0U);
  EXPECT_EQ(random.next(), 1509978240U);
  EXPECT_EQ(random.next(), 1215971899390074240U);
}

TEST(Seed, GivesTheSameNumbersForEver) {
  RandomStream root = Seed(7).stream();
  RandomStream loss = Seed(7).branch("link r1 -- dc").branch("loss").stream();
  const std::vector<std::uint64_t> seen = {root.next(), root.next(), loss.next(), loss.next()};
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{999857964604611121U, 12554594634294246597U,
                                              5641075251323834157U, 2120376387528645512U}));
}

TEST(Seed, BranchesDifferByNameAndPathAndSeed) {
  const auto first = [](const Seed& seed) { return seed.stream().next(); };
  const std::vector<std::uint64_t> numbers = {
      first(Seed(1)),
      first(Seed(2)),
      first(Seed(1).branch("a")),
      first(Seed(1).branch("b")),
      first(Seed(1).branch("ab")),
      first(Seed(1).branch("a").branch("b")),
      first(Seed(1).branch("b").branch("a")),
      first(Seed(1).branch("")),
  };
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(numbers[i], numbers[j]) << i << " " << j;
  }
}

TEST(RandomStream, BelowStaysBelowAndReachesEveryNumber) {
  RandomStream random = Seed(11).stream();
  for (const std::uint64_t bound : {1ULL, 2ULL, 3ULL, 10ULL, 1ULL << 63, ~0ULL}) {
    for (int i = 0; i < 200; ++i) ASSERT_LT(random.below(bound), bound);
  }
  std::vector<int> counts(6);
  for (int i = 0; i < 6000; ++i) ++counts[random.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(RandomStream, HappensAsOftenAsItSays) {
  RandomStream random = Seed(12).stream();
  int one_percent = 0;
  for (int i = 0; i < 100'000; ++i) {
    EXPECT_FALSE(random.happens(0));
    EXPECT_TRUE(random.happens(1'000'000'000));
    one_percent += random.happens(10'000'000) ? 1 : 0;
  }
  EXPECT_NEAR(one_percent, 1000, 150);
}

}  // namespace
}  // namespace lanyard
