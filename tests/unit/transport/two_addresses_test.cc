// SPDX-License-Identifier: Apache-2.0
// A machine with several addresses: conversations that differ in one of them only are different.
#include <gtest/gtest.h>

#include "peer.hh"
#include "transport/udp.hh"
#include "wire/protocol.hh"
#include "wire/udp.hh"

namespace lanyard::test {

namespace flags = tcp::flags;

namespace {

const IpAddress any4 = IpAddress::any(Family::ipv4);
const IpAddress first = IpAddress::v4(10, 0, 0, 1), second = IpAddress::v4(10, 0, 0, 2);

}  // namespace

// RFC 9293 3.3.1: a connection is named by both ends, each an address and a port.
TEST(TcpTwoAddresses, OnePeersPortMayBeConnectedToBoth) {
  Scripted s;
  s.host.paths.own.insert(second);
  const auto listener = s.listen();
  const auto open = [&](const IpAddress& to, const std::string& text) {
    s.host.address = to;
    s.host.out.clear();
    s.send(s.make(flags::syn));
    const Seg answer = s.expect();
    EXPECT_EQ(answer.source, to);
    Seg data = s.make(flags::ack, text);
    data.header.sequence = s.peer_next + 1;
    data.header.acknowledgment = answer.header.sequence + 1;
    s.send(data);
    return s.host.tcp.accept(s.now, listener, 1).value_or(tcp::ConnectionId::none);
  };
  const auto one = open(first, "to the first");
  const auto other = open(second, "to the second");
  ASSERT_NE(one, other);
  EXPECT_EQ(s.host.tcp.remote(one), s.host.tcp.remote(other));
  EXPECT_EQ(s.host.tcp.local(one).address, first);
  EXPECT_EQ(s.host.tcp.local(other).address, second);
  EXPECT_EQ(s.read(one), "to the first");
  EXPECT_EQ(s.read(other), "to the second");
  s.host.out.clear();
  s.host.tcp.abort(s.now, one);
  EXPECT_EQ(s.expect().source, first);
  EXPECT_TRUE(s.host.tcp.exists(other));
}

// The clock of the timestamps is each pair of addresses' own (RFC 7323 5.4).
TEST(TcpTwoAddresses, EachHasATimestampClockOfItsOwn) {
  Scripted s;
  s.host.paths.own.insert(second);
  std::vector<std::uint32_t> clocks;
  for (const IpAddress& from : {first, second, first}) {
    const auto binding = s.host.tcp.bind({.local = {from, 0, 0}});
    ASSERT_TRUE(binding);
    const auto c = s.host.tcp.connect(s.now, {.remote = {s.peer, 80, 0},
                                              .binding = *binding,
                                              .settings = s.host.tcp.default_settings()});
    ASSERT_TRUE(c);
    clocks.push_back(s.expect().header.options.timestamps->value);
  }
  EXPECT_EQ(clocks[0], clocks[2]);
  EXPECT_NE(clocks[0], clocks[1]);
}

namespace {

class UdpTwoAddresses : public ::testing::Test {
 protected:
  UdpTwoAddresses() { paths.own = {first, second}; }
  udp::SocketId open(const transport::BindRequest& request) {
    const auto socket = udp.open(Family::ipv4, 0);
    EXPECT_TRUE(udp.bind(socket, request));
    return socket;
  }
  DropReason arrive(const IpAddress& to, Port from_port = 9, std::uint32_t interface = 2) {
    internet::Datagram datagram;
    datagram.source = IpAddress::v4(10, 0, 0, 9);
    datagram.destination = to;
    datagram.interface = interface;
    datagram.was_link_broadcast = to.is_limited_broadcast();
    datagram.packet = Packet::copy_of(std::vector<std::uint8_t>(3, 7));
    udp::Header{from_port, 80}.push_onto(datagram.packet, datagram.source, to);
    return udp.on_datagram({}, datagram);
  }
  bool takes(udp::SocketId socket) {
    std::vector<std::uint8_t> buffer(100);
    return udp.receive(socket, buffer).has_value();
  }
  transport::Config config;
  FakePaths paths;
  internet::Outbox out;
  udp::Udp udp{config, Seed(1), paths, out};
};

}  // namespace

TEST_F(UdpTwoAddresses, EachMayHaveASocketOnThePort) {
  const auto a = open({.local = {first, 80, 0}}), b = open({.local = {second, 80, 0}});
  EXPECT_EQ(arrive(second), DropReason::none);
  EXPECT_FALSE(takes(a));
  EXPECT_TRUE(takes(b));
  EXPECT_EQ(arrive(first), DropReason::none);
  EXPECT_TRUE(takes(a));
  EXPECT_FALSE(takes(b));
}

// A broadcast is for all that would take it, and for nobody else (RFC 1122 4.1.3.3).
TEST_F(UdpTwoAddresses, ABroadcastLeavesOutWhoIsConnectedElsewhereOrOnAnotherLink) {
  transport::BindRequest shared{.local = {any4, 80, 0}, .reuse_address = true};
  const auto all = open(shared);
  const auto connected = open(shared);
  ASSERT_TRUE(udp.connect(connected, {IpAddress::v4(10, 0, 0, 7), 9, 0}));
  shared.interface = 3;
  const auto elsewhere = open(shared);
  EXPECT_EQ(arrive(IpAddress::v4(255, 255, 255, 255)), DropReason::none);
  EXPECT_TRUE(takes(all));
  EXPECT_FALSE(takes(connected));
  EXPECT_FALSE(takes(elsewhere));
  EXPECT_EQ(arrive(IpAddress::v4(255, 255, 255, 255), 9, 3), DropReason::none);
  EXPECT_TRUE(takes(elsewhere));
}

// A connected socket is for one port of its peer; the rest is for whoever takes all.
TEST_F(UdpTwoAddresses, AnotherPortOfAConnectedPeerIsForSomebodyElse) {
  const transport::BindRequest shared{.local = {first, 80, 0}, .reuse_address = true};
  const auto connected = open(shared);
  ASSERT_TRUE(udp.connect(connected, {IpAddress::v4(10, 0, 0, 9), 9, 0}));
  EXPECT_EQ(arrive(first, 10), DropReason::no_socket);
  const auto all = open(shared);
  EXPECT_EQ(arrive(first, 10), DropReason::none);
  EXPECT_TRUE(takes(all));
  EXPECT_EQ(arrive(first, 9), DropReason::none);
  EXPECT_TRUE(takes(connected));
  EXPECT_FALSE(takes(all));
}

// Those who share a port share its peers; who is less exact than they gets none of them, and a peer
// that one of them is connected to is that one's.
TEST_F(UdpTwoAddresses, TheGroupThatSharesIsTheMostExactOne) {
  transport::BindRequest exact{.local = {first, 80, 0}}, wide{.local = {any4, 80, 0}};
  exact.reuse_port = wide.reuse_port = true;
  const auto a = open(exact), loose = open(wide), b = open(exact);
  int to_a = 0, to_b = 0;
  for (Port port = 1000; port < 1040; ++port) {
    EXPECT_EQ(arrive(first, port), DropReason::none);
    EXPECT_FALSE(takes(loose));
    to_a += takes(a) ? 1 : 0;
    to_b += takes(b) ? 1 : 0;
  }
  EXPECT_EQ(to_a + to_b, 40);
  EXPECT_GT(to_a, 5);
  EXPECT_GT(to_b, 5);
  EXPECT_EQ(arrive(second, 1000), DropReason::none);
  EXPECT_TRUE(takes(loose));
}

// SO_REUSEADDR shares nothing: the one that was bound last has all, as on Linux.
TEST_F(UdpTwoAddresses, OfThoseWhoOnlyReuseTheAddressTheLastHasAll) {
  const transport::BindRequest request{.local = {first, 80, 0}, .reuse_address = true};
  const auto a = open(request), b = open(request);
  for (Port port = 1000; port < 1020; ++port) {
    EXPECT_EQ(arrive(first, port), DropReason::none);
    EXPECT_FALSE(takes(a));
    EXPECT_TRUE(takes(b));
  }
}

}  // namespace lanyard::test
