// SPDX-License-Identifier: Apache-2.0
#include "link/neighbour.hh"

#include <gtest/gtest.h>

namespace lanyard::link {
namespace {

using namespace literals;

const MacAddress mac_a{{2, 0, 0, 0, 0, 0xa}};
const MacAddress mac_b{{2, 0, 0, 0, 0, 0xb}};

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

class Neighbours : public ::testing::Test {
 protected:
  Config config;
  NeighbourTable table{config, Seed(1).stream()};
  Instant now = Instant::start();
  IpAddress address = ip("fe80::a");
  Outcomes& out = table.outcomes();

  Packet packet(std::uint8_t mark = 0) {
    return Packet::copy_of(std::array<std::uint8_t, 1>{mark});
  }
  void hold(std::uint8_t mark = 0) { table.hold(now, address, packet(mark), ip("fe80::1")); }
  NeighbourState state() { return table.find(now, address).value().state; }
  MacAddress mac() { return table.find(now, address).value().mac; }
  void hear(std::optional<MacAddress> from, bool solicited, bool overrides, bool router = false) {
    table.on_advertisement(now, address, {from, solicited, overrides, router});
  }
  // Brings the entry into a state, with mac_a.
  void bring_to(NeighbourState wanted) {
    table.forget(address);
    hold();
    if (wanted == NeighbourState::incomplete) return;
    hear(mac_a, wanted == NeighbourState::reachable, true);
    out.clear();
    if (wanted == NeighbourState::reachable) return;
    table.forget(address);
    table.on_spoken_to(now, address, mac_a);
    if (wanted == NeighbourState::stale) return;
    static_cast<void>(table.resolve(now, address));
    if (wanted == NeighbourState::delay) return;
    now = now + 5_s;
    table.poll(now);
    out.clear();
  }
};

TEST_F(Neighbours, UnknownNeighbourIsSolicitedOnceASecondThreeTimesThenGivenUp) {
  // RFC 4861 7.2.2 [RFC4861-7.2.2-a], [RFC1122-2.3.2.1-b]
  EXPECT_FALSE(table.resolve(now, address));
  hold();
  EXPECT_EQ(out.solicitations.size(), 1u);
  EXPECT_FALSE(out.solicitations[0].unicast_to);
  hold();
  EXPECT_EQ(out.solicitations.size(), 1u);
  for (std::size_t tries = 2; tries <= 3; ++tries) {
    now = now + 999_ms;
    table.poll(now);
    EXPECT_EQ(out.solicitations.size(), tries - 1);
    now = now + 1_ms;
    table.poll(now);
    EXPECT_EQ(out.solicitations.size(), tries);
  }
  EXPECT_TRUE(out.unreachable.empty());
  now = now + 1_s;
  table.poll(now);
  EXPECT_EQ(out.solicitations.size(), 3u);
  EXPECT_EQ(out.unreachable, std::vector{address});
  ASSERT_EQ(out.dropped.size(), 2u);
  EXPECT_EQ(out.dropped[0].reason, DropReason::neighbour_unresolved);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.next_deadline(), Instant::never());
}

TEST_F(Neighbours, QueueIsBoundedAndTheNewestReplacesTheOldest) {
  // [RFC4861-7.2.2-b], [RFC1122-2.3.2.2-a]
  for (unsigned i = 0; i < config.neighbour_queue_packets_max + 2; ++i) {
    hold(static_cast<std::uint8_t>(i));
  }
  ASSERT_EQ(out.dropped.size(), 2u);
  EXPECT_EQ(out.dropped[0].reason, DropReason::neighbour_queue_full);
  EXPECT_EQ(out.dropped[0].packet.front()[0], 0);
  hear(mac_a, true, true);
  ASSERT_EQ(out.ready.size(), config.neighbour_queue_packets_max);
  EXPECT_EQ(out.ready.back().packet.front()[0], config.neighbour_queue_packets_max + 1);
  EXPECT_EQ(out.ready[0].mac, mac_a);
}

TEST_F(Neighbours, ReachableTurnsStaleThenDelayThenProbeThenIsForgotten) {
  // RFC 4861 7.3.3 [RFC4861-7.3.3-a], [RFC1122-2.3.2.1-a]
  bring_to(NeighbourState::reachable);
  now = now + 45_s;
  EXPECT_EQ(state(), NeighbourState::stale);
  EXPECT_EQ(table.resolve(now, address), mac_a);
  EXPECT_EQ(state(), NeighbourState::delay);
  now = now + 4999_ms;
  table.poll(now);
  EXPECT_EQ(state(), NeighbourState::delay);
  now = now + 1_ms;
  table.poll(now);
  EXPECT_EQ(state(), NeighbourState::probe);
  EXPECT_EQ(table.resolve(now, address), mac_a);
  ASSERT_EQ(out.solicitations.size(), 1u);
  EXPECT_EQ(out.solicitations[0].unicast_to, mac_a);
  now = now + 1_s;
  table.poll(now);
  now = now + 1_s;
  table.poll(now);
  EXPECT_EQ(out.solicitations.size(), 3u);
  now = now + 1_s;
  table.poll(now);
  EXPECT_EQ(out.unreachable, std::vector{address});
  EXPECT_FALSE(table.find(now, address));
}

TEST_F(Neighbours, ReachableTimeIsBetweenHalfAndOneAndAHalfOfTheBase) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    NeighbourTable other(config, Seed(seed).stream());
    other.hold(now, address, packet(), ip("fe80::1"));
    other.on_advertisement(now, address, {mac_a, true, true, false});
    EXPECT_EQ(other.find(now + 14_s, address)->state, NeighbourState::reachable);
    EXPECT_EQ(other.find(now + 46_s, address)->state, NeighbourState::stale);
  }
}

TEST_F(Neighbours, ProgressOfUpperLayersConfirmsEveryStateButIncomplete) {
  // RFC 4861 7.3.1 [RFC4861-7.3.1-a]
  for (const auto from : {NeighbourState::stale, NeighbourState::delay, NeighbourState::probe}) {
    bring_to(from);
    table.confirm(now, address);
    EXPECT_EQ(state(), NeighbourState::reachable) << to_text(from);
    EXPECT_TRUE(out.solicitations.empty());
  }
  bring_to(NeighbourState::incomplete);
  table.confirm(now, address);
  EXPECT_EQ(state(), NeighbourState::incomplete);
}

// RFC 4861 Appendix C [RFC4861-7.2.5-b]: state, S, O, other address? -> state, address taken?
struct Row {
  NeighbourState from;
  bool solicited, overrides, is_other;
  NeighbourState to;
  bool takes_other;
};

TEST_F(Neighbours, AdvertisementsFollowTheTableOfAppendixC) {
  using S = NeighbourState;
  const std::vector<Row> rows = {
      {S::incomplete, true, false, true, S::reachable, true},
      {S::incomplete, true, true, true, S::reachable, true},
      {S::incomplete, false, false, true, S::stale, true},
      {S::incomplete, false, true, true, S::stale, true},
      {S::reachable, true, false, false, S::reachable, false},
      {S::reachable, true, false, true, S::stale, false},
      {S::reachable, false, false, true, S::stale, false},
      {S::reachable, false, false, false, S::reachable, false},
      {S::reachable, true, true, false, S::reachable, false},
      {S::reachable, true, true, true, S::reachable, true},
      {S::reachable, false, true, false, S::reachable, false},
      {S::reachable, false, true, true, S::stale, true},
      {S::stale, true, false, false, S::reachable, false},
      {S::stale, true, false, true, S::stale, false},
      {S::stale, false, false, true, S::stale, false},
      {S::stale, false, false, false, S::stale, false},
      {S::stale, true, true, false, S::reachable, false},
      {S::stale, true, true, true, S::reachable, true},
      {S::stale, false, true, false, S::stale, false},
      {S::stale, false, true, true, S::stale, true},
      {S::delay, true, false, false, S::reachable, false},
      {S::delay, true, false, true, S::delay, false},
      {S::delay, false, false, true, S::delay, false},
      {S::delay, false, false, false, S::delay, false},
      {S::delay, true, true, true, S::reachable, true},
      {S::delay, false, true, true, S::stale, true},
      {S::probe, true, false, false, S::reachable, false},
      {S::probe, true, false, true, S::probe, false},
      {S::probe, false, false, true, S::probe, false},
      {S::probe, false, false, false, S::probe, false},
      {S::probe, true, true, true, S::reachable, true},
      {S::probe, false, true, true, S::stale, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(to_text(row.from)) + (row.solicited ? " S" : " -") +
                 (row.overrides ? "O" : "-") + (row.is_other ? " other" : " same"));
    bring_to(row.from);
    // A queued packet that goes to a STALE neighbour starts DELAY: not the subject here.
    hear(row.is_other ? mac_b : mac_a, row.solicited, row.overrides);
    const auto got = state();
    const bool is_it =
        got == row.to || (row.from == S::incomplete && row.to == S::stale && got == S::delay);
    EXPECT_TRUE(is_it) << to_text(got);
    EXPECT_EQ(mac(), row.takes_other ? mac_b : mac_a);
  }
}

TEST_F(Neighbours, AdvertisementWithoutAddressKeepsTheKnownOne) {
  bring_to(NeighbourState::stale);
  hear(std::nullopt, true, true);
  EXPECT_EQ(state(), NeighbourState::reachable);
  EXPECT_EQ(mac(), mac_a);
  bring_to(NeighbourState::incomplete);
  hear(std::nullopt, true, true);
  EXPECT_EQ(state(), NeighbourState::incomplete);
}

TEST_F(Neighbours, AdvertisementOfAStrangerMakesNoEntry) {
  // RFC 4861 7.2.5 [RFC4861-7.2.5-a], BI-05
  hear(mac_a, true, true);
  table.on_overheard(now, address, mac_a);
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(Neighbours, WhoeverSpeaksToUsIsKnownButStale) {
  // RFC 4861 7.2.3 [RFC4861-7.2.3-b]
  table.on_spoken_to(now, address, mac_a);
  EXPECT_EQ(state(), NeighbourState::stale);
  bring_to(NeighbourState::reachable);
  table.on_spoken_to(now, address, mac_a);
  EXPECT_EQ(state(), NeighbourState::reachable);
  table.on_spoken_to(now, address, mac_b);
  EXPECT_EQ(state(), NeighbourState::stale);
  EXPECT_EQ(mac(), mac_b);
}

TEST_F(Neighbours, RouterThatSaysItIsNoneIsReported) {
  // RFC 4861 7.2.5 [RFC4861-7.2.5-c]
  bring_to(NeighbourState::reachable);
  hear(mac_a, true, true, true);
  EXPECT_TRUE(out.not_routers_now.empty());
  hear(mac_a, true, true, false);
  EXPECT_EQ(out.not_routers_now, std::vector{address});
}

TEST_F(Neighbours, HundredThousandStrangersEvictOneAnotherAndNotWhoAnswered) {
  // BI-06
  bring_to(NeighbourState::reachable);
  std::size_t dropped = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    table.hold(now, IpAddress::v4(0x0a000000 + i), packet(), ip("10.0.0.1"));
    dropped += out.dropped.size();
    out.clear();
  }
  EXPECT_LE(table.size(), config.neighbours_max);
  EXPECT_GE(dropped, 100'000 - config.held_packets_max);
  EXPECT_EQ(state(), NeighbourState::reachable);
}

TEST_F(Neighbours, UnusedEntryIsForgottenAndPermanentOnesStay) {
  // [RFC1122-2.3.2.1-a], [RFC1122-2.3.2.1-c]: the times are configurable
  bring_to(NeighbourState::stale);
  table.add_permanent(ip("10.0.0.9"), mac_b);
  EXPECT_EQ(table.next_deadline(), now + config.stale_kept_for);
  now = now + config.stale_kept_for;
  table.poll(now);
  EXPECT_FALSE(table.find(now, address));
  EXPECT_EQ(table.resolve(now, ip("10.0.0.9")), mac_b);
  table.forget_all();
  EXPECT_EQ(table.size(), 1u);
  Config quick;
  quick.stale_kept_for = 1_s;
  NeighbourTable other(quick, Seed(1).stream());
  other.on_spoken_to(now, address, mac_a);
  EXPECT_EQ(other.next_deadline(), now + 1_s);
}

}  // namespace
}  // namespace lanyard::link
