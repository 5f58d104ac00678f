// SPDX-License-Identifier: Apache-2.0
#include "lone_host.hh"

namespace lanyard::stack::test {
namespace {

using EthernetInput = LoneHost;
using ArpInput = LoneHost;

TEST_F(EthernetInput, FramesTooShortForTheirHeadersAreDroppedAndCounted) {
  // BI-01, BI-93
  for (std::size_t size = 0; size < 14; ++size) give(Frame(size, 0));
  EXPECT_EQ(drops(DropReason::frame_too_short), 14u);
  const Frame whole = v4_packet(v4_header(), echo_v4());
  for (std::size_t size = 0; size < 20; ++size) {
    give(framed(ethernet::Type::ipv4, Bytes(whole).first(size)));
    give(framed(ethernet::Type::ipv6, Frame(size, 0x60)));
    give(framed(ethernet::Type::arp, Frame(size, 0)));
  }
  EXPECT_EQ(count(), 0u);
}

TEST_F(EthernetInput, SnapFramesAreReceivedMixedWithEthernetTwo) {
  // [RFC1122-2.3.3-a], [RFC1122-2.3.3-b], [RFC1122-2.3.3-c]
  introduce();
  const Frame packet = v4_packet(v4_header(), echo_v4());
  Frame snap = {0xaa, 0xaa, 3, 0, 0, 0, 8, 0};
  snap.insert(snap.end(), packet.begin(), packet.end());
  Frame frame = framed(static_cast<ethernet::Type>(snap.size()), snap);
  frame.resize(frame.size() + 10);  // padding beyond the 802.3 length
  give(frame);
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(load16(frames[0].data() + 12), 0x0800);
  EXPECT_TRUE(icmp_of(frames[0]));
}

TEST_F(EthernetInput, LengthsThatLieAndSnapCutShortAreDropped) {
  // BI-02
  Frame snap = {0xaa, 0xaa, 3, 0, 0, 0, 8, 0};
  for (std::size_t size = 0; size <= snap.size(); ++size) {
    give(framed(static_cast<ethernet::Type>(snap.size()), Bytes(snap).first(size)));
    give(framed(static_cast<ethernet::Type>(size), snap));
    give(framed(static_cast<ethernet::Type>(1500), Bytes(snap).first(size)));
  }
  EXPECT_EQ(count(), 0u);
}

TEST_F(EthernetInput, TagsCutShortOrOfAVlanAreDroppedAndPriorityTagsPassed) {
  // BI-03
  introduce();
  const Frame packet = v4_packet(v4_header(), echo_v4());
  for (const auto outer : {ethernet::Type::vlan, ethernet::Type::service_vlan}) {
    for (std::size_t size = 0; size < 4; ++size) give(framed(outer, Frame(size, 0)));
    Frame doubled = {0, 0, 0x81, 0, 0};
    give(framed(outer, doubled));
  }
  Frame tagged = {0, 5, 8, 0};
  tagged.insert(tagged.end(), packet.begin(), packet.end());
  give(framed(ethernet::Type::vlan, tagged));
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(drops(DropReason::bad_vlan) + drops(DropReason::frame_too_short), 11u);
  tagged[1] = 0;
  tagged[0] = 0xe0;
  give(framed(ethernet::Type::vlan, tagged));
  EXPECT_TRUE(take_icmp());
}

TEST_F(EthernetInput, FramesForOthersFromGroupsOrTooLongAreDropped) {
  const Frame packet = v4_packet(v4_header(), echo_v4());
  give(framed(ethernet::Type::ipv4, packet, {{2, 0, 0, 0, 0, 2}}));
  give(framed(ethernet::Type::ipv4, packet, own_mac, MacAddress::broadcast()));
  EXPECT_EQ(drops(DropReason::not_for_us), 2u);
  give(framed(ethernet::Type::ipv4, Frame(9000, 0x45)));
  EXPECT_EQ(drops(DropReason::frame_too_long), 1u);
  give(framed(static_cast<ethernet::Type>(0x88cc), packet));
  EXPECT_EQ(drops(DropReason::unknown_ethertype), 1u);
  stack.set_link_up(now, eth, false);
  give(framed(ethernet::Type::ipv4, packet));
  EXPECT_EQ(drops(DropReason::link_down), 1u);
  EXPECT_EQ(stack.interface(eth)->dropped_frames, 5u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(ArpInput, RequestIsAnsweredToTheAskerWhoIsKnownFromThenOn) {
  // RFC 826 [RFC826-b], [RFC826-c]
  arp(arp::Operation::request, "10.0.0.9", peer_mac, "10.0.0.1");
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  const auto view = ethernet::View::parse(frames[0]);
  EXPECT_EQ(view->destination(), peer_mac);
  const auto message = arp::View::parse(view->payload()).value().message();
  EXPECT_EQ(message.sender_mac, own_mac);
  EXPECT_EQ(message.sender_ip, ip("10.0.0.1"));
  EXPECT_EQ(state_of("10.0.0.9"), "STALE");
}

TEST_F(ArpInput, WhatIsNotAskedForMakesNoEntry) {
  // BI-05, RFC 826 [RFC826-b]
  arp(arp::Operation::reply, "10.0.0.9", peer_mac, "10.0.0.1");
  arp(arp::Operation::request, "10.0.0.9", peer_mac, "10.0.0.2");
  arp(arp::Operation::request, "10.0.0.9", peer_mac, "10.0.0.9");
  arp(arp::Operation::request, "0.0.0.0", peer_mac, "10.0.0.2");
  for (const char* liar : {"255.255.255.255", "10.0.0.255", "224.0.0.1", "127.0.0.1"}) {
    arp(arp::Operation::request, liar, peer_mac, "10.0.0.1");
  }
  EXPECT_TRUE(stack.neighbours().empty());
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(drops(DropReason::bad_arp), 4u);
}

TEST_F(ArpInput, OtherHardwareProtocolsAndLengthsAreDropped) {
  // RFC 826 [RFC826-a]
  std::array<std::uint8_t, arp::message_size> good;
  arp::Message{arp::Operation::request, peer_mac, ip("10.0.0.9"), {}, ip("10.0.0.1")}.write(
      good.data());
  for (const std::size_t at : {0UL, 1UL, 2UL, 3UL, 4UL, 5UL}) {
    auto bad = good;
    bad[at] ^= 7;
    give(framed(ethernet::Type::arp, bad));
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    give(framed(ethernet::Type::arp, Bytes(good).first(size)));
  }
  EXPECT_EQ(drops(DropReason::bad_arp), 6u + 28u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(ArpInput, OurAddressUsedByAnotherIsDefendedOnceInTenSeconds) {
  // RFC 5227 2.4 [RFC5227-2.4-a], BI-05
  arp(arp::Operation::request, "10.0.0.1", peer_mac, "10.0.0.9");
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  const auto message = arp::View::parse(Bytes(frames[0]).subspan(14)).value().message();
  EXPECT_EQ(message.sender_ip, ip("10.0.0.1"));
  EXPECT_EQ(message.target_ip, ip("10.0.0.1"));
  arp(arp::Operation::request, "10.0.0.1", peer_mac, "10.0.0.9");
  EXPECT_EQ(count(), 0u);
  now = now + 10_s;
  arp(arp::Operation::request, "10.0.0.1", peer_mac, "10.0.0.9");
  EXPECT_EQ(count(), 1u);
  EXPECT_EQ(state_of("10.0.0.1"), "none");
}

class ArpCheck : public LoneHost {
 protected:
  static InterfaceConfig checking() {
    InterfaceConfig config = interface_config();
    config.checks_duplicates = true;
    return config;
  }
  ArpCheck() : LoneHost(host_config(), checking(), false) {}
};

TEST_F(ArpCheck, AddressIsProbedThreeTimesThenAnnouncedTwice) {
  // RFC 5227 2.1.1 [RFC5227-2.1-a], 2.3 [RFC5227-2.3-a], [RFC5227-2.1-b]
  stack.add_address(now, eth, net("10.0.0.1/24"));
  EXPECT_FALSE(stack.network().is_own_address(ip("10.0.0.1"), 0));
  const auto frames = run_for(60_s);
  ASSERT_EQ(frames.size(), 5u);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto message = arp::View::parse(Bytes(frames[i]).subspan(14)).value().message();
    EXPECT_EQ(message.sender_ip, i < 3 ? ip("0.0.0.0") : ip("10.0.0.1"));
    EXPECT_EQ(message.target_ip, ip("10.0.0.1"));
    EXPECT_TRUE(message.target_mac.is_zero());
  }
  EXPECT_TRUE(stack.network().is_own_address(ip("10.0.0.1"), 0));
}

TEST_F(ArpCheck, AddressInUseIsNotTaken) {
  // RFC 5227 2.1.1 [RFC5227-2.1.1-a]
  stack.add_address(now, eth, net("10.0.0.1/24"));
  run_for(1_s);
  arp(arp::Operation::reply, "10.0.0.1", peer_mac, "10.0.0.9");
  run_for(60_s);
  EXPECT_FALSE(stack.network().is_own_address(ip("10.0.0.1"), 0));
  arp(arp::Operation::request, "10.0.0.9", peer_mac, "10.0.0.1");
  EXPECT_EQ(count(), 0u);
}

}  // namespace
}  // namespace lanyard::stack::test
