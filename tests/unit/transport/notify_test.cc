// SPDX-License-Identifier: Apache-2.0
// The observer is told what has changed, once for each call, and may call back while it is told.
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

namespace {

// A program that lives in its observer: it accepts, reads, answers and closes there.
struct Program final : tcp::Observer {
  explicit Program(Scripted& on) : s(on) { s.host.tcp.set_observer(this); }
  ~Program() { s.host.tcp.set_observer(nullptr); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void on_listener_change(tcp::ListenerId id, tcp::Owner) override {
    ++listener_changes;
    EXPECT_EQ(depth++, 0) << "told within a telling";
    while (accepts) {
      const auto accepted = s.host.tcp.accept(s.now, id, 3);
      if (!accepted) break;
      connection = *accepted;
      all.push_back(connection);
    }
    --depth;
  }
  void on_connection_change(tcp::ConnectionId id, tcp::Owner owner) override {
    ++connection_changes;
    EXPECT_EQ(depth++, 0) << "told within a telling";
    EXPECT_EQ(owner, 3U);
    const std::string text = s.read(id);
    got += text;
    if (!text.empty()) {
      EXPECT_TRUE(s.host.tcp.send(s.now, id, as_bytes("to " + text)));
    }
    if (s.host.tcp.state(id) == State::close_wait) s.host.tcp.close(s.now, id);
    --depth;
  }

  Scripted& s;
  tcp::ConnectionId connection = tcp::ConnectionId::none;
  std::vector<tcp::ConnectionId> all;
  std::string got;
  int listener_changes = 0, connection_changes = 0, depth = 0;
  bool accepts = true;
};

// The next segment that is more than an ACK.
Seg expect_more(Scripted& s) {
  Seg segment = s.expect();
  while (segment.text.empty() && segment.header.flags == flags::ack && !s.host.out.empty())
    segment = s.expect();
  return segment;
}

}  // namespace

TEST(TcpNotify, WhatTheObserverDoesInTheCallIsDoneWhenTheCallEnds) {
  Scripted s;
  Program program(s);
  s.listen();
  s.send(flags::syn);
  s.ours = s.expect().header.sequence + 1;
  s.send(flags::ack);
  ASSERT_NE(program.connection, tcp::ConnectionId::none);
  s.send(flags::ack | flags::psh, "one");
  const Seg answer = expect_more(s);
  EXPECT_EQ(answer.text, "to one");
  EXPECT_EQ(answer.header.acknowledgment, s.peer_next);
  s.ours = s.ours + 6;
  s.send(flags::fin | flags::ack, "two");
  const Seg second = expect_more(s);
  EXPECT_EQ(second.text, "to two");
  // Closed in the call as well: the FIN is behind it, and the id is gone.
  EXPECT_TRUE(second.header.flags.fin() || expect_more(s).header.flags.fin());
  EXPECT_FALSE(s.host.tcp.exists(program.connection));
  EXPECT_EQ(program.got, "onetwo");
}

// Several segments handed up in one batch are one change of the listener.
TEST(TcpNotify, AListenerIsToldOnceOfABatch) {
  Scripted s;
  Program program(s);
  s.listen();
  std::vector<Seg> last;
  for (s.peer_port = 4000; s.peer_port < 4003; ++s.peer_port) {
    s.send(s.make(flags::syn));
    Seg ack = s.make(flags::ack);
    ack.header.sequence = s.peer_next + 1;
    ack.header.acknowledgment = s.expect().header.sequence + 1;
    last.push_back(ack);
  }
  for (const Seg& ack : last) s.host.tcp.on_segment(s.now, make_segment(ack), true);
  EXPECT_EQ(program.listener_changes, 0);
  s.host.tcp.flush(s.now);
  EXPECT_EQ(program.listener_changes, 1);
  EXPECT_EQ(program.all.size(), 3U);
}

// The change of a connection whose program closes it before the batch ends is nobody's.
TEST(TcpNotify, WhoIsClosedBeforeTheTellingIsNotToldOf) {
  Scripted s;
  Program program(s);
  program.accepts = false;
  const auto listener = s.listen();
  s.send(flags::syn);
  s.ours = s.expect().header.sequence + 1;
  s.send(flags::ack);
  const auto connection = s.host.tcp.accept(s.now, listener, 3);
  ASSERT_TRUE(connection);
  const int before = program.connection_changes;
  s.host.tcp.on_segment(s.now, make_segment(s.make(flags::ack, "unread")), true);
  s.host.tcp.close(s.now, *connection);
  EXPECT_EQ(program.connection_changes, before);
  EXPECT_TRUE(s.expect().header.flags.rst());  // RFC 9293 3.6.1 [SHLD-3]
}

}  // namespace lanyard::test
