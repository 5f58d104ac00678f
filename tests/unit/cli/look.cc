// SPDX-License-Identifier: Apache-2.0
// The verbs that look into a run file, as a person calls them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/options.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;

class Look : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("lanyard_look_") +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    std::ofstream(path("t.yaml"))
        << "lab: t\nseed: 3\nhosts:\n  bob: { run: http serve }\n"
           "  alice: { run: { do: http get http://bob/, at: 1s, expect: exit 0 } }\n"
           "links:\n  - alice -- bob: { delay: 5ms }\n";
    run_ = path("run.pcapng");
    ASSERT_EQ(said({"run", path("t.yaml"), "-q", "-o", run_}).status, exit_ok);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  struct Said {
    int status = 0;
    std::string out, errors;
  };
  static Said said(const std::vector<std::string>& arguments) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = run_command_line(arguments);
    std::string out = testing::internal::GetCapturedStdout();
    return {status, std::move(out), testing::internal::GetCapturedStderr()};
  }

  std::filesystem::path folder_;
  std::string run_;
};

TEST_F(Look, WhyAddsUpAndNamesItsCauses) {
  const Said page = said({"why", run_, "http", "1"});
  EXPECT_EQ(page.status, exit_ok) << page.errors;
  EXPECT_NE(page.out.find("propagation"), std::string::npos) << page.out;
  EXPECT_NE(page.out.find("the whole"), std::string::npos);
  const json answer = json::parse(said({"why", run_, "alice", "--json"}).out);
  std::int64_t sum = 0;
  for (const json& part : answer["parts"]) sum += part["ns"].get<std::int64_t>();
  EXPECT_EQ(sum, answer["ns"].get<std::int64_t>());
  EXPECT_GT(sum, 0);
}

TEST_F(Look, WhyListsWhatCanBeAskedAndRefusesTheRest) {
  EXPECT_NE(said({"why", run_}).out.find("http 1"), std::string::npos);
  const Said wrong = said({"why", run_, "carol"});
  EXPECT_EQ(wrong.status, exit_usage);
  EXPECT_NE(wrong.errors.find("there are: bob, alice"), std::string::npos) << wrong.errors;
}

TEST_F(Look, GrepFindsOrSaysThatItDidNot) {
  const Said found = said({"grep", run_, "HTTP/1.1 200"});
  EXPECT_EQ(found.status, exit_ok);
  EXPECT_NE(found.out.find("bob:80 -> alice:"), std::string::npos) << found.out;
  EXPECT_EQ(said({"grep", run_, "HTTP/1.1 500"}).status, exit_failed);
  EXPECT_EQ(said({"grep", run_, "a(b"}).status, exit_usage);
  EXPECT_EQ(said({"grep", run_, "x", "--node", "carol"}).status, exit_usage);
  EXPECT_EQ(said({"grep", run_, "x", "--from", "soon"}).status, exit_usage);
  EXPECT_EQ(said({"grep", path("t.yaml"), "x"}).status, exit_usage);
  const json rows = json::parse(said({"grep", run_, "GET", "--layer", "tcp", "--json"}).out);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["offset"], 0);
}

TEST_F(Look, ConversationsAreListedFollowedAndDrawn) {
  const json rows = json::parse(said({"conversations", run_, "--json"}).out);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["end"], "closed");
  const std::string name = rows[0]["name"];
  const Said followed = said({"follow", run_, name});
  EXPECT_NE(followed.out.find("GET / HTTP/1.1"), std::string::npos) << followed.out;
  EXPECT_NE(followed.out.find("Hello from bob"), std::string::npos);
  EXPECT_EQ(said({"follow", run_, "alice:1-bob:2"}).status, exit_usage);
  EXPECT_NE(said({"graph", run_, "1"}).out.find("bytes in flight"), std::string::npos);
  EXPECT_EQ(said({"graph", run_, "1", "-o", path("g.svg")}).status, exit_ok);
  EXPECT_GT(std::filesystem::file_size(path("g.svg")), 500U);
}

TEST_F(Look, AnExportIsNotWrittenOver) {
  EXPECT_EQ(said({"export", run_, path("r.sqlite")}).status, exit_ok);
  const Said again = said({"export", run_, path("r.sqlite")});
  EXPECT_EQ(again.status, exit_usage);
  EXPECT_NE(again.errors.find("already"), std::string::npos);
}

}  // namespace
}  // namespace lanyard::cli
