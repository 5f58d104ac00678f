// SPDX-License-Identifier: Apache-2.0
// What comes in order, and what does not, is read in order; only the latter is reported.
#include "transport/tcp/receiver.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace lanyard::tcp {
namespace {

constexpr SequenceNumber irs(999);
constexpr SequenceNumber first(1000);
constexpr std::size_t pieces_max = 16;

// A segment's packet: a header of four bytes, and payload that says where in the stream it lies.
Packet segment(std::uint32_t from, std::size_t size) {
  Packet packet(0, 4 + size);
  std::uint8_t* const bytes = packet.push_back(4 + size);
  for (std::size_t i = 0; i < size; ++i) bytes[4 + i] = static_cast<std::uint8_t>(from + i);
  return packet;
}

struct Stream {
  Receiver receiver;
  Stream() {
    receiver.start(irs, 65536, 0);
    static_cast<void>(receiver.offer(1460));
  }
  Receiver::Taken take(std::uint32_t from, std::size_t size) {
    return receiver.take(first + from, segment(from, size), 4, size, pieces_max);
  }
  void expect_read(std::size_t size) {
    std::vector<std::uint8_t> out(size + 1), wanted(size);
    for (std::size_t i = 0; i < size; ++i) wanted[i] = static_cast<std::uint8_t>(i);
    EXPECT_EQ(receiver.read(out, false), size);
    out.resize(size);
    EXPECT_EQ(out, wanted);
  }
};

TEST(Receiver, WhatComesInOrderIsReadAndNotReported) {
  Stream stream;
  for (std::uint32_t from = 0; from < 300; from += 100) {
    const Receiver::Taken taken = stream.take(from, 100);
    EXPECT_EQ(taken.bytes, 100U);
    EXPECT_FALSE(taken.was_out_of_order);
  }
  EXPECT_EQ(stream.receiver.next(), first + 300);
  EXPECT_TRUE(stream.receiver.sack_blocks().empty());
  stream.expect_read(300);
}

TEST(Receiver, NothingIsADuplicateWithoutABlock) {
  Stream stream;
  const Receiver::Taken taken = stream.take(0, 0);
  EXPECT_EQ(taken.bytes, 0U);
  EXPECT_TRUE(taken.was_out_of_order);
  EXPECT_TRUE(stream.receiver.sack_blocks().empty());
}

TEST(Receiver, WhatFillsAGapCountsAsOutOfOrderAndBringsWhatFollows) {
  Stream stream;
  EXPECT_EQ(stream.take(100, 100).bytes, 0U);
  EXPECT_EQ(stream.receiver.sack_blocks().size(), 1U);
  const Receiver::Taken taken = stream.take(0, 100);
  EXPECT_EQ(taken.bytes, 200U);
  EXPECT_TRUE(taken.was_out_of_order);
  stream.expect_read(200);
}

TEST(Receiver, OfWhatOverlapsOnlyTheNewPartIsTakenAndTheRestReported) {
  Stream stream;
  EXPECT_EQ(stream.take(0, 100).bytes, 100U);
  const Receiver::Taken taken = stream.take(50, 100);
  EXPECT_EQ(taken.bytes, 50U);
  EXPECT_TRUE(taken.was_out_of_order);
  ASSERT_EQ(stream.receiver.sack_blocks().size(), 1U);
  EXPECT_EQ(stream.receiver.sack_blocks()[0].left, first + 50);
  EXPECT_EQ(stream.receiver.sack_blocks()[0].right, first + 100);
  stream.expect_read(150);
}

TEST(Receiver, TheBufferGrowsWithWhatComesInOrder) {
  Receiver receiver;
  receiver.start(irs, 1 << 20, 4);
  static_cast<void>(receiver.offer(1460));
  const std::uint32_t before_it = receiver.buffer();
  std::vector<std::uint8_t> out(1000);
  for (std::uint32_t from = 0; from < 2 * before_it; from += 1000) {
    static_cast<void>(receiver.offer(1460));
    receiver.take(first + from, segment(from, 1000), 4, 1000, pieces_max);
    EXPECT_EQ(receiver.read(out, false), 1000U);
  }
  EXPECT_GT(receiver.buffer(), before_it);
}

}  // namespace
}  // namespace lanyard::tcp
