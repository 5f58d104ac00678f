// SPDX-License-Identifier: Apache-2.0
#include "cli/picture.hh"

#include <gtest/gtest.h>

namespace lanyard::cli {
namespace {

Row arrow(std::int64_t us, std::size_t from, std::size_t to, std::string title,
          std::string detail) {
  return {.number = static_cast<std::uint64_t>(us % 1'000) / 100 + 1,
          .at = Instant::at_ns(us * 1000),
          .from = from,
          .to = to,
          .title = std::move(title),
          .detail = std::move(detail)};
}

Picture handshake() {
  Picture picture;
  picture.lifelines = {"alice", "r1", "bob"};
  picture.rows = {arrow(1'000'000, 0, 1, "ARP", "who has 10.0.1.1? tell 10.0.1.2"),
                  arrow(1'000'200, 1, 0, "ARP", "10.0.1.1 is at 02:00:00:00:00:01"),
                  arrow(1'000'300, 0, 2, "SYN", "40000 -> 80 seq 0"),
                  arrow(1'020'500, 2, 0, "SYN,ACK", "80 -> 40000 seq 0 ack 1")};
  return picture;
}

std::size_t widest(const std::string& drawn) {
  std::size_t most = 0;
  for (std::size_t start = 0; start < drawn.size();) {
    const std::size_t end = drawn.find('\n', start);
    most = std::max(most, columns_of(std::string_view(drawn).substr(start, end - start)));
    start = end + 1;
  }
  return most;
}

TEST(Picture, ArrowsRunBetweenLifelinesWithTheirTitlesInThem) {
  EXPECT_EQ("\n" + draw(handshake(), {.has_utf8 = true, .columns = 90}), R"(
no.      time  alice             r1               bob
  1  1.000000    │───── ARP ─────▶│                │   who has 10.0.1.1? tell 10.0.1.2
  3  1.000200    │◀───── ARP ─────│                │   10.0.1.1 is at 02:00:00:00:00:01
  4  1.000300    │───── SYN ──────┼───────────────▶│   40000 -> 80 seq 0
  6  1.020500    │◀───────────────┼──── SYN,ACK ───│   80 -> 40000 seq 0 ack 1
)");
}

TEST(Picture, WithoutUtf8ItIsDrawnInAscii) {
  EXPECT_EQ("\n" + draw(handshake(), {.has_utf8 = false, .columns = 90}), R"(
no.      time  alice             r1               bob
  1  1.000000    |----- ARP ----->|                |   who has 10.0.1.1? tell 10.0.1.2
  3  1.000200    |<----- ARP -----|                |   10.0.1.1 is at 02:00:00:00:00:01
  4  1.000300    |----- SYN ------+--------------->|   40000 -> 80 seq 0
  6  1.020500    |<---------------+---- SYN,ACK ---|   80 -> 40000 seq 0 ack 1
)");
}

TEST(Picture, LossesFoldsAndNotesHaveTheirOwnSigns) {
  Picture picture{{"alice", "r1", "bob"}, {}};
  picture.rows = {arrow(100, 0, 2, "DATA", "lost on the first link"),
                  arrow(200, 0, 2, "DATA", "lost at r1"),
                  arrow(300, 2, 0, "DATA", "lost behind r1"),
                  arrow(400, 0, 2, "", "... 61 segments, 88,000 bytes ..."),
                  arrow(500, 0, 0, "", "r1 -- bob is cut")};
  picture.rows[0].lost_at_half = 1;
  picture.rows[1].lost_at_half = 2;
  picture.rows[2].lost_at_half = 1;
  picture.rows[3].is_folded = true;
  picture.rows[4].is_note = true;
  EXPECT_EQ("\n" + draw(picture, {.has_utf8 = true, .columns = 80}), R"(
no.      time  alice        r1          bob
  2  0.000100    │─────✗     │           │   DATA  lost on the first link
  3  0.000200    │── DATA ───✗           │   lost at r1
  4  0.000300    │     ✗─────┼─── DATA ──│   lost behind r1
  5  0.000400    │┄┄┄┄┄┄┄┄┄┄┄┼┄┄┄┄┄┄┄┄┄┄▶│   ... 61 segments, 88,000 bytes ...
  6  0.000500  · r1 -- bob is cut
)");
}

TEST(Picture, FitsThePaperWhateverIsOnIt) {
  Picture picture = handshake();
  picture.lifelines = {"a-host-with-a-long-name", "another-long-name", "r1", "r2", "r3", "bob"};
  picture.rows[0].detail = std::string(300, 'x');
  picture.rows[2].to = 5;
  for (const std::size_t columns : {80U, 100U, 120U, 160U}) {
    EXPECT_LE(widest(draw(picture, {.has_utf8 = true, .columns = columns})), columns);
  }
}

TEST(Picture, ColoursAreEscapesAroundTheArrowAndNowhereElse) {
  Picture picture = handshake();
  picture.rows.resize(1);
  picture.rows[0].ink = Ink::yellow;
  const std::string plain = draw(picture, {.has_colour = false, .columns = 90});
  std::string coloured = draw(picture, {.has_colour = true, .columns = 90});
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  EXPECT_NE(coloured.find("\x1b[33m"), std::string::npos);
  for (const std::string_view escape : {"\x1b[1m", "\x1b[33m", "\x1b[0m"}) {
    for (std::size_t at = 0; (at = coloured.find(escape)) != std::string::npos;) {
      coloured.erase(at, escape.size());
    }
  }
  EXPECT_EQ(coloured, plain);
}

}  // namespace
}  // namespace lanyard::cli
