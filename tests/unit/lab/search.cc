// SPDX-License-Identifier: Apache-2.0
// A run searched, drawn and exported.
#include "lab/search/find.hh"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

#include "lab/lab_file.hh"
#include "lab/recorder.hh"
#include "lab/search/export.hh"
#include "lab/search/graph.hh"
#include "lab/world.hh"

namespace lanyard::lab::search {
namespace {

class Search : public testing::Test {
 protected:
  void SetUp() override {
    auto lab = parse_lab(
        "lab: t\nseed: 5\nhosts:\n  bob: { run: http serve }\n"
        "  alice: { run: [{ do: \"http get http://bob/\", at: 1s, expect: any },\n"
        "    { do: \"http get http://bob/bytes/60000\", at: 2s, expect: any, name: big },\n"
        "    { do: \"http get http://bob/nothing\", at: 3s, expect: any }] }\n"
        "routers: [r1]\nlinks:\n  - alice -- r1: { delay: 2ms }\n"
        "  - r1 -- bob: { delay: 5ms, rate: 10Mbit, loss: 3% }\n",
        "t.yaml");
    ASSERT_TRUE(lab);
    const Plan plan = *make_plan(lab->model);
    auto recorder = *Recorder::open({.path = path("pcapng")});
    World world(lab->model, plan, {.recorder = recorder.get()});
    world.run();
    auto read = read_run_file(path("pcapng"));
    ASSERT_TRUE(read);
    run_ = std::make_unique<RunFile>(std::move(*read));
    index_ = std::make_unique<why::Index>(*run_);
  }
  void TearDown() override {
    for (const char* end : {"pcapng", "sqlite"}) std::filesystem::remove(path(end));
  }
  static std::string path(const std::string& end) {
    return std::filesystem::temp_directory_path() /
           (std::string("lanyard_search_") +
            testing::UnitTest::GetInstance()->current_test_info()->name() + "." + end);
  }
  std::vector<Match> matches(const Filter& filter) const {
    auto found = find(*index_, filter);
    EXPECT_TRUE(found) << found.error();
    return found ? *found : std::vector<Match>();
  }

  std::unique_ptr<RunFile> run_;
  std::unique_ptr<why::Index> index_;
};

TEST_F(Search, AStatusLineIsFoundWithItsPlace) {
  const auto found = matches({.pattern = "^HTTP/1.1 [45].."});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, Where::tcp);
  EXPECT_TRUE(found[0].who.starts_with("bob:80 -> alice:")) << found[0].who;
  EXPECT_EQ(found[0].line, "HTTP/1.1 404 Not Found");
  EXPECT_EQ(found[0].size, 12U);
  EXPECT_GT(found[0].at, Instant::start() + Duration::seconds(3));
  ASSERT_GT(found[0].packet, 0U);
  const Bytes frame = run_->frame(run_->packets[found[0].packet - 1]);
  EXPECT_NE(lanyard::text_of(frame).find("HTTP/1.1 404"), std::string_view::npos);
}

TEST_F(Search, WhatLiesAcrossSegmentsIsFoundAndCountedOnce) {
  // The body is the alphabet again and again; a segment ends anywhere in it.
  const auto found = matches({.pattern = "zabc", .where = Where::tcp});
  EXPECT_EQ(found.size(), 60000U / 26);
}

TEST_F(Search, FiltersLeaveOutTheRest) {
  EXPECT_TRUE(matches({.pattern = "GET", .to = Instant::start()}).empty());
  EXPECT_EQ(matches({.pattern = "GET", .flow = 1, .where = Where::tcp}).size(), 1U);
  EXPECT_EQ(matches({.pattern = "get", .ignores_case = true, .where = Where::tcp}).size(), 3U);
  EXPECT_TRUE(matches({.pattern = "get", .where = Where::tcp}).empty());
  EXPECT_EQ(matches({.pattern = "GET", .where = Where::tcp, .limit = 2}).size(), 2U);
  // Bob prints what he was asked; alice asks the router for names.
  EXPECT_EQ(matches({.pattern = "GET /nothing 404", .where = Where::output}).size(), 1U);
  EXPECT_TRUE(matches({.pattern = "GET", .nodes = {1}, .where = Where::output}).empty());
  EXPECT_FALSE(matches({.pattern = "bob", .where = Where::udp}).empty());
}

TEST_F(Search, AWrongPatternIsSaid) {
  const auto found = find(*index_, {.pattern = "a(b"});
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().find("missing )"), std::string::npos) << found.error();
}

TEST_F(Search, AStreamIsPutTogetherWholeInSpiteOfLoss) {
  const why::Flow& flow = index_->flows.all()[1];
  std::string text;
  for (const why::Piece& piece : why::stream_of(flow, 1)) text += lanyard::text_of(piece.bytes);
  const std::size_t body = text.find("\r\n\r\n") + 4;
  ASSERT_EQ(text.size(), body + 60000);
  for (std::size_t i = 0; i < 60000; ++i)
    ASSERT_EQ(text[body + i], static_cast<char>('a' + i % 26)) << i;
}

TEST_F(Search, AGraphShowsWhatTheStackSaidAndWhatTheWireSays) {
  const Graph graph = graph_of(*index_, 1, 1);
  EXPECT_FALSE(graph.cwnd.empty());
  EXPECT_FALSE(graph.rtt_ns.empty());
  ASSERT_FALSE(graph.in_flight.empty());
  EXPECT_EQ(graph.in_flight.back().value, 0);
  for (const Point& point : graph.rtt_ns) EXPECT_GE(point.value, 14'000'000);
  std::size_t again = 0;
  for (const why::Segment& each : index_->flows.all()[1].segments)
    if (each.side == 1 && each.repeats) ++again;
  EXPECT_EQ(graph.lost.size(), again);
  const std::string svg = svg_of(graph, "a < b");
  EXPECT_TRUE(svg.starts_with("<svg "));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
}

std::int64_t asked(const std::string& path, const char* question) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(database, question, -1, &statement, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
  const std::int64_t value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return value;
}

TEST_F(Search, AnExportHoldsEverythingAndIsNotWrittenOver) {
  ASSERT_TRUE(export_sqlite(*index_, path("sqlite")));
  EXPECT_EQ(asked(path("sqlite"), "SELECT count(*) FROM frames"),
            static_cast<std::int64_t>(run_->packets.size()));
  EXPECT_EQ(asked(path("sqlite"), "SELECT count(*) FROM events"),
            static_cast<std::int64_t>(run_->events.size()));
  EXPECT_EQ(asked(path("sqlite"), "SELECT count(*) FROM flows"), 3);
  EXPECT_EQ(asked(path("sqlite"),
                  "SELECT count(*) FROM frames f JOIN nodes n USING (node) WHERE n.name = 'r1' AND "
                  "dropped LIKE '%lost%'"),
            static_cast<std::int64_t>(
                std::count_if(run_->packets.begin(), run_->packets.end(), [&](const auto& packet) {
                  return packet.comment == "dropped: lost on the link" &&
                         run_->nodes[run_->ports[packet.port].node].name == "r1";
                })));
  const auto again = export_sqlite(*index_, path("sqlite"));
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().find("already"), std::string::npos);
}

}  // namespace
}  // namespace lanyard::lab::search
