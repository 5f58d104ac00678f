// SPDX-License-Identifier: Apache-2.0
// The built-in programs as two hosts on one wire run them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "application/dns_server.hh"
#include "application/programs.hh"
#include "core/pool_count.hh"
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

TEST(Programs, TransfersShareTheBytesOfTheirSequence) {
  const std::int64_t before = blocks_in_use();
  {
    Pair pair;
    pair.bob.start(named("bulk"), {"bulk", "serve"});
    constexpr int transfers = 8;
    for (int i = 0; i < transfers; ++i)
      pair.alice.start(named("bulk"), {"bulk", "send", "bob", "2000000"});
    pair.run(Duration::milliseconds(4));  // all have queued all, and few segments are on the way
    EXPECT_GT(blocks_in_use() - before, 31);
    EXPECT_LT(blocks_in_use() - before, transfers * 31);  // pieces of 64 KiB
    pair.run();
    const std::string received = "received 2000000 bytes, 0 wrong";
    int whole = 0;
    for (std::size_t at = 0; (at = pair.bob.output.find(received, at)) != std::string::npos; ++at)
      ++whole;
    EXPECT_EQ(whole, transfers) << pair.bob.output;
  }
  EXPECT_EQ(blocks_in_use(), before);
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
    pair.alice.start(
        application::dns_server(application::Zone({{"carol", IpAddress::v4(10, 0, 0, 9)}})),
        {"dns", address});
    pair.alice.start(named("lookup"), {"lookup", "carol"});
    pair.run();
    EXPECT_THAT(pair.alice.output, HasSubstr("10.0.0.9")) << address;
  }
}

dns::Message answer_with(const dns::Message& question, dns::Type type, const dns::Data& data) {
  dns::Message answer = question;
  answer.is_response = true;
  answer.answers = {{.name = question.questions[0].name, .type = type, .ttl_s = 1, .data = data}};
  return answer;
}

// A name server that answers each question with what `forge` makes of it, one datagram each.
// Before, somebody on another port of its host answers wrongly.
socket::Program forging_server(
    std::function<std::vector<dns::Message>(const dns::Message&)> forge) {
  return [forge](socket::Process& process, std::span<const std::string>) {
    socket::Socket socket(process, Family::ipv4, socket::Type::datagram);
    (void)socket.bind({IpAddress::any(Family::ipv4), 53});
    socket::Socket stranger(process, Family::ipv4, socket::Type::datagram);
    std::vector<std::uint8_t> buffer(4096);
    while (true) {
      const auto received = socket.recvfrom(buffer);
      if (!received) return 1;
      const auto question = dns::Message::parse(Bytes(buffer).first(received->bytes));
      const IpAddress wrong = IpAddress::v4(6, 6, 6, 6);
      (void)stranger.sendto(answer_with(*question, dns::Type::a, wrong).write(),
                            received->facts.peer);
      for (const dns::Message& answer : forge(*question)) {
        (void)socket.sendto(answer.write(), received->facts.peer);
      }
    }
  };
}

std::string ping_by_name(const socket::Program& server) {
  Pair pair;
  pair.alice.names_.hosts.clear();
  pair.alice.names_.name_servers = {{IpAddress::v4(10, 0, 0, 2), 53}};
  pair.bob.start(server, {"server"});
  pair.alice.start(named("ping"), {"ping", "carol", "-c", "1", "-4"});
  pair.run();
  return pair.alice.output;
}

// BI-86, [RFC1035-4.1-a]: answers with the wrong id, to another question, from another port, or
// that are questions, are passed over; the right one behind them counts.
TEST(Programs, ForgedAnswersAreIgnored) {
  const IpAddress wrong = IpAddress::v4(6, 6, 6, 6);
  const std::string output = ping_by_name(forging_server([&](const dns::Message& question) {
    dns::Message wrong_id = answer_with(question, dns::Type::a, wrong);
    ++wrong_id.id;
    dns::Message wrong_question = answer_with(question, dns::Type::a, wrong);
    wrong_question.questions[0].name = *dns::Name::parse("mallory");
    dns::Message no_answer = answer_with(question, dns::Type::a, wrong);
    no_answer.is_response = false;
    dns::Message other_name = answer_with(question, dns::Type::a, IpAddress::v4(10, 0, 0, 2));
    other_name.answers.insert(
        other_name.answers.begin(),
        {.name = *dns::Name::parse("mallory"), .type = dns::Type::a, .data = wrong});
    return std::vector{wrong_id, wrong_question, no_answer, other_name};
  }));
  EXPECT_THAT(output, StartsWith("PING carol (10.0.0.2)"));
  EXPECT_THAT(output, HasSubstr("1 received"));
}

// [RFC5452-9-a]: each query has an id and a source port that the last ones do not tell.
TEST(Programs, QueriesDifferInIdAndPort) {
  std::vector<std::uint16_t> ids;
  std::vector<Port> ports;
  const auto silent = [&](socket::Process& process, std::span<const std::string>) {
    socket::Socket socket(process, Family::ipv4, socket::Type::datagram);
    (void)socket.bind({IpAddress::any(Family::ipv4), 53});
    std::vector<std::uint8_t> buffer(512);
    while (const auto received = socket.recvfrom(buffer)) {
      const auto question = dns::Message::parse(Bytes(buffer).first(received->bytes));
      if (!question) return 1;
      ids.push_back(question->id);
      ports.push_back(received->facts.peer.port);
    }
    return 0;
  };
  EXPECT_EQ(ping_by_name(silent), "ping: carol: no name server answers\n");
  ASSERT_EQ(ids.size(), 3U);  // tries
  for (std::size_t i = 1; i < ids.size(); ++i) {
    EXPECT_GT(std::abs(ids[i] - ids[i - 1]), 1);
    EXPECT_GT(std::abs(ports[i] - ports[i - 1]), 1);
    EXPECT_GE(ports[i], 1024);
  }
}

// BI-86: a chain of aliases that never ends is cut.
TEST(Programs, AnAliasLoopEnds) {
  const std::string output = ping_by_name(forging_server([](const dns::Message& question) {
    const std::string name = to_text(question.questions[0].name) == "carol" ? "dave" : "carol";
    return std::vector{answer_with(question, dns::Type::cname, *dns::Name::parse(name))};
  }));
  EXPECT_EQ(output, "ping: carol: too many aliases\n");
}

// BI-86, [RFC7766-5-a]: an answer that did not fit into 512 bytes is asked for again over TCP.
TEST(Programs, ATruncatedAnswerIsFetchedOverTcp) {
  std::vector<std::pair<std::string, IpAddress>> names;
  for (int i = 0; i < 120; ++i) {
    names.emplace_back("carol", IpAddress::v4(10, 0, 0, 2));
  }
  const std::string output = ping_by_name(application::dns_server(application::Zone(names)));
  EXPECT_THAT(output, HasSubstr("1 received"));
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
