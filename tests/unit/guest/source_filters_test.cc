// SPDX-License-Identifier: Apache-2.0
// Sockets have no source filters (docs/limitations.md): what sets one is refused, by name.
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "guest/option_table.hh"
#include "two_hosts.hh"

namespace lanyard::guest::test {
namespace {

struct Name {
  int level, name;
  const char* text;
};

#define NAME(level, name) \
  { level, name, #name }
constexpr Name names[] = {
    NAME(IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP),
    NAME(IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP),
    NAME(IPPROTO_IP, IP_BLOCK_SOURCE),
    NAME(IPPROTO_IP, IP_UNBLOCK_SOURCE),
    NAME(IPPROTO_IP, IP_MSFILTER),
    NAME(IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP),
    NAME(IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP),
    NAME(IPPROTO_IP, MCAST_BLOCK_SOURCE),
    NAME(IPPROTO_IP, MCAST_UNBLOCK_SOURCE),
    NAME(IPPROTO_IP, MCAST_MSFILTER),
    NAME(IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP),
    NAME(IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP),
    NAME(IPPROTO_IPV6, MCAST_BLOCK_SOURCE),
    NAME(IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE),
    NAME(IPPROTO_IPV6, MCAST_MSFILTER),
};
#undef NAME

TEST(SourceFilters, AreRefusedByTheTableOfOptions) {
  for (const Name& each : names) {
    const OptionRow* const row = find_option(each.level, each.name);
    ASSERT_NE(row, nullptr) << each.text;
    EXPECT_EQ(row->shape, OptionShape::refused) << each.text;
    EXPECT_EQ(row->error, ENOPROTOOPT) << each.text;
    EXPECT_EQ(row->text, each.text);
  }
}

class SourceFiltersOfPrograms : public TwoHosts {};

// A program that asks for a filter is told; what it joins without one, it joins.
TEST_F(SourceFiltersOfPrograms, AreRefusedInBothFamiliesAndTheMachineSaysWhich) {
  std::string program =
      "exec python3 -c 'import socket as s, struct\n"
      "four = s.socket(s.AF_INET, s.SOCK_DGRAM)\n"
      "six = s.socket(s.AF_INET6, s.SOCK_DGRAM)\n"
      "def ask(one, level, name, value):\n"
      "  try: one.setsockopt(level, name, value); print(level, name, 0)\n"
      "  except OSError as error: print(level, name, error.errno)\n"
      "group = s.inet_aton(\"232.1.1.1\")\n"
      "ask(four, 0, s.IP_ADD_MEMBERSHIP, group + s.inet_aton(\"10.0.0.1\"))\n"
      "ask(six, 41, s.IPV6_JOIN_GROUP, s.inet_pton(s.AF_INET6, \"ff35::1\") + struct.pack(\"I\", "
      "2))\n";
  std::string expected = "0 " + std::to_string(IP_ADD_MEMBERSHIP) + " 0\n41 " +
                         std::to_string(IPV6_JOIN_GROUP) + " 0\n";
  for (const Name& each : names) {
    const std::string number = std::to_string(each.level) + " " + std::to_string(each.name);
    std::string arguments = number;
    std::ranges::replace(arguments, ' ', ',');
    program += std::string("ask(") + (each.level == IPPROTO_IP ? "four" : "six") + ", " +
               arguments + ", group + bytes(260))\n";
    expected += number + " " + std::to_string(ENOPROTOOPT) + "\n";
  }
  const Ended ended = run(alice, program + "'");
  EXPECT_EQ(ended.output, expected) << ended.errors;
  for (const Name& each : names)
    EXPECT_NE(notes.find(std::string("setsockopt ") + each.text + " is not supported"),
              std::string::npos)
        << each.text << "\n"
        << notes;
}

}  // namespace
}  // namespace lanyard::guest::test
