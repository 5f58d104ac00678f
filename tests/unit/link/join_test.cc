// SPDX-License-Identifier: Apache-2.0
// Frames are made by cutting super-segments, joined again, and compared byte for byte.
#include "link/join.hh"

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "core/random.hh"
#include "link/segment.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"

namespace lanyard::link {
namespace {

struct Stream {
  bool is_v6 = false;
  std::string bytes;
  std::uint16_t segment_bytes = 1448;
  tcp::Flags flags = tcp::flags::ack | tcp::flags::psh;
  std::uint32_t timestamp = 7;
  Port port = 80;
};

std::string text(std::size_t size) {
  std::string made(size, ' ');
  for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>('a' + i * 7 % 26);
  return made;
}

Packet super_segment(const Stream& stream) {
  const IpAddress source = stream.is_v6 ? *IpAddress::parse("fd00::1") : IpAddress::v4(10, 0, 0, 1);
  const IpAddress to = stream.is_v6 ? *IpAddress::parse("fd00::2") : IpAddress::v4(10, 0, 0, 2);
  Packet packet(128, 0);
  packet.append(Slice::copy_of(bytes_of(stream.bytes)));
  tcp::Header header;
  header.source_port = 4000;
  header.destination_port = stream.port;
  header.sequence = tcp::SequenceNumber(0xffff'f000);  // wraps
  header.acknowledgment = tcp::SequenceNumber(77);
  header.flags = stream.flags;
  header.window = 500;
  header.options.timestamps = {stream.timestamp, 9};
  header.push_onto(packet, source, to, ChecksumBy::device);
  if (stream.is_v6) {
    ipv6::Header{.source = source, .destination = to, .next_header = protocol::tcp}.push_onto(
        packet);
  } else {
    ipv4::Header{.source = source,
                 .destination = to,
                 .protocol = protocol::tcp,
                 .dont_fragment = true,
                 .options = {}}
        .push_onto(packet);
  }
  ethernet::Header{.destination = {{2, 0, 0, 0, 0, 2}},
                   .source = {{2, 0, 0, 0, 0, 1}},
                   .type = stream.is_v6 ? ethernet::Type::ipv6 : ethernet::Type::ipv4}
      .push_onto(packet);
  packet.offload.segment_bytes = stream.segment_bytes;
  return packet;
}

std::vector<Packet> frames_of(const Stream& stream) {
  return segment(super_segment(stream));
}

std::string bytes_of_frame(const Packet& frame) {
  std::string bytes(frame.size(), ' ');
  frame.copy_to(0, {static_cast<std::uint8_t*>(static_cast<void*>(bytes.data())), bytes.size()});
  return bytes;
}

class Join : public testing::TestWithParam<bool> {};

TEST_P(Join, WhatWasCutAndJoinedIsCutIntoTheSameFramesAgain) {
  RandomStream random = Seed(11).stream();
  for (int round = 0; round < 100; ++round) {
    const Stream stream{.is_v6 = GetParam(),
                        .bytes = text(3501 + random.below(50'000)),  // the first is not the last
                        .segment_bytes = static_cast<std::uint16_t>(500 + random.below(3000))};
    std::vector<std::string> before;
    FrameRun run;
    bool is_first = true;
    for (Packet& frame : frames_of(stream)) {
      before.push_back(bytes_of_frame(frame));
      const bool is_taken = is_first ? run.begins(frame) : run.takes(frame);
      ASSERT_TRUE(is_taken) << "round " << round << " frame " << before.size();
      is_first = false;
    }
    FrameRun::Joined joined = run.release();
    EXPECT_TRUE(run.is_empty());
    EXPECT_EQ(joined.more_frames, before.size() - 1);
    EXPECT_TRUE(joined.frame.offload.checksum_good);
    const std::size_t whole = joined.frame.size() + joined.more_bytes;
    std::size_t sum = 0;
    std::vector<std::string> after;
    for (Packet& frame : segment(std::move(joined.frame))) after.push_back(bytes_of_frame(frame));
    for (const std::string& frame : after) sum += frame.size();
    EXPECT_EQ(whole, sum);
    ASSERT_EQ(after, before) << "round " << round;
  }
}

// Whether a run that begins with a stream's first frame takes the second once it was changed.
bool takes_changed(const Stream& stream, const std::function<void(Packet&)>& change) {
  std::vector<Packet> frames = frames_of(stream);
  FrameRun run;
  EXPECT_TRUE(run.begins(frames.at(0)));
  change(frames.at(1));
  return run.takes(frames.at(1));
}

TEST_P(Join, AFrameThatDiffersInAnyByteOfItsHeadersStandsAlone) {
  const Stream stream{.is_v6 = GetParam(), .bytes = text(5000)};
  EXPECT_TRUE(takes_changed(stream, [](Packet&) {}));
  const std::size_t transport = 14 + (stream.is_v6 ? 40 : 20);
  for (std::size_t at = 0; at < transport + 32; ++at) {
    // Its payload was found good when it was cut, so that TCP's checksum is not looked at.
    if (at == transport + 16 || at == transport + 17) continue;
    EXPECT_FALSE(takes_changed(stream, [at](Packet& frame) { frame.mutable_front()[at] ^= 1; }))
        << "byte " << at;
  }
}

TEST_P(Join, DamagedPayloadStandsAlone) {
  const Stream stream{.is_v6 = GetParam(), .bytes = text(5000)};
  EXPECT_FALSE(takes_changed(stream, [](Packet& frame) {
    frame.linear();
    frame.offload.checksum_good = false;
    frame.mutable_front().back() ^= 1;
  }));
}

TEST_P(Join, NothingFollowsAPushedOrShorterFrame) {
  const Stream stream{.is_v6 = GetParam(), .bytes = text(3000)};
  std::vector<Packet> frames = frames_of(stream), others = frames_of(stream);
  FrameRun run;
  // PSH: the program wrote until here.
  EXPECT_FALSE(run.begins(others.at(2)));
  EXPECT_TRUE(run.is_empty());
  ASSERT_TRUE(run.begins(frames.at(0)));
  EXPECT_TRUE(run.takes(frames.at(1)));
  EXPECT_TRUE(run.takes(frames.at(2)));
  EXPECT_FALSE(run.takes(others.at(1)));
}

TEST_P(Join, OtherStreamsTimesAndFlagsStandAlone) {
  const Stream stream{.is_v6 = GetParam(), .bytes = text(5000)};
  std::vector<Packet> ours = frames_of(stream);
  FrameRun run;
  EXPECT_TRUE(run.begins(ours.at(0)));
  for (const auto& change : std::initializer_list<std::function<void(Stream&)>>{
           [](Stream& other) { other.port = 81; }, [](Stream& other) { other.timestamp = 8; },
           [](Stream& other) { other.flags |= tcp::flags::ece; }}) {
    Stream other = stream;
    change(other);
    std::vector<Packet> theirs = frames_of(other);
    EXPECT_FALSE(run.takes(theirs.at(1)));
    EXPECT_TRUE(theirs.at(1));
  }
  EXPECT_FALSE(run.takes(ours.at(2)));  // a gap
  EXPECT_TRUE(run.takes(ours.at(1)));
  EXPECT_TRUE(run.takes(ours.at(2)));
}

TEST_P(Join, FinSynAndBareAcknowledgmentsAreNeverJoined) {
  for (const tcp::Flags flag : {tcp::flags::fin, tcp::flags::syn, tcp::flags::rst}) {
    const Stream stream{.is_v6 = GetParam(), .bytes = text(5000), .flags = tcp::flags::ack | flag};
    std::vector<Packet> frames = frames_of(stream);
    FrameRun run;
    const bool is_begun = run.begins(frames.at(2));
    EXPECT_FALSE(run.takes(frames.at(3)));
    if (is_begun) {
      EXPECT_EQ(run.release().more_frames, 0U);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BothFamilies, Join, testing::Bool());

}  // namespace
}  // namespace lanyard::link
