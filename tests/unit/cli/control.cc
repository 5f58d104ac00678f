// SPDX-License-Identifier: Apache-2.0
// The protocol of a lab that is up: what comes from another process is any bytes.
#include <gtest/gtest.h>

#include "cli/control_protocol.hh"

namespace lanyard::cli {
namespace {

TEST(ControlProtocol, ARequestSurvivesTheWay) {
  Request request;
  request.what = Do::exec;
  request.node = "alice";
  request.command = {"sh", "-c", "echo \"hi\"\n"};
  request.environment = {{"PATH", "/bin"}, {"EMPTY", ""}};
  request.directory = "/tmp";
  request.descriptors = 3;
  const std::string line = to_line(request);
  ASSERT_TRUE(line.ends_with("\n"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto read = parse_request(std::string_view(line).substr(0, line.size() - 1));
  ASSERT_TRUE(read.has_value()) << read.error();
  EXPECT_EQ(read->what, Do::exec);
  EXPECT_EQ(read->node, request.node);
  EXPECT_EQ(read->command, request.command);
  EXPECT_EQ(read->environment, request.environment);
  EXPECT_EQ(read->directory, request.directory);
  EXPECT_EQ(read->descriptors, 3U);
}

TEST(ControlProtocol, AnEnvironmentThatIsNotUtf8DoesNotBreakIt) {
  Request request;
  request.environment = {{"NAME", "caf\xe9"}};
  const std::string line = to_line(request);
  EXPECT_TRUE(parse_request(std::string_view(line).substr(0, line.size() - 1)).has_value());
}

TEST(ControlProtocol, EveryMalformedRequestIsRefusedWithASentence) {
  for (const char* line : {"",
                           "{",
                           "[]",
                           "7",
                           "null",
                           "{}",
                           R"({"do":7})",
                           R"({"do":"reboot"})",
                           R"({"do":"exec","node":7})",
                           R"({"do":"exec","command":"ls"})",
                           R"({"do":"exec","command":["ls",7]})",
                           R"({"do":"exec","command":["a\u0000b"]})",
                           R"({"do":"exec","environment":["A=B"]})",
                           R"({"do":"exec","environment":{"A=B":"c"}})",
                           R"({"do":"exec","environment":{"A":7}})",
                           R"({"do":"exec","descriptors":4})",
                           R"({"do":"exec","descriptors":-1})",
                           R"({"do":"signal","signal":1000})",
                           R"({"do":"signal","signal":"2"})",
                           R"({"do":"exec","directory":{}})",
                           "\xff\xfe",
                           "{\"do\":\"ps\"} trailing"}) {
    const auto read = parse_request(line);
    ASSERT_FALSE(read.has_value()) << line;
    EXPECT_TRUE(read.error().starts_with("the request")) << read.error();
  }
}

TEST(Lines, AreCutWhereverTheBytesAreSplit) {
  const std::string stream = "one\n\ntwo\nthr";
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    Lines lines;
    lines.add(stream.substr(0, split));
    std::vector<std::string> taken;
    std::string line;
    while (lines.take(line)) taken.push_back(line);
    lines.add(stream.substr(split));
    while (lines.take(line)) taken.push_back(line);
    EXPECT_EQ(taken, (std::vector<std::string>{"one", "", "two"}));
    EXPECT_FALSE(lines.is_overlong());
  }
}

TEST(Lines, ALineWithoutEndIsNotKeptForEver) {
  Lines lines;
  std::string line;
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 8; ++i) {
    lines.add(piece);
    EXPECT_FALSE(lines.take(line));
  }
  EXPECT_TRUE(lines.is_overlong());
}

}  // namespace
}  // namespace lanyard::cli
