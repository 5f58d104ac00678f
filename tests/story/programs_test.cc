// SPDX-License-Identifier: Apache-2.0
// The built-in programs as two hosts on one wire run them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "application/dns_server.hh"
#include "application/programs.hh"
#include "pair.hh"

namespace lanyard::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

socket::Program named(const char* name) {
  return application::find_program(name)->run;
}

TEST(Programs, TheCoursesTcpProgramsTalk) {
  Pair pair;
  pair.bob.start(named("course-tcp-server"), {"course-tcp-server"});
  pair.alice.start(named("course-tcp-client"), {"course-tcp-client", "bob"});
  pair.run();
  EXPECT_EQ(pair.alice.output,
            "the server says: Received: hello\nthe server says: Received: how are you\n"
            "the server says: Received: goodbye\n");
  EXPECT_EQ(pair.bob.output,
            "waiting for a client\nreceived: hello\nreceived: how are you\nreceived: goodbye\n"
            "the client has left\n");
  EXPECT_EQ(pair.alice.status, 0);
  EXPECT_EQ(pair.bob.status, 0);
}

TEST(Programs, TheCoursesUdpProgramsTalk) {
  Pair pair;
  pair.bob.start(named("course-udp-server"), {"course-udp-server"});
  pair.alice.start(named("course-udp-client"), {"course-udp-client", "bob"});
  pair.run();
  EXPECT_EQ(pair.alice.status, 0);
  EXPECT_THAT(pair.alice.output, HasSubstr("the server says: Received: goodbye\n"));
}

TEST(Programs, HttpServesAndGetsOverBothFamilies) {
  for (const char* family : {"-4", "-6"}) {
    Pair pair;
    pair.bob.start(named("http"), {"http", "serve"});
    pair.alice.start(named("http"), {"http", "get", "http://bob/", family});
    pair.run();
    EXPECT_EQ(pair.alice.status, 0) << pair.alice.output;
    EXPECT_THAT(pair.alice.output, HasSubstr("Hello from bob"));
    EXPECT_THAT(pair.bob.output, HasSubstr("GET / 200"));
  }
}

TEST(Programs, HttpPostsAndRepeatsOnOneConnection) {
  Pair pair;
  pair.bob.start(named("http"), {"http", "serve", "--port", "8080"});
  pair.alice.start(named("http"),
                   {"http", "get", "http://bob:8080/echo", "--post", "hi;", "--repeat", "3"});
  pair.run();
  EXPECT_EQ(pair.alice.status, 0);
  EXPECT_EQ(pair.alice.output, "hi;hi;hi;");
}

TEST(Programs, HttpSaysNotFound) {
  Pair pair;
  pair.bob.start(named("http"), {"http", "serve"});
  pair.alice.start(named("http"), {"http", "get", "http://bob/nothing"});
  pair.run();
  EXPECT_EQ(pair.alice.status, 1);
  EXPECT_THAT(pair.alice.output, HasSubstr("status 404"));
}

TEST(Programs, BulkArrivesWholeThoughFramesAreLost) {
  Pair pair;
  pair.drops = [](std::uint64_t number) { return number % 50 == 13; };
  pair.bob.start(named("bulk"), {"bulk", "serve"});
  pair.alice.start(named("bulk"), {"bulk", "send", "bob", "1000000"});
  pair.run(Duration::seconds(300));
  EXPECT_EQ(pair.alice.status, 0) << pair.alice.output;
  EXPECT_THAT(pair.bob.output, HasSubstr("received 1000000 bytes, 0 wrong"));
}

TEST(Programs, EchoAnswersOverTcpAndUdp) {
  for (const bool udp : {false, true}) {
    Pair pair;
    pair.bob.start(named("echo"), {"echo", "serve"});
    std::vector<std::string> words{"echo", "send", "bob", "good", "morning"};
    if (udp) words.push_back("--udp");
    pair.alice.start(named("echo"), words);
    pair.run();
    EXPECT_EQ(pair.alice.output, "good morning\n");
    EXPECT_EQ(pair.alice.status, 0);
  }
}

TEST(Programs, PingTimesTheAnswers) {
  for (const char* family : {"-4", "-6"}) {
    Pair pair(Duration::milliseconds(5));
    pair.alice.start(named("ping"), {"ping", "bob", "-c", "2", family});
    pair.run();
    EXPECT_EQ(pair.alice.status, 0);
    EXPECT_THAT(pair.alice.output, HasSubstr("icmp_seq=2 ttl=64 time=10.000 ms"));
    EXPECT_THAT(pair.alice.output, HasSubstr("2 packets transmitted, 2 received, 0% packet loss"));
  }
}

TEST(Programs, PingToNobodyFails) {
  Pair pair;
  pair.alice.start(named("ping"), {"ping", "10.0.0.99", "-c", "1"});
  pair.run();
  EXPECT_EQ(pair.alice.status, 1);
  EXPECT_THAT(pair.alice.output, HasSubstr("100% packet loss"));
}

TEST(Programs, PingOfALargePayloadIsFragmentedAndReassembled) {
  for (const char* family : {"-4", "-6"}) {
    Pair pair;
    pair.alice.start(named("ping"), {"ping", "bob", "-c", "1", "-s", "5000", family});
    pair.run();
    EXPECT_EQ(pair.alice.status, 0) << pair.alice.output;
    EXPECT_THAT(pair.alice.output, HasSubstr("5008 bytes from"));
  }
}

TEST(Programs, TracerouteEndsAtTheHost) {
  Pair pair;
  pair.alice.start(named("traceroute"), {"traceroute", "10.0.0.2"});
  pair.run();
  EXPECT_EQ(pair.alice.status, 0) << pair.alice.output;
  EXPECT_THAT(pair.alice.output, HasSubstr(" 1  10.0.0.2"));
}

TEST(Programs, AHostAsksItsOwnNameServer) {
  for (const char* address : {"127.0.0.53", "10.0.0.1"}) {
    Pair pair;
    pair.alice.names_.hosts.clear();
    pair.alice.names_.name_servers = {{*IpAddress::parse(address), 53}};
    pair.alice.start(application::dns_server(
                         application::Zone({{"carol", IpAddress::v4(10, 0, 0, 9)}})),
                     {"dns", address});
    pair.alice.start(named("lookup"), {"lookup", "carol"});
    pair.run();
    EXPECT_THAT(pair.alice.output, HasSubstr("10.0.0.9")) << address;
  }
}

TEST(Programs, AConnectionToAClosedPortIsRefused) {
  Pair pair;
  pair.alice.start(named("http"), {"http", "get", "http://bob/", "-4"});
  pair.run();
  EXPECT_EQ(pair.alice.status, 1);
  EXPECT_THAT(pair.alice.output, HasSubstr("Connection refused"));
}

TEST(Programs, AnIdleDayWithKeepAlivePasses) {
  Pair pair;
  pair.bob.start(named("echo"), {"echo", "serve"});
  pair.alice.start(named("echo"), {"echo", "send", "bob", "still", "there?", "--hold", "86400"});
  pair.run(Duration::seconds(90000));
  EXPECT_EQ(pair.alice.output, "still there?\n");
  EXPECT_GT(pair.frames, 2 * 86400U / 60);
}

TEST(Programs, WrongCommandLinesAreSaidInWords) {
  const std::vector<std::vector<std::string>> wrong = {{"http"},
                                                       {"http", "sing"},
                                                       {"http", "serve", "--port", "0"},
                                                       {"http", "get", "ftp://x/"},
                                                       {"echo", "send", "bob"},
                                                       {"bulk", "send", "bob", "-3"},
                                                       {"ping"},
                                                       {"ping", "bob", "-c", "x"},
                                                       {"ping", "bob", "-c"},
                                                       {"traceroute", "bob", "--fast"},
                                                       {"course-tcp-client"}};
  for (const auto& words : wrong) {
    Pair pair;
    pair.alice.start(named(words[0].c_str()), words);
    pair.run();
    EXPECT_EQ(pair.alice.status, 2) << ::testing::PrintToString(words);
    EXPECT_THAT(pair.alice.output, HasSubstr("usage: ")) << ::testing::PrintToString(words);
  }
}

}  // namespace
}  // namespace lanyard::testing
