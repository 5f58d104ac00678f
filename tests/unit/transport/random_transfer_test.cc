// SPDX-License-Identifier: Apache-2.0
// Transfers drawn at random from everything a path and its two ends can be: none stalls, each byte
// is right, and the rules of the wire hold all the time.
#include <gtest/gtest.h>

#include <cstdlib>

#include "auditor.hh"

namespace lanyard::test {

namespace {

// Between the two, each power of two as likely as another.
std::uint64_t spread(RandomStream& dice, std::uint64_t least, std::uint64_t most) {
  std::uint64_t powers = 0;
  while (least << (powers + 1) <= most) ++powers;
  const std::uint64_t base = least << dice.below(powers + 1);
  return std::min(most, base + dice.below(base));
}

struct Draw {
  explicit Draw(std::uint64_t seed) {
    RandomStream dice = Seed(seed).branch("transfer").stream();
    round_trip = Duration::microseconds(static_cast<std::int64_t>(spread(dice, 10, 2'000'000)));
    loss = dice.below(3) == 0 ? 0 : dice.below(100'000'000);
    late = dice.below(2) == 0 ? 0 : dice.below(100'000'000);
    buffer = static_cast<std::uint32_t>(spread(dice, 4096, 64 << 20));
    receive_buffer = static_cast<std::uint32_t>(spread(dice, 4096, 64 << 20));
    mtu = dice.below(3) == 0 ? 1500 : static_cast<std::uint32_t>(spread(dice, 128, 65'000));
    super_segments = dice.below(3) == 0 ? 65'000 : 0;
    reads_slowly = dice.below(4) == 0;
    is_v6 = dice.below(2) == 0 && mtu >= 1280;
    bytes = std::min<std::size_t>(300'000, std::size_t{20} * std::min(buffer, receive_buffer));
    bytes = std::min<std::size_t>(bytes, std::size_t{mtu} * 600);
  }
  [[nodiscard]] std::string text() const {
    return "RTT " + to_text(round_trip) + ", loss " + std::to_string(loss / 10'000'000) +
           " %, late " + std::to_string(late / 10'000'000) + " %, buffers " +
           std::to_string(buffer) + " and " + std::to_string(receive_buffer) + ", MTU " +
           std::to_string(mtu) + ", " + std::to_string(bytes) + " bytes";
  }
  Duration round_trip;
  std::uint64_t loss = 0, late = 0;
  std::uint32_t buffer = 0, receive_buffer = 0, mtu = 0, super_segments = 0;
  bool reads_slowly = false, is_v6 = false;
  std::size_t bytes = 0;
};

void expect_transfer(std::uint64_t seed) {
  const Draw draw(seed);
  SCOPED_TRACE("seed " + std::to_string(seed) + ": " + draw.text());
  Pair pair({}, seed, draw.is_v6);
  for (Host* const host : {&pair.a, &pair.b}) {
    host->paths.mtu = draw.mtu;
    host->paths.super_segment_bytes_max = draw.super_segments;
  }
  Auditor auditor(draw.mtu - (draw.is_v6 ? 40 : 20));
  RandomStream dice = Seed(seed).branch("weather").stream();
  pair.delay = draw.round_trip / 2;
  pair.tap = [&](bool from_a, const internet::Datagram& one) { auditor.see(from_a, one); };
  pair.fate = [&](bool, const internet::Datagram&) {
    if (dice.happens(draw.loss)) return Fate{.copies = {}};
    const auto most = static_cast<std::uint64_t>(draw.round_trip.count_ns() / 2 + 1);
    if (!dice.happens(draw.late)) return Fate{};
    return Fate{.copies = {Duration::nanoseconds(static_cast<std::int64_t>(dice.below(most)))}};
  };
  tcp::Settings settings = pair.a.tcp.default_settings();
  settings.send_buffer_bytes = draw.buffer;
  settings.receive_buffer_bytes = draw.receive_buffer;
  const auto listener = pair.listen(80, 16, settings);
  const auto a = pair.connect(80, settings);
  const std::string text = pattern(draw.bytes, seed);
  tcp::ConnectionId b = tcp::ConnectionId::none;
  std::size_t sent = 0, got = 0;
  std::vector<std::uint8_t> buffer(65536);
  const Duration step = std::max(draw.round_trip / 8, 20_us);
  Instant progress = pair.now;
  while (got < text.size()) {
    pair.run_for(step);
    if (b == tcp::ConnectionId::none)
      b = pair.b.tcp.accept(pair.now, listener, 0).value_or(tcp::ConnectionId::none);
    if (sent < text.size() && !pair.a.tcp.readiness(a).is_connecting) {
      const auto n = pair.a.tcp.send(pair.now, a, as_bytes(text).subspan(sent));
      if (n) sent += *n;
    }
    const bool reads = b != tcp::ConnectionId::none && (!draw.reads_slowly || dice.below(8) == 0);
    while (reads) {
      const auto n = pair.b.tcp.receive(pair.now, b, buffer);
      if (!n || *n == 0) break;
      ASSERT_EQ(text.compare(got, *n, std::string(text_of(Bytes(buffer).first(*n)))), 0);
      got += *n;
      progress = pair.now;
    }
    Auditor::expect_awake(pair.a, a);
    // Each loss in a row doubles the wait; what is longer than this is a stall.
    ASSERT_LT(pair.now - progress, 400_s)
        << got << " of " << text.size() << ", " << pair.a.tcp.unacked_bytes(a)
        << " unacknowledged, " << to_text(pair.a.tcp.state(a)) << ", "
        << to_text(pair.b.tcp.state(b));
    const bool may_read = b != tcp::ConnectionId::none && pair.b.tcp.readable_bytes(b) > 0;
    if (!may_read && pair.next_event() > pair.now + step && pair.next_event() != Instant::never())
      pair.run_until(pair.next_event());
  }
  pair.a.tcp.close(pair.now, a);
  pair.b.tcp.close(pair.now, b);
  pair.b.tcp.close(pair.now, listener);
  pair.run_for(1500_s);
  EXPECT_TRUE(pair.a.tcp.rows().empty());
  EXPECT_TRUE(pair.b.tcp.rows().empty());
}

}  // namespace

// TRANSFERS=100000 looks longer; the seeds are the numbers from 1.
TEST(TcpRandomTransfer, NoneStallsAndEachByteIsRight) {
  const char* const asked = std::getenv("TRANSFERS");
  const std::uint64_t transfers = asked == nullptr ? 150 : std::strtoull(asked, nullptr, 10);
  for (std::uint64_t seed = 1; seed <= transfers && !HasFailure(); ++seed) expect_transfer(seed);
}

}  // namespace lanyard::test
