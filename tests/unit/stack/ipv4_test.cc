// SPDX-License-Identifier: Apache-2.0
#include "lone_host.hh"
#include "wire/ipv4_options.hh"

namespace lanyard::stack::test {
namespace {

class Ipv4Input : public LoneHost {
 protected:
  Ipv4Input() { introduce(); }
  // A raw IPv4 packet with one byte changed and its header checksum made right again.
  Frame spoiled(std::size_t at, std::uint8_t value) {
    Frame packet = v4_packet(v4_header(), echo_v4());
    packet[at] = value;
    store16(&packet[ipv4::checksum_offset], 0);
    const std::size_t header = std::min<std::size_t>((packet[0] & 15U) * 4U, packet.size());
    store16(&packet[ipv4::checksum_offset], checksum(Bytes(packet).first(header)));
    return packet;
  }
  void give_v4(const Frame& packet, const MacAddress& to = own_mac) {
    give(framed(ethernet::Type::ipv4, packet, to));
  }
};

TEST_F(Ipv4Input, HeadersThatLieAreDroppedInSilence) {
  // [RFC1122-3.2.1.1-a], [RFC1122-3.2.1.2-a], [RFC791-3.1-a], [RFC1812-5.2.2-a], BI-07, BI-09
  give_v4(spoiled(0, 0x55));
  give_v4(spoiled(0, 0x65));
  EXPECT_EQ(drops(DropReason::bad_version), 2u);
  for (const std::uint8_t ihl : {std::uint8_t{0x40}, std::uint8_t{0x44}, std::uint8_t{0x4f}}) {
    give_v4(spoiled(0, ihl));
  }
  EXPECT_EQ(drops(DropReason::bad_header_length), 3u);
  give_v4(spoiled(3, 19));
  give_v4(spoiled(3, 255));
  give_v4(spoiled(2, 255));
  EXPECT_EQ(drops(DropReason::bad_total_length), 3u);
  Frame wrong = v4_packet(v4_header(), echo_v4());
  wrong[ipv4::checksum_offset] ^= 1;
  give_v4(wrong);
  EXPECT_EQ(drops(DropReason::bad_ip_checksum), 1u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv4Input, PaddingOfTheFrameIsNeverDelivered) {
  // BI-07, [RFC791-3.1-a], BI-30
  Frame packet = v4_packet(v4_header(), echo_v4(8));
  packet.resize(packet.size() + 20, 0xee);
  give_v4(packet);
  const auto reply = take_icmp();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, Frame(8, 0x5a));
}

TEST_F(Ipv4Input, SourcesNobodyCanHaveAreDroppedInSilence) {
  // [RFC1122-3.2.1.3-f], [RFC1122-3.2.1.3-c], [RFC1122-4.1.3.6-a], BI-35
  for (const char* source : {"255.255.255.255", "10.0.0.255", "10.0.0.0", "224.0.0.5", "127.0.0.1",
                             "240.0.0.1", "0.0.0.0", "0.1.2.3", "10.0.0.1"}) {
    v4(v4_header(source), echo_v4());
    v4(v4_header(source, "10.0.0.1", protocol::udp), udp(source));
  }
  EXPECT_EQ(drops(DropReason::martian_source), 18u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv4Input, WhatIsForOthersIsDroppedAndNeverForwardedByAHost) {
  // [RFC1122-3.2.1.3-e], [RFC1122-3.1-a], [RFC1122-3.3.6-b], [RFC1122-3.2.1.3-c]
  for (const char* destination : {"10.0.0.2", "192.0.2.1", "224.0.0.77"}) {
    v4(v4_header("10.0.0.9", destination), echo_v4());
  }
  EXPECT_EQ(drops(DropReason::not_local), 3u);
  for (const char* destination : {"10.0.0.0", "0.0.0.0", "127.0.0.1", "240.0.0.1"}) {
    v4(v4_header("10.0.0.9", destination), echo_v4());
  }
  EXPECT_EQ(drops(DropReason::martian_destination), 4u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv4Input, UnicastInABroadcastFrameIsDropped) {
  // [RFC1122-3.3.6-c], [RFC1122-2.4-a]
  v4(v4_header(), echo_v4(), MacAddress::broadcast());
  EXPECT_EQ(drops(DropReason::not_for_us), 1u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv4Input, EveryDropHasACounterOfItsOwn) {
  // [RFC1122-3.1-b]
  v4(v4_header("10.0.0.9", "10.0.0.2"), echo_v4());
  give_v4(spoiled(0, 0x44));
  EXPECT_EQ(drops(DropReason::not_local), 1u);
  EXPECT_EQ(drops(DropReason::bad_header_length), 1u);
  EXPECT_EQ(drops(DropReason::martian_source), 0u);
}

TEST_F(Ipv4Input, UnknownOptionsAreIgnoredAndTheDatagramIsDelivered) {
  // [RFC1122-3.2.1.8-a], [RFC1122-3.2.1.8-d], [RFC1122-3.2.1.7-b]
  const Frame unknown = {0x99, 4, 1, 2, ipv4::option::stream_identifier, 4, 0, 1, 1, 1, 0, 0};
  ipv4::Header header = v4_header();
  header.options = unknown;
  header.ttl = 1;
  v4(header, echo_v4());
  EXPECT_TRUE(take_icmp());
}

TEST_F(Ipv4Input, ImpossibleOptionLengthsNeitherLoopNorCrash) {
  // [RFC1122-3.2.1.8-c], BI-10
  for (int type = 2; type < 256; type += 1) {
    for (const int length : {0, 1, 2, 3, 41, 255}) {
      const Frame options = {static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(length), 9,
                             9};
      ipv4::Header header = v4_header();
      header.options = options;
      v4(header, echo_v4());
    }
  }
  count();
  v4(v4_header(), echo_v4());
  EXPECT_TRUE(take_icmp());
}

TEST_F(Ipv4Input, SourceRoutedDatagramsAreDroppedAndTheirRouteIsNeverUsed) {
  // [RFC1122-3.2.1.8-f], BI-11
  for (const std::uint8_t type :
       {ipv4::option::loose_source_route, ipv4::option::strict_source_route}) {
    const Frame route = {type, 7, 8, 192, 0, 2, 1, 0};
    ipv4::Header header = v4_header();
    header.options = route;
    v4(header, echo_v4());
  }
  EXPECT_EQ(drops(DropReason::source_route), 2u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv4Input, IpInIpIsAnsweredProtocolUnreachable) {
  // BI-07, [RFC1122-3.2.2.1-a], [RFC1122-3.3.8-a]
  const Frame inner = v4_packet(v4_header("10.0.0.7", "10.0.0.8"), echo_v4());
  v4(v4_header("10.0.0.9", "10.0.0.1", protocol::ipv4), inner);
  const auto error = take_icmp();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, icmp::v4::destination_unreachable);
  EXPECT_EQ(error->code, icmp::v4::protocol_unreachable);
}

TEST_F(Ipv4Input, UdpLengthsThatLieNeverGiveMoreThanCame) {
  // BI-43, BI-07
  Frame packet = v4_packet(v4_header("10.0.0.9", "10.0.0.1", protocol::udp), udp());
  store16(&packet[2], 600);
  store16(&packet[10], 0);
  store16(&packet[10], checksum(Bytes(packet).first(20)));
  give_v4(packet);
  EXPECT_EQ(drops(DropReason::bad_total_length), 1u);
  EXPECT_EQ(count(), 0u);
}

// Fragments through the whole machine.
class Ipv4Fragments : public Ipv4Input {
 protected:
  void fragment(std::size_t offset, Bytes part, bool more, std::uint16_t id = 5,
                std::uint8_t protocol = protocol::icmp) {
    ipv4::Header header = v4_header("10.0.0.9", "10.0.0.1", protocol);
    header.identification = id;
    header.offset = offset;
    header.more_fragments = more;
    v4(header, part);
  }
};

TEST_F(Ipv4Fragments, EchoInPiecesIsAnsweredWhole) {
  // [RFC1122-3.2.1.4-a], [RFC1122-3.2.2.6-c], [RFC1122-3.3.2-a]
  const Frame echo = echo_v4(1000);
  fragment(504, Bytes(echo).subspan(504), false);
  fragment(0, Bytes(echo).first(504), true);
  const auto reply = take_icmp();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, Frame(1000, 0x5a));
}

TEST_F(Ipv4Fragments, TeardropAndPingOfDeathAreDropped) {
  // BI-13, BI-14
  const Frame echo = echo_v4(200);
  fragment(0, Bytes(echo).first(104), true, 1);
  fragment(24, Bytes(echo).first(32), false, 1);
  EXPECT_EQ(drops(DropReason::fragment_overlap), 1u);
  fragment(104, Bytes(echo).subspan(104), false, 1);
  EXPECT_EQ(drops(DropReason::fragment_overlap), 2u);
  fragment(0, Bytes(echo).first(104), true, 2);
  fragment(65528, Bytes(echo).first(104), false, 2);
  fragment(8, Bytes(echo).first(13), true, 3);
  EXPECT_EQ(drops(DropReason::bad_fragment), 2u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv4Fragments, TimeExceededOnlyIfTheFirstFragmentCame) {
  // [RFC1122-3.3.2-b], BI-21, [RFC1122-3.2.2-g]
  const Frame data(104, 1);
  fragment(0, data, true, 1);
  fragment(208, data, true, 2);
  run_for(59_s);
  introduce();
  const auto frames = run_for(2_s);
  ASSERT_EQ(frames.size(), 1u);
  const auto error = icmp_of(frames[0]);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, icmp::v4::time_exceeded);
  EXPECT_EQ(error->code, icmp::v4::reassembly_time_exceeded);
  EXPECT_EQ(stack.network().reassembly_bytes(), 0u);
}

TEST_F(Ipv4Fragments, FloodOfTinyFragmentsIsBoundedAndOthersGetThrough) {
  // BI-15
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    fragment((i % 100 + 1) * 8, Frame(8, 1), true, static_cast<std::uint16_t>(i * 31));
    if (i % 1000 != 0) continue;
    v4(v4_header(), echo_v4());
    EXPECT_TRUE(take_icmp());
  }
  EXPECT_LE(stack.network().reassembly_bytes(), host_config().internet.reassembly_bytes_max);
}

}  // namespace
}  // namespace lanyard::stack::test
