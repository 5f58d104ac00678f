// SPDX-License-Identifier: Apache-2.0
// Stock programs on two virtual hosts.
#include "two_hosts.hh"

namespace lanyard::guest::test {
namespace {

class Programs : public TwoHosts {};

TEST_F(Programs, PythonServesAndCurlFetches) {
  const auto server = start(bob, "cd /etc && exec python3 -m http.server 80");
  ASSERT_TRUE(wait_for_output(server, "Serving HTTP"));
  const Ended got = run(alice, "curl -s --max-time 10 http://bob/hosts");
  EXPECT_EQ(got.status, 0) << got.errors << notes;
  EXPECT_NE(got.output.find("10.0.0.1 alice\n"), std::string::npos) << got.output;
  EXPECT_NE(programs[server].errors.find("10.0.0.1 - - "), std::string::npos)
      << programs[server].errors;
  launcher->signal(server, SIGKILL);
  EXPECT_EQ(run_to_end(server).signal, SIGKILL);
}

}  // namespace
}  // namespace lanyard::guest::test
