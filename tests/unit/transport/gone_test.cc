// SPDX-License-Identifier: Apache-2.0
// A handle that is no more (or never was) is an error or an empty answer, whatever is asked of it.
#include <gtest/gtest.h>

#include "peer.hh"
#include "transport/udp.hh"

namespace lanyard::test {

namespace flags = tcp::flags;

namespace {

// All that can be asked of a connection, of one that is gone.
void expect_gone(Scripted& s, tcp::ConnectionId id) {
  tcp::Tcp& tcp = s.host.tcp;
  std::vector<std::uint8_t> buffer(10);
  std::vector<Slice> slices;
  EXPECT_FALSE(tcp.exists(id));
  EXPECT_EQ(tcp.send(s.now, id, bytes_of("x")).error(), Errno::bad_descriptor);
  EXPECT_EQ(tcp.send(s.now, id, Slice::copy_of(bytes_of("x"))).error(), Errno::bad_descriptor);
  EXPECT_EQ(tcp.receive(s.now, id, buffer).error(), Errno::bad_descriptor);
  EXPECT_EQ(tcp.peek(s.now, id, 10, slices).error(), Errno::bad_descriptor);
  EXPECT_EQ(tcp.skip(s.now, id, 10).error(), Errno::bad_descriptor);
  EXPECT_EQ(tcp.shutdown_write(s.now, id).error(), Errno::bad_descriptor);
  tcp.close(s.now, id);
  tcp.abort(s.now, id);
  tcp.set(s.now, id, {});
  tcp.set_quick_ack(s.now, id, true);
  s.expect_nothing();
  EXPECT_FALSE(tcp.take_error(id));
  EXPECT_FALSE(tcp.readiness(id).is_readable);
  EXPECT_FALSE(tcp.readiness(id).is_writable);
  EXPECT_EQ(tcp.state(id), tcp::State::closed);
  EXPECT_EQ(tcp.local(id).port, 0);
  EXPECT_EQ(tcp.remote(id).port, 0);
  EXPECT_EQ(tcp.readable_bytes(id), 0U);
  EXPECT_EQ(tcp.writable_bytes(id), 0U);
  EXPECT_EQ(tcp.unacked_bytes(id), 0U);
  EXPECT_EQ(tcp.unsent_bytes(id), 0U);
  EXPECT_FALSE(tcp.is_at_urgent_mark(id));
  EXPECT_FALSE(tcp.is_quick_ack(id));
  EXPECT_EQ(tcp.settings(id), tcp.default_settings());
  EXPECT_EQ(*tcp.kept_settings(id), tcp.default_settings());
  EXPECT_EQ(tcp.info(s.now, id).segs_in, 0U);
}

}  // namespace

TEST(TcpGone, AConnectionThatNeverWasOrIsClosedAnswersAsOneThatIsNot) {
  Scripted s;
  expect_gone(s, tcp::ConnectionId::none);
  const auto closed = s.accept_one();
  s.host.tcp.abort(s.now, closed);
  EXPECT_TRUE(s.expect().header.flags.rst());
  expect_gone(s, closed);
}

// RFC 9293 3.10.4: the connection goes on by itself; the handle is the program's no more.
TEST(TcpGone, OneThatIsClosedAndNotYetOverIsNot) {
  Scripted s;
  const auto closed = s.connect_one();
  s.host.tcp.close(s.now, closed);
  EXPECT_TRUE(s.expect().header.flags.fin());
  expect_gone(s, closed);
  ASSERT_EQ(s.host.tcp.rows().size(), 1U);
  EXPECT_EQ(s.host.tcp.rows().at(0).state, tcp::State::fin_wait_1);
}

TEST(TcpGone, AListenerThatIsClosedIsNot) {
  Scripted s;
  const auto id = s.listen();
  EXPECT_EQ(s.host.tcp.local(id).port, s.port);
  EXPECT_TRUE(s.host.tcp.set_backlog(id, 3));
  s.host.tcp.close(s.now, id);
  s.host.tcp.close(s.now, id);
  EXPECT_EQ(s.host.tcp.local(id).port, 0);
  EXPECT_EQ(s.host.tcp.set_backlog(id, 3).error(), Errno::bad_descriptor);
  EXPECT_EQ(s.host.tcp.accept(s.now, id, 0).error(), Errno::bad_descriptor);
  EXPECT_FALSE(s.host.tcp.has_waiting(id));
  s.host.tcp.set(id, {});
  const auto none = transport::BindingId::none;
  EXPECT_EQ(s.host.tcp.bound_to(none).port, 0);
  EXPECT_FALSE(s.host.tcp.listen(none, 1, {}, 0));
  s.host.tcp.unbind(none);
  s.host.tcp.set_reuse(none, true, true);
}

TEST(TcpGone, WhatMayBeWrittenIsTheRoomThatIsLeftAndNothingAfterAShutdown) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.send_buffer_bytes = 8000;
  const auto c = s.accept_one({}, settings);
  EXPECT_EQ(s.host.tcp.writable_bytes(c), 8000U);
  ASSERT_TRUE(s.host.tcp.send(s.now, c, as_bytes(pattern(6000))));
  EXPECT_EQ(s.host.tcp.writable_bytes(c), 2000U);
  EXPECT_EQ(s.host.tcp.unsent_bytes(c), 6000U - 5360U);  // ten segments of 536
  ASSERT_TRUE(s.host.tcp.shutdown_write(s.now, c));
  EXPECT_EQ(s.host.tcp.writable_bytes(c), 0U);
  s.send(flags::rst);  // the exact number
  EXPECT_EQ(s.host.tcp.writable_bytes(c), 0U);
}

TEST(UdpGone, ASocketThatIsClosedAnswersAsOneThatIsNot) {
  transport::Config config;
  FakePaths paths;
  internet::Outbox out;
  udp::Udp udp(config, Seed(1), paths, out);
  const auto id = udp.open(Family::ipv4, 0);
  udp.close(id);
  udp.close(id);
  std::vector<std::uint8_t> buffer(10);
  const Endpoint to{IpAddress::v4(10, 0, 0, 2), 9, 0};
  EXPECT_EQ(udp.bind(id, {}).error(), Errno::bad_descriptor);
  EXPECT_EQ(udp.connect(id, to).error(), Errno::bad_descriptor);
  EXPECT_EQ(udp.disconnect(id).error(), Errno::bad_descriptor);
  EXPECT_EQ(udp.send({}, id, bytes_of("x"), {.remote = to, .source = {}}).error(),
            Errno::bad_descriptor);
  EXPECT_EQ(udp.receive(id, buffer).error(), Errno::bad_descriptor);
  EXPECT_FALSE(udp.is_bound(id));
  EXPECT_FALSE(udp.readiness(id).is_readable);
  EXPECT_FALSE(udp.take_error(id));
  EXPECT_FALSE(udp.take_queued_error(id));
  EXPECT_EQ(udp.local(id).port, 0);
  EXPECT_FALSE(udp.remote(id));
  EXPECT_EQ(udp.next_bytes(id), 0U);
  udp.set_options(id, {});
  udp.set_reuse(id, true, true);
  EXPECT_FALSE(udp.options(id).broadcast);
  EXPECT_TRUE(udp.rows().empty());
}

TEST(UdpGone, ASocketNotYetBoundIsNowhere) {
  transport::Config config;
  FakePaths paths;
  internet::Outbox out;
  udp::Udp udp(config, Seed(1), paths, out);
  const auto id = udp.open(Family::ipv6, 0);
  EXPECT_EQ(udp.local(id), (Endpoint{IpAddress::any(Family::ipv6), 0, 0}));
  EXPECT_TRUE(udp.rows().empty());
  EXPECT_FALSE(udp.is_bound(id));
  EXPECT_EQ(udp.next_bytes(id), 0U);
  udp.close(id);
  // An IPv4 socket has no IPv6 address to be bound to.
  const auto four = udp.open(Family::ipv4, 0);
  EXPECT_FALSE(udp.bind(four, {.local = {IpAddress::any(Family::ipv6), 9, 0}}));
}

}  // namespace lanyard::test
