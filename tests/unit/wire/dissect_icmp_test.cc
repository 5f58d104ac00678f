// SPDX-License-Identifier: Apache-2.0
// What ICMP messages are called and which of their fields are shown, by the RFCs' terms.
#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/dissect.hh"
#include "wire/icmp.hh"
#include "wire/ndp.hh"
#include "wire/protocol.hh"

namespace lanyard::wire {
namespace {

using Message = std::vector<std::uint8_t>;

// Type, code, the four bytes that the type decides, and a packet that is cut short behind them.
std::vector<std::uint8_t> packet_of(Family family, std::uint8_t type, std::uint8_t code,
                                    Message rest = {0, 0, 0, 0}, const Message& body = {}) {
  Message message{type, code, 0, 0};
  message.insert(message.end(), rest.begin(), rest.end());
  message.insert(message.end(), body.begin(), body.end());
  Packet packet = Packet::copy_of(message);
  if (family == Family::ipv4) {
    test::wrap(packet, protocol::icmp);
  } else {
    test::wrap(packet, protocol::icmpv6, test::alice6, test::bob6, 255);
  }
  std::vector<std::uint8_t> bytes = test::bytes_in(packet);
  const std::uint8_t version = family == Family::ipv4 ? 0x4 : 0x6;
  const std::size_t frame = bytes[0] >> 4 == version ? 0 : 14;
  return {bytes.begin() + static_cast<std::ptrdiff_t>(frame), bytes.end()};
}

std::string info_of(Family family, std::uint8_t type, std::uint8_t code = 0) {
  return summary(packet_of(family, type, code), Start::ip);
}

std::string field_of(const std::vector<std::uint8_t>& packet, std::string_view name) {
  const auto layers = dissect(packet, Start::ip);
  for (const Field& field : layers.at(1).children)
    if (field.name == name) return field.value;
  return "no such field";
}

struct Name {
  std::uint8_t number;
  const char* text;
};

TEST(DissectIcmp, TypesHaveTheirNames) {
  // RFC 792, RFC 1122 3.2.2
  for (const Name& each : {Name{0, "ICMP Echo (ping) reply id=0x0000, seq=0, ttl=64"},
                           {4, "ICMP Source quench"},
                           {5, "ICMP Redirect"},
                           {11, "ICMP Time-to-live exceeded"},
                           {12, "ICMP Parameter problem"},
                           {13, "ICMP Timestamp request"},
                           {14, "ICMP Timestamp reply"},
                           {99, "ICMP Unknown type"}})
    EXPECT_EQ(info_of(Family::ipv4, each.number), each.text);
  // RFC 4443 2.1
  for (const Name& each : {Name{2, "ICMPv6 Packet Too Big"},
                           {3, "ICMPv6 Time Exceeded"},
                           {4, "ICMPv6 Parameter Problem"},
                           {129, "ICMPv6 Echo (ping) reply id=0x0000, seq=0, hop limit=255"},
                           {99, "ICMPv6 Unknown type"}})
    EXPECT_EQ(info_of(Family::ipv6, each.number), each.text);
}

TEST(DissectIcmp, ReasonsWhyADestinationIsNotReachedHaveTheirNames) {
  // RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1
  for (const Name& each : {Name{0, "Network unreachable (0)"},
                           {1, "Host unreachable (1)"},
                           {2, "Protocol unreachable (2)"},
                           {3, "Port unreachable (3)"},
                           {4, "Fragmentation needed (4)"},
                           {5, "Source route failed (5)"},
                           {13, "Administratively prohibited (13)"},
                           {77, "77"}})
    EXPECT_EQ(info_of(Family::ipv4, 3, each.number),
              std::string("ICMP Destination unreachable (") + each.text + ")");
  // RFC 4443 3.1
  for (const Name& each : {Name{0, "no route to destination (0)"},
                           {1, "Administratively prohibited (1)"},
                           {2, "beyond scope of source address (2)"},
                           {3, "Address unreachable (3)"},
                           {4, "Port unreachable (4)"},
                           {77, "77"}})
    EXPECT_EQ(info_of(Family::ipv6, 1, each.number),
              std::string("ICMPv6 Destination Unreachable (") + each.text + ")");
}

TEST(DissectIcmp, TheFourBytesBehindTheChecksumAreWhatTheTypeSays) {
  const Message rest{10, 9, 5, 220};
  EXPECT_EQ(field_of(packet_of(Family::ipv4, 5, 1, rest), "Gateway Address"), "10.9.5.220");
  EXPECT_EQ(field_of(packet_of(Family::ipv4, 12, 0, rest), "Pointer"), "10");
  EXPECT_EQ(field_of(packet_of(Family::ipv4, 3, 4, rest), "MTU of next hop"), "1500");
  EXPECT_EQ(field_of(packet_of(Family::ipv4, 3, 3, rest), "MTU of next hop"), "no such field");
  EXPECT_EQ(field_of(packet_of(Family::ipv4, 8, 0, rest), "Sequence Number"), "1500");
  EXPECT_EQ(field_of(packet_of(Family::ipv6, 4, 0, {0, 0, 0, 40}), "Pointer"), "40");
  EXPECT_EQ(field_of(packet_of(Family::ipv6, 2, 0, {0, 0, 5, 0}), "MTU"), "1280");
}

TEST(DissectIcmp, AnErrorWithoutTheQuoteItNeedsHasNone) {
  EXPECT_EQ(field_of(packet_of(Family::ipv4, 11, 0), "Quoted packet"), "no such field");
  EXPECT_NE(field_of(packet_of(Family::ipv4, 11, 0, {0, 0, 0, 0}, {0x45, 0}), "Quoted packet"),
            "no such field");
}

std::vector<std::uint8_t> neighbour_packet(const ndp::Message& message) {
  Packet packet;
  message.push_onto(packet, test::alice6, test::bob6);
  test::wrap(packet, protocol::icmpv6, test::alice6, test::bob6, 255);
  std::vector<std::uint8_t> bytes = test::bytes_in(packet);
  const std::size_t frame = bytes[0] >> 4 == 6 ? 0 : 14;
  return {bytes.begin() + static_cast<std::ptrdiff_t>(frame), bytes.end()};
}

TEST(DissectNdp, FlagsOfAnAdvertisementAreSaidOneByOne) {
  // RFC 4861 4.4
  ndp::Message message;
  message.type = ndp::Type::neighbour_advertisement;
  message.target = test::alice6;
  EXPECT_EQ(summary(neighbour_packet(message), Start::ip), "ICMPv6 Neighbor Advertisement fe80::a");
  EXPECT_EQ(field_of(neighbour_packet(message), "Solicited"), "not set");
  EXPECT_EQ(field_of(neighbour_packet(message), "Override"), "not set");
  message.is_router = message.is_solicited = message.is_override = true;
  EXPECT_EQ(summary(neighbour_packet(message), Start::ip),
            "ICMPv6 Neighbor Advertisement fe80::a (rtr, sol, ovr)");
  EXPECT_EQ(field_of(neighbour_packet(message), "Router"), "set");
}

TEST(DissectNdp, ARouterSaysWhereElseToAskAndARedirectWhereElseToGo) {
  // RFC 4861 4.2, 4.5
  ndp::Message message;
  message.type = ndp::Type::router_advertisement;
  message.is_managed = true;
  EXPECT_EQ(field_of(neighbour_packet(message), "Managed address configuration"), "set");
  EXPECT_EQ(field_of(neighbour_packet(message), "Other configuration"), "not set");
  message = {};
  message.type = ndp::Type::redirect;
  message.target = test::alice6;
  message.destination = *IpAddress::parse("2001:db8::7");
  EXPECT_EQ(field_of(neighbour_packet(message), "Destination Address"), "2001:db8::7");
  EXPECT_EQ(summary(neighbour_packet(message), Start::ip), "ICMPv6 Redirect");
}

}  // namespace
}  // namespace lanyard::wire
