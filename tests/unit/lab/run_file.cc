// SPDX-License-Identifier: Apache-2.0
// What the recorder writes is read back, and nothing that a file holds breaks
// the reader.
#include "lab/run_file.hh"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "lab/lab_file.hh"
#include "lab/recorder.hh"
#include "lab/run_format.hh"
#include "wire/pcapng.hh"

namespace lanyard::lab {
namespace {

class RunFiles : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            (std::string("lanyard_") + info->name() + ".pcapng");
    auto lab =
        parse_lab("lab: t\nseed: 9\nhosts: [alice, bob]\nlinks: [alice -- bob]\n", "dir/t.yaml");
    model_ = std::move(lab->model);
    plan_ = *make_plan(model_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void write() {
    auto recorder = Recorder::open({.path = path_, .is_virtual = true});
    ASSERT_TRUE(recorder) << recorder.error();
    Recorder& to = **recorder;
    to.begin(model_, plan_);
    ProgramRow program;
    program.id = ProgramId{1};
    program.name = "alice";
    program.command = "ping bob";
    to.program(program);
    to.on_event({.id = 1,
                 .at = Instant::at_ns(5),
                 .kind = EventKind::program_output,
                 .values = {1, 2},
                 .text = "hello"});
    const std::vector<std::uint8_t> frame(60, 7);
    to.frame({.at = Instant::at_ns(10),
              .port = 0,
              .is_sent = true,
              .bytes = {},
              .packet = 1,
              .cause = 1},
             Packet::copy_of(frame));
    to.frame_done(DropReason::none);
    to.frame({.at = Instant::at_ns(20),
              .port = 1,
              .is_sent = false,
              .bytes = {},
              .packet = 1,
              .cause = 1},
             Packet::copy_of(frame));
    to.frame_done(DropReason::no_route);
    const std::vector<Verdict> verdicts{{.text = "alice exits 0",
                                         .is_good = true,
                                         .mark = {3, 4},
                                         .happened = "alice exited 0",
                                         .at = Instant::at_ns(30)}};
    to.finish(verdicts, Instant::at_ns(40));
    EXPECT_EQ(to.problem(), "");
  }
  std::vector<std::uint8_t> contents() const {
    std::ifstream stream(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::filesystem::path path_;
  Model model_;
  Plan plan_;
};

TEST_F(RunFiles, WhatIsWrittenIsReadBack) {
  write();
  const auto run = read_run_file(path_);
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_EQ(run->lab_name, "t");
  EXPECT_EQ(run->lab_file, "t.yaml");
  EXPECT_EQ(run->lab_text, model_.text);
  EXPECT_EQ(run->seed, 9U);
  EXPECT_TRUE(run->is_virtual);
  EXPECT_TRUE(run->is_whole);
  ASSERT_EQ(run->nodes.size(), 2U);
  EXPECT_EQ(run->links, std::vector<std::string>{"alice -- bob"});
  EXPECT_EQ(run->port_name(1), "bob:eth0");
  EXPECT_EQ(run->ports[0].peer, 1U);
  EXPECT_EQ(to_text(run->ports[1].addresses.at(0)), "10.0.1.2/24");
  ASSERT_EQ(run->packets.size(), 2U);
  EXPECT_EQ(run->packets[0].at.count_ns(), 10);
  EXPECT_TRUE(run->packets[0].is_sent);
  EXPECT_EQ(run->packets[0].packet, 1U);
  EXPECT_EQ(run->packets[0].cause, 1U);
  EXPECT_EQ(run->packets[0].comment, "");
  EXPECT_FALSE(run->packets[1].is_sent);
  EXPECT_EQ(run->packets[1].comment, "dropped: no route");
  EXPECT_EQ(run->frame(run->packets[1]).size(), 60U);
  EXPECT_EQ(run->frame(run->packets[1])[59], 7);
  ASSERT_EQ(run->events.size(), 1U);
  EXPECT_EQ(run->events[0].event.text, "hello");
  EXPECT_EQ(run->events[0].event.values[1], 2);
  ASSERT_EQ(run->programs.size(), 1U);
  EXPECT_EQ(run->programs[0].command, "ping bob");
  ASSERT_EQ(run->verdicts.size(), 1U);
  EXPECT_EQ(run->verdicts[0].happened, "alice exited 0");
  EXPECT_EQ(run->verdicts[0].mark.column, 4U);
}

TEST_F(RunFiles, AFileCutAnywhereIsReadAsFarAsItIsWholeOrRefused) {
  write();
  const std::vector<std::uint8_t> whole = contents();
  std::size_t read = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto run =
        parse_run_file({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    if (run) {
      ++read;
      EXPECT_FALSE(run->is_whole);
    } else {
      EXPECT_LE(run.error().offset, size);
      EXPECT_FALSE(run.error().what.empty());
    }
  }
  EXPECT_GT(read, 100U);
}

TEST_F(RunFiles, AnyByteChangedIsReadOrRefused) {
  write();
  const std::vector<std::uint8_t> whole = contents();
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int value : {0x00, 0x01, 0x7f, 0xff}) {
      std::vector<std::uint8_t> changed = whole;
      changed[at] = static_cast<std::uint8_t>(value);
      if (const auto run = parse_run_file(std::move(changed)))
        for (const RunPacket& packet : run->packets) (void)run->frame(packet);
    }
}

// A frame of TCP with so much payload, each byte `fill`.
Packet segment_of(std::size_t bytes, std::uint8_t fill, std::uint8_t hops) {
  std::vector<std::uint8_t> frame(14 + 20 + 20 + bytes, fill);
  std::fill_n(frame.begin(), 54, std::uint8_t{0});
  frame[12] = 8;  // IPv4
  frame[14] = 0x45;
  frame[22] = hops;
  frame[23] = 6;
  frame[46] = 0x50;
  return Packet::copy_of(frame);
}

class Journeys : public RunFiles {
 protected:
  void SetUp() override {
    RunFiles::SetUp();
    auto lab =
        parse_lab("hosts: [alice, bob]\nrouters: [r]\nlinks: [alice -- r, r -- bob]\n", "t.yaml");
    model_ = std::move(lab->model);
    plan_ = *make_plan(model_);
    recorder_ = *Recorder::open({.path = path_, .is_virtual = true});
    recorder_->begin(model_, plan_);
  }
  void record(std::uint32_t port, bool is_sent, const Packet& frame) {
    recorder_->frame(
        {.at = Instant::at_ns(10), .port = port, .is_sent = is_sent, .bytes = {}, .packet = 1},
        frame);
    recorder_->frame_done(DropReason::none);
  }
  // From alice through the router to bob, changed there by `change`.
  void send(const Packet& frame, const Packet& changed) {
    record(0, true, frame);
    record(2, false, frame);
    record(3, true, changed);
    record(1, false, changed);
  }
  RunFile read() {
    recorder_->finish({}, Instant::at_ns(40));
    auto run = read_run_file(path_);
    EXPECT_TRUE(run) << run.error().what;
    return run ? std::move(*run) : RunFile();
  }
  std::unique_ptr<Recorder> recorder_;
};

TEST_F(Journeys, APayloadIsWrittenWhereItBeginsAndWhereItEndsAndIsReadEverywhere) {
  send(segment_of(1000, 7, 64), segment_of(1000, 7, 63));
  const std::size_t bytes = contents().size();
  const RunFile run = read();
  ASSERT_EQ(run.packets.size(), 4U);
  for (const RunPacket& packet : run.packets) {
    EXPECT_EQ(packet.size, 1054U);
    EXPECT_EQ(run.frame(packet)[1053], 7);
  }
  EXPECT_EQ(run.frame(run.packets[1])[22], 64);
  EXPECT_EQ(run.frame(run.packets[2])[22], 63);
  EXPECT_EQ(bytes, 0U) << "nothing is written before there is a piece";
  EXPECT_GT(contents().size(), 2 * 1000U);
  EXPECT_LT(contents().size(), 4 * 1000U + 500);
}

TEST_F(Journeys, APayloadThatIsAnotherOnTheWayIsWrittenAgain) {
  send(segment_of(1000, 7, 64), segment_of(1000, 8, 63));
  const RunFile run = read();
  ASSERT_EQ(run.packets.size(), 4U);
  EXPECT_EQ(run.frame(run.packets[1])[1053], 7);
  EXPECT_EQ(run.frame(run.packets[2])[1053], 8);
  EXPECT_EQ(run.frame(run.packets[3])[60], 8);
}

// Longer ago than what is kept in memory.
TEST_F(Journeys, WhatWasWrittenLongAgoIsWrittenAgain) {
  record(0, true, segment_of(1000, 7, 64));
  const Packet other = segment_of(60'000, 9, 64);
  for (int i = 0; i < 200; ++i) record(0, true, other);
  record(2, false, segment_of(1000, 7, 64));
  const RunFile run = read();
  ASSERT_EQ(run.packets.size(), 202U);
  EXPECT_EQ(run.packets.back().size, 1054U);
  EXPECT_EQ(run.frame(run.packets.back())[1053], 7);
}

TEST(RunRows, EventsAreReadAsTheyWereWritten) {
  RowBlock block;
  std::vector<Event> events{{.id = 1,
                             .cause = 0,
                             .at = Instant::at_ns(0),
                             .node = 0,
                             .kind = EventKind::note,
                             .values = {},
                             .text = "hello"},
                            {.id = 2,
                             .cause = 1,
                             .at = Instant::at_ns(INT64_MAX),
                             .node = 300,
                             .kind = EventKind::tcp_timer,
                             .values = {1, -1, INT64_MAX, INT64_MIN, 5},
                             .text = {}},
                            {.id = UINT64_MAX,
                             .cause = 7,
                             .at = Instant::at_ns(5),
                             .node = UINT32_MAX,
                             .kind = EventKind::program_exited,
                             .values = {0, 0, 0, 0, -9},
                             .text = {}}};
  for (const Event& event : events) block.event(event);
  block.cause(UINT64_MAX, 12);
  RunReader reader(block.bytes());
  EXPECT_EQ(reader.number<RunBlock>(), RunBlock::rows);
  for (const Event& event : events) {
    EXPECT_EQ(reader.number<RunRow>(), RunRow::short_event);
    const Event read = reader.short_event();
    EXPECT_EQ(read.id, event.id);
    EXPECT_EQ(read.cause, event.cause);
    EXPECT_EQ(read.at, event.at);
    EXPECT_EQ(read.node, event.node);
    EXPECT_EQ(read.kind, event.kind);
    EXPECT_EQ(read.values, event.values);
    EXPECT_EQ(read.text, event.text);
  }
  EXPECT_EQ(reader.number<RunRow>(), RunRow::short_cause);
  EXPECT_EQ(reader.any(), UINT64_MAX);
  EXPECT_EQ(reader.any(), 12U);
  EXPECT_TRUE(reader.is_good());
  EXPECT_TRUE(reader.is_empty());
}

// Version 1: long rows, every frame whole.
TEST_F(RunFiles, AFileOfTheFirstVersionIsRead) {
  write();
  std::vector<std::uint8_t> rows{3, 0, 0, 0, 0};
  const auto number = [&rows](std::uint64_t value, int bytes) {
    for (; bytes > 0; --bytes, value >>= 8U) rows.push_back(static_cast<std::uint8_t>(value));
  };
  number(5, 8);  // id, cause, at, node, kind, one value, a text
  number(4, 8);
  number(77, 8);
  number(1, 4);
  number(static_cast<std::uint64_t>(EventKind::program_output), 2);
  number(1, 1);
  number(9, 8);
  number(2, 4);
  rows.push_back('h');
  rows.push_back('i');
  number(1, 1);  // a cause: packet 1, event 5
  number(1, 8);
  number(5, 8);
  // The same beginning, and blocks as they were.
  std::vector<std::uint8_t> file = contents();
  pcapng::Reader reader;
  std::size_t begin = 0;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(reader.next(Bytes(file).subspan(begin)));
    begin += reader.taken();
  }
  file.resize(begin);
  std::vector<std::uint8_t> blocks;
  pcapng::Writer writer(blocks);
  writer.custom(rows);
  file.insert(file.end(), blocks.begin(), blocks.end());
  const auto run = parse_run_file(std::move(file));
  ASSERT_TRUE(run) << run.error().what;
  ASSERT_EQ(run->events.size(), 1U);
  const Event& event = run->events[0].event;
  EXPECT_EQ(event.id, 5U);
  EXPECT_EQ(event.cause, 4U);
  EXPECT_EQ(event.at.count_ns(), 77);
  EXPECT_EQ(event.node, 1U);
  EXPECT_EQ(event.values[0], 9);
  EXPECT_EQ(event.text, "hi");
}

TEST_F(RunFiles, ForeignFilesAreRefusedWithAReason) {
  const auto reason = [](std::string_view text) {
    const auto run = parse_run_file({text.begin(), text.end()});
    return run ? "accepted" : run.error().what;
  };
  EXPECT_EQ(reason(""), "the file is empty");
  EXPECT_EQ(reason("hello, this is a letter"), "not a capture file: it begins with 68656c6c");
  EXPECT_FALSE(read_run_file("/nonexistent"));
}

TEST_F(RunFiles, AFileThatCannotBeWrittenIsSaid) {
  const auto recorder = Recorder::open({.path = "/nonexistent/run.pcapng"});
  ASSERT_FALSE(recorder);
  EXPECT_EQ(recorder.error(), "/nonexistent/run.pcapng: No such file or directory");
}

}  // namespace
}  // namespace lanyard::lab
