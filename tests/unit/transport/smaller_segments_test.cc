// SPDX-License-Identifier: Apache-2.0
// Segments that become smaller while some are in flight, and records that cut large ones.
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

namespace flags = tcp::flags;

// RFC 5681 3.2, RFC 6582 3.2: what is sent again fits the size of today; the rest of the segment
// that was lost follows with the partial acknowledgment.
TEST(TcpSmallerSegments, ALostLargeOneGoesAgainInSmallOnes) {
  Scripted s;
  const auto c = s.connect_one({.mss = 1000});  // no SACK
  const std::string text = pattern(6000);
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes(text)));
  s.host.out.clear();
  tcp::Settings settings = s.host.tcp.settings(c);
  settings.mss_max = 500;
  s.host.tcp.set(s.now, c, settings);
  for (int i = 0; i < 3; ++i) s.send(flags::ack);
  const Seg first = s.expect();
  EXPECT_EQ(first.header.sequence, s.ours);
  EXPECT_EQ(first.text, text.substr(0, 500));
  s.host.out.clear();
  s.ours = s.ours + 500;
  s.send(flags::ack);
  const Seg second = s.expect();
  EXPECT_EQ(second.header.sequence, s.ours);
  EXPECT_EQ(second.text, text.substr(500, 500));
  s.host.out.clear();
  s.ours = s.ours + 5500;
  s.send(flags::ack);
  EXPECT_EQ(s.host.tcp.unacked_bytes(c), 0U);
  EXPECT_EQ(s.host.tcp.info(s.now, c).ca_state, 0);
}

// Minshall: a record that ends within a segment leaves a small one behind, also where the link
// cuts a super-segment into it, and the next small one waits (RFC 9293 3.7.4).
TEST(TcpSmallerSegments, ASuperSegmentCutByARecordHoldsBackTheNextSmallOne) {
  Scripted s;
  s.host.paths.super_segment_bytes_max = 65536;
  const auto c = s.connect_one({.mss = 1000});
  const std::string text = pattern(2500);
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes(text), {.ends_record = true}));
  Seg record = s.expect();
  std::string sent = record.text;
  EXPECT_EQ(record.segment_bytes, 1000);
  s.ours = s.ours + 2500;
  while (sent.size() < 2500) sent += s.expect().text;
  EXPECT_EQ(sent, text);
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes("small")));
  s.expect_nothing();
  s.send(flags::ack);
  EXPECT_EQ(s.expect().text, "small");
}

// MSG_EOR: no segment holds both sides of the place, however the window lets them out; once they
// are acknowledged nothing is left to remember.
TEST(TcpSmallerSegments, RecordsAreKeptApartUntilTheyAreAcknowledged) {
  transport::Config config;
  config.unfolded_connections_max = 0;
  Scripted s(config);
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.no_delay = true;
  const auto c = s.connect_one({.mss = 1000}, settings);
  s.window = 4;
  s.send(flags::ack);
  for (const char* text : {"one", "two", "three"})
    ASSERT_TRUE(s.host.tcp.send(s.now, c, bytes_of(text), {.ends_record = true}));
  EXPECT_EQ(s.expect().text, "one");
  s.host.out.clear();
  s.ours = s.ours + 3;
  s.window = 1000;
  s.send(flags::ack);
  EXPECT_EQ(s.expect().text, "two");
  EXPECT_EQ(s.expect().text, "three");
  s.ours = s.ours + 8;
  s.send(flags::ack);
  for (int i = 0; i < 3; ++i) s.host.tcp.flush(s.now);
  EXPECT_EQ(s.host.tcp.folded(), 1U);
  ASSERT_TRUE(s.host.tcp.send(s.now, c, bytes_of("four")));
  EXPECT_EQ(s.expect().text, "four");
}

}  // namespace lanyard::test
