// SPDX-License-Identifier: Apache-2.0
// Where a datagram leaves, from whom, and who sums it; and how one arrives that others have checked
// or put together.
#include <gtest/gtest.h>

#include "udp_alone.hh"
#include "wire/protocol.hh"
#include "wire/pseudo.hh"

namespace lanyard::test {

namespace {

const IpAddress own6 = *IpAddress::parse("fe80::1"), peer6 = *IpAddress::parse("fe80::9");

class UdpPaths : public UdpAlone {
 protected:
  UdpPaths() : UdpAlone(own6) {}
  udp::SocketId open(const IpAddress& address, Port port = 80) {
    return UdpAlone::open({.local = {address, port, 0}});
  }
  Result<std::size_t> send(udp::SocketId socket, const Endpoint& to, std::size_t bytes = 3,
                           std::uint32_t interface = 0) {
    const std::string text = pattern(bytes);
    udp::SendFacts facts;
    facts.remote = to;
    facts.interface = interface;
    return udp.send({}, socket, as_bytes(text), facts);
  }
  internet::Datagram take() {
    EXPECT_EQ(out.size(), 1U);
    internet::Datagram first = std::move(out.front());
    out.clear();
    return first;
  }
  internet::Datagram datagram(const std::string& text, const IpAddress& from, const IpAddress& to) {
    return UdpAlone::datagram(as_bytes(text), from, to, 4);
  }
  std::string receive(udp::SocketId socket, Endpoint* from = nullptr) {
    std::vector<std::uint8_t> buffer(3000);
    const auto got = udp.receive(socket, buffer);
    if (!got) return std::string(errno_name(got.error()));
    if (from != nullptr) *from = got->remote;
    return std::string(text_of(Bytes(buffer).first(got->bytes)));
  }
};

}  // namespace

// RFC 4007 6, 11.2: the zone of a link-local peer says through which link; what a call says counts
// before it, and a connected socket stays with its own.
TEST_F(UdpPaths, TheZoneOfAPeerIsTheWayToIt) {
  const auto socket = open(any6);
  ASSERT_TRUE(send(socket, {peer6, 9, 4}));
  EXPECT_EQ(take().interface, 4U);
  ASSERT_TRUE(send(socket, {peer6, 9, 4}, 3, 5));
  EXPECT_EQ(take().interface, 5U);
  ASSERT_TRUE(udp.connect(socket, {peer6, 9, 6}));
  ASSERT_TRUE(send(socket, {}));
  EXPECT_EQ(take().interface, 6U);
  ASSERT_TRUE(udp.connect(socket, {peer6, 9, 0}, 7));  // sockaddr without a zone: SO_BINDTODEVICE
  ASSERT_TRUE(send(socket, {}));
  EXPECT_EQ(take().interface, 7U);
}

// And whoever came from there is answered there.
TEST_F(UdpPaths, ALinkLocalPeerIsShownWithItsZone) {
  const auto socket = open(any6);
  ASSERT_EQ(udp.on_datagram({}, datagram("hello", peer6, own6)), DropReason::none);
  Endpoint from;
  EXPECT_EQ(receive(socket, &from), "hello");
  EXPECT_EQ(from, (Endpoint{peer6, 9, 4}));
  const IpAddress wide = *IpAddress::parse("2001:db8::9");
  ASSERT_EQ(udp.on_datagram({}, datagram("hello", wide, own6)), DropReason::none);
  EXPECT_EQ(receive(socket, &from), "hello");
  EXPECT_EQ(from, (Endpoint{wide, 9, 0}));
}

// As Linux: a group or a broadcast address is bound to hear it, and nobody speaks under it
// (RFC 1122 4.1.3.5, 4.1.3.6).
TEST_F(UdpPaths, WhoListensToManySpeaksForItself) {
  for (const IpAddress& many : {IpAddress::v4(224, 0, 0, 9), IpAddress::v4(10, 0, 0, 255)}) {
    const auto socket = open(many);
    ASSERT_TRUE(send(socket, {peer4, 9, 0}));
    EXPECT_EQ(take().source, own4) << to_text(many);
    udp.close(socket);
  }
}

// connect(2) with AF_UNSPEC takes back what connect chose, and nothing else.
TEST_F(UdpPaths, DisconnectingLeavesABoundAddressAlone) {
  const auto bound = open(own4), unbound = open(any4, 81);
  for (const auto socket : {bound, unbound}) {
    ASSERT_TRUE(udp.connect(socket, {peer4, 9, 0}));
    EXPECT_EQ(udp.local(socket).address, own4);
    ASSERT_TRUE(udp.disconnect(socket));
    EXPECT_EQ(udp.local(socket).address, socket == bound ? own4 : any4);
    EXPECT_EQ(udp.disconnect(socket).error(), Errno::not_connected);
  }
}

// RFC 3542 11.3, as Linux: with IPv6's path MTU discovery the queue says what would fit, even of
// what no path could take; IPv4 only says no.
TEST_F(UdpPaths, TooLongAnIpv6DatagramIsToldOfInTheQueue) {
  struct Case {
    IpAddress own, peer;
    std::size_t bytes;
    bool is_told;
  };
  for (const Case& each : {Case{any6, peer6, 70'000, true}, Case{any6, peer6, 2000, true},
                           Case{any4, peer4, 70'000, false}, Case{any4, peer4, 2000, true}}) {
    const auto socket = open(each.own);
    udp::Options options = udp.options(socket);
    options.dont_fragment = options.receives_errors = true;
    udp.set_options(socket, options);
    EXPECT_EQ(send(socket, {each.peer, 9, 4}, each.bytes).error(), Errno::message_too_long);
    const auto queued = udp.take_queued_error(socket);
    ASSERT_EQ(queued.has_value(), each.is_told) << to_text(each.peer) << " " << each.bytes;
    if (queued) {
      EXPECT_EQ(queued->info, 1500U);
    }
    udp.close(socket);
  }
  EXPECT_TRUE(out.empty());
}

// RFC 1122 4.1.3.4: what fits one packet the card may sum; of what is cut into fragments no card
// sees the whole.
TEST_F(UdpPaths, ACardSumsWhatItSendsWhole) {
  paths.takes_checksums = true;
  const auto socket = open(any4);
  udp::Options options = udp.options(socket);
  options.dont_fragment = false;
  udp.set_options(socket, options);
  ASSERT_TRUE(send(socket, {peer4, 9, 0}, 1000));
  EXPECT_TRUE(take().packet.offload.checksum_wanted);
  ASSERT_TRUE(send(socket, {peer4, 9, 0}, 2000));
  const internet::Datagram large = take();
  EXPECT_FALSE(large.packet.offload.checksum_wanted);
  EXPECT_TRUE(has_good_checksum({large.source, large.destination, protocol::udp}, large.packet,
                                large.packet.size()));
}

// A card that has summed is believed, and so is a datagram that never left this machine.
TEST_F(UdpPaths, WhatHasBeenCheckedIsNotCheckedAgain) {
  const auto socket = open(any4);
  for (const int checked_by : {0, 1, 2}) {
    internet::Datagram one = datagram("sum is wrong", peer4, own4);
    std::vector<std::uint8_t> bytes(one.packet.size());
    one.packet.copy_to(0, bytes);
    bytes[6] ^= 0xff;
    one.packet = Packet::copy_of(bytes);
    one.packet.offload.checksum_good = checked_by == 1;
    one.packet.offload.checksum_wanted = checked_by == 2;
    EXPECT_EQ(udp.on_datagram({}, one),
              checked_by == 0 ? DropReason::bad_udp_checksum : DropReason::none);
    EXPECT_EQ(receive(socket), checked_by == 0 ? "EAGAIN" : "sum is wrong");
  }
}

// Fragments come as one datagram in several pieces; large or small, whole or in pieces.
TEST_F(UdpPaths, PiecesAreReadAsOne) {
  const auto socket = open(any4);
  for (const std::size_t size : {10U, 1000U}) {
    for (const bool in_pieces : {false, true}) {
      const std::string text = pattern(size);
      internet::Datagram whole = datagram(text, peer4, own4);
      if (in_pieces) {
        std::vector<std::uint8_t> bytes(whole.packet.size());
        whole.packet.copy_to(0, bytes);
        whole.packet = Packet::copy_of(Bytes(bytes).first(10));
        whole.packet.append(Slice::copy_of(Bytes(bytes).subspan(10)));
      }
      EXPECT_EQ(udp.on_datagram({}, whole), DropReason::none);
      EXPECT_EQ(receive(socket), text);
    }
  }
}

// An ICMP error does not say where the datagram left; who is bound to a device hears it as well.
TEST_F(UdpPaths, AnErrorFindsASocketOfOneDevice) {
  const auto socket = udp.open(Family::ipv4, 0);
  ASSERT_TRUE(udp.bind(socket, {.local = {own4, 80, 0}, .interface = 3}));
  ASSERT_TRUE(udp.connect(socket, {peer4, 9, 0}));
  udp.on_icmp_error({}, error_about_ours(internet::IcmpError::Kind::port_unreachable));
  EXPECT_EQ(send(socket, {}).error(), Errno::connection_refused);
}

// RFC 1122 4.1.3.3: an error is for the socket that sent what it quotes; a soft one is told to
// nobody who did not ask, as on Linux.
TEST_F(UdpPaths, ASoftErrorIsToldToWhoAsked) {
  const auto error = error_about_ours(internet::IcmpError::Kind::host_unreachable);
  udp.on_icmp_error({}, error);  // nobody sent that
  for (const bool asks : {false, true}) {
    const auto socket = open(own4);
    ASSERT_TRUE(udp.connect(socket, {peer4, 9, 0}));
    udp::Options options = udp.options(socket);
    options.receives_errors = asks;
    udp.set_options(socket, options);
    udp.on_icmp_error({}, error);
    EXPECT_EQ(udp.readiness(socket).has_error, asks);
    EXPECT_EQ(udp.take_queued_error(socket).has_value(), asks);
    udp.close(socket);
  }
}

}  // namespace lanyard::test
