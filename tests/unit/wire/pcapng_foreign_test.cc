// SPDX-License-Identifier: Apache-2.0
// Capture files as others write them, rightly and wrongly (draft-ietf-opsawg-pcapng).
#include <gtest/gtest.h>

#include <cstring>

#include "core/bytes.hh"
#include "wire/pcapng.hh"

namespace lanyard::pcapng {
namespace {

using File = std::vector<std::uint8_t>;

// A file in the byte order of most machines, block by block.
class Foreign {
 public:
  Foreign() { section(1); }
  Foreign& section(std::uint16_t version) {
    File body;
    put32(body, 0x1a2b3c4d);
    put16(body, version);
    put16(body, 0);
    body.insert(body.end(), 8, 0xff);
    return block(0x0a0d0d0a, body);
  }
  // An interface; its options follow the fixed part.
  Foreign& interface(const File& options = {}, std::uint32_t snap_length = 0) {
    File body{1, 0, 0, 0};
    put32(body, snap_length);
    body.insert(body.end(), options.begin(), options.end());
    return block(1, body);
  }
  Foreign& packet(std::uint32_t interface, std::uint64_t ticks, std::uint32_t captured = 4,
                  const File& options = {}) {
    File body;
    put32(body, interface);
    put32(body, static_cast<std::uint32_t>(ticks >> 32));
    put32(body, static_cast<std::uint32_t>(ticks));
    put32(body, captured);
    put32(body, 60);
    body.insert(body.end(), {1, 2, 3, 4});
    body.insert(body.end(), options.begin(), options.end());
    return block(6, body);
  }
  Foreign& block(std::uint32_t type, File body) {
    while (body.size() % 4 != 0) body.push_back(0);
    const auto size = static_cast<std::uint32_t>(body.size() + 12);
    put32(file_, type);
    put32(file_, size);
    file_.insert(file_.end(), body.begin(), body.end());
    put32(file_, size);
    return *this;
  }
  static void put16(File& to, std::uint16_t value) {
    to.push_back(static_cast<std::uint8_t>(value));
    to.push_back(static_cast<std::uint8_t>(value >> 8));
  }
  static void put32(File& to, std::uint32_t value) {
    put16(to, static_cast<std::uint16_t>(value));
    put16(to, static_cast<std::uint16_t>(value >> 16));
  }
  static File option(std::uint16_t code, File value) {
    File bytes;
    put16(bytes, code);
    put16(bytes, static_cast<std::uint16_t>(value.size()));
    while (value.size() % 4 != 0) value.push_back(0);
    bytes.insert(bytes.end(), value.begin(), value.end());
    return bytes;
  }

  // The last record, or why the file is refused.
  [[nodiscard]] std::string refusal() const {
    Reader reader;
    std::size_t at = 0;
    while (true) {
      const auto step = reader.next(Bytes(file_).subspan(at));
      if (!step) {
        // Once refused, always refused.
        EXPECT_FALSE(reader.next(Bytes(file_).subspan(at)));
        EXPECT_EQ(reader.end({})->reason, step.error().reason);
        return step.error().reason;
      }
      if (!*step) return "read";
      at += reader.taken();
    }
  }
  [[nodiscard]] Record last() const {
    Reader reader;
    std::size_t at = 0;
    std::optional<Record> record;
    while (true) {
      const auto step = reader.next(Bytes(file_).subspan(at));
      EXPECT_TRUE(step) << step.error().reason;
      if (!step || !*step) return record.value();
      record = **step;
      at += reader.taken();
    }
  }
  [[nodiscard]] std::int64_t last_time() const {
    return std::get<CapturedPacket>(last()).info.time_ns;
  }

 private:
  File file_;
};

TEST(PcapngForeign, BlocksTooShortForWhatTheyAreAreRefused) {
  EXPECT_EQ(Foreign().block(1, {1, 0, 0, 0}).refusal(), "interface description cut short");
  EXPECT_EQ(Foreign().interface().block(6, File(16)).refusal(), "enhanced packet cut short");
  EXPECT_EQ(Foreign().interface().block(3, {}).refusal(), "simple packet cut short");
  EXPECT_EQ(Foreign().block(0xbad, {}).refusal(), "custom block cut short");
  EXPECT_EQ(Foreign().section(2).refusal(), "version 2 of the format");
}

TEST(PcapngForeign, PacketsOfInterfacesThatNobodyDescribedAreRefused) {
  EXPECT_EQ(Foreign().interface().packet(1, 0).refusal(),
            "packet of interface 1, which is not described");
  EXPECT_EQ(Foreign().block(3, File(8)).refusal(), "packet of interface 0, which is not described");
  EXPECT_EQ(Foreign().interface().packet(0, 0, 5).refusal(), "captured length leaves the block");
  EXPECT_EQ(Foreign().interface().packet(0, 0, 4).refusal(), "read");
}

TEST(PcapngForeign, ClocksOfAllResolutionsGiveNanoseconds) {
  const auto with = [](std::uint8_t resolution) {
    return Foreign().interface(Foreign::option(9, {resolution}));
  };
  EXPECT_EQ(Foreign().interface().packet(0, 5).last_time(), 5000);  // microseconds unless said
  EXPECT_EQ(with(0).packet(0, 5).last_time(), 5'000'000'000);
  EXPECT_EQ(with(12).packet(0, 5'000).last_time(), 5);
  EXPECT_EQ(with(60).packet(0, 5'000).last_time(), 0);  // finer than any number holds
  EXPECT_EQ(with(0x80 | 40).packet(0, std::uint64_t{3} << 39).last_time(), 1'500'000'000);
  EXPECT_EQ(with(0x80 | 64).packet(0, 5).last_time(), 0);
  // What is later than nanoseconds can say is as late as they can.
  constexpr std::int64_t latest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(with(0).packet(0, ~std::uint64_t{0}).last_time(), latest);
  EXPECT_EQ(with(0x80 | 1).packet(0, ~std::uint64_t{0}).last_time(), latest);
}

TEST(PcapngForeign, AClockMayBeAheadAndItsOptionOfAnotherSizeIsNone) {
  File ahead = Foreign::option(14, {2, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(Foreign().interface(ahead).packet(0, 5).last_time(), 2'000'005'000);
  ahead = Foreign::option(14, {2, 0, 0, 0});
  EXPECT_EQ(Foreign().interface(ahead).packet(0, 5).last_time(), 5000);
  EXPECT_EQ(Foreign().interface(Foreign::option(9, {3, 3})).packet(0, 5).last_time(), 5000);
  // One that would pass the end of time stands there.
  ahead = Foreign::option(14, {0, 0, 0, 0, 0, 0, 0, 0x7f});
  EXPECT_EQ(Foreign().interface(ahead).packet(0, 5).last_time(),
            std::numeric_limits<std::int64_t>::max());
}

TEST(PcapngForeign, OptionsOfAPacketCountInTheirOwnSizeOnly) {
  const auto read = [](const File& options) {
    return std::get<CapturedPacket>(Foreign().interface().packet(0, 0, 4, options).last());
  };
  EXPECT_EQ(read(Foreign::option(2, {2, 0, 0, 0})).info.direction, Direction::outbound);
  EXPECT_EQ(read(Foreign::option(2, {3, 0, 0, 0})).info.direction, Direction::unknown);
  EXPECT_EQ(read(Foreign::option(2, {2, 0})).info.direction, Direction::unknown);
  EXPECT_EQ(read(Foreign::option(5, {7, 0, 0, 0, 0, 0, 0, 0})).info.packet_id, 7U);
  EXPECT_FALSE(read(Foreign::option(5, {7, 0, 0, 0})).info.packet_id);
  // An option that says it is longer than what is there ends the list.
  EXPECT_TRUE(read({1, 0, 200, 0}).info.comments.empty());
  EXPECT_EQ(read(Foreign::option(1, {'o', 'k'})).info.comments, std::vector<std::string>{"ok"});
}

TEST(PcapngForeign, ASimplePacketIsAsLongAsItsInterfaceCaptures) {
  const File body{6, 0, 0, 0, 1, 2, 3, 4, 5, 6};
  const auto size = [&](std::uint32_t snap_length) {
    return std::get<CapturedPacket>(Foreign().interface({}, snap_length).block(3, body).last())
        .bytes.size();
  };
  EXPECT_EQ(size(0), 6U);
  EXPECT_EQ(size(4), 4U);
}

TEST(PcapngForeign, CustomBlocksOfOthersStayWhole) {
  const auto custom = [](const File& body, std::uint32_t type = 0xbad) {
    return Foreign().block(type, body).last();
  };
  EXPECT_EQ(std::get<Custom>(custom({1, 0, 0, 0, 9, 9, 9, 9})).bytes.size(), 4U);
  EXPECT_EQ(std::get<Custom>(custom({1, 0, 0, 0}, 0x40000bad)).bytes.size(), 0U);
  // Local numbers are anybody's, and so is the number for examples: what is not ours stays whole.
  constexpr std::uint32_t local = 0x80004c59;
  EXPECT_TRUE(std::holds_alternative<Skipped>(custom({1, 0, 0, 0, 0, 0, 0, 0}, local)));
  EXPECT_TRUE(std::holds_alternative<Skipped>(custom({0xd9, 0x7e, 0, 0}, local)));
  EXPECT_EQ(std::get<Custom>(custom({0xd9, 0x7e, 0, 0})).bytes.size(), 0U);
  EXPECT_EQ(std::get<Custom>(custom({0xd9, 0x7e, 0, 0, 9, 0, 0, 0, 1, 1, 1, 1})).bytes.size(), 8U);
  EXPECT_EQ(std::get<Custom>(custom({0xd9, 0x7e, 0, 0, 3, 0, 0, 0, 1, 1, 1, 0})).bytes.size(), 3U);
}

}  // namespace
}  // namespace lanyard::pcapng
