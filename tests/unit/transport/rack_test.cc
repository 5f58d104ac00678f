// SPDX-License-Identifier: Apache-2.0
// RACK (RFC 8985 6) on a path that reorders: how long is waited for what others have overtaken.
#include "transport/tcp/rack.hh"

#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::Delivery;
using tcp::Rack;
using tcp::SequenceNumber;

namespace {

// A segment that was sent at `sent` arrives, and is the newest to do so.
Delivery newest(Duration sent, Duration now, std::uint32_t from) {
  Delivery delivery;
  delivery.now = Instant::start() + now;
  delivery.octets = 1000;
  delivery.has_original = true;
  delivery.low_original = SequenceNumber(from);
  delivery.high_end = SequenceNumber(from + 1000);
  delivery.first_original_sent_at = Instant::start() + sent;
  delivery.newest = {Instant::start() + sent, from, delivery.high_end};
  return delivery;
}

// An older one, overtaken by it.
Delivery overtaken(Duration sent, Duration now, std::uint32_t from) {
  Delivery delivery = newest(sent, now, from);
  delivery.newest.reset();
  return delivery;
}

constexpr Rack::Path path{
    .least_round_trip = 20_ms, .smoothed_round_trip = 50_ms, .variation = 10_ms};

}  // namespace

TEST(TcpRackWindow, WhatOvertookDoesNotMakeTheOthersLate) {
  Rack rack;
  rack.start(SequenceNumber(1000));
  rack.take(newest(0_ms, 20_ms, 3000));
  // [RFC8985-6-a]: the round trip of what was delivered last, and a quarter of the least one.
  EXPECT_EQ(rack.rule(Instant::start() + 20_ms, path).wait, 25_ms);
  rack.note_reordering();
  EXPECT_EQ(rack.rule(Instant::start() + 20_ms, path).wait, 55_ms);
}

TEST(TcpRackWindow, WhatLayBehindAGapSaysNothingOfHowLateItCame) {
  Rack rack;
  rack.start(SequenceNumber(1000));
  rack.take(newest(0_ms, 20_ms, 3000));
  Delivery behind = overtaken(0_ms, 60_ms, 1000);
  behind.is_of_resent = true;
  behind.echo_ms = 40;
  rack.take(behind);
  EXPECT_TRUE(rack.has_seen_reordering());
  EXPECT_EQ(rack.reordering_window(path), 5_ms);
  // RFC 7323 5.3: from now on the receiver refuses what is older than the retransmission.
  EXPECT_EQ(rack.rule(Instant::start() + 60_ms, path).refused, Instant::start() + 40_ms);
  behind.is_of_resent = false;
  rack.take(behind);
  EXPECT_EQ(rack.reordering_window(path), 40_ms);
}

TEST(TcpRackWindow, ItStaysWideWhileSegmentsComeLate) {
  Rack rack;
  rack.start(SequenceNumber(1000));
  rack.take(newest(0_ms, 20_ms, 3000));
  rack.take(overtaken(0_ms, 60_ms, 1000));
  EXPECT_EQ(rack.reordering_window(path), 40_ms);
  for (int i = 0; i < 15; ++i) rack.recovered();
  rack.take(overtaken(0_ms, 50_ms, 1000));  // 30 ms late
  for (int i = 0; i < 15; ++i) rack.recovered();
  EXPECT_EQ(rack.reordering_window(path), 40_ms);
  rack.recovered();
  EXPECT_EQ(rack.reordering_window(path), 5_ms);
}

}  // namespace lanyard::test
