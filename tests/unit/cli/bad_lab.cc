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
