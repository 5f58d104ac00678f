// SPDX-License-Identifier: Apache-2.0
#include "device/capture_file.hh"

#include <cstdio>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "device/memory_link.hh"

namespace lanyard::device {
namespace {

std::string path_of(const std::string& name) {
  return testing::TempDir() + "lanyard_" + name;
}

Packet frame_of(std::string_view text) {
  return Packet::copy_of(bytes_of(text));
}

TEST(CaptureFile, WhatIsRecordedIsPlayedAgain) {
  const std::string path = path_of("recorded.pcapng");
  {
    auto [near, far] = MemoryDevice::make_pair({});
    auto recorder = CaptureRecorder::open(*near, path);
    ASSERT_TRUE(recorder.has_value()) << recorder.error();
    Packet sent = frame_of("sent, ");
    sent.append(Slice::copy_of(bytes_of("with a slice")));
    ASSERT_TRUE((*recorder)->send(std::move(sent)));
    ASSERT_TRUE(far->send(frame_of("received")));
    EXPECT_EQ(text_of((*recorder)->receive()->front()), "received");
    EXPECT_EQ((*recorder)->receive().error(), Errno::try_again);
  }
  auto player = CapturePlayer::open(path);
  ASSERT_TRUE(player.has_value()) << player.error();
  EXPECT_EQ((*player)->frames(), 2U);
  EXPECT_EQ(text_of((*player)->receive()->front()), "sent, with a slice");
  EXPECT_EQ(text_of((*player)->receive()->front()), "received");
  EXPECT_EQ((*player)->receive().error(), Errno::no_data);
  ASSERT_TRUE((*player)->send(frame_of("into the void")));
  EXPECT_EQ((*player)->sent_frames(), 1U);
  std::remove(path.c_str());
}

TEST(CaptureFile, BrokenFileIsRefusedWithNameOffsetAndReason) {
  const std::string path = path_of("broken.pcapng");
  std::ofstream(path) << "this is no capture file at all";
  const auto player = CapturePlayer::open(path);
  ASSERT_FALSE(player.has_value());
  EXPECT_NE(player.error().find(path + ": offset 0: "), std::string::npos) << player.error();
  std::remove(path.c_str());
}

TEST(CaptureFile, MissingFileAndUnwritablePathAreRefusedWithTheirName) {
  const auto player = CapturePlayer::open("/nowhere/x.pcap");
  ASSERT_FALSE(player.has_value());
  EXPECT_EQ(player.error(), "/nowhere/x.pcap: cannot be opened: No such file or directory");
  auto [near, far] = MemoryDevice::make_pair({});
  const auto recorder = CaptureRecorder::open(*near, "/nowhere/x.pcapng");
  ASSERT_FALSE(recorder.has_value());
  EXPECT_NE(recorder.error().find("cannot be written"), std::string::npos);
}

}  // namespace
}  // namespace lanyard::device
