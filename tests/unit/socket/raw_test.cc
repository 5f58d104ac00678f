// SPDX-License-Identifier: Apache-2.0
// Raw and echo sockets over the loopback (raw(7), icmp(7), RFC 3542).
#include <gtest/gtest.h>

#include <algorithm>

#include "core/checksum.hh"
#include "socket/sockets.hh"

namespace lanyard::socket {
namespace {

using Bytestring = std::vector<std::uint8_t>;

class RawTest : public ::testing::Test {
 protected:
  RawTest() : stack_(stack::Config{}, Seed(1), 1, nullptr), sockets_(stack_) {}
  void settle() {
    for (int turn = 0; turn < 8; ++turn) {
      stack_.poll(now_);
      while (stack_.take_frame()) {
      }
      now_ += Duration::milliseconds(1);
    }
  }
  Handle open(Family family, Type type, int protocol) {
    return *sockets_.open(family, type, protocol);
  }
  Result<void> set(Handle socket, Option option, const OptionValue& value) {
    return sockets_.set_option(now_, socket, option, value);
  }
  Result<std::size_t> send(Handle socket, const Bytestring& bytes, const Endpoint& to) {
    DatagramFacts facts;
    facts.peer = to;
    const auto sent = sockets_.send_to(now_, socket, bytes, facts);
    settle();
    return sent;
  }
  std::size_t received(Handle socket) {
    Bytestring buffer(2048);
    std::size_t count = 0;
    while (sockets_.receive_from(now_, socket, buffer)) ++count;
    return count;
  }
  static Bytestring echo_request(Family family) {
    Bytestring message = {8, 0, 0, 0, 0, 1, 0, 1, 42};
    if (family == Family::ipv6) message[0] = 128;
    if (family == Family::ipv4) store16(&message[2], checksum(message));
    return message;
  }
  static Endpoint loopback(Family family) { return {IpAddress::loopback(family), 0}; }

  Instant now_;
  stack::Stack stack_;
  Sockets sockets_;
};

TEST_F(RawTest, AFilterKeepsTypesAway) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Handle raw = open(family, Type::raw, family == Family::ipv4 ? 1 : 58);
    ASSERT_TRUE(send(raw, echo_request(family), loopback(family)));
    EXPECT_EQ(received(raw), 2U) << "the request and the reply";
    // All but echo replies.
    const std::size_t reply = family == Family::ipv4 ? 0 : 129;
    std::string bits(family == Family::ipv4 ? 4 : 32, '\xff');
    bits[reply / 8] = static_cast<char>(bits[reply / 8] & ~(1 << reply % 8));
    ASSERT_TRUE(set(raw, Option::icmp_filter, bits));
    EXPECT_EQ(std::get<std::string>(*sockets_.get_option(now_, raw, Option::icmp_filter)), bits);
    ASSERT_TRUE(send(raw, echo_request(family), loopback(family)));
    EXPECT_EQ(received(raw), 1U);
  }
}

TEST_F(RawTest, OnlyRawSocketsOfIcmpHaveTheFilter) {
  const std::string bits(4, '\0');
  for (const Handle socket :
       {open(Family::ipv4, Type::raw, 6), open(Family::ipv4, Type::datagram, 1),
        open(Family::ipv4, Type::datagram, 0)}) {
    EXPECT_EQ(set(socket, Option::icmp_filter, bits).error(), Errno::no_such_option);
    EXPECT_EQ(sockets_.get_option(now_, socket, Option::icmp_filter).error(),
              Errno::no_such_option);
  }
}

// An echo request with its header; what is zero in it is the machine's to say.
std::vector<std::uint8_t> whole_packet(const std::vector<std::uint8_t>& message) {
  std::vector<std::uint8_t> packet(20 + message.size());
  packet[0] = 0x45;
  packet[8] = 33;
  packet[9] = 1;
  packet[16] = 127;
  packet[19] = 1;
  std::ranges::copy(message, packet.begin() + 20);
  return packet;
}

TEST_F(RawTest, APacketMayBringItsOwnHeader) {
  const Handle listens = open(Family::ipv4, Type::raw, 1);
  const Bytestring packet = whole_packet(echo_request(Family::ipv4));
  const Handle given = open(Family::ipv4, Type::raw, 1),
               implied = open(Family::ipv4, Type::raw, 255);
  ASSERT_TRUE(set(given, Option::header_included, std::int64_t{1}));
  for (const Handle socket : {given, implied}) {
    EXPECT_EQ(std::get<std::int64_t>(*sockets_.get_option(now_, socket, Option::header_included)),
              1);
    ASSERT_EQ(send(socket, packet, loopback(Family::ipv4)), packet.size());
    Bytestring got(2048);
    const auto request = sockets_.receive_from(now_, listens, got);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->bytes, packet.size());
    EXPECT_EQ(load16(&got[2]), packet.size()) << "total length";
    EXPECT_NE(load16(&got[4]), 0) << "identification";
    EXPECT_EQ(got[8], 33) << "TTL as the program wrote it";
    EXPECT_EQ(load32(&got[12]), 0x7f000001U) << "source";
    EXPECT_EQ(checksum(Bytes(got).first(20)), 0) << "header checksum";
    const auto reply = sockets_.receive_from(now_, listens, got);
    ASSERT_TRUE(reply);
    EXPECT_EQ(got[20], 0) << "an echo reply: the request was whole";
  }
}

TEST_F(RawTest, AHeaderOfItsOwnIsKeptAndMustBeWhole) {
  const Handle listens = open(Family::ipv4, Type::raw, 1);
  const Handle socket = open(Family::ipv4, Type::raw, 255);
  Bytestring packet = whole_packet(echo_request(Family::ipv4));
  store16(&packet[4], 0xbeef);
  store32(&packet[12], 0x7f000203);
  ASSERT_TRUE(send(socket, packet, loopback(Family::ipv4)));
  Bytestring got(2048);
  ASSERT_TRUE(sockets_.receive_from(now_, listens, got));
  EXPECT_EQ(load16(&got[4]), 0xbeef);
  EXPECT_EQ(load32(&got[12]), 0x7f000203U);
  const Bytestring short_one(packet.begin(), packet.begin() + 19);
  EXPECT_EQ(send(socket, short_one, loopback(Family::ipv4)).error(), Errno::invalid);
  Bytestring long_header = packet, other_version = packet, no_header = packet;
  long_header[0] = 0x4f;
  other_version[0] = 0x65;
  no_header[0] = 0x44;
  for (const Bytestring& wrong : {long_header, other_version, no_header})
    EXPECT_EQ(send(socket, wrong, loopback(Family::ipv4)).error(), Errno::invalid);
  packet.resize(65536);
  EXPECT_EQ(send(socket, packet, loopback(Family::ipv4)).error(), Errno::message_too_long)
      << "raw(7): not fragmented";
}

TEST_F(RawTest, OnlyRawSocketsOfIPv4BringHeaders) {
  for (const Handle socket :
       {open(Family::ipv6, Type::raw, 58), open(Family::ipv4, Type::datagram, 1),
        open(Family::ipv4, Type::datagram, 0), open(Family::ipv4, Type::stream, 0)}) {
    EXPECT_EQ(set(socket, Option::header_included, std::int64_t{1}).error(), Errno::no_such_option);
    EXPECT_EQ(sockets_.get_option(now_, socket, Option::header_included).error(),
              Errno::no_such_option);
  }
  EXPECT_EQ(sockets_.open(Family::ipv6, Type::raw, 255).error(), Errno::protocol_not_supported);
}

TEST_F(RawTest, AChecksumIsFilledInAndLookedAt) {
  constexpr int protocol = 200;
  constexpr std::int64_t offset = 4;
  const Endpoint to = loopback(Family::ipv6);
  const Handle sends = open(Family::ipv6, Type::raw, protocol);
  const Handle looks = open(Family::ipv6, Type::raw, protocol);
  const auto offset_of = [&](Handle socket) {
    return std::get<std::int64_t>(*sockets_.get_option(now_, socket, Option::checksum_offset));
  };
  EXPECT_EQ(offset_of(sends), -1);
  ASSERT_TRUE(set(looks, Option::checksum_offset, offset));
  const Bytestring message = {1, 2, 3, 4, 0, 0, 7};
  ASSERT_TRUE(send(sends, message, to));
  EXPECT_EQ(received(looks), 0U) << "its checksum is wrong";
  EXPECT_EQ(received(sends), 1U);
  ASSERT_TRUE(set(sends, Option::checksum_offset, offset));
  EXPECT_EQ(offset_of(sends), offset);
  ASSERT_TRUE(send(sends, message, to));
  Bytestring got(64);
  ASSERT_TRUE(sockets_.receive_from(now_, looks, got));
  EXPECT_NE(load16(&got[4]), 0);
  EXPECT_EQ(send(sends, {1, 2, 3, 4, 5}, to).error(), Errno::invalid) << "no room for it";
  EXPECT_EQ(set(sends, Option::checksum_offset, std::int64_t{3}).error(), Errno::invalid);
  EXPECT_TRUE(set(sends, Option::checksum_offset, std::int64_t{-1}));
  EXPECT_TRUE(send(sends, {1}, to));
  const Handle icmp = open(Family::ipv6, Type::raw, 58);
  EXPECT_TRUE(set(icmp, Option::checksum_offset, std::int64_t{2}));
  EXPECT_EQ(set(icmp, Option::checksum_offset, std::int64_t{6}).error(), Errno::invalid);
  EXPECT_EQ(set(open(Family::ipv4, Type::raw, protocol), Option::checksum_offset, offset).error(),
            Errno::no_such_option);
}

TEST_F(RawTest, WhatIsTooLongForThePathIsRefusedAndQueuedWithTheMtu) {
  const Handle echo = open(Family::ipv4, Type::datagram, 1);
  ASSERT_TRUE(set(echo, Option::dont_fragment, std::int64_t{1}));
  constexpr std::uint32_t mtu = 65535;  // the loopback's, as far as IPv4 goes
  Bytestring large = echo_request(Family::ipv4);
  large.resize(mtu - 20 + 1);
  EXPECT_EQ(send(echo, large, loopback(Family::ipv4)).error(), Errno::message_too_long);
  EXPECT_FALSE(sockets_.take_error(echo)) << "without IP_RECVERR there is no queue";
  ASSERT_TRUE(set(echo, Option::receive_errors, std::int64_t{1}));
  EXPECT_EQ(send(echo, large, loopback(Family::ipv4)).error(), Errno::message_too_long);
  const auto queued = sockets_.take_error(echo);
  ASSERT_TRUE(queued);
  EXPECT_EQ(queued->error, Errno::message_too_long);
  EXPECT_EQ(queued->info, mtu);
  EXPECT_TRUE(queued->reporter.is_unspecified());
  large.resize(mtu - 20);
  EXPECT_TRUE(send(echo, large, loopback(Family::ipv4)));
}

TEST_F(RawTest, ConnectingChoosesTheSourceAndDisconnectingForgetsIt) {
  const Handle raw = open(Family::ipv4, Type::raw, 6);
  EXPECT_EQ(sockets_.get_option(now_, raw, Option::mtu).error(), Errno::not_connected);
  ASSERT_TRUE(sockets_.connect(now_, raw, loopback(Family::ipv4)));
  EXPECT_EQ(sockets_.local_endpoint(raw)->address, IpAddress::loopback(Family::ipv4));
  EXPECT_TRUE(sockets_.get_option(now_, raw, Option::mtu));
  ASSERT_TRUE(sockets_.disconnect(now_, raw));
  EXPECT_TRUE(sockets_.local_endpoint(raw)->address.is_unspecified());
  EXPECT_EQ(sockets_.connect(now_, raw, {*IpAddress::parse("192.0.2.1"), 0}).error(),
            Errno::network_unreachable);
}

TEST_F(RawTest, MulticastHopLimitsAreTheirOwn) {
  const Handle raw = open(Family::ipv4, Type::raw, 1);
  ASSERT_TRUE(set(raw, Option::hop_limit, std::int64_t{9}));
  EXPECT_EQ(std::get<std::int64_t>(*sockets_.get_option(now_, raw, Option::multicast_hop_limit)),
            1);
  ASSERT_TRUE(set(raw, Option::multicast_hop_limit, std::int64_t{7}));
  EXPECT_EQ(std::get<std::int64_t>(*sockets_.get_option(now_, raw, Option::multicast_hop_limit)),
            7);
  EXPECT_EQ(std::get<std::int64_t>(*sockets_.get_option(now_, raw, Option::hop_limit)), 9);
}

// Linux: what is pending after an entry was taken is the next one's error, or nothing.
TEST_F(RawTest, TakingTheLastQueuedErrorTakesThePendingOne) {
  const Handle udp = open(Family::ipv4, Type::datagram, 0);
  ASSERT_TRUE(set(udp, Option::receive_errors, std::int64_t{1}));
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_TRUE(sockets_.connect(now_, udp, {IpAddress::loopback(Family::ipv4), 9}));
    ASSERT_TRUE(send(udp, {1}, {IpAddress::loopback(Family::ipv4), 9}));
    EXPECT_TRUE(sockets_.readiness(udp).has_error);
    ASSERT_TRUE(sockets_.take_error(udp));
    EXPECT_FALSE(sockets_.readiness(udp).has_error);
    EXPECT_FALSE(sockets_.readiness(udp).failed);
  }
}

}  // namespace
}  // namespace lanyard::socket
