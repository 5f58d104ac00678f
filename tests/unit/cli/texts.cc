// SPDX-License-Identifier: Apache-2.0
// Small texts: numbers, hex, safe printing, problems of a lab file.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/hex_text.hh"
#include "cli/lab_errors.hh"
#include "cli/text.hh"
#include "cli/tree.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

const Paper plain{.has_colour = false, .has_utf8 = true, .columns = 100};

TEST(Text, NumbersAndSpansReadEasily) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(bytes_text(1), "1 byte");
  EXPECT_EQ(seconds(Instant::at_ns(1'020'143'999)), "1.020143");
  EXPECT_EQ(span_text(Duration::nanoseconds(20'143'000)), "20.143 ms");
  EXPECT_EQ(span_text(Duration::nanoseconds(-1'500)), "-1.500 us");
}

TEST(Text, WhatProgramsPrintCannotCommandTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\a"), "a\\x1b[2Jb\\x07");
  EXPECT_EQ(printable("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(printable("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // CSI as a C1 control
  EXPECT_EQ(printable("line\r\nnext\t."), "line\\r\\nnext .");
}

TEST(Text, FitCountsCharactersAndMarksWhatIsCut) {
  EXPECT_EQ(fit(plain, "h\xc3\xa9llo", 5), "h\xc3\xa9llo");
  EXPECT_EQ(fit(plain, "h\xc3\xa9llo!", 4), "h\xc3\xa9l…");
  EXPECT_EQ(fit({.has_utf8 = false}, "hello!", 4), "hel~");
}

TEST(Text, ShellWordsAreQuotedOnlyIfNeeded) {
  EXPECT_EQ(shell_quoted("run.pcapng"), "run.pcapng");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted(""), "''");
}

TEST(HexText, IsReadAsPeoplePasteIt) {
  const std::vector<std::uint8_t> bytes{0xff, 0x00, 0x1a};
  for (const char* text :
       {"ff001a", "FF 00 1A", "ff:00:1a", "ff-00-1a", "0xff, 0x00, 0x1a", "ff00\n1a\n"}) {
    const auto read = parse_hex(text);
    ASSERT_TRUE(read.has_value()) << text << ": " << read.error();
    EXPECT_EQ(*read, bytes) << text;
  }
  EXPECT_EQ(parse_hex("ff0").error(), "an odd number of hex digits: the last byte is half there");
  EXPECT_EQ(parse_hex("ffzz").error(), "'z' at character 3 is not a hex digit");
  EXPECT_EQ(parse_hex(" ").error(), "no bytes");
}

TEST(HexDump, HasOffsetsBytesAndText) {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 18; ++i) bytes.push_back(static_cast<std::uint8_t>(i + 0x3c));
  EXPECT_EQ(hex_dump(bytes),
            "0000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b  <=>?@ABCDEFGHIJK\n"
            "0010  4c 4d                                             LM\n");
}

TEST(LabErrors, APlaceHasItsLineAndACaret) {
  const lab::Diagnostic problem{"first.yaml", 2, 15, "unknown key `dealy`", "did you mean `delay`?",
                                false};
  EXPECT_EQ(problem_text(problem, "links:\n  - a -- b: { dealy: 20ms }\n", plain),
            "first.yaml:2:15: unknown key `dealy`: did you mean `delay`?\n"
            "      - a -- b: { dealy: 20ms }\n"
            "                  ^\n");
}

TEST(LabErrors, APlaceOutsideTheFileStillSaysWhatIsWrong) {
  const lab::Diagnostic problem{"first.yaml", 9, 1, "no hosts", "name at least one", false};
  EXPECT_EQ(problem_text(problem, "lab: x\n", plain),
            "first.yaml:9:1: no hosts: name at least one\n");
}

TEST(Dissect, PrintsATreeAndJson) {
  const std::string arp =
      "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000102 000000000000 "
      "0a000101";
  testing::internal::CaptureStdout();
  EXPECT_EQ(dissect({.input = arp}), exit_ok);
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_NE(text.find("ARP"), std::string::npos) << text;
  EXPECT_NE(text.find("10.0.1.1"), std::string::npos) << text;
  testing::internal::CaptureStdout();
  EXPECT_EQ(dissect({.input = arp, .json = true}), exit_ok);
  const auto layers = nlohmann::json::parse(testing::internal::GetCapturedStdout());
  EXPECT_EQ(layers[0]["name"], "Ethernet");
}

TEST(Dissect, WhatIsNoFrameIsRefusedWithStatus2) {
  for (const char* input : {"zz", "abc", "", "/no/such/file"}) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(dissect({.input = input}), exit_usage) << input;
    EXPECT_NE(testing::internal::GetCapturedStderr(), "");
  }
}

}  // namespace
}  // namespace lanyard::cli
