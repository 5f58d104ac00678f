// SPDX-License-Identifier: Apache-2.0
// Which of several sockets on one port a datagram or an error is for, and calls that cannot be.
#include <gtest/gtest.h>

#include "transport/error_queue.hh"
#include "udp_alone.hh"
#include "wire/protocol.hh"

namespace lanyard::test {

namespace {

const IpAddress own6 = *IpAddress::parse("fd00::1"), peer6 = *IpAddress::parse("fd00::9");

class UdpChoice : public UdpAlone {
 protected:
  UdpChoice() : UdpAlone(own6) {}
  DropReason arrive(const IpAddress& from, const IpAddress& to, std::uint32_t interface = 1,
                    std::size_t bytes = 3) {
    auto made = datagram(std::vector<std::uint8_t>(bytes, 7), from, to, interface);
    return udp.on_datagram({}, made);
  }
  bool takes(udp::SocketId socket) {
    std::vector<std::uint8_t> buffer(2000);
    return udp.receive(socket, buffer).has_value();
  }
};

}  // namespace

TEST_F(UdpChoice, AnAddressIsMoreThanAnyAndAnInterfaceTakesItsOwnOnly) {
  transport::BindRequest all{.local = {any4, 80, 0}, .reuse_address = true};
  transport::BindRequest exact{.local = {own4, 80, 0}, .reuse_address = true};
  transport::BindRequest wired = all;
  wired.interface = 2;
  const auto a = open(all);
  const auto b = open(exact);
  const auto c = open(wired);
  EXPECT_EQ(arrive(peer4, own4, 1), DropReason::none);
  EXPECT_TRUE(takes(b));
  udp.close(b);
  EXPECT_EQ(arrive(peer4, own4, 1), DropReason::none);
  EXPECT_TRUE(takes(a));
  EXPECT_EQ(arrive(peer4, own4, 2), DropReason::none);
  EXPECT_TRUE(takes(c));
  udp.close(a);
  EXPECT_EQ(arrive(peer4, own4, 1), DropReason::no_socket);
  EXPECT_FALSE(takes(c));
}

TEST_F(UdpChoice, ASocketForIpv6OnlyHearsNothingOfIpv4NorSpeaksIt) {
  transport::BindRequest six{.local = {any6, 80, 0}};
  six.v6_only = true;
  const auto socket = open(six);
  EXPECT_EQ(arrive(peer4, own4), DropReason::no_socket);
  EXPECT_EQ(arrive(peer6, own6), DropReason::none);
  EXPECT_TRUE(takes(socket));
  EXPECT_FALSE(udp.connect(socket, {peer4, 9, 0}));
  EXPECT_FALSE(udp.send({}, socket, bytes_of("x"), {.remote = {peer4, 9, 0}, .source = {}}));
  EXPECT_TRUE(udp.connect(socket, {peer6, 9, 0}));
}

TEST_F(UdpChoice, SharersOfAPortLeaveThoseWhoDoNotShareAlone) {
  transport::BindRequest shared{.local = {any4, 80, 0}};
  shared.reuse_port = true;
  const auto a = open(shared), b = open(shared);
  // Connected to the peer: more exact than either of the group.
  EXPECT_TRUE(udp.connect(b, {peer4, 9, 0}));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(arrive(peer4, own4), DropReason::none);
  EXPECT_FALSE(takes(a));
  EXPECT_TRUE(takes(b));
}

TEST_F(UdpChoice, ADatagramLargerThanTheBufferIsTakenWhenNothingElseWaits) {
  const auto socket = open({.local = {any4, 80, 0}});
  udp::Options options = udp.options(socket);
  options.receive_buffer_bytes = 100;
  udp.set_options(socket, options);
  EXPECT_EQ(arrive(peer4, own4, 1, 1000), DropReason::none);
  EXPECT_EQ(arrive(peer4, own4, 1, 1), DropReason::receive_buffer_full);
  EXPECT_EQ(udp.rows().at(0).receive_queue, 1000U);
  EXPECT_TRUE(takes(socket));
}

// RFC 1122 4.1.3.3 [RFC1122-4.1.3.3-a]
TEST_F(UdpChoice, AnErrorNeedsAQuoteAndATooLargePacketSomebodyWhoMinds) {
  const auto socket = open({.local = {any4, 80, 0}});
  ASSERT_TRUE(udp.connect(socket, {peer4, 9, 0}));
  auto error = error_about_ours(internet::IcmpError::Kind::port_unreachable);
  const Bytes quoted = error.quoted;
  error.quoted = quoted.first(7);
  udp.on_icmp_error({}, error);
  EXPECT_FALSE(udp.take_error(socket));
  error.quoted = quoted;
  udp.on_icmp_error({}, error);
  EXPECT_EQ(udp.take_error(socket), Errno::connection_refused);
  error.kind = internet::IcmpError::Kind::packet_too_big;
  udp::Options options = udp.options(socket);
  options.receives_errors = true;
  udp.set_options(socket, options);
  udp.on_icmp_error({}, error);
  EXPECT_TRUE(udp.take_queued_error(socket));  // told there, and not as the pending error
  options.dont_fragment = true;
  udp.set_options(socket, options);
  udp.on_icmp_error({}, error);
  EXPECT_EQ(udp.take_error(socket), Errno::message_too_long);
}

TEST_F(UdpChoice, WhatCannotBeReachedOrBoundIsAnErrorOfTheCall) {
  const auto socket = udp.open(Family::ipv4, 0);
  EXPECT_FALSE(udp.bind(socket, {.local = {IpAddress::v4(192, 0, 2, 1), 80, 0}}));
  EXPECT_EQ(udp.connect(socket, {IpAddress::v4(10, 0, 0, 255), 9, 0}).error(),
            Errno::access_denied);
  EXPECT_EQ(udp.connect(socket, {peer6, 9, 0}).error(), Errno::family_not_supported);
  udp::Options options = udp.options(socket);
  options.broadcast = true;
  udp.set_options(socket, options);
  EXPECT_TRUE(udp.connect(socket, {IpAddress::v4(10, 0, 0, 255), 9, 0}));
  paths.failure = Errno::network_unreachable;
  EXPECT_EQ(udp.connect(socket, {peer4, 9, 0}).error(), Errno::network_unreachable);
  paths.failure.reset();
  // The wildcard as a peer is this machine, as Linux has it.
  paths.own.insert(IpAddress::loopback(Family::ipv4));
  EXPECT_TRUE(udp.connect(socket, {any4, 9, 0}));
  EXPECT_EQ(udp.remote(socket)->address, IpAddress::loopback(Family::ipv4));
}

// As Linux: what is pending after a read is the error of the next entry. Nobody fills memory.
TEST(UdpErrorQueue, IsBoundedAndSaysWhatIsNext) {
  udp::ErrorQueue queue;
  std::optional<Errno> pending;
  EXPECT_FALSE(queue.take(pending));
  internet::IcmpError error;
  error.kind = internet::IcmpError::Kind::port_unreachable;
  queue.add({}, error, {peer4, 80, 0}, {});
  queue.add_too_long({}, 1280, {peer6, 80, 0});
  EXPECT_EQ(queue.take(pending)->error, Errno::connection_refused);
  EXPECT_EQ(pending, Errno::message_too_long);
  const auto second = queue.take(pending);
  EXPECT_EQ(second->info, 1280U);
  EXPECT_TRUE(second->reporter.is_v6());
  EXPECT_FALSE(pending);
  for (int i = 0; i < 500; ++i) {
    queue.add({}, error, {peer4, 80, 0}, {});
    queue.add_too_long({}, 1280, {peer4, 80, 0});
  }
  int taken = 0;
  while (queue.take(pending)) ++taken;
  EXPECT_EQ(taken, 64);
}

}  // namespace lanyard::test
