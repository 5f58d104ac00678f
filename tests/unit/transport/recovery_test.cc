// SPDX-License-Identifier: Apache-2.0
// Loss found and repaired (RFC 8985, 6937), and reductions that were for nothing undone (RFC 2883,
// 4015, 5682): the named regressions of stacks that got it wrong.
#include <gtest/gtest.h>

#include "peer.hh"
#include "transport/tcp/rack.hh"
#include "transport/tcp/recovery.hh"

namespace lanyard::test {

using tcp::SequenceNumber;
namespace flags = tcp::flags;

namespace {

constexpr std::size_t full = 1448;

// A transfer from a to b over the link of a Pair, whose b reads at once, or at a rate.
struct Transfer {
  explicit Transfer(Duration delay, std::size_t bytes, std::optional<tcp::Settings> settings = {}) {
    pair.delay = delay;
    ends = pair.establish(settings);
    text = pattern(bytes);
    began = pair.now;
  }
  struct Sent {
    Instant at;
    std::size_t offset, size;
    bool is_again;
  };
  // What `lost` says of each data segment from a; the datagram's number counts from 0.
  void decide(std::function<Fate(const Sent&)> what) {
    pair.fate = [this, what](bool from_a, const internet::Datagram& datagram) {
      const Seg segment = read_segment(datagram);
      if (!from_a || segment.text.empty()) return Fate{};
      if (!first) first = segment.header.sequence;
      Sent one{pair.now, static_cast<std::size_t>(segment.header.sequence - *first),
               segment.text.size(), false};
      one.is_again = one.offset < furthest;
      furthest = std::max(furthest, one.offset + one.size);
      sent.push_back(one);
      return what(one);
    };
  }
  void write() {
    if (written == text.size()) return;
    const auto n = pair.a.tcp.send(pair.now, ends.a, as_bytes(text).subspan(written));
    if (n) written += *n;
  }
  void read() {
    std::vector<std::uint8_t> buffer(std::min<std::size_t>(read_most, 1U << 20));
    while (!buffer.empty()) {
      const auto n = pair.b.tcp.receive(pair.now, ends.b, buffer);
      if (!n || *n == 0) return;
      EXPECT_EQ(text.compare(got, *n, std::string(text_of(Bytes(buffer).first(*n)))), 0);
      got += *n;
      if (read_most != SIZE_MAX) return;
    }
  }
  // Until all has been read, or `most` has passed; in steps.
  Duration run(Duration most, Duration step = 1_ms) {
    while (got < text.size() && pair.now - began < most) {
      write();
      pair.run_for(step);
      read();
    }
    EXPECT_EQ(got, text.size());
    return pair.now - began;
  }
  tcp::Info info() { return pair.a.tcp.info(pair.now, ends.a); }
  [[nodiscard]] std::size_t again() const {
    return static_cast<std::size_t>(
        std::count_if(sent.begin(), sent.end(), [](const Sent& one) { return one.is_again; }));
  }

  Pair pair;
  Pair::Ends ends{};
  std::string text;
  std::size_t written = 0, got = 0, furthest = 0;
  std::size_t read_most = SIZE_MAX;  // in one step
  std::optional<SequenceNumber> first;
  std::vector<Sent> sent;
  Instant began;
};

Fate lost() {
  return Fate{.copies = {}};
}
Fate late(Duration by) {
  return Fate{.copies = {by}};
}

}  // namespace

TEST(TcpRack, WhatALaterSegmentOvertookIsLostAfterAQuarterOfARoundTrip) {
  Transfer t(10_ms, 3 * full);
  t.decide([](const Transfer::Sent& one) {
    return one.offset == full && !one.is_again ? lost() : Fate{};
  });
  t.run(1_s);
  ASSERT_EQ(t.again(), 1U);
  // [RFC8985-6-a]: one round trip of 20 ms, and a reordering window of 5 ms.
  EXPECT_EQ(t.sent.back().at - t.began, 25_ms);
}

TEST(TcpRack, ARetransmissionThatIsLostTooIsFoundInOneRoundTrip) {
  Transfer t(10_ms, 60 * full);
  int times = 0;
  t.decide([&](const Transfer::Sent& one) {
    return one.offset == 2 * full && times++ < 3 ? lost() : Fate{};
  });
  t.run(1_s);
  ASSERT_EQ(times, 4);
  for (const Transfer::Sent& one : t.sent) {
    if (one.offset != 2 * full) continue;
    EXPECT_LE(one.at - t.began, 90_ms);  // RFC 8985 6.2: and not after a time-out of 200 ms
  }
}

TEST(TcpRack, TheWindowGrowsWithEveryDuplicateAndShrinksAgain) {
  tcp::Rack rack;
  rack.start(SequenceNumber(1000));
  rack.note_reordering();
  const tcp::Rack::Path path{.least_round_trip = 40_ms, .smoothed_round_trip = 50_ms};
  EXPECT_EQ(rack.reordering_window(path), 10_ms);  // [RFC8985-6-a]: min_rtt / 4
  rack.take_duplicate(SequenceNumber(1000), SequenceNumber(9000));
  rack.take_duplicate(SequenceNumber(2000), SequenceNumber(9500));  // the same round trip
  EXPECT_EQ(rack.reordering_window(path), 20_ms);
  for (std::uint32_t i = 1; i < 10; ++i)
    rack.take_duplicate(SequenceNumber(9000 * i), SequenceNumber(9000 * (i + 1)));
  EXPECT_EQ(rack.reordering_window(path), 50_ms);  // never above SRTT
  for (int i = 0; i < 15; ++i) rack.recovered();
  EXPECT_EQ(rack.reordering_window(path), 50_ms);
  rack.recovered();
  EXPECT_EQ(rack.reordering_window(path), 10_ms);
}

TEST(TcpRack, TheWindowIsAsWideAsWhatCameLate) {
  tcp::Rack rack;
  rack.start(SequenceNumber(1000));
  tcp::Delivery first;
  first.now = Instant::start() + 20_ms;
  first.octets = 1000;
  first.has_original = true;
  first.low_original = SequenceNumber(3000);
  first.high_end = SequenceNumber(4000);
  first.newest = {Instant::start(), 4, SequenceNumber(4000)};
  rack.take(first);
  tcp::Delivery late;
  late.now = Instant::start() + 45_ms;
  late.octets = 1000;
  late.has_original = true;
  late.low_original = SequenceNumber(1000);
  late.high_end = SequenceNumber(2000);
  late.first_original_sent_at = Instant::start();
  rack.take(late);
  tcp::Rack::Path path{.least_round_trip = 20_ms, .smoothed_round_trip = 20_ms, .variation = 5_ms};
  EXPECT_EQ(rack.reordering_window(path), 25_ms);  // 45 ms on the way, where 20 ms were usual
  path.variation = 1_ms;
  EXPECT_EQ(rack.reordering_window(path), 22_ms);  // RFC 8985 3.3.2: bounded
  for (int i = 0; i < 16; ++i) rack.recovered();
  EXPECT_EQ(rack.reordering_window(path), 5_ms);
}

TEST(TcpRack, WithoutReorderingThreeSegmentsAboveTheGapAreEnough) {
  tcp::Rack rack;
  tcp::Rack::Path path{.least_round_trip = 40_ms, .smoothed_round_trip = 50_ms};
  EXPECT_EQ(rack.reordering_window(path), 10_ms);
  path.has_enough_held = true;
  EXPECT_EQ(rack.reordering_window(path), 0_ms);
  rack.note_reordering();
  EXPECT_EQ(rack.reordering_window(path), 10_ms);
}

TEST(TcpTailProbe, ALostTailIsRepairedWithoutATimeout) {
  Transfer t(10_ms, 10 * full);
  t.decide([](const Transfer::Sent& one) {
    return one.offset >= 7 * full && !one.is_again ? lost() : Fate{};
  });
  const Duration took = t.run(1_s);
  ASSERT_GE(t.sent.size(), 11U);
  // [RFC8985-7-a]: the last segment again, two round trips after the last ACK.
  EXPECT_EQ(t.sent[10].offset, 9 * full);
  EXPECT_GE(t.sent[10].at - t.began, 60_ms);
  EXPECT_LE(t.sent[10].at - t.began, 65_ms);
  EXPECT_LT(took, 150_ms);
  EXPECT_EQ(t.again(), 3U);
}

TEST(TcpTailProbe, AProbeLeavesRoomForTheBlocksItReports) {
  Scripted s;
  const auto c = s.accept_one({.mss = 1460, .sack_permitted = true});
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes(std::string(2 * 1460, 'x'))));
  s.expect();
  s.expect();
  s.peer_next += 100;  // a gap: from here on every segment reports a block
  s.send(flags::ack | flags::psh, "ahead");
  EXPECT_EQ(s.expect().header.options.sack_blocks, 1);
  s.run_for(900_ms);
  const Seg probe = s.expect();
  EXPECT_EQ(probe.header.options.sack_blocks, 1);
  // 9293-3.7-a: payload and options together are a full segment, not more.
  EXPECT_EQ(probe.text.size(), 1460U - 12);
}

TEST(TcpTailProbe, AProbeThatRepairedALossCostsAReduction) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true});
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(8000))));
  s.run_for(1_ms);
  s.ours += 8000;
  s.send(flags::ack);
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(4000))));
  const auto before = s.host.tcp.info(s.now, connection);
  while (s.take()) {
  }
  s.run_for(150_ms);
  const Seg probe = s.expect();
  EXPECT_EQ(probe.header.sequence, s.ours + 3000);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).ca_state, 0);
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(1000))));
  s.ours += 5000;
  s.send(flags::ack);  // RFC 8985 7.4.2: beyond the probe, and no D-SACK: it repaired a loss
  EXPECT_LT(s.host.tcp.info(s.now, connection).snd_cwnd, before.snd_cwnd);
}

TEST(TcpTailProbe, AProbeForNothingCostsNothing) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true});
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(8000))));
  while (s.take()) {
  }
  s.run_for(150_ms);
  const Seg probe = s.expect();
  s.ours += 8000;
  s.send(flags::ack);
  const auto before = s.host.tcp.info(s.now, connection);
  Seg report = s.make(flags::ack);
  report.header.options.sack_blocks = 1;
  report.header.options.sack[0] = {probe.header.sequence, probe.header.sequence + 1000};
  s.send(report);  // RFC 8985 7.4.2
  EXPECT_GE(s.host.tcp.info(s.now, connection).snd_cwnd, before.snd_cwnd);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).snd_ssthresh, before.snd_ssthresh);
}

// RFC 8985 7.4.2: without D-SACK it is the second ACK of the probe's end that says that both copies
// arrived; what is acknowledged after that repaired nothing.
TEST(TcpTailProbe, ASecondAckOfAPeerThatReportsNoDuplicatesCostsNothingEither) {
  for (const bool has_second : {true, false}) {
    Scripted s;
    const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true});
    EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(8000))));
    s.host.out.clear();
    s.run_for(150_ms);
    EXPECT_EQ(s.expect().header.sequence, s.ours + 7000);
    s.ours += 8000;
    s.send(flags::ack);
    const auto before = s.host.tcp.info(s.now, connection);
    EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(1000))));
    s.host.out.clear();
    if (has_second) s.send(flags::ack);
    s.ours += 1000;
    s.send(flags::ack);
    const auto after = s.host.tcp.info(s.now, connection);
    EXPECT_EQ(after.snd_ssthresh == before.snd_ssthresh, has_second);
  }
}

TEST(TcpTailProbe, AMachineMayDoWithout) {
  transport::Config config;
  config.tail_probes = false;
  Scripted s(config);
  const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true});
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(2000))));
  s.host.out.clear();
  s.run_for(190_ms);
  s.expect_nothing();
  s.run_for(100_ms);
  EXPECT_EQ(s.expect().header.sequence, s.ours);  // the time-out: the first, not the last
}

TEST(TcpTailProbe, OneProbeForEachTail) {
  Transfer t(10_ms, 2 * full);
  t.decide([&](const Transfer::Sent&) { return t.pair.now - t.began < 5_s ? lost() : Fate{}; });
  t.write();
  t.pair.run_for(190_ms);
  // [RFC8985-7-a]: one probe, and the time-out is only due 200 ms after it.
  EXPECT_EQ(t.again(), 1U);
  EXPECT_LT(t.sent.back().at - t.began, 50_ms);
  t.pair.run_for(100_ms);
  EXPECT_GE(t.again(), 2U);
  EXPECT_GE(t.sent.back().at - t.began, 240_ms);
}

TEST(TcpRateReduction, OneSegmentGoesForEveryTwoDelivered) {
  // [RFC6937-3-a]: from 20 segments to 10; one was lost.
  tcp::RateReduction rate;
  rate.start(20'000, 10'000);
  std::uint32_t pipe = 19'000, out = 0;
  for (int acks = 0; acks < 19; ++acks) {
    pipe -= 1000;
    rate.take({.delivered = 1000, .pipe = pipe, .mss = 1000, .is_good = true});
    while (rate.window() >= pipe + 1000) {
      pipe += 1000;
      out += 1000;
      rate.sent(1000);
    }
  }
  EXPECT_GE(out, 9000U);
  EXPECT_LE(out, 10'000U);
  EXPECT_LE(pipe, 10'000U);
  EXPECT_GE(pipe, 9000U);
}

TEST(TcpRateReduction, BelowTheTargetItGrowsAsSlowStartDoes) {
  // RFC 6937 3, slow start reduction bound: twice what is delivered, until the target is reached.
  tcp::RateReduction rate;
  rate.start(20'000, 10'000);
  rate.take({.delivered = 1000, .pipe = 4000, .mss = 1000, .is_good = true});
  EXPECT_EQ(rate.window(), 6000U);
  rate.take({.delivered = 1000, .pipe = 4000, .mss = 1000, .is_good = false});
  EXPECT_EQ(rate.window(), 6000U);
  tcp::RateReduction losing;
  losing.start(20'000, 10'000);
  losing.take({.delivered = 1000, .pipe = 4000, .mss = 1000, .is_good = false});
  EXPECT_EQ(losing.window(), 5000U);  // RFC 9937: only what was delivered while losses go on
}

// RFC 8985 7: the probe of the tail comes first, with new data here.
TEST(TcpUndo, ADelaySpikeOfThreeRoundTripsLeavesTheWindowAlone) {
  Transfer t(100_ms, 6'000'000);
  const Instant spike = t.began + 2_s;
  t.decide([&](const Transfer::Sent& one) {
    const bool is_late = one.at >= spike && one.at < spike + 600_ms;
    return is_late ? late(spike + 600_ms - one.at) : Fate{};
  });
  t.text = pattern(6'000'000);
  std::uint32_t before = 0, least = UINT32_MAX;
  while (t.pair.now < spike + 1400_ms) {
    t.write();
    t.pair.run_for(1_ms);
    t.read();
    if (t.pair.now < spike) before = t.info().snd_cwnd;
    if (t.pair.now > spike) least = std::min(least, t.info().snd_cwnd);
  }
  EXPECT_GE(least, before);
  EXPECT_LE(t.again(), 1U);
  t.run(60_s);
}

TEST(TcpUndo, ADelaySpikeOfTenRoundTripsIsUndone) {
  Transfer t(100_ms, 6'000'000);
  const Instant spike = t.began + 2_s;
  t.decide([&](const Transfer::Sent& one) {
    const bool is_late = one.at >= spike && one.at < spike + 1_s;
    return is_late ? late(spike + 1_s - one.at) : Fate{};
  });
  t.text = pattern(6'000'000);
  while (t.pair.now < spike) {
    t.write();
    t.pair.run_for(1_ms);
    t.read();
  }
  const tcp::Info before = t.info();
  const std::size_t again = t.again();
  std::uint32_t least = before.snd_cwnd;
  while (t.pair.now < spike + 1800_ms) {
    t.write();
    t.pair.run_for(1_ms);
    t.read();
    least = std::min(least, t.info().snd_cwnd);
  }
  EXPECT_LT(least, before.snd_cwnd / 2);  // the time-out did strike
  EXPECT_GT(t.again(), again);
  // RFC 4015 3.2: what it did to the window is taken back.
  EXPECT_GE(t.info().snd_cwnd, before.snd_cwnd);
  EXPECT_GE(t.info().snd_ssthresh, before.snd_ssthresh);
  EXPECT_LT(t.again() - again, 20U);
  t.run(60_s);
}

TEST(TcpUndo, WithoutTimestampsTheTimeoutIsFoundSpuriousByWhatArrives) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true});
  const SequenceNumber first = s.ours;
  const auto write = [&](std::size_t size) {
    EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(size))));
  };
  write(30'000);
  while (s.take()) {
  }
  const auto before = s.host.tcp.info(s.now, connection);
  s.run_for(300_ms);  // the time-out, after a tail probe
  EXPECT_EQ(s.host.tcp.info(s.now, connection).ca_state, 4);
  while (s.take()) {
  }
  // RFC 5682 2: the first ACK moves on over what was sent again only: new data goes out.
  s.ours = first + 1000;
  s.send(flags::ack);
  std::vector<std::uint32_t> offsets;
  while (const auto segment = s.take())
    offsets.push_back(static_cast<std::uint32_t>(segment->header.sequence - first));
  ASSERT_FALSE(offsets.empty());
  EXPECT_EQ(offsets.front(), 11'000U);
  // The second acknowledges what was sent once: the time-out was spurious.
  s.ours = first + 2000;
  s.send(flags::ack);
  const auto after = s.host.tcp.info(s.now, connection);
  EXPECT_EQ(after.ca_state, 0);
  EXPECT_GE(after.snd_cwnd, before.snd_cwnd);
  EXPECT_EQ(after.backoff, 0);
}

TEST(TcpUndo, DuplicatesReportedForAllThatWasSentAgainUndoTheReduction) {
  Scripted s;
  const auto connection = s.connect_one({.mss = 1000, .sack_permitted = true});
  const SequenceNumber first = s.ours;
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(30'000))));
  const auto before = s.host.tcp.info(s.now, connection);
  Seg ack = s.make(flags::ack);
  ack.header.options.sack_blocks = 1;
  ack.header.options.sack[0] = {first + 1000, first + 5000};
  s.send(ack);
  EXPECT_EQ(s.host.tcp.info(s.now, connection).ca_state, 3);
  EXPECT_LT(s.host.tcp.info(s.now, connection).snd_ssthresh, before.snd_ssthresh);
  // RFC 2883 5, RFC 4015: the original came late, and then the copy.
  s.ours = first + 10'000;
  Seg report = s.make(flags::ack);
  report.header.options.sack_blocks = 1;
  report.header.options.sack[0] = {first, first + 1000};
  s.send(report);
  const auto after = s.host.tcp.info(s.now, connection);
  EXPECT_EQ(after.ca_state, 0);
  EXPECT_GE(after.snd_cwnd, before.snd_cwnd);
  EXPECT_EQ(after.snd_ssthresh, before.snd_ssthresh);
}

TEST(TcpUndo, JitterDoesNotRatchetTheWindowDown) {
  const auto run = [](std::int64_t jitter_ms) {
    Transfer t(50_ms, 12'000'000);
    RandomStream dice = Seed(3).stream();
    t.decide([&](const Transfer::Sent&) {
      return jitter_ms == 0 ? Fate{}
                            : late(Duration::microseconds(static_cast<std::int64_t>(
                                  dice.below(static_cast<std::uint64_t>(jitter_ms) * 1000))));
    });
    const Duration took = t.run(60_s);
    EXPECT_LT(t.again() * 100, t.sent.size()) << "spurious retransmissions";
    return took;
  };
  const Duration smooth = run(0);
  const Duration jittered = run(30);
  RecordProperty("smooth_ms", static_cast<int>(smooth.count_ms()));
  RecordProperty("jittered_ms", static_cast<int>(jittered.count_ms()));
  EXPECT_LT(jittered.count_ms() * 4, smooth.count_ms() * 5);
}

TEST(TcpUndo, BenignReorderingKeepsTheWindowFull) {
  Transfer t(10_ms, 8'000'000);
  RandomStream dice = Seed(4).stream();
  t.decide([&](const Transfer::Sent&) {
    return dice.happens(50'000'000) ? late(3_ms) : Fate{};  // one in twenty, by 3 ms
  });
  std::uint32_t most = 0, fell = 0;
  while (t.got < t.text.size() && t.pair.now - t.began < 60_s) {
    t.write();
    t.pair.run_for(1_ms);
    t.read();
    fell = std::max(fell, most * 8 / 10 > t.info().snd_cwnd ? most : 0);
    most = std::max(most, t.info().snd_cwnd);
  }
  EXPECT_EQ(t.got, t.text.size());
  EXPECT_EQ(fell, 0U);
  EXPECT_LT(t.again() * 200, t.sent.size());
}

TEST(TcpRecovery, DataOutOfOrderThatFillsTheBufferDoesNotStall) {
  tcp::Settings settings = Host(IpAddress::v4(10, 0, 0, 1), 1).tcp.default_settings();
  settings.receive_buffer_bytes = 256 * 1024;
  Transfer t(20_ms, 3'000'000, settings);
  int times = 0;
  t.decide([&](const Transfer::Sent& one) {
    return one.offset >= 1'000'000 && one.offset < 1'000'000 + full && times++ < 2 ? lost()
                                                                                   : Fate{};
  });
  EXPECT_LT(t.run(10_s), 2_s);
  EXPECT_LT(t.again(), 20U);
}

TEST(TcpRecovery, ARoundTripOfTenMicrosecondsDoesNotStall) {
  Transfer t(5_us, 20'000'000);
  RandomStream dice = Seed(5).stream();
  t.decide([&](const Transfer::Sent&) { return dice.happens(10'000'000) ? lost() : Fate{}; });
  EXPECT_LT(t.run(20_s, 50_us), 3_s);
  EXPECT_LT(t.again() * 50, t.sent.size());
}

TEST(TcpRecovery, ASlowReceiverAndABurstOfTailDropsEndInTime) {
  Transfer t(25_ms, 33'000'000);
  // A queue of 1 MB before 12 MB/s; now and then it drops a hundred in a row, and the very tail.
  Instant free = t.began;
  std::size_t number = 0;
  t.decide([&](const Transfer::Sent& one) {
    ++number;
    const bool is_tail = one.offset + 30 * full > t.text.size() && !one.is_again;
    if (number % 7000 > 6900 || is_tail) return lost();
    free = std::max(free, one.at);
    if (free - one.at > 83_ms) return lost();
    free += Duration::nanoseconds(static_cast<std::int64_t>(one.size) * 1000 / 12);
    return late(free - one.at);
  });
  t.read_most = 10'000;  // in each millisecond
  EXPECT_LT(t.run(20_s), 10_s);
}

}  // namespace lanyard::test
