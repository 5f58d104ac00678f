// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/arp.hh"
#include "wire/ethernet.hh"
#include "wire/vlan.hh"

namespace lanyard {
namespace {

using wire::test::bytes_in;
using wire::test::from_hex;

const std::string addresses = "020000000002 020000000001 ";

TEST(Ethernet, HeaderIsReadAndWritten) {
  const auto frame = from_hex(addresses + "0800 4500");
  const auto view = ethernet::View::parse(frame);
  ASSERT_TRUE(view);
  EXPECT_EQ(to_text(view->destination()), "02:00:00:00:00:02");
  EXPECT_EQ(to_text(view->source()), "02:00:00:00:00:01");
  EXPECT_EQ(view->type(), ethernet::Type::ipv4);
  EXPECT_EQ(view->payload_size(), 2U);
  Packet packet = Packet::copy_of(from_hex("4500"));
  ethernet::Header{view->destination(), view->source(), view->type()}.push_onto(packet);
  EXPECT_EQ(bytes_in(packet), frame);
}

// BI-01: frames of 0..13 bytes.
TEST(Ethernet, ShortFramesAreDropped) {
  const auto frame = from_hex(addresses + "0800");
  for (std::size_t size = 0; size < 14; ++size) {
    const auto view = ethernet::View::parse(Bytes(frame).first(size));
    ASSERT_FALSE(view);
    EXPECT_EQ(view.error(), DropReason::frame_too_short);
  }
  EXPECT_EQ(ethernet::View::parse(frame)->payload_size(), 0U);
}

// RFC 1122 2.3.3 [RFC1122-2.3.3-b], [RFC1122-2.3.3-a]: SNAP frames among Ethernet II ones.
TEST(Ethernet, SnapFrameShowsItsEtherTypeAndLosesItsPadding) {
  const auto frame = from_hex(addresses + "000a aaaa03 000000 0806 1122 ffffffff");
  const auto view = ethernet::View::parse(frame);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->type(), ethernet::Type::arp);
  EXPECT_EQ(view->header_size(), 22U);
  EXPECT_EQ(view->payload_size(), 2U);
  EXPECT_EQ(view->payload().size(), 2U);
  EXPECT_EQ(view->payload()[0], 0x11);
}

// BI-02: an 802.3 length larger or smaller than the frame; LLC and SNAP cut short.
TEST(Ethernet, LengthsThatLieAreDropped) {
  for (const char* bad : {"000b aaaa03 000000 0806 1122", "05ff 424203", "0000 424203",
                          "0002 4242 03", "0005 aaaa03 0000 00", "0003 4242"}) {
    EXPECT_FALSE(ethernet::View::parse(from_hex(addresses + bad))) << bad;
  }
  const auto bridge = ethernet::View::parse(from_hex(addresses + "0004 424203 00 ffff"));
  ASSERT_TRUE(bridge);
  EXPECT_EQ(bridge->type(), ethernet::Type::llc);
  EXPECT_EQ(bridge->payload_size(), 4U);
  // Another organisation's SNAP is not an EtherType.
  const auto other = ethernet::View::parse(from_hex(addresses + "0008 aaaa03 00000c 2000"));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->type(), ethernet::Type::llc);
}

TEST(Vlan, TagsAreInsertedNestedAndRemoved) {
  const auto plain = from_hex(addresses + "0806 1122");
  Packet frame = Packet::copy_of(plain);
  vlan::insert_tag(frame, {.priority = 5, .drop_eligible = true, .id = 0xabc});
  vlan::insert_tag(frame, {.protocol = ethernet::Type::service_vlan, .id = 7});
  EXPECT_EQ(bytes_in(frame), from_hex(addresses + "88a8 0007 8100 babc 0806 1122"));
  const auto view = ethernet::View::parse(frame.front());
  const auto outer = vlan::View::parse(view->payload(), view->type());
  ASSERT_TRUE(outer);
  EXPECT_EQ(outer->tag().id, 7);
  const auto inner = vlan::View::parse(outer->payload(), outer->type());
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->tag().id, 0xabc);
  EXPECT_EQ(inner->tag().priority, 5);
  EXPECT_TRUE(inner->tag().drop_eligible);
  EXPECT_EQ(inner->type(), ethernet::Type::arp);
  EXPECT_EQ(vlan::remove_tag(frame)->id, 7);
  EXPECT_EQ(vlan::remove_tag(frame)->id, 0xabc);
  EXPECT_EQ(vlan::remove_tag(frame).error(), DropReason::bad_vlan);
  EXPECT_EQ(bytes_in(frame), plain);
}

// BI-03: the frame ends inside the tag.
TEST(Vlan, TagsCutShortAreDropped) {
  for (const char* bad : {"8100", "8100 00", "8100 0007", "88a8 0007 08"}) {
    Packet frame = Packet::copy_of(from_hex(addresses + bad));
    EXPECT_EQ(vlan::remove_tag(frame).error(), DropReason::bad_vlan) << bad;
    EXPECT_EQ(bytes_in(frame), from_hex(addresses + bad));
  }
}

const std::string arp_request = "0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002";

TEST(Arp, MessageIsReadAndWritten) {
  const auto bytes = from_hex(arp_request);
  const auto view = arp::View::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->operation(), arp::Operation::request);
  EXPECT_EQ(to_text(view->sender_ip()), "10.0.0.1");
  EXPECT_EQ(to_text(view->target_ip()), "10.0.0.2");
  Packet packet(64, 0);
  view->message().push_onto(packet);
  EXPECT_EQ(bytes_in(packet), bytes);
}

// RFC 826 [RFC826-a]: each of the four checks drops.
TEST(Arp, OtherHardwareProtocolOrLengthsAreDropped) {
  for (const std::size_t at : {1U, 2U, 4U, 5U}) {
    auto bytes = from_hex(arp_request);
    ++bytes[at];
    EXPECT_EQ(arp::View::parse(bytes).error(), DropReason::bad_arp) << at;
  }
  const auto bytes = from_hex(arp_request);
  for (std::size_t size = 0; size < 28; ++size) {
    EXPECT_FALSE(arp::View::parse(Bytes(bytes).first(size)));
  }
}

}  // namespace
}  // namespace lanyard
