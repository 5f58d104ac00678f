// SPDX-License-Identifier: Apache-2.0
// What is sent and taken where the window ends: the FIN, probes, and what came too late to move it.
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

// RFC 9293 3.4: the FIN takes a number of its own, for which the window must have room.
TEST(TcpEdgeOfWindow, AFinThatDoesNotFitBesideTheLastDataWaits) {
  for (std::uint16_t room = 10; room <= 11; ++room) {
    Scripted s;
    tcp::Settings settings = s.host.tcp.default_settings();
    settings.cork = true;
    const auto c = s.accept_one({}, settings);
    s.window = room;
    s.send(flags::ack);
    ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes("ten octets")));
    s.expect_nothing();
    ASSERT_TRUE(s.host.tcp.shutdown_write(s.now, c));
    const Seg last = s.expect();
    EXPECT_EQ(last.text, "ten octets");
    EXPECT_EQ(last.header.flags.fin(), room == 11);
    s.expect_nothing();
    if (room == 11) continue;
    s.ours = s.ours + 10;
    s.window = 1;
    s.send(flags::ack);
    const Seg fin = s.expect();
    EXPECT_TRUE(fin.header.flags.fin());
    EXPECT_TRUE(fin.text.empty());
    EXPECT_EQ(fin.header.sequence, s.ours);
  }
}

// RFC 8985 7.3: the tail probe is new data where there is any; the window bounds it all the same.
TEST(TcpEdgeOfWindow, ATailProbeOfNewDataLeavesTheFinBehind) {
  for (std::uint16_t room = 10'500; room <= 10'501; ++room) {
    Scripted s;
    const auto c = s.accept_one({.mss = 1000, .sack_permitted = true});
    s.window = room;
    s.send(flags::ack);
    ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes(pattern(10'500))));
    ASSERT_TRUE(s.host.tcp.shutdown_write(s.now, c));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(s.expect().text.size(), 1000U);
    s.expect_nothing();  // the congestion window is full
    s.run_for(100_ms);
    const Seg probe = s.expect();
    EXPECT_EQ(probe.header.sequence, s.ours + 10'000);
    EXPECT_EQ(probe.text.size(), 500U);
    EXPECT_EQ(probe.header.flags.fin(), room == 10'501);
  }
}

// RFC 9293 3.10.7.4 [MUST-34]: SND.WL1 and SND.WL2 keep old segments from moving the window.
TEST(TcpEdgeOfWindow, AnOvertakenAckDoesNotTakeTheWindowBack) {
  Scripted s;
  const auto c = s.accept_one({.mss = 1000});
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes(pattern(3000))));
  s.host.out.clear();
  const auto una = s.ours;
  s.ours = una + 2000;
  s.window = 20'000;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.info(s.now, c).snd_wnd, 20'000U);
  s.ours = una + 1000;  // the same sequence number, sent earlier
  s.window = 5'000;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.info(s.now, c).snd_wnd, 20'000U);
  EXPECT_EQ(s.host.tcp.unacked_bytes(c), 1000U);
}

// RFC 5961 4.2: a SYN is no probe of a closed window, whatever stands at RCV.NXT.
TEST(TcpEdgeOfWindow, ASynAtAClosedWindowIsChallenged) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.receive_buffer_bytes = 2304;
  const auto c = s.accept_one({.mss = 1000}, settings);
  while (true) {
    s.host.out.clear();
    s.run_for(1_s);
    s.send(flags::ack, std::string(256, 'x'));
    s.run_for(1_s);
    if (!s.host.out.empty() && read_segment(s.host.out.back()).header.window == 0) break;
    ASSERT_LT(s.host.tcp.readable_bytes(c), 5000U);
  }
  s.host.out.clear();
  const std::size_t readable = s.host.tcp.readable_bytes(c);
  EXPECT_EQ(s.send(s.make(flags::syn)), DropReason::tcp_unacceptable);
  const Seg challenge = s.expect();
  EXPECT_EQ(challenge.header.flags, flags::ack);
  EXPECT_EQ(challenge.header.acknowledgment, s.peer_next);
  EXPECT_EQ(s.host.tcp.state(c), State::established);
  EXPECT_EQ(s.host.tcp.readable_bytes(c), readable);
}

}  // namespace lanyard::test
