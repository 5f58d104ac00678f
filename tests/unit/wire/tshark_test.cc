// SPDX-License-Identifier: Apache-2.0
// An outside judge of every frame the builders make: tshark, with checksum validation on.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "frames.hh"
#include "wire/pcapng.hh"

namespace lanyard::wire {
namespace {

// What a shell command printed.
std::string output_of(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  std::array<char, 4096> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), size);
  }
  pclose(pipe);
  return text;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// A capture of these frames in a new file.
std::string write_capture(const std::vector<test::NamedFrame>& frames) {
  std::vector<std::uint8_t> file;
  pcapng::Writer writer(file);
  writer.section({.application = "lanyard"});
  const std::uint32_t interface = writer.interface({.name = "alice:eth0"});
  std::int64_t time_ns = 1'700'000'000'000'000'000;
  for (const test::NamedFrame& frame : frames) {
    writer.packet({.interface = interface, .time_ns = ++time_ns, .comments = {frame.name}},
                  frame.bytes);
    writer.custom(bytes_of(frame.name));
  }
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("lanyard_frames_" + std::to_string(getpid()) + ".pcapng"))
                               .string();
  std::ofstream(path, std::ios::binary)
      .write(static_cast<const char*>(static_cast<const void*>(file.data())),
             static_cast<std::streamsize>(file.size()));
  return path;
}

const std::string checks =
    " -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE ";
const std::string trouble =
    "\"_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || "
    "udp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || "
    "ip.checksum_bad.expert || _ws.expert.severity >= 0x00800000\"";

TEST(Tshark, FindsNothingWrongWithAnyFrameWeBuild) {
  if (std::system("tshark --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "tshark is missing";
  std::vector<test::NamedFrame> frames = test::all_frames();
  const std::string path = write_capture(frames);
  const std::string run = "tshark -n -r " + path + checks;
  const std::string all = output_of(run + "2>/dev/null");
  EXPECT_EQ(lines_in(all), frames.size()) << all;
  const std::string bad = output_of(run + "-V -Y " + trouble + " 2>/dev/null");
  EXPECT_EQ(bad, "");
  std::filesystem::remove(path);
}

// The judge must be able to say no: one flipped bit is a bad checksum.
TEST(Tshark, FindsADamagedSegment) {
  if (std::system("tshark --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "tshark is missing";
  std::vector<test::NamedFrame> frames = test::all_frames();
  std::size_t damaged = 0;
  for (test::NamedFrame& frame : frames) {
    if (!frame.name.starts_with("TCP ") && !frame.name.starts_with("UDP ")) continue;
    frame.bytes[frame.bytes.size() - 1] ^= 1;
    ++damaged;
  }
  const std::string path = write_capture(frames);
  const std::string bad =
      output_of("tshark -n -r " + path + checks + "-Y " + trouble + " 2>/dev/null");
  EXPECT_EQ(lines_in(bad), damaged) << bad;
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace lanyard::wire
