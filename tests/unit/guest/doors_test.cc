// SPDX-License-Identifier: Apache-2.0
// TCP_CORK of programs that use it all the time: who answers, and what comes out on the wire. What
// Linux answers is compared in semantics_test.cc.
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <thread>

#include "two_hosts.hh"
#include "wire/ipv4.hh"
#include "wire/tcp.hh"

namespace lanyard::guest::test {
namespace {

class Doors : public TwoHosts {
 protected:
  // With the first thread comes a sanitizer's own.
  Doors() {
    std::thread([] {}).join();
  }
  static std::ptrdiff_t threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  }
  void expect_threads(std::ptrdiff_t wanted) {
    run_while_not([&] { return threads() == wanted; });
    EXPECT_EQ(threads(), wanted);
  }
  // Octets of data in an Ethernet frame with TCP over IPv4.
  static std::size_t data_of(const Packet& frame) {
    constexpr std::size_t headers = 14 + 20, data_offset = 12;
    const std::size_t own = std::size_t{4} * (frame.front()[headers + data_offset] >> 4);
    return frame.size() - headers - own;
  }

  // Whoever talks to it gets an octet for each 300.
  lab::ProgramId serve() {
    const auto server = start(alice,
                              "exec python3 -c 'import socket as s\n"
                              "a = s.create_server((\"\", 99))\n"
                              "print(\"ready\")\n"
                              "c = a.accept()[0]\n"
                              "while c.recv(300, s.MSG_WAITALL): c.send(b\"!\")'");
    EXPECT_TRUE(wait_for_output(server, "ready"));
    return server;
  }
};

constexpr const char* client =
    "exec python3 -c 'import socket as s\n"
    "c = s.create_connection((\"alice\", 99))\n"
    "def cork(on): c.setsockopt(s.IPPROTO_TCP, s.TCP_CORK, on)\n"
    "for i in range(300):\n"
    "    cork(1); c.send(b\"h\" * 100); c.send(b\"b\" * 200); cork(0); c.recv(1)\n"
    "print(\"corked\")\n'";

TEST_F(Doors, WhatIsCorkedIsOneSegment) {
  std::vector<std::size_t> sizes;
  sees = [&](std::size_t from, const Packet& frame) {
    constexpr std::size_t protocol = 14 + 9;
    if (from != bob || frame.front()[12] != 8 || frame.front()[13] != 0 ||
        frame.front()[protocol] != 6)
      return;
    if (const std::size_t size = data_of(frame); size > 0) sizes.push_back(size);
  };
  const auto server = serve();
  const Ended ended = run(bob, client);
  EXPECT_EQ(ended.output, "corked\n") << ended.errors;
  EXPECT_EQ(sizes, std::vector<std::size_t>(300, 300));
  EXPECT_EQ(run_to_end(server).status, 0);
}

TEST_F(Doors, ADoorIsOpenWhileMostCallsAreForIt) {
  const auto server = serve();
  const std::ptrdiff_t before = threads();
  const auto busy = start(bob,
                          "exec python3 -c 'import socket as s, time\n"
                          "c = s.create_connection((\"alice\", 99))\n"
                          "for i in range(100):\n"
                          "    for on in 1, 0: c.setsockopt(s.IPPROTO_TCP, s.TCP_CORK, on)\n"
                          "print(\"corked\"); time.sleep(2)\n"
                          "for i in range(100): c.getpeername()\n"
                          "print(\"asked\"); time.sleep(2)\n"
                          "for i in range(100):\n"
                          "    for on in 1, 0: c.setsockopt(s.IPPROTO_TCP, s.TCP_CORK, on)\n"
                          "print(\"again\"); time.sleep(9)'");
  ASSERT_TRUE(wait_for_output(busy, "corked"));
  expect_threads(before + 1);
  ASSERT_TRUE(wait_for_output(busy, "asked"));
  expect_threads(before);
  ASSERT_TRUE(wait_for_output(busy, "again"));
  expect_threads(before + 1);
  // A program that ends leaves none behind, and neither does a host.
  launcher->signal(busy, SIGKILL);
  EXPECT_EQ(run_to_end(busy).signal, SIGKILL);
  expect_threads(before);
  launcher->signal(server, SIGKILL);
  run_to_end(server);
}

TEST_F(Doors, ALauncherMayEndWhileADoorIsOpen) {
  serve();
  const std::ptrdiff_t before = threads();
  const auto busy = start(bob,
                          "exec python3 -c 'import socket as s\n"
                          "c = s.create_connection((\"alice\", 99))\n"
                          "print(\"begins\")\n"
                          "while True:\n"
                          "    for on in 1, 0: c.setsockopt(s.IPPROTO_TCP, s.TCP_CORK, on)'");
  ASSERT_TRUE(wait_for_output(busy, "begins"));
  expect_threads(before + 1);
  launcher.reset();
  EXPECT_EQ(threads(), before);
}

}  // namespace
}  // namespace lanyard::guest::test
