// SPDX-License-Identifier: Apache-2.0
// Heads of HTTP messages, and command lines.
#include "application/http_message.hh"

#include <gtest/gtest.h>

#include "application/arguments.hh"

namespace lanyard::application {
namespace {

TEST(HttpHead, IsAStartLineAndFields) {
  const auto head = HttpHead::parse("GET /x HTTP/1.1\r\nHost: bob\r\nAccept:  a \r\nACCEPT: b");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->first, "GET");
  EXPECT_EQ(head->second, "/x");
  EXPECT_EQ(head->third, "HTTP/1.1");
  EXPECT_EQ(head->field("host"), "bob");
  EXPECT_EQ(head->field("accept"), "a, b");
  EXPECT_EQ(head->field("none"), "");
}

TEST(HttpHead, AReasonMayHaveSpacesOrBeMissing) {
  EXPECT_EQ(HttpHead::parse("HTTP/1.1 404 Not Found")->third, "Not Found");
  EXPECT_EQ(HttpHead::parse("HTTP/1.1 200")->third, "");
}

TEST(HttpHead, NonsenseIsRefused) {
  for (const char* text :
       {"", "GET", " GET /", "GET / HTTP/1.1\r\nno colon", "GET / HTTP/1.1\r\n: empty",
        "GET / HTTP/1.1\r\nHost : bob", "GET / HTTP/1.1\r\n folded"}) {
    EXPECT_FALSE(HttpHead::parse(text)) << text;
  }
}

TEST(HttpHead, TokensAreFoundInLists) {
  const auto head = HttpHead::parse("GET / HTTP/1.1\r\nConnection: Upgrade, Close");
  EXPECT_TRUE(head->has_token("connection", "close"));
  EXPECT_FALSE(head->has_token("connection", "keep-alive"));
}

TEST(Arguments, OptionsAndWordsAreReadAgainstWhatIsAccepted) {
  const std::vector<std::string> line = {"send", "-c", "3", "bob", "--udp"};
  Arguments arguments(
      line, {.with_value = {"-c"}, .without_value = {"--udp"}, .words_min = 1, .words_max = 2});
  EXPECT_EQ(arguments.problem(), "");
  EXPECT_EQ(arguments.number("-c", 1, 1, 10), 3U);
  EXPECT_TRUE(arguments.has("--udp"));
  EXPECT_EQ(arguments.words(), (std::vector<std::string>{"send", "bob"}));
}

TEST(Arguments, EveryMistakeIsSaid) {
  const Accepted accepted{
      .with_value = {"-c"}, .without_value = {}, .words_min = 1, .words_max = 1};
  const auto problem = [&](std::vector<std::string> line) {
    Arguments arguments(line, accepted);
    (void)arguments.number("-c", 1, 1, 10);
    return arguments.problem();
  };
  EXPECT_EQ(problem({"a", "-c"}), "-c needs a value");
  EXPECT_EQ(problem({"a", "--no"}), "unknown option --no");
  EXPECT_EQ(problem({}), "too few words");
  EXPECT_EQ(problem({"a", "b"}), "'b' is one word too many");
  EXPECT_EQ(problem({"a", "-c", "11"}), "-c must be a whole number from 1 to 10, not '11'");
  EXPECT_EQ(problem({"a", "-c", "x"}), "-c must be a whole number from 1 to 10, not 'x'");
  EXPECT_EQ(problem({"a", "-c", "3"}), "");
}

}  // namespace
}  // namespace lanyard::application
