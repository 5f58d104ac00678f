// SPDX-License-Identifier: Apache-2.0
// The queue of a stream's bytes against the plainest one, a string.
#include "transport/tcp/byte_queue.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/random.hh"

namespace lanyard::tcp {
namespace {

struct Pair {
  ByteQueue queue;
  std::vector<std::uint8_t> plain;
  std::uint8_t next = 0;

  void append(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::uint8_t& byte : bytes) byte = next++;
    queue.append(Bytes(bytes));
    plain.insert(plain.end(), bytes.begin(), bytes.end());
  }
  void share(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::uint8_t& byte : bytes) byte = next++;
    queue.append(Slice::copy_of(bytes));
    plain.insert(plain.end(), bytes.begin(), bytes.end());
  }
  void pop(std::size_t size) {
    queue.pop_front(size);
    plain.erase(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(size));
  }
  void expect_same() const {
    ASSERT_EQ(queue.size(), plain.size());
    ASSERT_EQ(queue.is_empty(), plain.empty());
    if (plain.empty()) return;
    std::vector<std::uint8_t> out(plain.size());
    queue.copy_to(0, out);
    ASSERT_EQ(out, plain);
  }
};

TEST(ByteQueue, AMessageReadWholeLeavesAnEmptyQueueThatTakesTheNext) {
  Pair pair;
  for (int round = 0; round < 5; ++round) {
    pair.append(64);
    pair.expect_same();
    pair.pop(64);
    pair.expect_same();
  }
}

TEST(ByteQueue, WhatIsLeftOfAMessageStays) {
  Pair pair;
  pair.append(64);
  pair.pop(63);
  pair.expect_same();
  pair.append(10);
  pair.pop(1);
  pair.expect_same();
  pair.pop(10);
  pair.expect_same();
}

TEST(ByteQueue, AppendsAndPopsOfAllSizesGiveWhatAStringWould) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomStream dice = Seed(seed).stream();
    Pair pair;
    for (int step = 0; step < 200; ++step) {
      const auto kind = dice.below(5);
      if (kind == 0) pair.append(1 + dice.below(100));
      if (kind == 1) pair.share(1 + dice.below(3000));
      if (kind == 2) pair.pop(pair.plain.size());
      if (kind == 3) pair.pop(dice.below(pair.plain.size() + 1));
      if (kind == 4) pair.append(1);
      pair.expect_same();
    }
  }
}

}  // namespace
}  // namespace lanyard::tcp
