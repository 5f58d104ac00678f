// SPDX-License-Identifier: Apache-2.0
// Strangers pour segments on a machine while two honest ends move data: what the honest ends get
// done stays at nine tenths, and what the strangers can make the machine keep stays bounded
// (RFC 4987, RFC 5961, RFC 2018).
#include <gtest/gtest.h>

#include <array>

#include "harness.hh"

namespace lanyard::test {

namespace {

using Attack = std::function<void(Pair&, RandomStream&)>;

constexpr std::size_t transfer_bytes = 4'000'000;
constexpr int segments_per_step = 100;
const Duration step = 1_ms;

// One honest transfer from a to b, a connection opened amid the flood included.
Duration transfer(Pair& pair, const Attack& attack, bool& is_whole) {
  RandomStream dice = Seed(5).branch("flood").stream();
  const auto is_for_a = [&](const internet::Datagram& one) {
    return one.destination == pair.a.address;
  };
  pair.fate = [is_for_a](bool from_a, const internet::Datagram& one) {
    return from_a || is_for_a(one) ? Fate{} : Fate{.copies = {}};  // strangers hear nothing
  };
  const auto listener = pair.listen();
  for (int i = 0; i < 20; ++i) attack(pair, dice);
  const Instant start = pair.now;
  const auto a = pair.connect();
  const std::string text = pattern(transfer_bytes);
  auto b = tcp::ConnectionId::none;
  std::size_t sent = 0;
  std::string got;
  while (got.size() < text.size() && pair.now - start < 60_s) {
    attack(pair, dice);
    pair.run_for(step);
    if (b == tcp::ConnectionId::none)
      b = pair.b.tcp.accept(pair.now, listener, 0).value_or(tcp::ConnectionId::none);
    if (sent < text.size() && pair.a.tcp.readiness(a).is_connected)
      sent += pair.a.tcp.send(pair.now, a, as_bytes(text).subspan(sent)).value_or(0);
    if (b != tcp::ConnectionId::none) got += pair.read_all(pair.b, b);
  }
  is_whole = got == text;
  return pair.now - start;
}

Duration transfer_without() {
  Pair pair;
  bool is_whole = false;
  return transfer(
      pair, [](Pair&, RandomStream&) {}, is_whole);
}

void expect_nine_tenths(Pair& pair, const Attack& attack) {
  bool is_whole = false;
  const Duration took = transfer(pair, attack, is_whole);
  EXPECT_TRUE(is_whole);
  EXPECT_LE(took.count_ns() * 9, transfer_without().count_ns() * 10) << to_text(took);
}

std::uint32_t number(RandomStream& dice) {
  return static_cast<std::uint32_t>(dice.next());
}

Seg forged(const Pair& pair, const IpAddress& source, Port from, Port to) {
  Seg segment;
  segment.source = source;
  segment.destination = pair.b.address;
  segment.header.source_port = from;
  segment.header.destination_port = to;
  segment.header.window = 65535;
  return segment;
}

void pour(Pair& pair, const Seg& segment) {
  (void)pair.b.tcp.on_segment(pair.now, make_segment(segment));
}

}  // namespace

// 100,000 SYNs a second from everywhere (BI-78, RFC 4987).
TEST(TcpFlood, OfSynsLeavesNineTenths) {
  Pair pair;
  expect_nine_tenths(pair, [](Pair& target, RandomStream& dice) {
    for (int i = 0; i < segments_per_step; ++i) {
      const auto low = static_cast<std::uint8_t>(dice.below(250));
      const auto high = static_cast<std::uint8_t>(dice.below(250));
      Seg syn = forged(target, IpAddress::v4(10, 9, high, low),
                       static_cast<Port>(1024 + dice.below(60000)), 80);
      syn.header.flags = tcp::flags::syn;
      syn.header.sequence = tcp::SequenceNumber{number(dice)};
      pour(target, syn);
    }
    EXPECT_LE(target.b.tcp.rows().size(), 600U);
  });
}

// Someone who knows both addresses and ports, but no number, guesses (RFC 5961 1).
TEST(TcpFlood, OfBlindSegmentsLeavesNineTenths) {
  Pair pair;
  std::optional<Port> port;
  pair.tap = [&](bool from_a, const internet::Datagram& one) {
    const Seg seen = read_segment(one);
    if (from_a && !seen.text.empty()) port = seen.header.source_port;
  };
  expect_nine_tenths(pair, [&](Pair& target, RandomStream& dice) {
    if (!port) return;
    for (int i = 0; i < segments_per_step; ++i) {
      Seg segment = forged(target, target.a.address, *port, 80);
      constexpr std::array<tcp::Flags, 5> kinds = {
          tcp::flags::rst, tcp::flags::syn, tcp::flags::rst | tcp::flags::ack, tcp::flags::ack,
          tcp::flags::fin | tcp::flags::ack};
      segment.header.flags = kinds[dice.below(kinds.size())];
      segment.header.sequence = tcp::SequenceNumber{number(dice)};
      segment.header.acknowledgment = tcp::SequenceNumber{number(dice)};
      if (segment.header.flags == tcp::flags::ack) segment.text = "forged";
      pour(target, segment);
    }
  });
}

// A peer of the machine's own acknowledges every other segment of a long flight, over and over, in
// all orders: what it costs is bounded, and others do not wait for it (RFC 2018 8).
TEST(TcpFlood, OfSackBlocksLeavesNineTenths) {
  Pair pair;
  const IpAddress stranger = IpAddress::v4(10, 0, 0, 66);
  const auto listener = pair.listen(99);
  tcp::SequenceNumber theirs{7000}, ours;
  std::size_t flight = 0;
  pair.tap = [&](bool from_a, const internet::Datagram& one) {
    const Seg seen = read_segment(one);
    if (from_a || seen.destination != stranger) return;
    if (seen.header.flags.syn()) ours = seen.header.sequence + 1;
    flight = std::max<std::size_t>(
        flight, static_cast<std::uint32_t>(seen.header.sequence - ours) + seen.text.size());
  };
  Seg segment = forged(pair, stranger, 5000, 99);
  segment.header.flags = tcp::flags::syn;
  segment.header.sequence = theirs;
  segment.header.options.mss = 100;
  segment.header.options.window_scale = 14;
  segment.header.options.sack_permitted = true;
  pour(pair, segment);
  pair.run_for(step);
  segment.header.options = {};
  segment.header.flags = tcp::flags::ack;
  segment.header.sequence = theirs + 1;
  segment.header.acknowledgment = ours;
  pour(pair, segment);
  const auto evil = pair.b.tcp.accept(pair.now, listener, 0);
  ASSERT_TRUE(evil);
  const std::string text = pattern(4'000'000);
  ASSERT_TRUE(pair.b.tcp.send(pair.now, *evil, as_bytes(text)));
  expect_nine_tenths(pair, [&](Pair& target, RandomStream& dice) {
    if (flight < 200) return;
    for (int i = 0; i < segments_per_step; ++i) {
      segment.header.options = {};
      for (int block = 0; block < 4; ++block) {
        const auto at = static_cast<std::uint32_t>(100 * (1 + dice.below(flight / 100)));
        segment.header.options.sack[segment.header.options.sack_blocks++] = {ours + at,
                                                                             ours + at + 100};
      }
      pour(target, segment);
    }
    target.flush();
  });
  EXPECT_GT(flight, 1000U);
}

}  // namespace lanyard::test
