// SPDX-License-Identifier: Apache-2.0
// The short way of the segments that nearly all are (arrives_plain.cc) does what the long one does,
// which is taken as soon as somebody watches: the same conversation is held twice.
#include <gtest/gtest.h>

#include <cstdlib>
#include <tuple>

#include "harness.hh"

namespace lanyard::test {

namespace {

struct Watcher final : EventSink {
  void on_event(const Event&) override { ++events; }
  std::size_t events = 0;
};

auto facts_of(const tcp::Info& i) {
  return std::make_tuple(i.state, i.ca_state, i.retransmits, i.backoff, i.rto_us, i.ato_us,
                         i.snd_mss, i.rcv_mss, i.unacked, i.sacked, i.lost, i.last_data_recv_ms,
                         i.last_ack_recv_ms, i.rtt_us, i.rttvar_us, i.snd_ssthresh, i.snd_cwnd,
                         i.rcv_space, i.segs_out, i.segs_in, i.min_rtt_us, i.snd_wnd, i.delivered,
                         i.dsack_dups, i.reord_seen, i.bytes_acked, i.bytes_received, i.bytes_sent,
                         i.bytes_retrans, i.busy_us, i.window_limited_us);
}

struct Held {
  std::vector<std::string> segments;  // when each was sent, and what it said
  decltype(facts_of(tcp::Info())) a, b;
  int changes = 0, confirmed = 0;
  std::size_t events = 0;
  bool operator==(const Held& other) const {
    return segments == other.segments && a == other.a && b == other.b && changes == other.changes &&
           confirmed == other.confirmed;
  }
};

void say(Pair& pair, Host& host, tcp::ConnectionId from, std::size_t size, std::uint64_t seed) {
  const std::string text = pattern(size, seed);
  static_cast<void>(host.tcp.send(pair.now, from, as_bytes(text)));
  pair.flush();
}

// Two who talk in turn, at once and in bulk, over a path that may lose, delay and mark.
Held hold(std::uint64_t seed, bool is_watched) {
  RandomStream dice = Seed(seed).branch("plain").stream();
  transport::Config config;
  config.timestamps = dice.below(4) != 0;
  config.sack = dice.below(4) != 0;
  Pair pair(config, seed, dice.below(2) == 0);
  Watcher watcher;
  Held held;
  if (is_watched) {
    pair.a.trace.set_sink(&watcher);
    pair.b.trace.set_sink(&watcher);
  }
  pair.delay = Duration::microseconds(static_cast<std::int64_t>(1 + dice.below(20'000)));
  const std::uint64_t loss = dice.below(2) == 0 ? 0 : dice.below(50'000'000);
  const std::uint64_t late = dice.below(2) == 0 ? 0 : dice.below(50'000'000);
  pair.tap = [&](bool from_a, const internet::Datagram& one) {
    held.segments.push_back(to_text(pair.now - Instant::start()) + (from_a ? " a " : " b ") +
                            describe(read_segment(one)));
  };
  const Pair::Ends ends = pair.establish();
  pair.fate = [&](bool, const internet::Datagram&) {
    if (dice.happens(loss)) return Fate{.copies = {}};
    if (dice.happens(late)) return Fate{.copies = {pair.delay, pair.delay / 2}};
    return Fate{};
  };
  for (int i = 0; i < 60; ++i) {
    const std::size_t size = dice.below(8) == 0 ? dice.below(60'000) : 1 + dice.below(3'000);
    if (dice.below(3) != 0) say(pair, pair.a, ends.a, size, seed);
    if (dice.below(3) != 0) say(pair, pair.b, ends.b, 1 + dice.below(3'000), seed);
    pair.run_for(pair.delay * static_cast<std::int64_t>(dice.below(5)));
    if (dice.below(4) != 0) pair.read_all(pair.a, ends.a);
    if (dice.below(4) != 0) pair.read_all(pair.b, ends.b);
    pair.flush();
  }
  pair.run_for(3_s);
  held.a = facts_of(pair.a.tcp.info(pair.now, ends.a));
  held.b = facts_of(pair.b.tcp.info(pair.now, ends.b));
  held.changes = pair.changes;
  held.confirmed = pair.a.paths.confirmed + pair.b.paths.confirmed;
  held.events = watcher.events;
  return held;
}

}  // namespace

TEST(Plain, TheShortWayAndTheLongOneAreTheSameOnTheWireAndInside) {
  const char* const asked = std::getenv("LANYARD_SEED");
  const std::uint64_t first = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 1;
  for (std::uint64_t seed = first; seed < first + 200; ++seed) {
    SCOPED_TRACE("LANYARD_SEED=" + std::to_string(seed));
    const Held shortly = hold(seed, false);
    const Held at_length = hold(seed, true);
    ASSERT_GT(shortly.segments.size(), 40U);
    ASSERT_GT(at_length.events, 100U);
    for (std::size_t i = 0; i < std::min(shortly.segments.size(), at_length.segments.size()); ++i)
      ASSERT_EQ(shortly.segments[i], at_length.segments[i]) << "segment " << i;
    ASSERT_TRUE(shortly == at_length);
  }
}

}  // namespace lanyard::test
