// SPDX-License-Identifier: Apache-2.0
// What comes out of a super-segment is read back with the views of wire/.
#include "link/segment.hh"

#include <string>

#include <gtest/gtest.h>

#include "core/random.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"
#include "wire/vlan.hh"

namespace lanyard::link {
namespace {

constexpr MacAddress mac_a{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress mac_b{{2, 0, 0, 0, 0, 2}};

struct Scene {
  bool is_v6 = false;
  IpAddress source = IpAddress::v4(10, 0, 0, 1);
  IpAddress destination = IpAddress::v4(10, 0, 0, 2);

  explicit Scene(bool v6) : is_v6(v6) {
    if (!v6) return;
    source = *IpAddress::parse("fd00::1");
    destination = *IpAddress::parse("fd00::2");
  }
};

std::string text(std::size_t size) {
  std::string made(size, ' ');
  for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>('a' + i * 7 % 26);
  return made;
}

// The payload in slices of odd sizes, as a send queue has it.
Packet payload_of(const std::string& bytes) {
  Packet packet(128, 64);
  for (std::size_t at = 0; at < bytes.size(); at += 997) {
    packet.append(Slice::copy_of(bytes_of(std::string_view(bytes).substr(at, 997))));
  }
  return packet;
}

void push_network(Packet& packet, const Scene& scene, std::uint8_t protocol) {
  if (scene.is_v6) {
    ipv6::Header header;
    header.source = scene.source;
    header.destination = scene.destination;
    header.next_header = protocol;
    header.push_onto(packet);
  } else {
    ipv4::Header header;
    header.source = scene.source;
    header.destination = scene.destination;
    header.protocol = protocol;
    header.identification = 0xfffe;  // wraps
    header.push_onto(packet);
  }
  ethernet::Header{
      .destination = mac_b,
      .source = mac_a,
      .type = scene.is_v6 ? ethernet::Type::ipv6 : ethernet::Type::ipv4,
  }
      .push_onto(packet);
}

Packet tcp_super_segment(const Scene& scene, const std::string& bytes, tcp::Header header,
                         std::uint16_t segment_bytes, ChecksumBy by = ChecksumBy::device) {
  Packet packet = payload_of(bytes);
  header.push_onto(packet, scene.source, scene.destination, by);
  push_network(packet, scene, protocol::tcp);
  packet.offload.segment_bytes = segment_bytes;
  packet.cause = 42;
  return packet;
}

// A frame taken apart again, every checksum and length checked on the way.
struct Read {
  tcp::Flags flags;
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::uint16_t window = 0, urgent_pointer = 0, identification = 0;
  std::string payload;
};

Read read_tcp(Packet& frame, const Scene& scene) {
  Read read;
  const Bytes whole = frame.linear();
  const auto ethernet = ethernet::View::parse(whole);
  EXPECT_TRUE(ethernet.has_value());
  Bytes packet = ethernet->payload();
  ethernet::Type type = ethernet->type();
  if (vlan::is_tag(type)) {
    const auto tag = vlan::View::parse(packet, type);
    type = tag->type();
    packet = tag->payload();
  }
  Bytes segment;
  if (type == ethernet::Type::ipv4) {
    const auto ip = ipv4::View::parse(packet);
    EXPECT_TRUE(ip && ip->has_good_checksum());
    EXPECT_EQ(ip->total_length(), packet.size());
    read.identification = ip->identification();
    segment = ip->payload();
  } else {
    const auto ip = ipv6::View::parse(packet);
    EXPECT_EQ(ip->payload_length() + ipv6::header_size, packet.size());
    segment = ip->payload();
  }
  EXPECT_EQ(transport_checksum({scene.source, scene.destination, protocol::tcp}, segment), 0);
  const auto tcp = tcp::View::parse(segment);
  EXPECT_TRUE(tcp.has_value());
  read.flags = tcp->flags();
  read.sequence = load32(segment.data() + tcp::sequence_offset);
  read.acknowledgment = load32(segment.data() + tcp::acknowledgment_offset);
  read.window = tcp->window();
  read.urgent_pointer = tcp->urgent_pointer();
  read.payload = text_of(tcp->payload());
  return read;
}

tcp::Header data_header(tcp::Flags flags) {
  tcp::Header header;
  header.source_port = 80;
  header.destination_port = 50'000;
  header.sequence = tcp::SequenceNumber(0xffff'f000);  // wraps within the super-segment
  header.acknowledgment = tcp::SequenceNumber(777);
  header.flags = flags;
  header.window = 1234;
  return header;
}

class SegmentTcp : public testing::TestWithParam<bool> {};

TEST_P(SegmentTcp, PiecesJoinedAreTheSuperSegment) {
  const Scene scene(GetParam());
  const std::string bytes = text(10'000);
  std::vector<Packet> pieces =
      segment(tcp_super_segment(scene, bytes, data_header(tcp::flags::ack), 1460));
  ASSERT_EQ(pieces.size(), 7U);
  std::string joined;
  std::uint16_t identification = 0xfffe;
  for (Packet& piece : pieces) {
    EXPECT_FALSE(piece.offload.checksum_wanted);
    EXPECT_EQ(piece.offload.segment_bytes, 0);
    EXPECT_EQ(piece.cause, 42U);
    const Read read = read_tcp(piece, scene);
    EXPECT_EQ(read.sequence, static_cast<std::uint32_t>(0xffff'f000 + joined.size()));
    EXPECT_EQ(read.window, 1234);
    if (!scene.is_v6) {
      EXPECT_EQ(read.identification, identification++);
    }
    EXPECT_LE(read.payload.size(), 1460U);
    joined += read.payload;
  }
  EXPECT_EQ(joined, bytes);
}

TEST_P(SegmentTcp, FinAndPushOnlyOnTheLastCwrOnlyOnTheFirst) {
  const Scene scene(GetParam());
  const tcp::Flags flags = tcp::flags::fin | tcp::flags::psh | tcp::flags::ack | tcp::flags::cwr;
  std::vector<Packet> pieces =
      segment(tcp_super_segment(scene, text(3000), data_header(flags), 1000));
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(read_tcp(pieces[0], scene).flags, tcp::flags::ack | tcp::flags::cwr);
  EXPECT_EQ(read_tcp(pieces[1], scene).flags, tcp::flags::ack);
  EXPECT_EQ(read_tcp(pieces[2], scene).flags, tcp::flags::ack | tcp::flags::psh | tcp::flags::fin);
}

// BI-95: every piece repeats the piggybacked ACK, and none is without data: whoever gets them sees
// one new acknowledgment and no duplicate (RFC 5681 2: a duplicate ACK carries no data).
TEST_P(SegmentTcp, PiggybackedAckIsInEveryPieceAndNonePassesForADuplicate) {
  const Scene scene(GetParam());
  std::vector<Packet> pieces =
      segment(tcp_super_segment(scene, text(4001), data_header(tcp::flags::ack), 1000));
  ASSERT_EQ(pieces.size(), 5U);
  for (Packet& piece : pieces) {
    const Read read = read_tcp(piece, scene);
    EXPECT_TRUE(read.flags.ack());
    EXPECT_EQ(read.acknowledgment, 777U);
    EXPECT_FALSE(read.payload.empty());
  }
}

TEST_P(SegmentTcp, UrgentPointerCountsFromEachPiece) {
  const Scene scene(GetParam());
  tcp::Header header = data_header(tcp::flags::ack | tcp::flags::urg);
  header.urgent_pointer = 1500;
  std::vector<Packet> pieces = segment(tcp_super_segment(scene, text(3000), header, 1000));
  const std::vector<std::uint16_t> expected = {1500, 500, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    const Read read = read_tcp(pieces[i], scene);
    EXPECT_EQ(read.urgent_pointer, expected[i]);
    EXPECT_EQ(read.flags.urg(), i < 2);
  }
}

TEST_P(SegmentTcp, AlreadyFinishedSuperSegmentIsCutAsWell) {
  const Scene scene(GetParam());
  Packet frame =
      tcp_super_segment(scene, text(2500), data_header(tcp::flags::ack), 1000, ChecksumBy::us);
  std::vector<Packet> pieces = segment(std::move(frame));
  ASSERT_EQ(pieces.size(), 3U);
  for (Packet& piece : pieces) read_tcp(piece, scene);
}

TEST_P(SegmentTcp, ChecksumMayBeLeftToTheDevice) {
  const Scene scene(GetParam());
  std::vector<Packet> pieces = segment(
      tcp_super_segment(scene, text(2500), data_header(tcp::flags::ack), 1000), ChecksumBy::device);
  ASSERT_EQ(pieces.size(), 3U);
  for (Packet& piece : pieces) {
    ASSERT_TRUE(piece.offload.checksum_wanted);
    EXPECT_FALSE(piece.offload.checksum_good);
    finish_checksum(piece);
    read_tcp(piece, scene);
  }
}

TEST_P(SegmentTcp, VlanTagIsOnEveryPiece) {
  const Scene scene(GetParam());
  Packet frame = tcp_super_segment(scene, text(2500), data_header(tcp::flags::ack), 1000);
  vlan::insert_tag(frame, {.id = 7});
  std::vector<Packet> pieces = segment(std::move(frame));
  ASSERT_EQ(pieces.size(), 3U);
  std::string joined;
  for (Packet& piece : pieces) {
    joined += read_tcp(piece, scene).payload;
    EXPECT_EQ(vlan::remove_tag(piece)->id, 7);
  }
  EXPECT_EQ(joined, text(2500));
}

TEST_P(SegmentTcp, AnySizesJoinAgain) {
  const Scene scene(GetParam());
  RandomStream random = Seed(9).stream();
  for (int run = 0; run < 100; ++run) {
    const std::string bytes = text(1 + random.below(20'000));
    const auto size = static_cast<std::uint16_t>(100 + random.below(3000));
    std::string joined;
    for (Packet& piece :
         segment(tcp_super_segment(scene, bytes, data_header(tcp::flags::ack), size))) {
      joined += read_tcp(piece, scene).payload;
    }
    ASSERT_EQ(joined, bytes) << "run " << run << " segment_bytes " << size;
  }
}

INSTANTIATE_TEST_SUITE_P(BothFamilies, SegmentTcp, testing::Bool());

TEST(Segment, OrdinaryFrameComesOutAloneWithItsChecksumFinished) {
  const Scene scene(false);
  std::vector<Packet> frames =
      segment(tcp_super_segment(scene, text(500), data_header(tcp::flags::psh), 0));
  ASSERT_EQ(frames.size(), 1U);
  const Read read = read_tcp(frames[0], scene);
  EXPECT_EQ(read.payload, text(500));
  EXPECT_TRUE(read.flags.psh());
}

TEST(Segment, PayloadOfOneSegmentIsNotCut) {
  const Scene scene(true);
  std::vector<Packet> frames =
      segment(tcp_super_segment(scene, text(1000), data_header(tcp::flags::psh), 1000));
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].offload.segment_bytes, 0);
  EXPECT_EQ(read_tcp(frames[0], scene).payload, text(1000));
}

TEST(Segment, UdpIsCutIntoDatagrams) {
  for (const bool is_v6 : {false, true}) {
    const Scene scene(is_v6);
    Packet frame = payload_of(text(2500));
    udp::Header{.source_port = 1, .destination_port = 2}.push_onto(
        frame, scene.source, scene.destination, ChecksumBy::device);
    push_network(frame, scene, protocol::udp);
    frame.offload.segment_bytes = 1000;
    std::vector<Packet> pieces = segment(std::move(frame));
    ASSERT_EQ(pieces.size(), 3U);
    std::string joined;
    for (Packet& piece : pieces) {
      const std::size_t headers = ethernet::header_size + (is_v6 ? 40 : 20);
      const Bytes datagram = piece.linear().subspan(headers);
      const auto view = udp::View::parse(datagram);
      ASSERT_TRUE(view.has_value());
      EXPECT_EQ(view->length(), datagram.size());
      EXPECT_EQ(transport_checksum({scene.source, scene.destination, protocol::udp}, datagram), 0);
      joined += text_of(view->payload());
    }
    EXPECT_EQ(joined, text(2500));
  }
}

TEST(Segment, FrameThatIsNotWhatItClaimsGivesNothing) {
  const Scene scene(false);
  Packet fragment = tcp_super_segment(scene, text(3000), data_header(tcp::flags::ack), 1000);
  fragment.mutable_front()[ethernet::header_size + ipv4::fragment_offset] = 0x20;
  EXPECT_TRUE(segment(std::move(fragment)).empty());
  Packet arp = tcp_super_segment(scene, text(3000), data_header(tcp::flags::ack), 1000);
  store16(arp.mutable_front().data() + ethernet::type_offset, 0x0806);
  EXPECT_TRUE(segment(std::move(arp)).empty());
  Packet icmp = tcp_super_segment(scene, text(3000), data_header(tcp::flags::ack), 1000);
  icmp.mutable_front()[ethernet::header_size + ipv4::protocol_offset] = 1;
  EXPECT_TRUE(segment(std::move(icmp)).empty());
}

// Whatever bytes claim to be a super-segment, nothing worse than nothing comes out.
TEST(Segment, AnyBytesAreSurvived) {
  const Scene scene(false);
  RandomStream random = Seed(10).stream();
  for (int run = 0; run < 3000; ++run) {
    Packet frame = tcp_super_segment(scene, text(random.below(3000)), data_header(tcp::flags::ack),
                                     static_cast<std::uint16_t>(1 + random.below(1500)));
    const MutableBytes front = frame.mutable_front();
    for (std::uint64_t i = random.below(6); i > 0; --i) {
      front[random.below(front.size())] = static_cast<std::uint8_t>(random.next());
    }
    if (random.below(4) == 0) frame.truncate(random.below(frame.size() + 1));
    if (frame.offload.checksum_start + 18U > frame.front().size()) {
      frame.offload.checksum_wanted = false;
    }
    for (const Packet& piece : segment(std::move(frame))) {
      EXPECT_EQ(piece.offload.segment_bytes, 0);
      EXPECT_FALSE(piece.offload.checksum_wanted);
    }
  }
}

TEST(Segment, ThePiecesAreCountedWithoutCutting) {
  const Scene scene(true);
  const std::string bytes = text(3001);
  Packet frame = tcp_super_segment(scene, bytes, data_header(tcp::flags::ack), 1000);
  const Pieces pieces = pieces_of(frame);
  const std::size_t size = frame.size();
  const std::vector<Packet> cut = segment(std::move(frame));
  std::size_t total = 0;
  for (const Packet& piece : cut) total += piece.size();
  EXPECT_EQ(pieces.count, cut.size());
  EXPECT_EQ(size + (pieces.count - 1) * pieces.header_bytes, total);
  EXPECT_EQ(pieces_of(cut.front()).count, 1U);
}

}  // namespace
}  // namespace lanyard::link
