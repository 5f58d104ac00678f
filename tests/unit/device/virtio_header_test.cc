// SPDX-License-Identifier: Apache-2.0
#include "device/virtio_header.hh"

#include <string>

#include <gtest/gtest.h>

#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"
#include "wire/vlan.hh"

namespace lanyard::device {
namespace {

enum class Kind : std::uint8_t { tcp_v4, tcp_v6, udp_v4 };

Packet frame_of(Kind kind, std::size_t payload, std::uint16_t segment_bytes,
                tcp::Flags flags = tcp::flags::ack, ChecksumBy by = ChecksumBy::device) {
  const bool is_v6 = kind == Kind::tcp_v6;
  const IpAddress source = is_v6 ? *IpAddress::parse("fd00::1") : IpAddress::v4(10, 0, 0, 1);
  const IpAddress destination = is_v6 ? *IpAddress::parse("fd00::2") : IpAddress::v4(10, 0, 0, 2);
  Packet packet(128, 0);
  packet.append(Slice::copy_of(bytes_of(std::string(payload, 'x'))));
  if (kind == Kind::udp_v4) {
    udp::Header{.source_port = 1, .destination_port = 2}.push_onto(packet, source, destination, by);
  } else {
    tcp::Header header;
    header.flags = flags;
    header.push_onto(packet, source, destination, by);
  }
  if (is_v6) {
    ipv6::Header header;
    header.source = source;
    header.destination = destination;
    header.next_header = protocol::tcp;
    header.push_onto(packet);
  } else {
    ipv4::Header header;
    header.source = source;
    header.destination = destination;
    header.protocol = kind == Kind::udp_v4 ? protocol::udp : protocol::tcp;
    header.push_onto(packet);
  }
  ethernet::Header header;
  header.type = is_v6 ? ethernet::Type::ipv6 : ethernet::Type::ipv4;
  header.push_onto(packet);
  packet.offload.segment_bytes = segment_bytes;
  return packet;
}

TEST(VirtioHeader, OfASuperSegmentSaysItsKindAndPlaces) {
  const VirtioHeader v4 = virtio_header_of(frame_of(Kind::tcp_v4, 5000, 1460));
  EXPECT_EQ(v4.flags, virtio::flag_checksum_wanted);
  EXPECT_EQ(v4.gso_type, virtio::gso_tcp_v4);
  EXPECT_EQ(v4.gso_size, 1460);
  EXPECT_EQ(v4.checksum_start, 34);
  EXPECT_EQ(v4.checksum_offset, 16);
  EXPECT_EQ(v4.header_size, 54);
  const VirtioHeader v6 = virtio_header_of(frame_of(Kind::tcp_v6, 5000, 1440));
  EXPECT_EQ(v6.gso_type, virtio::gso_tcp_v6);
  EXPECT_EQ(v6.checksum_start, 54);
  const VirtioHeader udp = virtio_header_of(frame_of(Kind::udp_v4, 5000, 1000));
  EXPECT_EQ(udp.gso_type, virtio::gso_udp);
  EXPECT_EQ(udp.header_size, 42);
}

TEST(VirtioHeader, CwrAndVlanTagsAreSeen) {
  Packet frame = frame_of(Kind::tcp_v6, 5000, 1440, tcp::flags::ack | tcp::flags::cwr);
  vlan::insert_tag(frame, {.id = 7});
  const VirtioHeader header = virtio_header_of(frame);
  EXPECT_EQ(header.gso_type, virtio::gso_tcp_v6 | virtio::gso_ecn);
  EXPECT_EQ(header.checksum_start, 58);
}

TEST(VirtioHeader, PayloadOfOneSegmentIsNoSuperSegment) {
  const VirtioHeader header = virtio_header_of(frame_of(Kind::tcp_v4, 1460, 1460));
  EXPECT_EQ(header.gso_type, virtio::gso_none);
  EXPECT_EQ(header.gso_size, 0);
  EXPECT_EQ(header.flags, virtio::flag_checksum_wanted);
}

TEST(VirtioHeader, FinishedChecksumIsCalledGood) {
  Packet frame = frame_of(Kind::tcp_v4, 100, 0);
  finish_checksum(frame);
  EXPECT_EQ(virtio_header_of(frame).flags, virtio::flag_checksum_good);
  frame.offload.checksum_good = false;
  EXPECT_EQ(virtio_header_of(frame).flags, 0);
}

TEST(VirtioHeader, GoesThereAndBack) {
  for (const Kind kind : {Kind::tcp_v4, Kind::tcp_v6, Kind::udp_v4}) {
    const Packet frame = frame_of(kind, 5000, 1000);
    const std::optional<Offload> offload = offload_of(virtio_header_of(frame), frame);
    ASSERT_TRUE(offload.has_value());
    EXPECT_EQ(offload->checksum_wanted, true);
    EXPECT_EQ(offload->checksum_start, frame.offload.checksum_start);
    EXPECT_EQ(offload->checksum_offset, frame.offload.checksum_offset);
    EXPECT_EQ(offload->segment_bytes, 1000);
  }
}

TEST(VirtioHeader, ThatDoesNotFitItsFrameIsRefused) {
  const Packet frame = frame_of(Kind::tcp_v4, 0, 0);
  VirtioHeader header;
  header.flags = virtio::flag_checksum_wanted;
  header.checksum_start = 34;
  header.checksum_offset = 20;  // two bytes past the last
  EXPECT_FALSE(offload_of(header, frame).has_value());
  header.checksum_start = 0xffff;
  header.checksum_offset = 0xffff;
  EXPECT_FALSE(offload_of(header, frame).has_value());
}

TEST(VirtioHeader, UnknownKindOrNoSizeIsRefused) {
  const Packet frame = frame_of(Kind::tcp_v4, 100, 0);
  VirtioHeader header;
  header.gso_type = 3;  // UFO, which is not asked for
  header.gso_size = 1000;
  EXPECT_FALSE(offload_of(header, frame).has_value());
  header.gso_type = virtio::gso_tcp_v4;
  header.gso_size = 0;
  EXPECT_FALSE(offload_of(header, frame).has_value());
}

}  // namespace
}  // namespace lanyard::device
