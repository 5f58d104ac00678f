// SPDX-License-Identifier: Apache-2.0
// Idle connections are folded where there are many, and nobody can tell: what is asked of one, said
// to it and found in the table is as it was.
#include <gtest/gtest.h>

#include "core/random.hh"
#include "harness.hh"

namespace lanyard::test {

namespace {

transport::Config folding_beyond(std::uint32_t unfolded) {
  transport::Config config;
  config.unfolded_connections_max = unfolded;
  return config;
}

std::string say(Pair& pair, Host& from, tcp::ConnectionId sender, Host& to,
                tcp::ConnectionId receiver, const std::string& text) {
  EXPECT_EQ(from.tcp.send(pair.now, sender, as_bytes(text)), text.size());
  pair.flush();
  pair.run_for(1_s);
  return pair.read_all(to, receiver);
}

// Something unrelated happens, at whose end the idle ones are folded.
void let_fold(Pair& pair) {
  pair.a.tcp.flush(pair.now);
  pair.b.tcp.flush(pair.now);
}

}  // namespace

TEST(Folded, AConnectionIsFoldedWhenIdleAndUnfoldedForWhoeverAsks) {
  for (const bool is_v6 : {false, true}) {
    Pair pair(folding_beyond(0), 3, is_v6);
    const auto ends = pair.establish();
    pair.run_for(1_s);
    let_fold(pair);
    EXPECT_EQ(pair.a.tcp.folded(), 1U);
    EXPECT_EQ(pair.b.tcp.folded(), 1U);
    EXPECT_EQ(pair.a.tcp.state(ends.a), tcp::State::established);
    EXPECT_EQ(pair.a.tcp.folded(), 0U);
    EXPECT_EQ(pair.a.tcp.remote(ends.a), pair.b.tcp.local(ends.b));
    EXPECT_EQ(say(pair, pair.a, ends.a, pair.b, ends.b, "there"), "there");
    EXPECT_EQ(say(pair, pair.b, ends.b, pair.a, ends.a, "and back"), "and back");
  }
}

TEST(Folded, ItKeepsWhatItsProgramHasSetAndWhatItHasCounted) {
  Pair pair(folding_beyond(0));
  tcp::Settings settings = pair.a.tcp.default_settings();
  settings.no_delay = true;
  settings.send_buffer_bytes = 12'345;
  settings.congestion = congestion::Kind::reno;
  const auto ends = pair.establish(settings);
  EXPECT_EQ(say(pair, pair.a, ends.a, pair.b, ends.b, pattern(9'000)), pattern(9'000));
  const tcp::Info before = pair.a.tcp.info(pair.now, ends.a);
  let_fold(pair);
  let_fold(pair);
  ASSERT_EQ(pair.a.tcp.folded(), 1U);
  const tcp::Info after = pair.a.tcp.info(pair.now, ends.a);
  EXPECT_EQ(pair.a.tcp.settings(ends.a), settings);
  EXPECT_EQ(after.bytes_acked, 9'000U);
  EXPECT_EQ(after.bytes_acked, before.bytes_acked);
  EXPECT_EQ(after.snd_cwnd, before.snd_cwnd);
  EXPECT_EQ(after.rtt_us, before.rtt_us);
  EXPECT_EQ(after.rto_us, before.rto_us);
  EXPECT_EQ(after.segs_in, before.segs_in);
  EXPECT_EQ(after.segs_out, before.segs_out);
  EXPECT_EQ(after.snd_wnd, before.snd_wnd);
}

TEST(Folded, ItIsInTheTableWithoutBeingUnfolded) {
  Pair pair(folding_beyond(0));
  const auto ends = pair.establish();
  pair.run_for(1_s);
  let_fold(pair);
  const std::vector<tcp::Row> rows = pair.a.tcp.rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].connection, ends.a);
  EXPECT_EQ(rows[0].state, tcp::State::established);
  EXPECT_EQ(rows[0].remote.port, 80);
  EXPECT_EQ(pair.a.tcp.folded(), 1U);
}

TEST(Folded, WhatIsUnreadUnackedOrTimedIsNotFolded) {
  Pair pair(folding_beyond(0));
  tcp::Settings settings = pair.a.tcp.default_settings();
  settings.keep_alive = true;
  const auto ends = pair.establish();
  EXPECT_EQ(pair.a.tcp.send(pair.now, ends.a, as_bytes("unread")), 6U);
  pair.flush();
  let_fold(pair);
  EXPECT_EQ(pair.a.tcp.folded(), 0U) << "it waits for an acknowledgment";
  pair.run_for(1_s);
  let_fold(pair);
  EXPECT_EQ(pair.a.tcp.folded(), 1U);
  EXPECT_EQ(pair.b.tcp.folded(), 0U) << "it has something to be read";
  EXPECT_EQ(pair.read_all(pair.b, ends.b), "unread");
  pair.a.tcp.set(pair.now, ends.a, settings);
  let_fold(pair);
  EXPECT_EQ(pair.a.tcp.folded(), 0U) << "its keep-alive timer runs";
}

TEST(Folded, ThePeersEndIsTakenByAFoldedConnection) {
  Pair pair(folding_beyond(0));
  const auto ends = pair.establish();
  pair.run_for(1_s);
  let_fold(pair);
  pair.a.tcp.close(pair.now, ends.a);
  pair.flush();
  pair.run_for(1_s);
  let_fold(pair);
  EXPECT_EQ(pair.b.tcp.folded(), 1U);  // in CLOSE-WAIT
  EXPECT_EQ(pair.b.tcp.state(ends.b), tcp::State::close_wait);
  pair.b.tcp.close(pair.now, ends.b);
  pair.flush();
  pair.run_for(200_s);
  EXPECT_TRUE(pair.a.tcp.rows().empty());
  EXPECT_EQ(pair.b.tcp.folded(), 0U);
}

TEST(Folded, OnlyThoseBeyondTheLimitAreFoldedAndTheLatestUsedStay) {
  Pair pair(folding_beyond(10));
  std::vector<Pair::Ends> all;
  const tcp::ListenerId listener = pair.listen(80, 100);
  for (int i = 0; i < 50; ++i) {
    const tcp::ConnectionId a = pair.connect();
    pair.run_for(1_s);
    all.push_back({a, pair.b.tcp.accept(pair.now, listener, 0).value()});
  }
  for (int i = 0; i < 50; ++i) let_fold(pair);
  EXPECT_EQ(pair.a.tcp.folded(), 40U);
  EXPECT_EQ(pair.b.tcp.folded(), 40U);
  for (int round = 0; round < 3; ++round) {
    for (const Pair::Ends& ends : all)
      EXPECT_EQ(say(pair, pair.a, ends.a, pair.b, ends.b, "again"), "again");
  }
  EXPECT_GE(pair.a.tcp.folded(), 39U);
  EXPECT_EQ(pair.a.tcp.rows().size(), 50U);
  for (const Pair::Ends& ends : all) pair.a.tcp.abort(pair.now, ends.a);
  pair.flush();
  pair.run_for(1_s);
  EXPECT_EQ(pair.a.tcp.folded(), 0U);
  EXPECT_TRUE(pair.a.tcp.rows().empty());
}

// Each with settings of its own: those that are too many to keep are left unfolded.
TEST(Folded, SettingsThatDifferEverywhereAreKept) {
  Pair pair(folding_beyond(0));
  const tcp::ListenerId listener = pair.listen(80, 200);
  std::vector<tcp::ConnectionId> all;
  for (std::uint32_t i = 0; i < 100; ++i) {
    tcp::Settings settings = pair.a.tcp.default_settings();
    settings.send_buffer_bytes = 20'000 + i;
    all.push_back(pair.connect(80, settings));
    pair.run_for(1_s);
    ASSERT_TRUE(pair.b.tcp.accept(pair.now, listener, 0));
  }
  for (int i = 0; i < 100; ++i) let_fold(pair);
  EXPECT_EQ(pair.a.tcp.folded(), 64U);
  EXPECT_EQ(pair.b.tcp.folded(), 100U);
  for (std::uint32_t i = 0; i < 100; ++i)
    EXPECT_EQ(pair.a.tcp.settings(all[i]).send_buffer_bytes, 20'000 + i);
}

// A half-closed connection is not over: its program still reads (RFC 9293 3.6).
TEST(Folded, AHalfClosedConnectionThatWaitsForThePeersEndStays) {
  Pair pair(folding_beyond(0));
  const auto ends = pair.establish();
  ASSERT_TRUE(pair.a.tcp.shutdown_write(pair.now, ends.a));
  pair.run_for(1_s);
  for (int i = 0; i < 3; ++i) let_fold(pair);
  EXPECT_EQ(pair.a.tcp.folded(), 0U);
  EXPECT_EQ(pair.a.tcp.state(ends.a), tcp::State::fin_wait_2);
  EXPECT_EQ(pair.b.tcp.folded(), 1U);
  EXPECT_EQ(say(pair, pair.b, ends.b, pair.a, ends.a, "a last word"), "a last word");
}

// RFC 9293 3.9.2.2 [MUST-56]: what an ICMP error said is told should the connection fail later.
TEST(Folded, WhoHasHeardOfAnErrorIsNotFolded) {
  Pair pair(folding_beyond(0));
  const auto ends = pair.establish();
  std::vector<std::uint8_t> quoted;
  pair.tap = [&](bool from_a, const internet::Datagram& datagram) {
    if (from_a) quoted.assign(datagram.packet.front().begin(), datagram.packet.front().end());
  };
  ASSERT_TRUE(pair.a.tcp.send(pair.now, ends.a, as_bytes("lost once")));
  pair.flush();
  internet::IcmpError error;
  error.kind = internet::IcmpError::Kind::host_unreachable;
  error.source = pair.a.address;
  error.destination = pair.b.address;
  error.protocol = internet::Protocol::tcp;
  error.quoted = quoted;
  pair.a.tcp.on_icmp_error(pair.now, error);
  pair.run_for(1_s);
  for (int i = 0; i < 3; ++i) let_fold(pair);
  EXPECT_EQ(pair.a.tcp.unacked_bytes(ends.a), 0U);
  EXPECT_EQ(pair.a.tcp.folded(), 0U);
  pair.fate = [](bool, const internet::Datagram&) { return Fate{{}}; };
  ASSERT_TRUE(pair.a.tcp.send(pair.now, ends.a, as_bytes("lost for good")));
  pair.run_for(1200_s);
  EXPECT_EQ(pair.a.tcp.take_error(ends.a), Errno::host_unreachable);
}

// Urgent data that was announced and has not come is waited for.
TEST(Folded, WhoWaitsForUrgentDataIsNotFolded) {
  Pair pair(folding_beyond(0));
  const auto ends = pair.establish();
  ASSERT_TRUE(pair.a.tcp.send(pair.now, ends.a, as_bytes("ab"), {.urgent = true}));
  pair.run_for(1_s);
  EXPECT_EQ(pair.read_all(pair.b, ends.b), "a");
  for (int i = 0; i < 3; ++i) let_fold(pair);
  EXPECT_EQ(pair.b.tcp.folded(), 0U);
  std::vector<std::uint8_t> octet(1);
  EXPECT_EQ(pair.b.tcp.receive(pair.now, ends.b, octet, {.urgent = true}), 1U);
  EXPECT_EQ(octet[0], 'b');
}

// Its port and peer are taken, whether anybody has looked at it or not.
TEST(Folded, NoSecondConnectionIsOpenedInItsPlace) {
  transport::Config config = folding_beyond(0);
  config.ephemeral_first = config.ephemeral_last = 40'000;
  Pair pair(config);
  const auto ends = pair.establish();
  pair.run_for(1_s);
  let_fold(pair);
  ASSERT_EQ(pair.a.tcp.folded(), 1U);
  tcp::Open open;
  open.remote = {pair.b.address, 80, 0};
  open.settings = pair.a.tcp.default_settings();
  EXPECT_EQ(pair.a.tcp.connect(pair.now, open).error(), Errno::address_not_available);
  EXPECT_EQ(pair.a.tcp.state(ends.a), tcp::State::established);
}

// Many go at once; those that stay are folded as before.
TEST(Folded, WhenMostAreGoneTheRestIsStillFolded) {
  Pair pair(folding_beyond(10'000));
  const tcp::ListenerId listener = pair.listen(80, 400);
  std::vector<tcp::ConnectionId> all;
  for (int i = 0; i < 300; ++i) all.push_back(pair.connect());
  pair.run_for(1_s);
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(pair.b.tcp.accept(pair.now, listener, 0));
  for (int i = 0; i < 270; ++i) pair.a.tcp.abort(pair.now, all[static_cast<std::size_t>(i)]);
  pair.run_for(1_s);
  EXPECT_EQ(pair.a.tcp.rows().size(), 30U);
  pair.a.config.unfolded_connections_max = 0;
  for (int i = 0; i < 100; ++i) let_fold(pair);
  EXPECT_EQ(pair.a.tcp.folded(), 30U);
  for (int i = 270; i < 300; ++i)
    EXPECT_EQ(pair.a.tcp.state(all[static_cast<std::size_t>(i)]), tcp::State::established);
}

// What both ends send, and when, in conversations with pauses over a path that loses.
std::vector<std::string> conversation(std::uint32_t unfolded, bool is_v6, congestion::Kind control,
                                      std::uint64_t pacing_rate, std::size_t& folded) {
  Pair pair(folding_beyond(unfolded), 5, is_v6);
  tcp::Settings settings = pair.a.tcp.default_settings();
  settings.congestion = control;
  settings.pacing_rate_max = pacing_rate;
  const auto ends = pair.establish(settings);
  std::vector<std::string> sent;
  pair.tap = [&](bool from_a, const internet::Datagram& datagram) {
    const Seg seg = read_segment(datagram);
    const std::uint32_t clock =
        seg.header.options.timestamps ? seg.header.options.timestamps->value : 0;
    sent.push_back((from_a ? "a " : "b ") + to_text(pair.now) + " " + describe(seg) + " " +
                   std::to_string(clock) + " " + std::to_string(seg.header.options.sack_blocks));
  };
  RandomStream dice = Seed(9).stream();
  pair.fate = [&](bool, const internet::Datagram&) {
    if (dice.below(25) == 0) return Fate{.copies = {}};
    const auto jitter = Duration::microseconds(static_cast<std::int64_t>(dice.below(12'000)));
    return Fate{.copies = {jitter}};
  };
  for (int turn = 0; turn < 40; ++turn) {
    const bool from_a = turn % 3 != 0;
    const std::string text = pattern(1 + dice.below(60'000));
    EXPECT_EQ(
        (from_a ? pair.a : pair.b).tcp.send(pair.now, from_a ? ends.a : ends.b, as_bytes(text)),
        text.size());
    pair.run_for(20_s);
    EXPECT_EQ(from_a ? pair.read_all(pair.b, ends.b) : pair.read_all(pair.a, ends.a), text);
    pair.run_for(Duration::milliseconds(static_cast<std::int64_t>(dice.below(5'000))));
    let_fold(pair);
    let_fold(pair);
    folded += pair.a.tcp.folded() + pair.b.tcp.folded();
    const tcp::Info info = pair.a.tcp.info(pair.now, ends.a);
    sent.push_back(
        "cwnd " + std::to_string(info.snd_cwnd) + " ssthresh " + std::to_string(info.snd_ssthresh) +
        " rate " + std::to_string(info.delivery_rate) + " busy " + std::to_string(info.busy_us) +
        " reordering " + std::to_string(info.reordering) + " dsack " +
        std::to_string(info.dsack_dups) + " delivered " + std::to_string(info.delivered) +
        " late " + std::to_string(info.reord_seen) + " out " + std::to_string(info.data_segs_out) +
        " limited " + std::to_string(int{info.is_delivery_rate_limited}));
  }
  return sent;
}

TEST(Folded, WhatIsSentAfterItIsWhatWouldHaveBeenSentWithout) {
  for (const bool is_v6 : {false, true}) {
    for (const auto control : {congestion::Kind::cubic, congestion::Kind::reno}) {
      for (const std::uint64_t pacing_rate : {std::uint64_t{0}, std::uint64_t{200'000}}) {
        std::size_t folded = 0, none = 0;
        const auto with = conversation(0, is_v6, control, pacing_rate, folded);
        EXPECT_EQ(with, conversation(4096, is_v6, control, pacing_rate, none));
        EXPECT_GE(folded, 70U);
        EXPECT_EQ(none, 0U);
      }
    }
  }
}

}  // namespace lanyard::test
