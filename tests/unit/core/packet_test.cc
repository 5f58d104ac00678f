// SPDX-License-Identifier: Apache-2.0
#include "core/packet.hh"

#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "core/checksum.hh"
#include "core/random.hh"

namespace lanyard {
namespace {

std::string all_of(const Packet& packet) {
  std::vector<std::uint8_t> bytes(packet.size());
  packet.copy_to(0, bytes);
  return std::string(text_of(bytes));
}

Slice slice_of(std::string_view text) {
  return Slice::copy_of(bytes_of(text));
}

void push(Packet& packet, std::string_view header) {
  std::memcpy(packet.push_front(header.size()), header.data(), header.size());
}

TEST(Packet, HeadersArePushedAndPulledInPlace) {
  Packet packet(20, 100);
  packet.append(bytes_of("payload"));
  const std::uint8_t* place = packet.front().data();
  push(packet, "tcp ");
  push(packet, "ip ");
  EXPECT_EQ(all_of(packet), "ip tcp payload");
  packet.pull_front(7);
  EXPECT_EQ(all_of(packet), "payload");
  EXPECT_EQ(packet.front().data(), place);
}

TEST(Packet, HeadroomGrowsWhenThereIsTooLittle) {
  Packet packet(2, 10);
  packet.append(bytes_of("data"));
  packet.append(slice_of(" and a slice"));
  push(packet, "a header longer than the headroom ");
  EXPECT_EQ(all_of(packet), "a header longer than the headroom data and a slice");
}

TEST(Packet, RoomBehindGrowsWhenThereIsTooLittle) {
  Packet packet(10, 0);
  const std::string long_text(5000, 'x');
  packet.append(bytes_of("start"));
  packet.append(bytes_of(long_text));
  push(packet, "h");
  EXPECT_EQ(all_of(packet), "hstart" + long_text);
}

TEST(Packet, EmptyOneGrowsBothWays) {
  Packet packet;
  EXPECT_FALSE(packet);
  EXPECT_EQ(packet.size(), 0U);
  EXPECT_TRUE(packet.front().empty());
  push(packet, "front");
  packet.append(bytes_of(" back"));
  EXPECT_EQ(all_of(packet), "front back");
  Packet of_slices;
  of_slices.append(slice_of("slice"));
  push(of_slices, "a ");
  EXPECT_EQ(all_of(of_slices), "a slice");
}

TEST(Packet, SlicesOfSharesAnyRange) {
  Packet packet = Packet::copy_of(bytes_of("0123"));
  for (const char* text : {"45", "6", "789", "ab", "cdef"}) packet.append(slice_of(text));
  const std::string whole = "0123456789abcdef";
  EXPECT_EQ(all_of(packet), whole);
  for (std::size_t offset = 0; offset <= whole.size(); ++offset) {
    for (std::size_t size = 0; size <= whole.size() - offset; ++size) {
      std::vector<Slice> slices;
      packet.slices_of(offset, size, slices);
      std::string joined;
      for (const Slice& slice : slices) joined += text_of(slice.bytes());
      ASSERT_EQ(joined, whole.substr(offset, size));
      std::vector<std::uint8_t> copied(size);
      packet.copy_to(offset, copied);
      ASSERT_EQ(text_of(copied), whole.substr(offset, size));
    }
  }
}

TEST(Packet, SliceTakenFromAPacketOutlivesItAndItsChanges) {
  std::vector<Slice> kept;
  {
    Packet packet = Packet::copy_of(bytes_of("header payload"));
    packet.slices_of(7, 7, kept);
    packet.mutable_front()[7] = 'P';  // into a copy: the slice's bytes may not change
    EXPECT_EQ(all_of(packet), "header Payload");
    packet.pull_front(14);
    push(packet, "overwritten at");
    packet.append(bytes_of("all"));
  }
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(text_of(kept[0].bytes()), "payload");
}

TEST(Packet, TruncateDropsAtTheEnd) {
  for (std::size_t left = 0; left <= 10; ++left) {
    Packet packet = Packet::copy_of(bytes_of("0123"));
    packet.append(slice_of("45"));
    packet.append(slice_of("6789"));
    packet.truncate(left);
    EXPECT_EQ(all_of(packet), std::string("0123456789").substr(0, left));
    packet.append(slice_of("z"));
    EXPECT_EQ(all_of(packet), std::string("0123456789").substr(0, left) + "z");
  }
}

TEST(Packet, ASliceThatGoesOnWhereTheLastOneEndsMakesThatLonger) {
  const Slice whole = Slice::copy_of(std::vector<std::uint8_t>(100, 'x'));
  Packet packet(64, 0);
  packet.append(whole.part(0, 40));
  packet.append(whole.part(40, 60));
  ASSERT_EQ(packet.slices().size(), 1U);
  EXPECT_EQ(packet.slices()[0].bytes().data(), whole.bytes().data());
  EXPECT_EQ(packet.slices()[0].size(), 100U);
  packet.append(whole.part(10, 5));
  packet.append(Slice::copy_of(std::vector<std::uint8_t>(3, 'y')));
  EXPECT_EQ(packet.slices().size(), 3U);
  EXPECT_EQ(packet.size(), 108U);
  packet.truncate(99);
  EXPECT_EQ(packet.slices().size(), 1U);
  EXPECT_EQ(packet.slices()[0].size(), 99U);
}

TEST(Packet, TruncateOfManySlices) {
  Packet packet;
  for (char c = 'a'; c <= 'z'; ++c) packet.append(slice_of(std::string(1, c)));
  EXPECT_EQ(packet.slices().size(), 26U);
  packet.truncate(2);
  EXPECT_EQ(packet.slices().size(), 2U);
  packet.append(slice_of("!"));
  EXPECT_EQ(all_of(packet), "ab!");
}

TEST(Packet, LinearMakesItContiguous) {
  Packet packet = Packet::copy_of(bytes_of("abc"), 4);
  packet.append(slice_of("def"));
  packet.append(slice_of(std::string(3000, 'g')));
  EXPECT_EQ(text_of(packet.linear()), "abcdef" + std::string(3000, 'g'));
  EXPECT_TRUE(packet.slices().empty());
  const std::uint8_t* place = packet.front().data();
  EXPECT_EQ(packet.linear().data(), place);  // nothing left to copy
}

TEST(Packet, ShareCopiesTheFrontAndSharesTheSlices) {
  Packet packet = Packet::copy_of(bytes_of("front "));
  packet.append(slice_of("payload"));
  packet.offload.segment_bytes = 1460;
  packet.cause = 7;
  Packet other = packet.share();
  EXPECT_EQ(all_of(other), "front payload");
  EXPECT_EQ(other.offload.segment_bytes, 1460);
  EXPECT_EQ(other.cause, 7U);
  EXPECT_EQ(other.slices()[0].bytes().data(), packet.slices()[0].bytes().data());
  other.mutable_front()[0] = 'F';
  EXPECT_EQ(all_of(packet), "front payload");
  EXPECT_FALSE(Packet().share());
}

TEST(Packet, MovedFromIsEmpty) {
  Packet packet = Packet::copy_of(bytes_of("abc"));
  packet.append(slice_of("def"));
  Packet other = std::move(packet);
  EXPECT_EQ(all_of(other), "abcdef");
  EXPECT_EQ(packet.size(), 0U);  // NOLINT: what a moved-from packet is, is part of the contract
  other = Packet::copy_of(bytes_of("new"));
  EXPECT_EQ(all_of(other), "new");
  EXPECT_TRUE(other.slices().empty());
}

TEST(Packet, WantedChecksumMovesWithTheHeaders) {
  Packet packet = Packet::copy_of(bytes_of("tcp header and payload"));
  packet.offload.checksum_wanted = true;
  push(packet, std::string(20, 'i'));
  push(packet, std::string(14, 'e'));
  EXPECT_EQ(packet.offload.checksum_start, 34);
  packet.pull_front(34);
  EXPECT_TRUE(packet.offload.checksum_wanted);
  EXPECT_EQ(packet.offload.checksum_start, 0);
  packet.pull_front(4);
  EXPECT_FALSE(packet.offload.checksum_wanted);
  EXPECT_TRUE(packet.offload.checksum_good);
}

TEST(FinishChecksum, CoversFrontAndSlicesAndThePseudoHeadersSum) {
  // An odd front and odd slices, so that parity matters.
  Packet packet = Packet::copy_of(bytes_of("ipheaderUDPHDR??payloa"));
  packet.append(slice_of("d in"));
  packet.append(slice_of(" slices"));
  store16(packet.mutable_front().data() + 14, 0x1234);
  packet.offload = {.checksum_wanted = true, .checksum_start = 8, .checksum_offset = 6};
  finish_checksum(packet);
  EXPECT_FALSE(packet.offload.checksum_wanted);
  EXPECT_TRUE(packet.offload.checksum_good);
  // A receiver adds the pseudo-header's sum to what it got and finds zero.
  const Bytes whole = packet.linear();
  ChecksumSum sum;
  sum.add16(0x1234);
  sum.add(whole.subspan(8));
  EXPECT_EQ(sum.finish(), 0);
}

// RFC 768: zero means "no checksum" and so is never what a computed one is sent as.
TEST(FinishChecksum, ZeroIsSentAsAllOnesForUdpOnly) {
  for (const std::uint16_t field : {std::uint16_t{6}, std::uint16_t{16}}) {
    std::vector<std::uint8_t> bytes(20, 0);
    store16(bytes.data() + field, 0xffff);  // the pseudo-header's sum: everything sums to ffff
    Packet packet = Packet::copy_of(bytes);
    packet.offload = {.checksum_wanted = true, .checksum_offset = field};
    finish_checksum(packet);
    EXPECT_EQ(load16(packet.front().data() + field), field == 6 ? 0xffff : 0);
  }
}

// Any sequence of operations gives the bytes a plain string gives.
TEST(Packet, RandomOperationsAsOnAString) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomStream random = Seed(seed).stream();
    Packet packet;
    std::string model;
    std::vector<std::pair<std::vector<Slice>, std::string>> kept;
    for (int step = 0; step < 60; ++step) {
      const std::string text(random.below(random.below(20) == 0 ? 3000 : 40),
                             static_cast<char>('a' + random.below(26)));
      switch (random.below(7)) {
        case 0:
          push(packet, text);
          model.insert(0, text);
          break;
        case 1:
          packet.append(slice_of(text));
          model += text;
          break;
        case 2:
          packet.append(bytes_of(text));
          model += text;
          break;
        case 3: {
          const std::size_t left = random.below(model.size() + 1);
          packet.truncate(left);
          model.resize(left);
          break;
        }
        case 4: {
          const std::size_t pulled = random.below(packet.front().size() + 1);
          packet.pull_front(pulled);
          model.erase(0, pulled);
          break;
        }
        case 5: {
          const std::size_t offset = random.below(model.size() + 1);
          const std::size_t size = random.below(model.size() - offset + 1);
          kept.emplace_back();
          packet.slices_of(offset, size, kept.back().first);
          kept.back().second = model.substr(offset, size);
          break;
        }
        default:
          if (random.below(2) == 0) {
            packet.linear();
          } else {
            packet = packet.share();
          }
      }
      ASSERT_EQ(all_of(packet), model);
      for (const auto& [slices, expected] : kept) {
        std::string joined;
        for (const Slice& slice : slices) joined += text_of(slice.bytes());
        ASSERT_EQ(joined, expected);
      }
    }
  }
}

}  // namespace
}  // namespace lanyard
