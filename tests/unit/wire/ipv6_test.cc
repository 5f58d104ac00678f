// SPDX-License-Identifier: Apache-2.0
#include "wire/ipv6.hh"

#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/protocol.hh"

namespace lanyard::ipv6 {
namespace {

using wire::test::alice6;
using wire::test::bob6;
using wire::test::bytes_in;
using wire::test::from_hex;

// A packet with these bytes behind the IPv6 header.
std::vector<std::uint8_t> packet_of(std::uint8_t next_header, std::string_view rest,
                                    const IpAddress& to = bob6) {
  Packet packet = wire::test::sliced(from_hex(rest));
  Header{.source = alice6, .destination = to, .next_header = next_header}.push_onto(packet);
  return bytes_in(packet);
}

Walk walked(std::uint8_t next_header, std::string_view rest, const IpAddress& to = bob6) {
  const auto packet = packet_of(next_header, rest, to);
  const auto view = View::parse(packet);
  EXPECT_TRUE(view);
  return walk(*view);
}

TEST(Ipv6, HeaderIsReadAndWritten) {
  Packet packet = wire::test::sliced(from_hex("1122"));
  Header{.source = alice6,
         .destination = bob6,
         .next_header = 17,
         .hop_limit = 5,
         .traffic_class = 0xb9,
         .flow_label = 0xabcde}
      .push_onto(packet);
  EXPECT_EQ(bytes_in(packet), from_hex("6b9abcde 0002 11 05 fe80000000000000000000000000000a "
                                       "fe80000000000000000000000000000b 1122"));
  auto view = View::parse(packet.front(), packet.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->traffic_class(), 0xb9);
  EXPECT_EQ(view->flow_label(), 0xabcdeU);
  EXPECT_EQ(view->payload_size(), 2U);
  EXPECT_EQ(view->source(), alice6);
  EXPECT_EQ(view->destination(), bob6);
  decrement_hop_limit(packet.mutable_front().data());
  set_traffic_class(packet.mutable_front().data(), 3);
  view = View::parse(packet.front(), packet.size());
  EXPECT_EQ(view->hop_limit(), 4);
  EXPECT_EQ(view->traffic_class(), 3);
  EXPECT_EQ(view->flow_label(), 0xabcdeU);
}

// RFC 8200 3 [RFC8200-3-a]: version and payload length.
TEST(Ipv6, VersionAndLengthAreChecked) {
  auto packet = packet_of(59, "1122");
  EXPECT_EQ(View::parse(Bytes(packet).first(41)).error(), DropReason::bad_total_length);
  EXPECT_TRUE(View::parse(Bytes(packet).first(40), 42));
  for (std::size_t size = 0; size < 40; ++size) {
    EXPECT_FALSE(View::parse(Bytes(packet).first(size)));
  }
  packet.resize(60);
  EXPECT_EQ(View::parse(packet)->payload().size(), 2U) << "padding is trimmed";
  packet[0] = 0x45;
  EXPECT_EQ(View::parse(packet).error(), DropReason::bad_version);
}

// RFC 4291 2.5 [RFC4291-2.5-a], BI-34: v4-mapped addresses from a wire.
TEST(Ipv6, MappedAddressesAreDropped) {
  auto packet = packet_of(59, "");
  const auto mapped = from_hex("00000000000000000000ffff0a000001");
  std::copy(mapped.begin(), mapped.end(), packet.begin() + source_offset);
  EXPECT_EQ(View::parse(packet).error(), DropReason::martian_source);
  packet = packet_of(59, "");
  std::copy(mapped.begin(), mapped.end(), packet.begin() + destination_offset);
  EXPECT_EQ(View::parse(packet).error(), DropReason::martian_destination);
}

TEST(Ipv6Walk, HeadersAreSteppedThroughInAnyOrder) {
  const Walk plain = walked(protocol::tcp, "");
  EXPECT_EQ(plain.outcome, Walk::Outcome::upper_layer);
  EXPECT_EQ(plain.protocol, protocol::tcp);
  EXPECT_EQ(plain.offset, 40U);
  EXPECT_EQ(plain.named_at, 6U);
  // Hop-by-hop (router alert, Pad1, PadN), destination options twice, an ended route (RFC 8200 4.1
  // [RFC8200-4.1-a], 4.2 [RFC8200-4.2-e], 4.4 [RFC8200-4.4-a]).
  const Walk walk = walked(0,
                           "3c00 05020000 0000  3c00 01040000 0000  2b01 010c 000000000000000000"
                           "000000  1100 7f00 00000000");
  EXPECT_EQ(walk.outcome, Walk::Outcome::upper_layer);
  EXPECT_EQ(walk.protocol, protocol::udp);
  EXPECT_EQ(walk.offset, 40U + 8 + 8 + 16 + 8);
  EXPECT_EQ(walk.named_at, 40U + 8 + 8 + 16);
  EXPECT_TRUE(walk.has_router_alert);
}

// RFC 8200 4.7 [RFC8200-4.7-a].
TEST(Ipv6Walk, NoNextHeaderEndsThePacketWithoutAnError) {
  EXPECT_EQ(walked(protocol::no_next_header, "ffff").outcome, Walk::Outcome::no_next_header);
}

// RFC 8200 4 [RFC8200-4-a], BI-26: hop-by-hop not first, or twice.
TEST(Ipv6Walk, HopByHopIsLegalOnlyFirst) {
  for (const std::uint8_t first : {protocol::destination_options, protocol::hop_by_hop}) {
    const Walk walk = walked(first, "0000 01040000 0000 3b00 01040000 0000");
    EXPECT_EQ(walk.outcome, Walk::Outcome::parameter_problem);
    EXPECT_EQ(walk.code, 1);
    EXPECT_EQ(walk.pointer, 40U) << "the Next Header byte that names it";
  }
}

// RFC 8200 4.2 [RFC8200-4.2-a] [RFC8200-4.2-b] [RFC8200-4.2-c] [RFC8200-4.2-d], BI-27.
TEST(Ipv6Walk, UnknownOptionsDoAsTheirHighBitsSay) {
  const IpAddress group = *IpAddress::parse("ff02::1");
  const std::string skip = "3b00 1e00 01020000";
  const std::string drop = "3b00 5e00 01020000";
  const std::string error = "3b00 0000 9e00 0100";
  const std::string unicast_error = "3b00 0000 de00 0100";
  EXPECT_EQ(walked(60, skip).outcome, Walk::Outcome::no_next_header);
  EXPECT_EQ(walked(60, drop).outcome, Walk::Outcome::discard);
  const Walk problem = walked(60, error);
  EXPECT_EQ(problem.outcome, Walk::Outcome::parameter_problem);
  EXPECT_EQ(problem.code, 2);
  EXPECT_EQ(problem.pointer, 44U);
  EXPECT_TRUE(walked(60, error, group).answer_multicast);
  EXPECT_EQ(walked(60, error, group).outcome, Walk::Outcome::parameter_problem);
  EXPECT_EQ(walked(60, unicast_error).outcome, Walk::Outcome::parameter_problem);
  EXPECT_EQ(walked(60, unicast_error, group).outcome, Walk::Outcome::discard);
}

// RFC 8200 4.2 [RFC8200-4.2-f], BI-25: an option's length byte past its header.
TEST(Ipv6Walk, OptionsThatLeadOutOfTheirHeaderDrop) {
  for (const char* bad : {"3b00 01050000 0000", "3b00 0000 0000 0001", "3b00 01ff 00000000"}) {
    const Walk walk = walked(60, bad);
    EXPECT_EQ(walk.outcome, Walk::Outcome::discard) << bad;
    EXPECT_EQ(walk.reason, DropReason::bad_extension_header);
  }
}

// RFC 8200 4.4 [RFC8200-4.4-b], RFC 5095: segments left of a type we do not know, type 0 too.
TEST(Ipv6Walk, RoutesWithSegmentsLeftAreAProblem) {
  const Walk walk = walked(protocol::routing, "3b00 0001 00000000");
  EXPECT_EQ(walk.outcome, Walk::Outcome::parameter_problem);
  EXPECT_EQ(walk.code, 0);
  EXPECT_EQ(walk.pointer, 42U);
}

TEST(Ipv6Walk, ChainsThatLeaveThePacketAreTruncated) {
  for (const char* bad : {"", "3b", "3b00 0000", "3b01 0000 0000 0000"}) {
    EXPECT_EQ(walked(60, bad).outcome, Walk::Outcome::truncated) << bad;
  }
  EXPECT_EQ(walked(protocol::fragment, "3b00 0000").outcome, Walk::Outcome::truncated);
}

// BI-22: a reassembled packet that begins with a fragment header; endless chains.
TEST(Ipv6Walk, NestedFragmentsAndEndlessChainsAreDiscarded) {
  const std::string fragment = "3b00 0001 00000063";
  EXPECT_EQ(walked(protocol::fragment, fragment).outcome, Walk::Outcome::fragment);
  const auto packet = packet_of(protocol::fragment, fragment);
  const auto view = View::parse(packet);
  const Walk nested = walk(*view, {.next_header = protocol::fragment, .is_reassembled = true});
  EXPECT_EQ(nested.outcome, Walk::Outcome::discard);
  EXPECT_EQ(nested.reason, DropReason::bad_fragment);
  std::string chain;
  for (int i = 0; i < 8000; ++i) chain += "3c00 01040000 0000";
  EXPECT_EQ(walked(60, chain).outcome, Walk::Outcome::discard);
}

TEST(Ipv6Walk, RoutersLookAtHopByHopOptionsOnly) {
  const auto packet = packet_of(0, "3c00 05020000 0000  3b00 de00 01020000");
  const auto view = View::parse(packet);
  const Walk walk = walk_hop_by_hop(*view);
  EXPECT_EQ(walk.outcome, Walk::Outcome::upper_layer);
  EXPECT_EQ(walk.protocol, protocol::destination_options);
  EXPECT_TRUE(walk.has_router_alert);
}

TEST(Ipv6Fragment, HeaderIsReadAndWritten) {
  std::array<std::uint8_t, fragment_header_size> bytes{};
  FragmentHeader{.next_header = 6, .offset = 65528, .more_fragments = true, .identification = 7}
      .write(bytes.data());
  const auto view = FragmentView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->next_header(), 6);
  EXPECT_EQ(view->offset(), 65528U);
  EXPECT_TRUE(view->more_fragments());
  EXPECT_EQ(view->identification(), 7U);
  EXPECT_FALSE(view->is_atomic());
  EXPECT_FALSE(FragmentView::parse(Bytes(bytes).first(7)));
  FragmentHeader{.next_header = 6}.write(bytes.data());
  EXPECT_TRUE(FragmentView::parse(bytes)->is_atomic());  // RFC 6946 4 [RFC6946-4-a]
}

}  // namespace
}  // namespace lanyard::ipv6
