// SPDX-License-Identifier: Apache-2.0
// Stock programs on two virtual hosts.
#include <signal.h>
#include <unistd.h>

#include "two_hosts.hh"

namespace lanyard::guest::test {
namespace {

bool is_installed(const std::string& program) {
  for (const char* folder : {"/usr/bin/", "/bin/", "/usr/sbin/", "/usr/local/bin/"}) {
    if (access((folder + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

#define NEEDS(program) \
  if (!is_installed(program)) GTEST_SKIP() << program << " is not installed"

class Programs : public TwoHosts {};

TEST_F(Programs, PythonServesAndCurlFetches) {
  NEEDS("curl");
  const auto server = start(bob, "cd /etc && exec python3 -m http.server 80 --bind ::");
  ASSERT_TRUE(wait_for_output(server, "Serving HTTP"));
  const Ended got = run(alice, "curl -s --max-time 10 http://bob/hosts");
  EXPECT_EQ(got.status, 0) << got.errors << notes;
  EXPECT_NE(got.output.find("10.0.0.1 alice\n"), std::string::npos) << got.output;
  EXPECT_NE(programs[server].errors.find("10.0.0.1 - - "), std::string::npos)
      << programs[server].errors;
  const Ended over_v6 = run(alice, "curl -s --max-time 10 'http://[fd00::2]/hosts'");
  EXPECT_EQ(over_v6.output, got.output);
  launcher->signal(server, SIGKILL);
  EXPECT_EQ(run_to_end(server).signal, SIGKILL);
}

TEST_F(Programs, AnInterruptEndsAServerThatWaitsInACall) {
  const auto server = start(bob,
                            "exec python3 -c 'import socket as s\n"
                            "a = s.create_server((\"\", 99))\n"
                            "print(\"ready\")\n"
                            "try: a.accept()\n"
                            "except KeyboardInterrupt: print(\"interrupted\")'");
  ASSERT_TRUE(wait_for_output(server, "ready"));
  run_while_not([] { return false; }, Duration::milliseconds(50));
  launcher->signal(server, SIGINT);
  const Ended ended = run_to_end(server);
  EXPECT_EQ(ended.output, "ready\ninterrupted\n") << ended.errors;
  EXPECT_EQ(ended.status, 0);
}

TEST_F(Programs, ARefusedConnectionSaysSo) {
  NEEDS("curl");
  EXPECT_EQ(run(alice, "curl -s --max-time 10 http://bob:81/").status, 7);
  const Ended told =
      run(alice, "python3 -c 'import socket; socket.create_connection((\"bob\", 81))'");
  EXPECT_NE(told.errors.find("ConnectionRefusedError: [Errno 111]"), std::string::npos)
      << told.errors;
}

TEST_F(Programs, PortsAreEachHostsOwn) {
  // Two servers of the same port on two hosts; a second one on the same host is refused.
  const std::string server =
      "exec python3 -c 'import socket, time\n"
      "s = socket.create_server((\"\", 8888))\n"
      "print(\"ready\")\n"
      "time.sleep(30)'";
  ASSERT_TRUE(wait_for_output(start(alice, server), "ready"));
  ASSERT_TRUE(wait_for_output(start(bob, server), "ready"));
  const Ended second = run(bob, server);
  EXPECT_NE(second.errors.find("Address already in use"), std::string::npos) << second.errors;
}

TEST_F(Programs, NetcatTalksBothWays) {
  NEEDS("nc");
  const auto server = start(bob, "echo from bob | nc -l -p 7000");
  run_while_not([] { return false; }, Duration::milliseconds(300));
  const Ended client = run(alice, "echo from alice | nc -q 1 bob 7000");
  EXPECT_EQ(client.output, "from bob\n") << client.errors;
  EXPECT_EQ(run_to_end(server).output, "from alice\n");
}

TEST_F(Programs, PingNeedsNoPrivilege) {
  NEEDS("ping");
  const Ended pinged = run(alice, "ping -c 2 -i 0.2 bob && ping -6 -c 2 -i 0.2 bob6");
  EXPECT_EQ(pinged.status, 0) << pinged.output << pinged.errors;
  EXPECT_NE(pinged.output.find("2 received, 0% packet loss"), std::string::npos) << pinged.output;
  EXPECT_EQ(pinged.errors, "");
}

TEST_F(Programs, RedisAnswers) {
  NEEDS("redis-server");
  const auto server =
      start(bob, "exec redis-server --protected-mode no --save '' --dir /tmp --io-threads 1");
  ASSERT_TRUE(wait_for_output(server, "Ready to accept"));
  EXPECT_EQ(run(alice, "redis-cli -h bob set key value; redis-cli -h bob get key").output,
            "OK\nvalue\n");
  const Ended bench = run(alice, "redis-benchmark -h bob -n 2000 -c 50 -q -t set,get");
  EXPECT_EQ(bench.status, 0) << bench.errors;
}

TEST_F(Programs, StaticProgramsAreServedToo) {
  NEEDS("busybox");
  const auto server = start(bob, "exec busybox httpd -f -p 80 -h /etc");
  run_while_not([] { return false; }, Duration::milliseconds(300));
  const Ended got = run(alice, "busybox wget -q -O - http://bob/passwd | cmp - /etc/passwd");
  EXPECT_EQ(got.status, 0) << got.output << got.errors;
  launcher->signal(server, SIGKILL);
}

TEST_F(Programs, ManyBytesArriveUnchangedOverLoss) {
  std::uint64_t dice = 1;
  loses = [&dice](std::size_t) {
    dice = dice * 6364136223846793005U + 1442695040888963407U;
    return (dice >> 33) % 100 == 0;
  };
  const std::string make = "head -c 5000000 /dev/zero | openssl enc -aes-128-ctr -K 1 -iv 1 2>&-";
  NEEDS("openssl");
  const auto server = start(bob,
                            "exec python3 -c 'import socket, hashlib\n"
                            "s = socket.create_server((\"\", 99)); print(\"ready\")\n"
                            "c = s.accept()[0]; h = hashlib.sha256()\n"
                            "while d := c.recv(65536): h.update(d)\n"
                            "c.sendall(h.hexdigest().encode()); c.close()'");
  ASSERT_TRUE(wait_for_output(server, "ready"));
  const Ended sent = run(alice,
                         make +
                             " | python3 -c 'import socket, sys, hashlib\n"
                             "s = socket.create_connection((\"bob\", 99)); h = hashlib.sha256()\n"
                             "while d := sys.stdin.buffer.read(100000):\n"
                             "  s.sendall(d); h.update(d)\n"
                             "s.shutdown(1); print(s.recv(64).decode() == h.hexdigest())'",
                         Duration::seconds(60));
  EXPECT_EQ(sent.output, "True\n") << sent.errors;
}

TEST_F(Programs, ACrashIsASignal) {
  EXPECT_EQ(run(alice, "exec python3 -c 'import os; os.kill(os.getpid(), 11)'").signal, SIGSEGV);
}

TEST_F(Programs, AMissingProgramIsASentenceWithHostAndCommand) {
  lab::Launch launch;
  launch.command = {"no-such-program", "argument"};
  lab::LaunchHost on;
  on.name = "alice";
  on.sockets = hosts[alice].sockets.get();
  on.names = &hosts[alice].names;
  const auto started = launcher->start(on, launch, *this);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(),
            "alice: cannot start \"no-such-program argument\": no-such-program: no such program");
}

TEST_F(Programs, NothingOfThemIsLeftInTheStack) {
  run(alice, "python3 -c 'import socket; [socket.socket() for i in range(50)]'");
  run_while_not([this] { return hosts[alice].sockets->rows().empty(); }, Duration::seconds(2));
  EXPECT_TRUE(hosts[alice].sockets->rows().empty());
}

}  // namespace
}  // namespace lanyard::guest::test
