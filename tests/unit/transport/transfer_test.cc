// SPDX-License-Identifier: Apache-2.0
// Whatever the link does, what was sent is what is read, both ways, and the rules of the wire hold
// all the time.
#include <gtest/gtest.h>

#include "auditor.hh"
#include "harness.hh"

namespace lanyard::test {

namespace {

struct Weather {
  std::uint64_t loss = 0, twice = 0, late = 0;  // parts per billion
  bool with_sack = true;
};

struct Flow {
  std::string text;
  std::size_t sent = 0;
  std::string got;
  void push(Pair& pair, Host& host, tcp::ConnectionId connection) {
    if (sent == text.size()) return;
    const auto n = host.tcp.send(pair.now, connection, as_bytes(text).subspan(sent));
    if (n) sent += *n;
    if (sent == text.size()) {
      EXPECT_TRUE(host.tcp.shutdown_write(pair.now, connection));
    }
  }
};

void expect_transfer(std::uint64_t seed, const Weather& weather, std::size_t bytes, bool is_v6) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Pair pair({}, seed, is_v6);
  Auditor auditor;
  RandomStream dice = Seed(seed).branch("weather").stream();
  pair.tap = [&](bool from_a, const internet::Datagram& datagram) {
    auditor.see(from_a, datagram);
  };
  pair.fate = [&](bool, const internet::Datagram&) {
    Fate fate;
    if (dice.happens(weather.twice)) fate.copies.push_back(Duration::microseconds(700));
    if (dice.happens(weather.late))
      fate.copies.front() = Duration::microseconds(static_cast<std::int64_t>(dice.below(30'000)));
    if (dice.happens(weather.loss)) fate.copies.clear();
    return fate;
  };
  pair.delay = Duration::microseconds(static_cast<std::int64_t>(100 + dice.below(20'000)));
  const auto listener = pair.listen();
  const auto a = pair.connect();
  Flow there, back;
  there.text = pattern(bytes, seed);
  back.text = pattern(bytes / 3, seed + 1000);
  tcp::ConnectionId b = tcp::ConnectionId::none;
  const Instant end = pair.now + Duration::seconds(1000);
  while (pair.now < end &&
         (there.got.size() < there.text.size() || back.got.size() < back.text.size())) {
    pair.run_for(5_ms);
    if (b == tcp::ConnectionId::none)
      b = pair.b.tcp.accept(pair.now, listener, 0).value_or(tcp::ConnectionId::none);
    if (!pair.a.tcp.readiness(a).is_connecting) there.push(pair, pair.a, a);
    if (b == tcp::ConnectionId::none) continue;
    back.push(pair, pair.b, b);
    if (dice.below(4) != 0) there.got += pair.read_all(pair.b, b);
    back.got += pair.read_all(pair.a, a);
  }
  EXPECT_TRUE(there.got == there.text) << there.got.size() << " of " << there.text.size();
  EXPECT_TRUE(back.got == back.text) << back.got.size() << " of " << back.text.size();
  pair.run_for(5_s);
  pair.a.tcp.close(pair.now, a);
  pair.b.tcp.close(pair.now, b);
  pair.b.tcp.close(pair.now, listener);
  pair.run_for(300_s);
  EXPECT_TRUE(pair.a.tcp.rows().empty());
  EXPECT_TRUE(pair.b.tcp.rows().empty());
  EXPECT_EQ(pair.a.tcp.next_deadline(), Instant::never());
  EXPECT_EQ(pair.b.tcp.next_deadline(), Instant::never());
}

}  // namespace

TEST(TcpTransfer, ACleanLinkCarriesEverything) {
  expect_transfer(1, {}, 3'000'000, false);
  expect_transfer(2, {}, 3'000'000, true);
}

TEST(TcpTransfer, WhateverTheLinkDoesTheStreamIsRight) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    RandomStream dice = Seed(seed).branch("kind").stream();
    const Weather weather{.loss = dice.below(60'000'000),
                          .twice = dice.below(50'000'000),
                          .late = dice.below(100'000'000)};
    expect_transfer(seed, weather, 50'000 + dice.below(300'000), dice.below(2) == 0);
  }
}

// The square-root law gives about 0.9 MB/s for 20 ms and 1 %; time-outs would show at once.
TEST(TcpTransfer, OnePercentLossIsRepairedWithoutTimeouts) {
  Pair pair;
  RandomStream dice = Seed(5).stream();
  const auto [a, b] = pair.establish();
  pair.fate = [&](bool from_a, const internet::Datagram& datagram) {
    Fate fate;
    if (from_a && datagram.packet.size() > 500 && dice.happens(10'000'000)) fate.copies.clear();
    return fate;
  };
  const std::string text = pattern(4'000'000);
  const Instant start = pair.now;
  ASSERT_EQ(pair.a.tcp.send(pair.now, a, as_bytes(text)).value(), text.size());
  std::string got;
  while (got.size() < text.size() && pair.now - start < 100_s) {
    pair.run_for(1_ms);
    got += pair.read_all(pair.b, b);
  }
  EXPECT_TRUE(got == text);
  EXPECT_LT((pair.now - start).count_ms(), 9000);
  const tcp::Info info = pair.a.tcp.info(pair.now, a);
  EXPECT_LT(info.total_retrans, 4'000'000U / 1448 / 100 * 2);
  RecordProperty("milliseconds", static_cast<int>((pair.now - start).count_ms()));
}

TEST(TcpTransfer, OneFifthOfAllSegmentsMayBeLost) {
  for (std::uint64_t seed = 100; seed < 105; ++seed)
    expect_transfer(seed, {.loss = 200'000'000}, 40'000, false);
}

}  // namespace lanyard::test
