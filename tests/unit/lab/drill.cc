// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "lab/drill/code.hh"
#include "lab/drill/parser.hh"
#include "lab/drill/runner.hh"

namespace lanyard::lab::drill {
namespace {

const std::string handshake = R"(
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
)";

Outcome play(const std::string& text, std::vector<ScriptOption> options = {}) {
  return run_script({.file = "a.pkt", .text = text, .options = std::move(options), .defines = {}});
}

Outcome after_handshake(const std::string& text) {
  return play(handshake + text);
}

TEST(Drill, AHandshakePasses) {
  const Outcome outcome = play(handshake);
  EXPECT_EQ(outcome.kind, Outcome::Kind::passed) << outcome.what;
  EXPECT_EQ(outcome.took, Duration::milliseconds(100));
}

TEST(Drill, EachFieldThatDiffersIsFoundAndNamed) {
  const std::pair<const char*, const char*> differing[] = {
      {"+0 > . 1:101(100) ack 2", "ack 2 was expected, 1 came"},
      {"+0 > . 2:102(100) ack 1", "seq 2 was expected, 1 came"},
      {"+0 > . 1:51(50) ack 1", "a length of 50 was expected, 100 came"},
      {"+0 > F. 1:101(100) ack 1", "flags F. was expected, P. came"},
      {"+0 > P. 1:101(100) ack 1 win 0", "win 0 was expected, 65535 came"},
      {"+0 > P. 1:101(100) ack 1 urg 3", "urg 3 was expected, 0 came"},
      {"+0 > P. 1:101(100) ack 1 <nop,nop,sack 1:2>", "options <nop,nop,sack 1:2> was expected"},
      {"+0 > [ect0] P. 1:101(100) ack 1", "ECN field ect0 was expected, noecn came"},
      {"+0 > [ttl 9] P. 1:101(100) ack 1", "ttl 9 was expected, 64 came"},
      {"+.01 > P. 1:101(100) ack 1", "too early"},
      {"+0 > udp (100)", "a packet of UDP was expected, TCP came"},
  };
  for (const auto& [line, what] : differing) {
    const Outcome outcome = after_handshake(std::string("+0 write(4, ..., 100) = 100\n") + line);
    EXPECT_EQ(outcome.kind, Outcome::Kind::failed) << line;
    EXPECT_NE(outcome.what.find(what), std::string::npos) << line << ": " << outcome.what;
    EXPECT_EQ(outcome.mark.line, 10U);
    EXPECT_FALSE(outcome.packets.empty());
  }
}

TEST(Drill, ACallThatReturnsSomethingElseIsFound) {
  EXPECT_EQ(after_handshake("+0 write(4, ..., 100) = 99\n").what, "write returned 100");
  EXPECT_EQ(after_handshake("+0 write(9, ..., 100) = 100\n").what, "write returned -1 EBADF");
  EXPECT_EQ(after_handshake("+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0\n"
                            "+0 read(4, ..., 9) = -1 EPIPE (Broken pipe)\n")
                .what,
            "read returned -1 EAGAIN");
  const Outcome waits = after_handshake("+0 read(4, ..., 9) = 9\n");
  EXPECT_NE(waits.what.find("read waits"), std::string::npos) << waits.what;
}

TEST(Drill, ABlockingCallReturnsWhenItsTimeIsSaid) {
  const std::string data = "+.1 < P. 1:11(10) ack 1 win 65535\n";
  EXPECT_EQ(after_handshake("+0...0.1 read(4, ..., 99) = 10\n" + data).what, "");
  const Outcome late = after_handshake("+0...0.07 read(4, ..., 99) = 10\n" + data);
  EXPECT_EQ(late.kind, Outcome::Kind::failed);
}

TEST(Drill, WhatIsNotSupportedIsNotCalledAFailure) {
  const Outcome option = play(
      " 0 socket(..., SOCK_STREAM, 0) = 3\n"
      "+0 setsockopt(3, SOL_TCP, TCP_MD5SIG, [1], 4) = 0\n");
  EXPECT_EQ(option.kind, Outcome::Kind::unsupported);
  EXPECT_EQ(option.mark.line, 2U);
  EXPECT_EQ(play("0 tee(3, 4, 5, 0) = 0\n").kind, Outcome::Kind::unsupported);
  for (const std::string command :
       {"tc qdisc replace dev tun0 root fq", "tc qdisc add dev tun0 root pfifo limit 0",
        "echo 3 > /sys/module/tcp_cubic/parameters/hystart",
        "sysctl -q net.ipv4.tcp_wmem='4096 50000 4194304'"})
    EXPECT_EQ(play("`" + command + "`\n").kind, Outcome::Kind::unsupported) << command;
  EXPECT_EQ(play("0 %{ for x in y: pass }%\n").kind, Outcome::Kind::unsupported);
  EXPECT_EQ(play("0 < sctp: INIT\n").kind, Outcome::Kind::unsupported);
}

TEST(Drill, AWrongScriptHasAPlace) {
  const Outcome outcome = play("0 socket(..., SOCK_STREAM, 0) = 3\n+0 < S 0:5(0) win 1\n");
  EXPECT_EQ(outcome.kind, Outcome::Kind::wrong_script);
  EXPECT_EQ(outcome.mark.line, 2U);
  EXPECT_EQ(outcome.what, "0:5 are 5 bytes, not 0");
}

TEST(Drill, AScriptWithoutAnEventIsWrong) {
  for (const char* const text : {"", "\n", "// only a remark\n", "--ip_version=ipv6\n"}) {
    const Outcome outcome = play(text);
    EXPECT_EQ(outcome.kind, Outcome::Kind::wrong_script) << text;
    EXPECT_NE(outcome.what.find("nothing to play"), std::string::npos) << outcome.what;
  }
}

TEST(Drill, SettingsAreReadAndUnknownOnesNamed) {
  const Outcome outcome = play("--unheard_of=1\n`sysctl -q net.ipv4.tcp_nothing=1`\n" + handshake);
  EXPECT_EQ(outcome.kind, Outcome::Kind::passed) << outcome.what;
  ASSERT_EQ(outcome.notes.size(), 2U);
  EXPECT_NE(outcome.notes[0].find("unheard_of"), std::string::npos);
  EXPECT_NE(outcome.notes[1].find("tcp_nothing"), std::string::npos);
}

TEST(Drill, ASettingThatChangesHoldsForWhatIsOpenedAfterwards) {
  const std::string before = "`sysctl -q net.ipv4.tcp_fin_timeout=7`\n";
  const std::string change = "+0 `sysctl -q net.ipv4.tcp_fin_timeout=9`\n";
  const std::string asked = "+0 getsockopt(4, IPPROTO_TCP, TCP_LINGER2, [7], [4]) = 0\n";
  const std::string fresh =
      "+0 socket(..., SOCK_STREAM, 0) = 5\n"
      "+0 getsockopt(5, IPPROTO_TCP, TCP_LINGER2, [9], [4]) = 0\n";
  EXPECT_EQ(play(before + handshake + change + asked + fresh).what, "");
  EXPECT_EQ(play(before + handshake + fresh).kind, Outcome::Kind::failed);
}

TEST(Drill, ASuperSegmentMayComeInPartsUnlessStrict) {
  const std::string text = "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1\n";
  EXPECT_EQ(after_handshake(text).what, "");
  EXPECT_EQ(after_handshake("--strict=segments\n" + text).kind, Outcome::Kind::failed);
}

TEST(DrillCode, ExpressionsMeanWhatPythonMeans) {
  const auto none = [](std::string_view) { return std::optional<Value>(); };
  for (const char* holds : {
           "assert 7 // 2 == 3 and -7 // 2 == -4 and 7 % 3 == 1 and -7 % 3 == 2",
           "assert 1 / 3 + 1 / 3 + 1 / 3 == 1",
           "assert 1 < 2 <= 2 != 3",
           "assert not 0 and (1 or 0) and 5 & 4 == 4",
           "assert 2 + 3 * 4 == 14 and 2 ** 3 ** 1 == 8 and ~5 == -6 and 1 << 4 == 0x10",
           "assert max(1, 3, 2) == 3 and abs(-4) == 4 and int(7 / 2) == 3",
           "x = 2; x += 3; assert x == 5",
           "x = 1\nif x == 2:\n  assert 0\nelif x == 1:\n  x = 9\nelse:\n  assert 0\nassert x == 9",
           "assert 1.5 * 2 == 3 and (1 if 0 else 2) == 2",
       }) {
    Interpreter interpreter;
    const auto problem = interpreter.run(holds, {1, 1}, none);
    EXPECT_FALSE(problem) << holds << ": " << problem->what;
  }
  for (const char* fails :
       {"assert 1 > 2", "assert x == 1", "assert 1 / 0", "assert (1", "assert"}) {
    Interpreter interpreter;
    EXPECT_TRUE(interpreter.run(fails, {1, 1}, none)) << fails;
  }
}

TEST(DrillCode, AnAssertionTellsWhatItsNamesAre) {
  Interpreter interpreter;
  const auto problem = interpreter.run("\n\nassert tcpi_snd_cwnd == 10, 'cwnd'", {5, 3},
                                       [](std::string_view) { return std::optional(value_of(7)); });
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->mark.line, 7U);
  EXPECT_EQ(problem->what, "assert tcpi_snd_cwnd == 10 does not hold: tcpi_snd_cwnd is 7 (cwnd)");
}

}  // namespace
}  // namespace lanyard::lab::drill
