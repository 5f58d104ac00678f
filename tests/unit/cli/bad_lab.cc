// SPDX-License-Identifier: Apache-2.0
// What is said of a lab that cannot be run, and of a run that cannot be kept.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "command_line.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;

class BadLab : public CommandLine {};

TEST_F(BadLab, ItsProblemsAreJsonWhereJsonWasAskedFor) {
  write("t.yaml", "hosts:\n  a: { runn: x }\n  b: { run: 7, colour: red }\n");
  for (const char* verb : {"run", "hunt"}) {
    const Said said = command({verb, path("t.yaml"), "--json"});
    EXPECT_EQ(said.status, exit_usage);
    EXPECT_EQ(said.errors, "");
    const json page = json::parse(said.out);
    EXPECT_FALSE(page["ok"].get<bool>());
    ASSERT_EQ(page["problems"].size(), 2U);
    EXPECT_EQ(page["problems"][0]["line"], 2);
    EXPECT_EQ(page["problems"][0]["column"], 8);
    EXPECT_EQ(page["problems"][0]["what"], "unknown key `runn` in a host");
    EXPECT_EQ(page["problems"][1]["line"], 3);
  }
}

TEST_F(BadLab, AClockThatGoesWrongIsForVirtualTime) {
  const std::string text =
      "hosts:\n  a: { run: RUN }\n  b: {}\nlinks: [a -- b]\nat:\n  1s: clock b fast 1%\n";
  write("t.yaml", std::string(text).replace(text.find("RUN"), 3, "/bin/true"));
  const Said said = command({"run", path("t.yaml")});
  EXPECT_EQ(said.status, exit_usage);
  EXPECT_NE(said.errors.find("t.yaml:6:7: clocks go wrong in virtual time only: "),
            std::string::npos)
      << said.errors;
  write("t.yaml", std::string(text).replace(text.find("RUN"), 3, "ping b -c 1"));
  EXPECT_EQ(command({"run", path("t.yaml"), "-q", "-o", path("t.pcapng")}).status, exit_ok);
}

// What the plan gives to a DHCP client it does not have yet.
TEST_F(BadLab, AnAddressThatIsOnlyAskedForIsShownAsSuch) {
  write("t.yaml",
        "until: 1s\nhosts:\n  a: { address: dhcp }\n  b: {}\nrouters: [r]\nlinks: [a -- r, b -- "
        "r]\n");
  const Said said = command({"run", path("t.yaml"), "-q", "-o", path("t.pcapng")});
  EXPECT_NE(said.out.find("10.0.1.2/24 (asked for by DHCP), fd00"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("default via 10.0.1.1 (by DHCP)\n"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("default via 10.0.2.1\n"), std::string::npos) << said.out;
  const json page =
      json::parse(command({"run", path("t.yaml"), "--json", "-o", path("t.pcapng")}).out);
  EXPECT_TRUE(page["nodes"][0]["ports"][0]["dhcp"].get<bool>());
  EXPECT_FALSE(page["nodes"][1]["ports"][0]["dhcp"].get<bool>());
}

// `-o lab.yaml` would leave a run file where the lab was.
TEST_F(BadLab, IsNotMadeByWritingOverIt) {
  const std::string lab = "lab: t\nhosts:\n  a: { run: ping b -c 1 }\n  b: {}\nlinks: [a -- b]\n";
  write("t.yaml", lab);
  for (const char* option : {"-o", "--junit"}) {
    const Said said = command({"run", path("t.yaml"), "-q", option, path("t.yaml")});
    EXPECT_EQ(said.status, exit_usage) << option;
    EXPECT_EQ(said.errors,
              "lanyard: " + path("t.yaml") + " is what is read here; give another file\n");
    EXPECT_EQ(said.out, "");
  }
  EXPECT_EQ(command({"up", path("t.yaml"), "-o", path("t.yaml")}).status, exit_usage);
  EXPECT_EQ(command({"import", path("t.yaml"), "-o", path("t.yaml")}).status, exit_usage);
  EXPECT_EQ(contents("t.yaml"), lab);
}

TEST_F(BadLab, IsNotWhatIsWrongWhereARunCannotBeWritten) {
  write("t.yaml", "lab: t\nhosts:\n  a: { run: ping b -c 1 }\n  b: {}\nlinks: [a -- b]\n");
  const std::vector<std::string> run{"run", path("t.yaml"), "-q", "-o"};
  const auto into = [&](const std::string& file, const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = run;
    all.push_back(file);
    all.insert(all.end(), more.begin(), more.end());
    return command(all);
  };
  EXPECT_EQ(into(path("")).status, exit_usage);
  EXPECT_NE(into(path("")).errors.find(": Is a directory"), std::string::npos);
  EXPECT_EQ(into(path("no/t.pcapng")).status, exit_usage);
  EXPECT_NE(into(path("no/t.pcapng")).errors.find("t.pcapng: No such file"), std::string::npos);
  EXPECT_EQ(into(path("t.pcapng"), {"--junit", path("no/t.xml")}).status, exit_usage);
  EXPECT_EQ(into(path("t.pcapng"), {"--junit", path("t.xml")}).status, exit_ok);
  EXPECT_EQ(command({"replay", path("t.pcapng"), "-o", path("t.pcapng")}).status, exit_usage);
  EXPECT_EQ(command({"replay", path("t.pcapng"), "-o", path("no/t.pcapng")}).status, exit_usage);
}

// It has not failed; but who wrote it would not know why nothing happened.
TEST_F(BadLab, ThatWaitsForWhatDoesNotComeIsToldSo) {
  write("t.yaml",
        "hosts:\n  a: { run: { do: ping b -c 1, at: when b listens on 9 } }\n  b: {}\nlinks: [a -- "
        "b]\n");
  const Said said = command({"run", path("t.yaml"), "-q", "-o", path("t.pcapng")});
  EXPECT_EQ(said.status, exit_ok);
  EXPECT_EQ(said.errors, "lanyard: a was never started: its moment did not come: ping b -c 1\n");
  write("t.yaml", "hosts:\n  a: { run: ping b -c 1 }\n  b: {}\nlinks: [a -- b]\n");
  EXPECT_EQ(command({"run", path("t.yaml"), "-q", "-o", path("t.pcapng")}).errors, "");
}

TEST_F(BadLab, ARunThatCouldNotBeWrittenIsNotSaidToBeKept) {
  write("t.yaml", "lab: t\nhosts:\n  a: { run: ping b -c 1 }\n  b: {}\nlinks: [a -- b]\n");
  const Said said = command({"run", path("t.yaml"), "-q", "-o", "/dev/full"});
  EXPECT_EQ(said.status, exit_failed);
  EXPECT_EQ(said.errors, "lanyard: /dev/full: No space left on device\n");
  EXPECT_EQ(said.out.find("is kept in"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("The run is not kept"), std::string::npos) << said.out;
}

}  // namespace
}  // namespace lanyard::cli
