// SPDX-License-Identifier: Apache-2.0
#include "wire/udp.hh"

#include <gtest/gtest.h>

#include "frames.hh"

namespace lanyard::udp {
namespace {

using wire::test::alice4;
using wire::test::alice6;
using wire::test::bob4;
using wire::test::bob6;
using wire::test::from_hex;

TEST(Udp, DatagramIsReadAndWritten) {
  for (const bool is_v4 : {true, false}) {
    const IpAddress& from = is_v4 ? alice4 : alice6;
    const IpAddress& to = is_v4 ? bob4 : bob6;
    Packet packet = wire::test::sliced(bytes_of("hello"));
    Header{53, 1024}.push_onto(packet, from, to);
    const auto view = View::parse(packet.front(), packet.size());
    ASSERT_TRUE(view);
    EXPECT_EQ(view->source_port(), 53);
    EXPECT_EQ(view->destination_port(), 1024);
    EXPECT_EQ(view->length(), 13);
    EXPECT_EQ(view->payload_size(), 5U);
    EXPECT_TRUE(has_good_checksum(*view, from, to, packet));
    packet.mutable_front()[0] ^= 1;
    EXPECT_FALSE(has_good_checksum(*view, from, to, packet));
  }
}

// BI-42, RFC 768 [RFC768-a]: length 0..7, above and below the IP payload.
TEST(Udp, LengthsAreChecked) {
  auto bytes = from_hex("0001 0002 0008 0000 1122");
  for (std::uint16_t length = 0; length < 8; ++length) {
    store16(bytes.data() + length_offset, length);
    EXPECT_EQ(View::parse(bytes).error(), DropReason::bad_udp_length);
  }
  store16(bytes.data() + length_offset, 11);
  EXPECT_FALSE(View::parse(bytes));
  EXPECT_TRUE(View::parse(bytes, 11)) << "the rest may lie in slices";
  store16(bytes.data() + length_offset, 9);
  EXPECT_EQ(View::parse(bytes)->payload().size(), 1U) << "the rest is not delivered";
  for (std::size_t size = 0; size < 8; ++size) EXPECT_FALSE(View::parse(Bytes(bytes).first(size)));
}

// BI-42, RFC 1122 4.1.3.4 [RFC1122-4.1.3.4-a], RFC 8200 8.1 [RFC8200-8.1-a]: checksum 0.
TEST(Udp, ZeroChecksumMeansNoneOverIpv4Only) {
  const Packet packet = Packet::copy_of(from_hex("0001 0002 000a 0000 1122"));
  const auto view = View::parse(packet.front());
  EXPECT_TRUE(has_good_checksum(*view, alice4, bob4, packet));
  EXPECT_FALSE(has_good_checksum(*view, alice6, bob6, packet));
}

// Zero is what stands in a header whose sum a card is still to make, in both families.
TEST(Udp, AZeroThatOthersHaveCheckedOrWillIsNoneOfOurs) {
  for (const bool is_wanted : {true, false}) {
    Packet packet = Packet::copy_of(from_hex("0001 0002 0009 0000 11"));
    packet.offload.checksum_wanted = is_wanted;
    packet.offload.checksum_good = !is_wanted;
    const auto view = View::parse(packet.front(), packet.size());
    ASSERT_TRUE(view);
    EXPECT_TRUE(has_good_checksum(*view, alice4, bob4, packet));
    EXPECT_TRUE(has_good_checksum(*view, alice6, bob6, packet));
  }
}

// BI-42, RFC 1122 4.1.3.4 [RFC1122-4.1.3.4-b]: a sum of zero is sent as FFFF.
TEST(Udp, ChecksumThatComesToZeroIsSentAsAllOnes) {
  for (const bool is_v4 : {true, false}) {
    const IpAddress& from = is_v4 ? alice4 : alice6;
    const IpAddress& to = is_v4 ? bob4 : bob6;
    Packet first = Packet::copy_of(from_hex("0000"));
    Header{1, 2}.push_onto(first, from, to);
    // A payload equal to the checksum of a zero payload makes the sum all ones, the checksum zero.
    std::vector<std::uint8_t> payload(2);
    store16(payload.data(), View::parse(first.front())->checksum());
    Packet packet = Packet::copy_of(payload);
    Header{1, 2}.push_onto(packet, from, to);
    const auto view = View::parse(packet.front());
    EXPECT_EQ(view->checksum(), 0xffff);
    EXPECT_TRUE(has_good_checksum(*view, from, to, packet));
  }
}

// What lies behind the UDP length is no part of the checksum.
TEST(Udp, TrailingBytesAreNotSummed) {
  Packet packet = wire::test::sliced(bytes_of("hello"));
  Header{53, 1024}.push_onto(packet, alice4, bob4);
  packet.append(bytes_of("trailer"));
  const auto view = View::parse(packet.front(), packet.size());
  ASSERT_TRUE(view);
  EXPECT_TRUE(has_good_checksum(*view, alice4, bob4, packet));
}

}  // namespace
}  // namespace lanyard::udp
