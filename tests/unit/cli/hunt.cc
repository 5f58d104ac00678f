// SPDX-License-Identifier: Apache-2.0
// `lanyard hunt` at its command line: what it finds, what it says, and how it goes on.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "command_line.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;

class Hunting : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    write("lab.yaml",
          "lab: shop\nhosts:\n  bob: { run: http serve }\n"
          "  alice: { run: { do: http get http://10.0.1.1/, at: 500ms, expect: exit 0 } }\n"
          "links:\n  - alice -- bob: { delay: 5ms }\nuntil: 100s\n"
          "check: [alice ends before 1s]\n");
  }
  Said hunt(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"hunt", path("lab.yaml")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return command(arguments);
  }
};

TEST_F(Hunting, AFindIsPrintedAsALabThatShowsIt) {
  const Said said = hunt({"--runs", "500", "--faults", "cut", "-o", path("found.yaml")});
  EXPECT_EQ(said.status, exit_failed) << said.errors;
  EXPECT_NE(said.out.find("fails: alice ends before 1s"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("  cut of alice -- bob from "), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("Run twice more, it failed the same way."), std::string::npos);
  EXPECT_EQ(command({"run", path("found.yaml"), "-q", "-o", path("run.pcapng")}).status,
            exit_failed);
}

TEST_F(Hunting, TheSameAgainAsJson) {
  const std::vector<std::string> how{"--runs", "500", "--faults", "kill,crash", "--json"};
  const Said said = hunt(how);
  EXPECT_EQ(said.status, exit_failed);
  const json found = json::parse(said.out)["found"];
  EXPECT_EQ(found["check"], "alice is to exit 0");
  EXPECT_TRUE(found["verified"]);
  ASSERT_EQ(found["faults"].size(), 1U);
  EXPECT_EQ(hunt(how).out, said.out);
}

TEST_F(Hunting, NothingFoundIsSaid) {
  const Said said = hunt({"--runs", "20", "--faults", "duplicate"});
  EXPECT_EQ(said.status, exit_ok) << said.out;
  EXPECT_EQ(said.out, "20 runs, none fails (seed 1).\n");
}

TEST_F(Hunting, GoesOnBehindTheRunsThatAreKnownToBeGood) {
  const std::vector<std::string> how{"--faults", "duplicate", "--resume", path("state")};
  const auto with_runs = [&](const std::string& runs) {
    std::vector<std::string> all = how;
    all.insert(all.end(), {"--runs", runs});
    return hunt(all).out;
  };
  EXPECT_EQ(with_runs("10"), "10 runs, none fails (seed 1).\n");
  std::ifstream stream(path("state"));
  EXPECT_EQ(json::parse(stream)["runs"], 10);
  EXPECT_EQ(with_runs("30"), "30 runs, none fails (seed 1).\n");
  // A state of another hunt is no use.
  const Said said = hunt({"--faults", "cut", "--resume", path("state")});
  EXPECT_EQ(said.status, exit_usage);
  EXPECT_NE(said.errors.find("another lab file, --seed or --faults"), std::string::npos);
}

// As with a budget that is used up: nothing that was looked at is lost.
TEST_F(Hunting, CtrlCEndsItAndWhatWasLookedAtIsKept) {
  std::atomic<bool> is_over = false;
  std::thread person([&] {
    // Not before the hunt listens: until then a Ctrl-C ends this process.
    struct sigaction now {};
    while (!is_over && now.sa_handler == SIG_DFL) {
      sigaction(SIGINT, nullptr, &now);
      std::this_thread::yield();
    }
    if (!is_over) kill(getpid(), SIGINT);
  });
  const Said said = hunt({"--runs", "20000", "--faults", "duplicate", "--resume", path("state")});
  is_over = true;
  person.join();
  EXPECT_EQ(said.status, 128 + SIGINT);
  EXPECT_TRUE(said.out.starts_with("Interrupted. ")) << said.out;
  const json state = json::parse(contents("state"));
  EXPECT_LT(state["runs"], 20000);
  EXPECT_NE(said.out.find(fmt::format(" {} runs, none fails", state["runs"].get<int>())),
            std::string::npos)
      << said.out << state;
  struct sigaction after {};
  sigaction(SIGINT, nullptr, &after);
  EXPECT_EQ(after.sa_handler, SIG_DFL);
}

TEST_F(Hunting, NothingIsLookedForThatCouldNotBeKept) {
  const std::string before = contents("lab.yaml");
  for (const char* option : {"-o", "--resume"}) {
    EXPECT_EQ(hunt({"--runs", "1", option, path("lab.yaml")}).status, exit_usage) << option;
    const Said said = hunt({"--runs", "1", option, path("nowhere/found.yaml")});
    EXPECT_EQ(said.status, exit_usage) << option;
    EXPECT_NE(said.errors.find("found.yaml: No such file or directory"), std::string::npos);
    EXPECT_EQ(said.out, "");
  }
  EXPECT_EQ(contents("lab.yaml"), before);
}

TEST_F(Hunting, WhatCannotBeHuntedIsRefused) {
  Said said = hunt({"--faults", "flood"});
  EXPECT_EQ(said.status, exit_usage);
  EXPECT_NE(said.errors.find("unknown kind `flood`"), std::string::npos) << said.errors;
  said = hunt({"--budget", "soon"});
  EXPECT_EQ(said.status, exit_usage);
  EXPECT_NE(said.errors.find("--budget"), std::string::npos) << said.errors;
  write("lab.yaml", "hosts:\n  a: { run: curl http://b/ }\n  b:\nlinks: [a -- b]\n");
  said = hunt({});
  EXPECT_EQ(said.status, exit_usage);
  EXPECT_NE(said.errors.find("only labs in virtual time"), std::string::npos) << said.errors;
}

TEST_F(Hunting, WhereNothingCanFailNothingIsHunted) {
  write("idle.yaml", "hosts: [alice, bob]\nlinks: [alice -- bob]\nuntil: 10s\n");
  const Said said = command({"hunt", path("idle.yaml"), "--runs", "5"});
  EXPECT_EQ(said.status, exit_usage);
  EXPECT_NE(said.errors.find("nothing in it can fail"), std::string::npos) << said.errors;
}

}  // namespace
}  // namespace lanyard::cli
