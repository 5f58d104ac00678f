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
              .bytes = frame,
              .packet = 1,
              .cause = 1});
    to.frame({.at = Instant::at_ns(20),
              .port = 1,
              .is_sent = false,
              .bytes = frame,
              .packet = 1,
              .cause = 1,
              .dropped = DropReason::no_route});
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
