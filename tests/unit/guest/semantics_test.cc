// SPDX-License-Identifier: Apache-2.0
// The same program asks Linux and a virtual host what the socket calls do; the answers are compared
// line by line.
#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <sstream>
#include <vector>

#include "two_hosts.hh"

namespace lanyard::guest::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class Semantics : public TwoHosts, public testing::WithParamInterface<const char*> {
 protected:
  // The program in a namespace of its own, on the kernel's loopback.
  std::string on_linux(const std::string& program) {
    HostSetup setup;
    setup.name = "linux";
    setup.files = name_files({.host_name = "linux", .name_servers = {}, .hosts = {}}, "");
    auto keeper = Keeper::start(setup, features());
    if (!keeper) return keeper.error();
    int output[2];
    if (pipe2(output, O_CLOEXEC) != 0) return "no pipe";
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const auto started = keeper->launch({program}, {}, "", {null, output[1], null}, false);
    ::close(null);
    ::close(output[1]);
    std::string text;
    char buffer[4096];
    ssize_t size = 0;
    while ((size = read(output[0], buffer, sizeof buffer)) > 0)
      text.append(buffer, static_cast<std::size_t>(size));
    ::close(output[0]);
    return started ? text : started.error();
  }
};

// What a virtual host answers otherwise, and why (docs/guests.md, docs/limitations.md).
const std::map<std::string, std::string> known_differences = {};

TEST_P(Semantics, AVirtualHostAnswersAsLinux) {
  if (features().containment == lanyard::guest::Containment::filter_only)
    GTEST_SKIP() << "Linux has no namespace of its own here to be asked in";
  const std::string program = std::string(LANYARD_BINARY_DIR) + "/bin/" + GetParam();
  if (access(program.c_str(), X_OK) != 0) GTEST_SKIP() << program << " is not built here";
  const std::vector<std::string> linux_says = lines_of(on_linux(program));
  const Ended ended = run(alice, program, Duration::seconds(60));
  const std::vector<std::string> we_say = lines_of(ended.output);
  EXPECT_EQ(ended.status, 0) << ended.output << ended.errors;
  ASSERT_GT(linux_says.size(), 90U);
  EXPECT_EQ(we_say.size(), linux_says.size()) << ended.output;
  std::size_t alike = 0;
  for (std::size_t i = 0; i < std::min(we_say.size(), linux_says.size()); ++i) {
    if (we_say[i] == linux_says[i]) {
      ++alike;
      continue;
    }
    const auto known = known_differences.find(linux_says[i]);
    EXPECT_TRUE(known != known_differences.end() && known->second == we_say[i])
        << "line " << i + 1 << "\n  Linux: " << linux_says[i] << "\n  here:  " << we_say[i];
  }
  RecordProperty("alike", static_cast<int>(alike));
}

INSTANTIATE_TEST_SUITE_P(Programs, Semantics,
                         testing::Values("guest_semantics", "guest_semantics_static",
                                         "guest_corks"),
                         [](const auto& given) {
                           const std::string name = given.param;
                           return name == "guest_corks"       ? "Corks"
                                  : name == "guest_semantics" ? "Dynamic"
                                                              : "Static";
                         });

}  // namespace
}  // namespace lanyard::guest::test
