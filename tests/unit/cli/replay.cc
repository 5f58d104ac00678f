// SPDX-License-Identifier: Apache-2.0
// A run made again from its file alone, and a lab run several times.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "command_line.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;

class Replay : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    write("t.yaml",
          "lab: t\nseed: 3\nhosts:\n  bob: { run: http serve }\n"
          "  alice: { run: { do: http get http://bob/, at: 1s, expect: exit 0 } }\n"
          "links:\n  - alice -- bob: { delay: 5ms, loss: 5%, rate: 1Mbit }\n");
  }
  Said run(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"run", path("t.yaml"), "-q", "-o", path("run.pcapng")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return command(arguments);
  }
};

TEST_F(Replay, ARunIsMadeAgainFromItsFileAloneAndIsTheSame) {
  EXPECT_EQ(run({"--seed", "77"}).status, exit_ok);
  std::filesystem::remove(path("t.yaml"));
  const Said said = command({"replay", path("run.pcapng"), "-o", path("again.pcapng")});
  EXPECT_EQ(said.status, exit_ok) << said.errors;
  EXPECT_NE(said.out.find("the same run file, byte for byte"), std::string::npos) << said.out;
  EXPECT_EQ(contents("again.pcapng"), contents("run.pcapng"));
}

TEST_F(Replay, AFileThatSaysSomethingElseThanItsLabDoesIsFoundOut) {
  run();
  std::string bytes = contents("run.pcapng");
  const std::size_t at = bytes.rfind("HTTP/1.1 200");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 9] = '5';
  write("run.pcapng", bytes);
  const Said said = command({"replay", path("run.pcapng"), "--json"});
  EXPECT_EQ(said.status, exit_failed);
  const json page = json::parse(said.out);
  EXPECT_FALSE(page["same"].get<bool>());
  EXPECT_EQ(page["difference"]["what"], "frame");
  EXPECT_EQ(page["difference"]["differs"], "bytes");
  EXPECT_EQ(page["difference"]["node"], "alice");
  EXPECT_GT(page["difference"]["time_ns"], 1'000'000'000);
}

TEST_F(Replay, ADamagedOrForeignFileIsRefusedWithItsPlace) {
  run();
  const std::string bytes = contents("run.pcapng");
  // A file that only ends too early is replayed as far as it goes.
  write("cut.pcapng", bytes.substr(0, bytes.size() - 10));
  Said said = command({"replay", path("cut.pcapng")});
  EXPECT_EQ(said.status, exit_ok);
  EXPECT_NE(said.errors.find("the end of the run is missing"), std::string::npos) << said.errors;
  std::string damaged = bytes;
  damaged.replace(bytes.size() / 2, bytes.size() / 4, bytes.size() / 4, '\xff');
  write("damaged.pcapng", damaged);
  said = command({"replay", path("damaged.pcapng")});
  EXPECT_EQ(said.status, exit_usage);
  EXPECT_NE(said.errors.find("damaged.pcapng: offset "), std::string::npos) << said.errors;
  write("text.pcapng", "not a capture at all, but long enough to be looked at");
  said = command({"replay", path("text.pcapng")});
  EXPECT_EQ(said.status, exit_usage);
  EXPECT_NE(said.errors.find("text.pcapng: offset 0: "), std::string::npos) << said.errors;
  EXPECT_EQ(command({"replay", path("nowhere.pcapng")}).status, exit_usage);
}

TEST_F(Replay, TheRunItselfIsNotOverwritten) {
  run();
  const std::string before = contents("run.pcapng");
  EXPECT_EQ(command({"replay", path("run.pcapng"), "-o", path("run.pcapng")}).status, exit_usage);
  EXPECT_EQ(contents("run.pcapng"), before);
}

TEST_F(Replay, HowToMakeARunAgainDependsOnItsTime) {
  constexpr std::string_view failing =
      "hosts:\n  alice: { run: { do: ping 127.0.0.1 -c 1, expect: exit 7 } }\n";
  write("t.yaml", failing);
  Said said = run({"--seed", "9"});
  EXPECT_EQ(said.status, exit_failed);
  EXPECT_NE(said.out.find("again: `lanyard run " + path("t.yaml") + " --seed 9`"),
            std::string::npos)
      << said.out;
  write("t.yaml", std::string("time: real\n") + std::string(failing));
  said = run({"--seed", "9"});
  EXPECT_EQ(said.status, exit_failed);
  const std::string replay = "lanyard replay " + path("run.pcapng");
  EXPECT_NE(said.out.find("again: `" + replay + "`"), std::string::npos) << said.out;
  EXPECT_EQ(said.out.find("--seed"), std::string::npos) << said.out;
  EXPECT_EQ(json::parse(run({"--json"}).out)["again"], replay);
}

TEST_F(Replay, WhatIsDoneToALabIsTold) {
  write("t.yaml",
        "hosts:\n  a: { run: { do: ping b -c 1, at: 1s, expect: any } }\n  b:\nlinks: [a -- b]\n"
        "at: { 300ms: { set a -- b: { mtu: 1400 } }, 600ms: partition a -- b }\n");
  const Said said = command({"run", path("t.yaml"), "-o", path("run.pcapng")});
  EXPECT_NE(said.out.find("0.300000  · set a -- b"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("mtu 1400"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("0.600000  · partition a -- b"), std::string::npos) << said.out;
}

TEST_F(Replay, ALabRunThreeTimesGivesTheSameFileAndSaysSo) {
  Said said = run({"--repeat", "3"});
  EXPECT_EQ(said.status, exit_ok);
  EXPECT_NE(said.out.find("3 runs, the same run file byte for byte"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path("run.pcapng.repeat")));
  said = run({"--repeat", "2", "--json"});
  const json page = json::parse(said.out);
  EXPECT_EQ(page["repeat"]["runs"], 2);
  EXPECT_TRUE(page["repeat"]["same"].get<bool>());
}

}  // namespace
}  // namespace lanyard::cli
