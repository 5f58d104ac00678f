// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "harness.hh"

namespace lanyard::test {

TEST(TcpTransfer, DataCrossesBothWaysAndBothEndsClose) {
  Pair pair;
  const auto [a, b] = pair.establish();
  ASSERT_TRUE(pair.a.tcp.send(pair.now, a, bytes_of("hello")));
  ASSERT_TRUE(pair.b.tcp.send(pair.now, b, bytes_of("world")));
  pair.run_for(1_s);
  EXPECT_EQ(pair.read_all(pair.b, b), "hello");
  EXPECT_EQ(pair.read_all(pair.a, a), "world");
  ASSERT_TRUE(pair.a.tcp.shutdown_write(pair.now, a));
  pair.run_for(1_s);
  EXPECT_EQ(pair.b.tcp.state(b), tcp::State::close_wait);
  EXPECT_EQ(pair.a.tcp.state(a), tcp::State::fin_wait_2);
  pair.b.tcp.close(pair.now, b);
  pair.run_for(1_s);
  EXPECT_EQ(pair.a.tcp.state(a), tcp::State::time_wait);
  pair.run_for(61_s);
  EXPECT_TRUE(pair.a.tcp.rows().empty());
}

TEST(TcpTransfer, MegabytesOverALossyLinkArriveWhole) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Pair pair({}, seed);
    RandomStream dice = Seed(seed).branch("loss").stream();
    const auto [a, b] = pair.establish();
    pair.fate = [&](bool, const internet::Datagram&) {
      Fate fate;
      if (dice.happens(20'000'000)) fate.copies.clear();
      if (dice.happens(20'000'000)) fate.copies.push_back(3_ms);
      if (dice.happens(50'000'000) && !fate.copies.empty()) fate.copies.front() = 15_ms;
      return fate;
    };
    const std::string text = pattern(1'000'000, seed);
    std::size_t sent = 0;
    std::string got;
    for (int round = 0; round < 100000 && got.size() < text.size(); ++round) {
      if (sent < text.size())
        if (const auto n = pair.a.tcp.send(pair.now, a, as_bytes(text).subspan(sent))) sent += *n;
      pair.run_for(10_ms);
      got += pair.read_all(pair.b, b);
    }
    EXPECT_EQ(got == text, true) << "seed " << seed << " got " << got.size() << " at "
                                 << to_text(pair.now);
  }
}

}  // namespace lanyard::test
