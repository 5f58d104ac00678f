// SPDX-License-Identifier: Apache-2.0
// A payload that stands in the run file already is found again, and no other is taken for it.
#include "lab/record_payloads.hh"

#include <gtest/gtest.h>

#include <numeric>

#include "core/bytes.hh"
#include "wire/ethernet.hh"
#include "wire/protocol.hh"

namespace lanyard::lab {
namespace {

constexpr std::size_t headers = 14 + 20 + 20;
constexpr std::size_t payload_bytes = 1'000;

std::vector<std::uint8_t> bytes_from(std::uint8_t first, std::size_t size = payload_bytes) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

// A segment's headers, to which a payload is added.
Packet segment(std::uint64_t id) {
  std::vector<std::uint8_t> bytes(headers);
  store16(&bytes[ethernet::type_offset], static_cast<std::uint16_t>(ethernet::Type::ipv4));
  bytes[14] = 0x45;
  bytes[14 + 9] = protocol::tcp;
  bytes[14 + 20 + 12] = 0x50;
  Packet frame = Packet::copy_of(bytes);
  frame.id = id;
  return frame;
}
Packet with_slice(std::uint64_t id, const Slice& slice) {
  Packet frame = segment(id);
  frame.append(slice);
  return frame;
}
Packet with_bytes(std::uint64_t id, Bytes bytes) {
  Packet frame = segment(id);
  frame.append(bytes);
  return frame;
}

TEST(RecordedPayloads, OneInASliceIsFoundHoweverMuchCameBetween) {
  RecordedPayloads payloads(true);
  const Packet frame = with_slice(1, Slice::copy_of(bytes_from(1)));
  EXPECT_EQ(payloads.look(frame, true).back, 0U);
  constexpr std::uint32_t between = 20'000;  // 20 MB
  for (std::uint32_t i = 0; i < between; ++i) (void)payloads.look(segment(2), false);
  const auto found = payloads.look(frame.share(), false);
  EXPECT_EQ(found.back, between + 1);
  EXPECT_EQ(found.headers, headers);
}

TEST(RecordedPayloads, ABlockThatIsUsedAgainHoldsAnother) {
  RecordedPayloads payloads(true);
  EXPECT_EQ(payloads.look(with_slice(1, Slice::copy_of(bytes_from(1))), true).back, 0U);
  // The block has been given back, and is the next to be taken.
  EXPECT_EQ(payloads.look(with_slice(1, Slice::copy_of(bytes_from(2))), false).back, 0U);
}

TEST(RecordedPayloads, AnotherPartOfASliceIsAnother) {
  RecordedPayloads payloads(true);
  const Slice slice = Slice::copy_of(bytes_from(1));
  EXPECT_EQ(payloads.look(with_slice(1, slice.part(0, 500)), true).back, 0U);
  EXPECT_EQ(payloads.look(with_slice(1, slice.part(500, 500)), false).back, 0U);
  EXPECT_EQ(payloads.look(with_slice(1, slice.part(500, 499)), false).back, 0U);
}

TEST(RecordedPayloads, OneThatWasBrokenOnTheWayIsAnother) {
  RecordedPayloads payloads(true);
  Packet frame = with_slice(1, Slice::copy_of(bytes_from(1)));
  EXPECT_EQ(payloads.look(frame, true).back, 0U);
  frame.linear();
  frame.mutable_front()[headers + 7] ^= 1;
  EXPECT_EQ(payloads.look(frame, false).back, 0U);
  EXPECT_EQ(payloads.look(frame, false).back, 1U);
}

TEST(RecordedPayloads, WhereItStandsAnewItIsFoundFromThenOn) {
  for (const bool is_virtual : {true, false}) {
    RecordedPayloads payloads(is_virtual);
    const Packet frame = with_slice(1, Slice::copy_of(bytes_from(1)));
    EXPECT_EQ(payloads.look(frame, true).back, 0U);
    EXPECT_EQ(payloads.look(frame, true).back, 0U);
    EXPECT_EQ(payloads.look(frame, false).back, 1U);
    EXPECT_EQ(payloads.look(frame, false).back, 2U);
  }
}

TEST(RecordedPayloads, InRealTimeTheBytesDecideWhereverTheyLie) {
  RecordedPayloads payloads(false);
  EXPECT_EQ(payloads.look(with_slice(1, Slice::copy_of(bytes_from(1))), true).back, 0U);
  EXPECT_EQ(payloads.look(with_bytes(1, bytes_from(1)), false).back, 1U);
  Packet two = with_slice(1, Slice::copy_of(bytes_from(1, 300)));
  two.append(Slice::copy_of(Bytes(bytes_from(1)).subspan(300)));
  EXPECT_EQ(payloads.look(two, false).back, 2U);
  EXPECT_EQ(payloads.look(with_bytes(1, bytes_from(2)), false).back, 0U);
  EXPECT_EQ(payloads.look(with_bytes(1, bytes_from(2, payload_bytes - 1)), false).back, 0U);
  EXPECT_EQ(payloads.look(with_bytes(2, bytes_from(2, payload_bytes - 1)), false).back, 0U);
}

TEST(RecordedPayloads, FragmentsOfOnePacketAreNotTakenForEachOther) {
  RecordedPayloads payloads(true);
  const Slice slice = Slice::copy_of(bytes_from(1));
  Packet first = with_slice(1, slice.part(0, 480)), second = with_slice(1, slice.part(480, 480));
  first.mutable_front()[14 + 6] = second.mutable_front()[14 + 6] = 0x20;
  EXPECT_EQ(payloads.look(first, false).back, 0U);
  EXPECT_EQ(payloads.look(first, false).back, 1U);
  EXPECT_EQ(payloads.look(second, false).back, 0U);
  EXPECT_EQ(payloads.look(second, false).back, 1U);
  EXPECT_EQ(payloads.look(first, false).back, 0U);
}

TEST(RecordedPayloads, BytesAreForgottenInTheEnd) {
  RecordedPayloads payloads(false);
  const Packet first = with_bytes(1, bytes_from(1, 60'000));
  EXPECT_EQ(payloads.look(first, true).back, 0U);
  std::uint32_t records = 0;
  const auto look_at_others = [&](int count) {
    for (int i = 0; i < count; ++i)
      EXPECT_EQ(payloads.look(with_bytes(100 + ++records, bytes_from(2, 60'000)), true).back, 0U);
  };
  look_at_others(100);
  EXPECT_EQ(payloads.look(first, false).back, records + 1);
  look_at_others(50);
  EXPECT_EQ(payloads.look(first, false).back, 0U);
}

TEST(RecordedPayloads, WhatIsShortOrNoSegmentIsNotRemembered) {
  RecordedPayloads payloads(false);
  const Packet small = with_bytes(1, bytes_from(1, 47));
  EXPECT_EQ(payloads.look(small, true).back, 0U);
  EXPECT_EQ(payloads.look(small, false).back, 0U);
  Packet fragment = with_slice(1, Slice::copy_of(bytes_from(1)));
  fragment.mutable_front()[14 + 6] = 0x20;
  EXPECT_EQ(payloads.look(fragment, true).back, 0U);
  EXPECT_EQ(payloads.look(fragment, false).back, 0U);
}

}  // namespace
}  // namespace lanyard::lab
