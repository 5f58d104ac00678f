// SPDX-License-Identifier: Apache-2.0
#include "wire/dhcp.hh"

#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/dissect.hh"

namespace lanyard::dhcp {
namespace {

using Bytes_ = std::vector<std::uint8_t>;

const IpAddress one = IpAddress::v4(10, 0, 0, 1);
const IpAddress two = IpAddress::v4(10, 0, 0, 2);

Message offer() {
  Message message;
  message.is_reply = true;
  message.transaction = 0x12345678;
  message.seconds = 7;
  message.wants_broadcast = true;
  message.yours = two;
  message.hardware = wire::test::alice_mac;
  message.type = Type::offer;
  message.server = one;
  message.mask = IpAddress::v4(255, 255, 255, 0);
  message.lease_s = 3600;
  message.renewal_s = 1800;
  message.rebinding_s = 3150;
  message.routers = {one, two};
  message.name_servers = {one};
  message.client_identifier = {1, 2, 0, 0, 0, 0, 0xa};
  message.host_name = "alice";
  message.domain_name = "lab";
  return message;
}

// A DISCOVER with these options behind its type, and nothing behind them.
Bytes_ with_options(std::string_view hex) {
  Bytes_ bytes = write(Message{});
  bytes.resize(fixed_size + 4 + 3);
  const auto more = wire::test::from_hex(hex);
  bytes.insert(bytes.end(), more.begin(), more.end());
  return bytes;
}

TEST(Dhcp, AMessageReadsAsItWasWritten) {
  const Message message = offer();
  const auto bytes = write(message);
  EXPECT_GE(bytes.size(), message_size_min);
  const auto again = parse(bytes);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, message);
}

TEST(Dhcp, OptionsAreReadFromTheirFieldThenFileThenServerName) {
  // RFC 2131 4.1 [RFC2131-4.1-b], RFC 3396 [RFC2132-a]
  Bytes_ bytes = with_options("3401 03 0c02 6162 ff");
  const auto file = wire::test::from_hex("0c02 6364 ff");
  const auto name = wire::test::from_hex("0c02 6566 0f01 78 ff");
  std::copy(file.begin(), file.end(), bytes.begin() + 108);
  std::copy(name.begin(), name.end(), bytes.begin() + 44);
  auto message = parse(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->host_name, "abcdef");
  EXPECT_EQ(message->domain_name, "x");
  bytes[fixed_size + 4 + 3 + 2] = 1;  // file alone
  message = parse(bytes);
  EXPECT_EQ(message->host_name, "abcd");
  EXPECT_EQ(message->domain_name, "");
  for (const std::uint8_t wrong : std::initializer_list<std::uint8_t>{0, 4, 255}) {  // BI-87
    bytes[fixed_size + 4 + 3 + 2] = wrong;
    EXPECT_EQ(parse(bytes)->host_name, "ab");
  }
}

TEST(Dhcp, LongValuesGoInPiecesAndComeBackWhole) {
  // RFC 3396 [RFC2132-a]
  Message message = offer();
  message.domain_name.assign(600, 'x');
  EXPECT_EQ(parse(write(message))->domain_name, message.domain_name);
}

TEST(Dhcp, UnknownOptionsPadAndEndAreReadAsTheyShould) {
  // RFC 2132 3.1, 3.2 [RFC2132-b], [RFC2132-a]
  EXPECT_EQ(parse(with_options("0000 fe03 010203 00 0c02 6162 ff 0c02 6364"))->host_name, "ab");
  EXPECT_EQ(parse(with_options("0c02 6162"))->host_name, "ab");  // nobody wrote End
}

TEST(Dhcp, AnOptionOfAnotherLengthThanItsKindHasIsNotThere) {
  // RFC 2132 [RFC2132-a], BI-87
  EXPECT_FALSE(parse(with_options("0103 ffffff ff"))->mask);
  EXPECT_FALSE(parse(with_options("0105 ffffff0000 ff"))->mask);
  EXPECT_TRUE(parse(with_options("0306 0a0000010a00 ff"))->routers.empty());
  EXPECT_TRUE(parse(with_options("0607 0a0000010a0000 ff"))->name_servers.empty());
  EXPECT_EQ(parse(with_options("0608 0a0000010a000002 ff"))->name_servers.size(), 2u);
  EXPECT_FALSE(parse(with_options("3303 000e10 ff"))->lease_s);
  EXPECT_FALSE(parse(with_options("3a02 0e10 ff"))->renewal_s);
  EXPECT_FALSE(parse(with_options("3b00 ff"))->rebinding_s);
  EXPECT_FALSE(parse(with_options("3605 0a00000100 ff"))->server);
  EXPECT_FALSE(parse(with_options("3604 0a000001 3604 0a000002 ff"))->server);  // two of them
  EXPECT_TRUE(parse(with_options("3d01 01 ff"))->client_identifier.empty());
}

TEST(Dhcp, MessagesThatLeadOutsideOrAreNoneAreRefused) {
  // BI-87
  EXPECT_EQ(parse(with_options("0c05 6162")).error(), "an option is longer than what is left");
  EXPECT_EQ(parse(with_options("0c")).error(), "an option is longer than what is left");
  EXPECT_EQ(parse(Bytes_(100)).error(), "cut short");
  Bytes_ bytes = write(offer());
  for (std::size_t size = 0; size < fixed_size + 4; ++size) {
    EXPECT_FALSE(parse(Bytes(bytes).first(size)));
  }
  bytes[fixed_size] ^= 1;
  EXPECT_EQ(parse(bytes).error(), "no magic cookie");
  bytes = write(offer());
  bytes[2] = 16;
  EXPECT_EQ(parse(bytes).error(), "no Ethernet address");
  bytes = write(offer());
  bytes[0] = 3;
  EXPECT_EQ(parse(bytes).error(), "neither request nor reply");
  bytes = write(offer());
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 9, 255}) {
    bytes[fixed_size + 4 + 2] = type;
    EXPECT_EQ(parse(bytes).error(), "no message type");
  }
}

TEST(Dhcp, ATextOf255BytesWithoutItsEndIsATextOf255Bytes) {
  // BI-87
  Bytes_ bytes = with_options("");
  bytes.push_back(option::host_name);
  bytes.push_back(255);
  bytes.insert(bytes.end(), 255, 'y');
  EXPECT_EQ(parse(bytes)->host_name, std::string(255, 'y'));
  bytes[bytes.size() - 200] = 0;
  EXPECT_EQ(parse(bytes)->host_name, std::string(55, 'y'));
}

TEST(Dhcp, AMaskHasItsOnesInFront) {
  EXPECT_EQ(length_of_mask(IpAddress::v4(255, 255, 255, 0)), 24);
  EXPECT_EQ(length_of_mask(IpAddress::v4(255, 255, 255, 255)), 32);
  EXPECT_FALSE(length_of_mask(IpAddress::v4(0, 0, 0, 0)));
  EXPECT_FALSE(length_of_mask(IpAddress::v4(255, 0, 255, 0)));
  EXPECT_EQ(mask_of_length(20), IpAddress::v4(255, 255, 240, 0));
}

TEST(Dhcp, ARelayChangesNothingButItsOwnFields) {
  // RFC 1542 4.1.1
  Bytes_ bytes = with_options("e002 4142 ff");
  const Bytes_ before = bytes;
  set_relay(bytes, 1, one);
  EXPECT_EQ(parse(bytes)->relay, one);
  EXPECT_EQ(parse(bytes)->hops, 1);
  set_relay(bytes, 0, IpAddress::any(Family::ipv4));
  EXPECT_EQ(bytes, before);
}

TEST(Dhcp, DissectionNamesTheFields) {
  for (const wire::test::NamedFrame& frame : wire::test::all_frames()) {
    if (frame.name == "DHCPDISCOVER") {
      EXPECT_EQ(wire::summary(frame.bytes), "DHCP DHCPDISCOVER 0x12345678");
    } else if (frame.name == "DHCPOFFER") {
      EXPECT_EQ(wire::summary(frame.bytes),
                "DHCP DHCPOFFER 0x12345678 yours 10.0.0.1 server 10.0.0.2");
    } else if (frame.name == "DHCPv6 Advertise") {
      EXPECT_EQ(wire::summary(frame.bytes), "DHCPv6 Advertise XID: 0x123456 IAA: 2001:db8::1000");
    }
  }
}

TEST(Dhcp, AnOverloadOfAnotherSizeIsNoneAndFieldsThatLeadOutsideAreRefused) {
  // RFC 2132 9.3, BI-87
  Bytes_ bytes = with_options("3402 0303 ff");
  EXPECT_TRUE(parse(bytes));
  bytes = with_options("3401 01 ff");
  bytes[108] = 12;   // in the field for the file: a host name,
  bytes[109] = 200;  // longer than the field
  EXPECT_EQ(parse(bytes).error(), "an option is longer than what is left");
  bytes = with_options("3401 02 ff");
  bytes[44] = 12;
  bytes[45] = 200;
  EXPECT_EQ(parse(bytes).error(), "an option is longer than what is left");
}

}  // namespace
}  // namespace lanyard::dhcp
