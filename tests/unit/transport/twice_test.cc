// SPDX-License-Identifier: Apache-2.0
// What only saves time or memory changes nothing: the same conversation is held twice. The short
// ways of the segments that nearly all are (arrives_plain.cc, output_plain.cc) do what the long
// ones do, which are taken as soon as somebody watches; and a connection that is folded whenever it
// is idle (folded.cc) is none the worse for it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <tuple>

#include "peer.hh"

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
                         i.bytes_retrans, i.busy_us, i.window_limited_us, i.delivery_rate,
                         i.is_delivery_rate_limited, i.pacing_rate);
}

struct Held {
  std::vector<std::string> segments;  // when each was sent, and what it said
  decltype(facts_of(tcp::Info())) a, b;
  int changes = 0, confirmed = 0;
  std::size_t events = 0, folded = 0;
  bool operator==(const Held& other) const {
    return segments == other.segments && a == other.a && b == other.b && changes == other.changes &&
           confirmed == other.confirmed;
  }
};

// What a program may ask for besides that its bytes be sent: each keeps a segment from going out
// the short way, or changes what goes with it.
void ask(Pair& pair, Host& host, tcp::ConnectionId of, RandomStream& dice) {
  tcp::Settings settings = host.tcp.settings(of);
  settings.no_delay = dice.below(2) == 0;
  settings.cork = dice.below(4) == 0;
  settings.traffic_class = static_cast<std::uint8_t>(dice.below(256));
  settings.pacing_rate_max = dice.below(4) == 0 ? 100'000 : tcp::Settings().pacing_rate_max;
  if (dice.below(4) == 0)
    settings.user_timeout = Duration::seconds(static_cast<std::int64_t>(20 + dice.below(20)));
  host.tcp.set(pair.now, of, settings);
  const std::string text = pattern(1 + dice.below(300));
  static_cast<void>(host.tcp.send(pair.now, of, as_bytes(text),
                                  {.urgent = dice.below(8) == 0,
                                   .more = dice.below(4) == 0,
                                   .ends_record = dice.below(4) == 0}));
  if (dice.below(4) == 0) pair.run_for(2_s);  // long enough to begin anew
}

void say(Pair& pair, Host& host, tcp::ConnectionId from, std::size_t size, std::uint64_t seed) {
  const std::string text = pattern(size, seed);
  static_cast<void>(host.tcp.send(pair.now, from, as_bytes(text)));
  pair.flush();
}

// Two who talk in turn, at once and in bulk, over a path that may lose, delay and mark.
struct How {
  bool is_watched = false, is_folding = false, is_asking = false;
};

Held hold(std::uint64_t seed, How how) {
  RandomStream dice = Seed(seed).branch("plain").stream();
  transport::Config config;
  config.timestamps = dice.below(4) != 0;
  config.sack = dice.below(4) != 0;
  if (how.is_asking) {
    if (dice.below(4) == 0) config.ecn = transport::Ecn::ask;
    if (dice.below(4) == 0) config.path_probing = transport::PathProbing::always;
    config.user_timeout_option = dice.below(4) == 0;
  }
  if (how.is_folding) config.unfolded_connections_max = 0;
  Pair pair(config, seed, dice.below(2) == 0);
  Watcher watcher;
  Held held;
  if (how.is_watched) {
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
    if (how.is_asking && dice.below(2) == 0) ask(pair, pair.a, ends.a, dice);
    if (how.is_asking && dice.below(2) == 0) ask(pair, pair.b, ends.b, dice);
    pair.run_for(pair.delay * static_cast<std::int64_t>(dice.below(5)));
    if (dice.below(4) != 0) pair.read_all(pair.a, ends.a);
    if (dice.below(4) != 0) pair.read_all(pair.b, ends.b);
    pair.flush();
    held.folded += pair.a.tcp.folded() + pair.b.tcp.folded();
  }
  pair.run_for(3_s);
  held.a = facts_of(pair.a.tcp.info(pair.now, ends.a));
  held.b = facts_of(pair.b.tcp.info(pair.now, ends.b));
  held.changes = pair.changes;
  held.confirmed = pair.a.paths.confirmed + pair.b.paths.confirmed;
  held.events = watcher.events;
  return held;
}

// What a machine says and passes up when a segment like `change` makes it comes, and after it one
// as plain as any.
std::string answer(bool is_watched, bool has_timestamps,
                   const std::function<void(Scripted&, Seg&)>& change) {
  namespace flags = tcp::flags;
  Scripted s;
  Watcher watcher;
  if (is_watched) s.host.trace.set_sink(&watcher);
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.receive_buffer_bytes = 4096;
  tcp::Options options{.mss = 1000, .sack_permitted = true};
  if (has_timestamps) options.timestamps = tcp::Timestamps{s.timestamp, 0};
  const auto connection = s.accept_one(options, settings);
  EXPECT_TRUE(s.host.tcp.send(s.now, connection, as_bytes(pattern(300))));
  s.ours = s.expect().header.sequence + 300;
  Seg segment = s.make(flags::ack, "abc");
  change(s, segment);
  s.send(segment);
  std::string said;
  const auto listen = [&] {
    while (const auto sent = s.take()) said += describe(*sent) + "\n";
  };
  listen();
  s.send(flags::ack, "abcdef");
  listen();
  s.run_for(300_ms);
  listen();
  const tcp::Info info = s.host.tcp.info(s.now, connection);
  return said + s.read(connection) + ", " + std::to_string(info.bytes_acked) + " acknowledged, " +
         std::to_string(info.bytes_received) + " received, state " + std::to_string(info.state);
}

}  // namespace

// Each of these wants a step that the short way leaves out.
TEST(HeldTwice, WhatIsNearlyPlainIsTreatedAsItWouldBeAtLength) {
  namespace flags = tcp::flags;
  using Change = std::function<void(Scripted&, Seg&)>;
  const std::vector<std::pair<const char*, Change>> changes = {
      {"nothing", [](Scripted&, Seg&) {}},
      {"no text", [](Scripted&, Seg& seg) { seg.text.clear(); }},
      {"no news", [](Scripted& s, Seg& seg) { seg.header.acknowledgment = s.ours - 300; }},
      {"neither",
       [](Scripted& s, Seg& seg) {
         seg.header.acknowledgment = s.ours - 300;
         seg.text.clear();
       }},
      {"part of it", [](Scripted& s, Seg& seg) { seg.header.acknowledgment = s.ours - 100; }},
      {"never sent", [](Scripted& s, Seg& seg) { seg.header.acknowledgment = s.ours + 1; }},
      {"long ago", [](Scripted& s, Seg& seg) { seg.header.acknowledgment = s.ours - 301; }},
      {"too much", [](Scripted&, Seg& seg) { seg.text = pattern(4200); }},
      {"a gap", [](Scripted&, Seg& seg) { seg.header.sequence += 1; }},
      {"old text", [](Scripted&, Seg& seg) { seg.header.sequence = seg.header.sequence - 1; }},
      {"a push", [](Scripted&, Seg& seg) { seg.header.flags |= flags::psh; }},
      {"a FIN", [](Scripted&, Seg& seg) { seg.header.flags |= flags::fin; }},
      {"a SYN", [](Scripted&, Seg& seg) { seg.header.flags |= flags::syn; }},
      {"a RST", [](Scripted&, Seg& seg) { seg.header.flags |= flags::rst; }},
      {"no ACK", [](Scripted&, Seg& seg) { seg.header.flags = flags::psh; }},
      {"another window", [](Scripted&, Seg& seg) { seg.header.window = 17; }},
      {"another option", [](Scripted&, Seg& seg) { seg.header.options.mss = 500; }},
      {"other timestamps",
       [](Scripted& s, Seg& seg) {
         const bool has_some = seg.header.options.timestamps.has_value();
         seg.header.options.timestamps.reset();
         if (!has_some) seg.header.options.timestamps = tcp::Timestamps{s.timestamp, 0};
       }},
      {"an older timestamp",
       [](Scripted& s, Seg& seg) {
         if (seg.header.options.timestamps) seg.header.options.timestamps->value = s.timestamp - 5;
       }},
      {"behind a FIN that came early",
       [](Scripted& s, Seg&) {
         Seg fin = s.make(flags::fin | flags::ack);
         fin.header.sequence += 6;
         s.send(fin);
       }},
      {"before text that came early",
       [](Scripted& s, Seg&) {
         Seg ahead = s.make(flags::ack, "f");
         ahead.header.sequence += 5;
         s.send(ahead);
       }},
      {"behind a FIN",
       [](Scripted& s, Seg& seg) {
         s.send(flags::fin | flags::ack);
         seg.header.sequence += 1;
       }},
  };
  for (const auto& [name, change] : changes) {
    for (const bool has_timestamps : {false, true}) {
      EXPECT_EQ(answer(false, has_timestamps, change), answer(true, has_timestamps, change))
          << name << (has_timestamps ? " with timestamps" : "");
    }
  }
}

std::uint64_t first_seed() {
  const char* const asked = std::getenv("LANYARD_SEED");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 1;
}

void expect_same(const Held& one, const Held& other) {
  ASSERT_GT(one.segments.size(), 40U);
  for (std::size_t i = 0; i < std::min(one.segments.size(), other.segments.size()); ++i)
    ASSERT_EQ(one.segments[i], other.segments[i]) << "segment " << i;
  ASSERT_TRUE(one == other);
}

TEST(HeldTwice, TheShortWayAndTheLongOneAreTheSameOnTheWireAndInside) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 200; ++seed) {
    SCOPED_TRACE("LANYARD_SEED=" + std::to_string(seed));
    const Held at_length = hold(seed, {.is_watched = true});
    ASSERT_GT(at_length.events, 100U);
    expect_same(hold(seed, {}), at_length);
    if (HasFatalFailure()) return;
  }
}

TEST(HeldTwice, WhatAProgramAsksForIsDoneByTheShortWayAsAtLength) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 200; ++seed) {
    SCOPED_TRACE("LANYARD_SEED=" + std::to_string(seed));
    expect_same(hold(seed, {.is_asking = true}),
                hold(seed, {.is_watched = true, .is_asking = true}));
    if (HasFatalFailure()) return;
  }
}

TEST(HeldTwice, FoldedWheneverIdleAndNeverIsTheSameOnTheWireAndInside) {
  std::size_t folded = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 200; ++seed) {
    SCOPED_TRACE("LANYARD_SEED=" + std::to_string(seed));
    const Held unfolded = hold(seed, {});
    const Held held = hold(seed, {.is_folding = true});
    ASSERT_EQ(unfolded.folded, 0U);
    folded += held.folded;
    expect_same(unfolded, held);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(folded, 1000U);
}

}  // namespace lanyard::test
