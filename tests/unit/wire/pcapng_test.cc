// SPDX-License-Identifier: Apache-2.0
#include "wire/pcapng.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "wire/pcapng_packet.hh"
#include "wire/pcapng_whole.hh"

namespace lanyard::pcapng {
namespace {

using File = std::vector<std::uint8_t>;

const std::vector<std::uint8_t> frame{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,
                                      0,    0,    0,    1,    0x88, 0xb5, 42};

File small_file() {
  File file;
  Writer writer(file);
  writer.section({.hardware = "", .os = "none", .application = "lanyard", .comment = "a run"});
  const std::uint32_t alice = writer.interface({.name = "alice:eth0", .description = "link a"});
  const std::uint32_t bob = writer.interface({.name = "bob:eth0", .description = ""});
  writer.packet({.interface = alice, .time_ns = 1, .direction = Direction::outbound}, frame);
  writer.packet({.interface = bob,
                 .time_ns = 1'600'000'000'123'456'789,
                 .direction = Direction::inbound,
                 .packet_id = 7,
                 .comments = {"dropped: queue full", "second"}},
                Packet::copy_of(frame));
  writer.custom(bytes_of("hello"));
  writer.statistics(bob, 5, 1, 0);
  return file;
}

// All records of a file given in pieces of `piece` bytes, and how it ended.
struct Reading {
  std::vector<Record> records;
  std::optional<Error> error;
};

Reading read(const File& file, std::size_t piece = ~std::size_t{0}) {
  Reading reading;
  Reader reader;
  std::size_t at = 0;
  for (std::size_t end = 0; end < file.size();) {
    end = std::min(file.size(), piece < file.size() ? end + piece : file.size());
    while (true) {
      auto step = reader.next(Bytes(file).subspan(at, end - at));
      if (!step) {
        reading.error = step.error();
        return reading;
      }
      if (!*step) break;
      reading.records.push_back(**step);
      at += reader.taken();
    }
  }
  reading.error = reader.end(Bytes(file).subspan(at));
  return reading;
}

TEST(Pcapng, WhatWasWrittenIsRead) {
  const File file = small_file();
  const Reading reading = read(file);
  ASSERT_FALSE(reading.error) << reading.error->reason;
  ASSERT_EQ(reading.records.size(), 7U);
  const auto& section = std::get<Section>(reading.records[0]);
  EXPECT_EQ(section.application, "lanyard");
  EXPECT_EQ(section.os, "none");
  EXPECT_EQ(section.comment, "a run");
  EXPECT_EQ(std::get<Interface>(reading.records[1]).name, "alice:eth0");
  EXPECT_EQ(std::get<Interface>(reading.records[1]).description, "link a");
  const auto& first = std::get<CapturedPacket>(reading.records[3]);
  EXPECT_EQ(first.info.time_ns, 1);
  EXPECT_EQ(first.info.direction, Direction::outbound);
  EXPECT_FALSE(first.info.packet_id);
  const auto& second = std::get<CapturedPacket>(reading.records[4]);
  EXPECT_EQ(second.info.interface, 1U);
  EXPECT_EQ(second.info.time_ns, 1'600'000'000'123'456'789);
  EXPECT_EQ(second.info.packet_id, 7U);
  EXPECT_EQ(second.info.comments, (std::vector<std::string>{"dropped: queue full", "second"}));
  EXPECT_TRUE(std::equal(second.bytes.begin(), second.bytes.end(), frame.begin(), frame.end()));
  EXPECT_TRUE(std::equal(frame.begin(), frame.end(),
                         file.begin() + static_cast<std::ptrdiff_t>(second.offset)));
  const auto& custom = std::get<Custom>(reading.records[5]);
  EXPECT_EQ(text_of(custom.bytes), "hello");
  EXPECT_EQ(text_of(Bytes(file).subspan(custom.offset, 5)), "hello");
  EXPECT_TRUE(std::holds_alternative<Skipped>(reading.records[6]));
}

TEST(Pcapng, ComesByteForByteAsWell) {
  const File file = small_file();
  for (const std::size_t piece : {1U, 3U, 7U, 64U}) {
    const Reading reading = read(file, piece);
    EXPECT_FALSE(reading.error);
    EXPECT_EQ(reading.records.size(), 7U);
  }
}

TEST(Pcapng, FileCutShortIsSaidWithItsOffset) {
  const File file = small_file();
  std::size_t whole = 0;
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Reading reading = read(File(file.begin(), file.begin() + static_cast<long>(size)));
    whole += !reading.error;
    if (!reading.error) continue;
    EXPECT_LE(reading.error->offset, size);
    EXPECT_FALSE(reading.error->reason.empty());
  }
  EXPECT_EQ(whole, 6U) << "a file may end between two blocks only";
}

TEST(Pcapng, ForeignFilesAreRefusedWithAReason) {
  const auto reason = [](std::string_view text) {
    const Reading reading = read(File(text.begin(), text.end()));
    return reading.error ? reading.error->reason : "read";
  };
  EXPECT_EQ(reason(""), "empty file");
  EXPECT_EQ(reason("%PDF-1.4 ...."), "not a capture file: it begins with 25504446");
  File bad = small_file();
  bad[4] ^= 1;
  EXPECT_EQ(read(bad).error->offset, 4U);
  bad = small_file();
  bad[9] ^= 1;
  EXPECT_EQ(read(bad).error->reason, "byte-order magic is 4d3d2b1a");
}

// The same numbers in the other order; libpcap on a big-endian machine writes so.
TEST(Pcapng, BigEndianSectionsAreRead) {
  const File file{0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 0xff,
                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 28,
                  // interface: Ethernet, 100 bytes at most, clock of 2^-10 s, 1 s ahead
                  0, 0, 0, 1, 0, 0, 0, 40, 0, 1, 0, 0, 0, 0, 0, 100,  //
                  0, 9, 0, 1, 0x8a, 0, 0, 0, 0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 40,
                  // packet of 3 bytes at 1.5 s
                  0, 0, 0, 6, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 3,  //
                  0, 0, 0, 9, 1, 2, 3, 0, 0, 0, 0, 36,
                  // simple packet of 2 bytes, then a block nobody knows
                  0, 0, 0, 3, 0, 0, 0, 20, 0, 0, 0, 2, 8, 9, 0, 0, 0, 0, 0, 20,  //
                  0, 0, 0x12, 0x34, 0, 0, 0, 12, 0, 0, 0, 12};
  const Reading reading = read(file);
  ASSERT_FALSE(reading.error) << reading.error->reason << " at " << reading.error->offset;
  ASSERT_EQ(reading.records.size(), 5U);
  const auto& packet = std::get<CapturedPacket>(reading.records[2]);
  EXPECT_EQ(packet.info.time_ns, 2'500'000'000);
  EXPECT_EQ(packet.original_size, 9U);
  EXPECT_EQ(packet.bytes.size(), 3U);
  EXPECT_EQ(std::get<CapturedPacket>(reading.records[3]).bytes[1], 9);
  EXPECT_EQ(std::get<Skipped>(reading.records[4]).block_type, 0x1234U);
}

TEST(Pcap, ClassicFilesOfBothOrdersAndResolutionsAreRead) {
  const File microseconds{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,    0,
                          4,    0,    1,    0,    0, 0,  //
                          3,    0,    0,    0,    5, 0, 0, 0, 2, 0, 0, 0, 60, 0, 0, 0, 0xaa, 0xbb};
  const File nanoseconds{0xa1, 0xb2, 0x3c, 0x4d, 0, 2,   0, 4, 0, 0, 0, 0, 0, 0, 0, 0,  0,    4,
                         0,    0,    0,    0,    0, 101,  //
                         0,    0,    0,    3,    0, 0,   0, 5, 0, 0, 0, 2, 0, 0, 0, 60, 0xaa, 0xbb};
  for (const bool is_ns : {false, true}) {
    const File& file = is_ns ? nanoseconds : microseconds;
    const Reading reading = read(file, 5);
    ASSERT_FALSE(reading.error) << reading.error->reason;
    ASSERT_EQ(reading.records.size(), 2U);
    EXPECT_EQ(std::get<Interface>(reading.records[0]).link_type, is_ns ? 101 : 1);
    const auto& packet = std::get<CapturedPacket>(reading.records[1]);
    EXPECT_EQ(packet.info.time_ns, is_ns ? 3'000'000'005 : 3'000'005'000);
    EXPECT_EQ(packet.original_size, 60U);
    EXPECT_EQ(packet.bytes[1], 0xbb);
  }
}

// A block written in place is read as one of the writer's; its end stands with an earlier packet.
class Pieces : public testing::Test {
 protected:
  // Adds a packet of these bytes, of `whole` in all, whose end stands `back` packets before.
  void add(const File& bytes, std::size_t whole, std::uint32_t back,
           std::string_view comment = "") {
    std::vector<std::uint8_t> room(PacketBlock::room_around + bytes.size() + comment.size());
    const PacketBlock place(room.data());
    std::ranges::copy(bytes, place.bytes());
    const std::size_t size = PacketBlock(room.data())
                                 .finish({.interface = 1, .time_ns = 5, .packet_id = 8}, comment,
                                         {.here = bytes.size(), .whole = whole, .tail_back = back});
    file_.insert(file_.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
  }
  // All packets put together; the first that cannot be is what is wrong.
  std::vector<std::string> whole() const {
    std::vector<std::string> all;
    WholePackets packets(file_.size());
    const Reading reading = read(file_);
    EXPECT_FALSE(reading.error) << reading.error->reason;
    for (const Record& record : reading.records) {
      const auto* packet = std::get_if<CapturedPacket>(&record);
      if (packet == nullptr) continue;
      const auto bytes = packets.add(*packet);
      all.emplace_back(bytes ? text_of(*bytes) : bytes.error());
      if (!bytes) break;
    }
    return {all.begin() + 2, all.end()};  // the small file has two
  }
  File file_ = small_file();
};

TEST_F(Pieces, AnEndThatStandsElsewhereIsPutBack) {
  add({'a', 'b', 'c', 'd', 'e'}, 5, 0, "dropped: no route");
  add({'x', 'y'}, 5, 1);
  add({'z'}, 2, 1);
  EXPECT_EQ(whole(), (std::vector<std::string>{"abcde", "xycde", "ze"}));
  const Reading reading = read(file_);
  const auto& packet = std::get<CapturedPacket>(reading.records[7]);
  EXPECT_EQ(packet.info.comments, std::vector<std::string>{"dropped: no route"});
  EXPECT_EQ(packet.info.packet_id, 8U);
  EXPECT_EQ(packet.info.interface, 1U);
}

TEST_F(Pieces, AnEndThatIsNowhereIsRefused) {
  add({'a', 'b'}, 5, 9);
  EXPECT_EQ(whole(), std::vector<std::string>{"the end of a packet that is not there"});
  file_ = small_file();
  add({'a', 'b'}, 2 + frame.size() + 1, 1);
  EXPECT_EQ(whole(), std::vector<std::string>{"the end of a packet that is shorter"});
  file_ = small_file();
  add({'a', 'b'}, 1, 1);
  EXPECT_EQ(whole(), std::vector<std::string>{"the end of a packet that is shorter"});
}

// What was cut short by its capture is what it is.
TEST_F(Pieces, ACaptureOfHeadersOnlyStaysSo) {
  add({'a', 'b'}, 500, 0);
  EXPECT_EQ(whole(), std::vector<std::string>{"ab"});
}

TEST(WholePackets, AFileThatWouldBeFarTooLargeIsRefused) {
  WholePackets packets(0);
  const std::vector<std::uint8_t> large(std::size_t{16} << 20);
  CapturedPacket packet;
  packet.bytes = large;
  packet.original_size = static_cast<std::uint32_t>(large.size());
  ASSERT_TRUE(packets.add(packet));
  packet.bytes = {};
  std::size_t accepted = 0;
  for (packet.tail_back = 1; packets.add(packet); ++accepted) ASSERT_LT(accepted, 100U);
  EXPECT_EQ(accepted, WholePackets::growth_free / large.size());
}

}  // namespace
}  // namespace lanyard::pcapng
