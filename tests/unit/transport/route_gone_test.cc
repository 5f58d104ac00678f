// SPDX-License-Identifier: Apache-2.0
// Routes come and go under connections that stay (RFC 9293 3.9.2.2: no route is a soft error).
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

TEST(TcpRouteGone, AConnectionKeepsWhatItKnewOfThePathUntilItIsBack) {
  transport::Config config;
  config.path_probing = transport::PathProbing::off;
  Scripted s(config);
  const auto c = s.connect_one({.mss = 1460});
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes(pattern(1460))));
  EXPECT_EQ(s.expect().text.size(), 1460U);
  s.host.paths.failure = Errno::network_unreachable;
  s.run_for(30_s);
  EXPECT_EQ(s.host.tcp.state(c), State::established);
  EXPECT_EQ(s.host.tcp.info(s.now, c).pmtu, 1500U);
  int again = 0;
  while (const auto segment = s.take()) again += segment->text.size() == 1460 ? 1 : 0;
  EXPECT_GE(again, 3);
  s.host.paths.failure.reset();
  s.host.paths.mtu = 1000;  // the new way is narrower
  s.run_for(60_s);
  EXPECT_EQ(s.host.tcp.info(s.now, c).pmtu, 1000U);
  const Seg narrow = s.expect();
  EXPECT_EQ(narrow.header.sequence, s.ours);
  EXPECT_EQ(narrow.text.size(), 960U);
  s.host.out.clear();
  s.ours = s.ours + 1460;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.unacked_bytes(c), 0U);
}

// RFC 9293 3.7.1 [MUST-15], [MUST-67]: a peer to whom no way is known is answered with the least
// that every path takes, should its SYN,ACK find one.
TEST(TcpRouteGone, ASynFromWhereNoRouteLeadsIsAnsweredCarefully) {
  Scripted s;
  s.listen();
  s.host.paths.failure = Errno::network_unreachable;
  Seg syn = s.make(flags::syn);
  syn.header.options.mss = 9000;
  s.send(syn);
  const Seg answer = s.expect();
  EXPECT_EQ(answer.header.flags, flags::syn | flags::ack);
  ASSERT_TRUE(answer.header.options.mss);
  EXPECT_GE(*answer.header.options.mss, 536);
  EXPECT_LE(*answer.header.options.mss, 1460);
}

}  // namespace lanyard::test
