// SPDX-License-Identifier: Apache-2.0
#include "wire/icmp.hh"

#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/protocol.hh"
#include "wire/udp.hh"

namespace lanyard::icmp {
namespace {

using wire::test::alice4;
using wire::test::alice6;
using wire::test::bob4;
using wire::test::bob6;
using wire::test::bytes_in;
using wire::test::from_hex;

TEST(Icmp, EchoIsReadAndWritten) {
  Packet packet = wire::test::sliced(bytes_of("data!"));
  Header::echo(v4::echo_request, 0x1234, 7).push_onto_v4(packet);
  EXPECT_TRUE(has_good_checksum(Family::ipv4, {}, {}, packet, packet.size()));
  const auto view = View::parse(packet.front(), packet.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->type(), v4::echo_request);
  EXPECT_EQ(view->identifier(), 0x1234);
  EXPECT_EQ(view->sequence(), 7);
  EXPECT_EQ(view->body_size(), 5U);
  packet.mutable_front()[0] = 0;
  EXPECT_FALSE(has_good_checksum(Family::ipv4, {}, {}, packet, packet.size()));
}

TEST(Icmp, Version6ChecksumCoversTheAddresses) {
  Packet packet = wire::test::sliced(bytes_of("data!"));
  Header::echo(v6::echo_request, 1, 2).push_onto_v6(packet, alice6, bob6);
  EXPECT_TRUE(has_good_checksum(Family::ipv6, alice6, bob6, packet, packet.size()));
  EXPECT_FALSE(has_good_checksum(Family::ipv6, alice6, alice6, packet, packet.size()));
  EXPECT_FALSE(has_good_checksum(Family::ipv6, alice6, bob6, packet, packet.size() + 1));
}

// BI-29, BI-30: shorter than the header.
TEST(Icmp, ShortMessagesAreDropped) {
  const std::vector<std::uint8_t> bytes(8, 0);
  for (std::size_t size = 0; size < 8; ++size) {
    EXPECT_EQ(View::parse(Bytes(bytes).first(size)).error(), DropReason::bad_icmp);
  }
  // What lies behind the message, by the IP length, is not its body.
  EXPECT_EQ(View::parse(std::vector<std::uint8_t>(12, 0), 9)->body().size(), 1U);
}

TEST(Icmp, TheFieldDependsOnTheType) {
  const auto bytes = from_hex("0c00 0000 05ffffdc");
  const auto view = View::parse(bytes);
  EXPECT_EQ(view->pointer(Family::ipv4), 5U);
  EXPECT_EQ(view->pointer(Family::ipv6), 0x05ffffdcU);
  EXPECT_EQ(view->mtu(Family::ipv4), 0xffdcU);
  EXPECT_EQ(view->mtu(Family::ipv6), 0x05ffffdcU);
  EXPECT_EQ(to_text(view->gateway()), "5.255.255.220");
}

TEST(Icmp, ErrorsAreKnownFromOtherMessages) {
  EXPECT_TRUE(is_error(Family::ipv4, v4::destination_unreachable));
  EXPECT_TRUE(is_error(Family::ipv4, v4::redirect));
  EXPECT_FALSE(is_error(Family::ipv4, v4::echo_request));
  EXPECT_TRUE(is_error(Family::ipv6, 100));
  EXPECT_FALSE(is_error(Family::ipv6, v6::echo_reply));
}

// An IP packet with a UDP datagram, as an error would quote it.
std::vector<std::uint8_t> quoted(bool is_v4) {
  Packet packet = Packet::copy_of(bytes_of("payload"));
  udp::Header{1000, 2000}.push_onto(packet, is_v4 ? alice4 : alice6, is_v4 ? bob4 : bob6);
  if (is_v4) {
    ipv4::Header{.source = alice4, .destination = bob4, .protocol = protocol::udp}.push_onto(
        packet);
  } else {
    ipv6::Header{.source = alice6, .destination = bob6, .next_header = protocol::udp}.push_onto(
        packet);
  }
  return bytes_in(packet);
}

TEST(IcmpQuote, TellsWhichConversationIsMeant) {
  for (const bool is_v4 : {true, false}) {
    const Family family = is_v4 ? Family::ipv4 : Family::ipv6;
    const auto bytes = quoted(is_v4);
    const std::size_t least = (is_v4 ? 20U : 40U) + 8;
    for (const std::size_t size : {least, bytes.size()}) {
      const auto quote = parse_quote(Bytes(bytes).first(size), family);
      ASSERT_TRUE(quote);
      EXPECT_EQ(quote->source, is_v4 ? alice4 : alice6);
      EXPECT_EQ(quote->destination, is_v4 ? bob4 : bob6);
      EXPECT_EQ(quote->protocol, protocol::udp);
      EXPECT_EQ(load16(quote->transport.data()), 1000);
    }
  }
}

// BI-31: quotes of less than 8 bytes of transport, of a bad IHL, of the other version.
TEST(IcmpQuote, QuotesOfTooLittleAreIgnored) {
  for (const bool is_v4 : {true, false}) {
    const Family family = is_v4 ? Family::ipv4 : Family::ipv6;
    auto bytes = quoted(is_v4);
    const std::size_t least = (is_v4 ? 20U : 40U) + 8;
    for (std::size_t size = 0; size < least; ++size) {
      EXPECT_FALSE(parse_quote(Bytes(bytes).first(size), family)) << size;
    }
    EXPECT_FALSE(parse_quote(bytes, is_v4 ? Family::ipv6 : Family::ipv4));
    if (!is_v4) continue;
    bytes[0] = 0x44;
    EXPECT_FALSE(parse_quote(bytes, family));
    bytes[0] = 0x4f;
    EXPECT_FALSE(parse_quote(Bytes(bytes).first(59), family));
  }
}

TEST(IcmpQuote, LaterFragmentsHaveNoTransportHeader) {
  auto bytes = quoted(true);
  bytes[7] = 1;
  const auto quote = parse_quote(bytes, Family::ipv4);
  ASSERT_TRUE(quote);
  EXPECT_TRUE(quote->is_later_fragment);
  EXPECT_TRUE(quote->transport.empty());
}

TEST(IcmpQuote, ExtensionHeadersAreLookedThrough) {
  Packet packet = Packet::copy_of(from_hex("1100 01040000 0000  03e8 07d0 0008 0000"));
  ipv6::Header{.source = alice6, .destination = bob6, .next_header = protocol::destination_options}
      .push_onto(packet);
  const auto quote = parse_quote(packet.front(), Family::ipv6);
  ASSERT_TRUE(quote);
  EXPECT_EQ(quote->protocol, protocol::udp);
  EXPECT_EQ(load16(quote->transport.data()), 1000);
  EXPECT_FALSE(parse_quote(packet.front().first(50), Family::ipv6));
}

}  // namespace
}  // namespace lanyard::icmp
