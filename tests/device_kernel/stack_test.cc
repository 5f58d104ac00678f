// SPDX-License-Identifier: Apache-2.0
// The kernel as judge of our stack: its curl, its python and its ping talk to us through a TAP.
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "device/capture_file.hh"
#include "device/tap.hh"
#include "effects.hh"
#include "live_host.hh"
#include "namespace.hh"

namespace lanyard::device_kernel {
namespace {

using socket::Process;
using socket::Socket;
using socket::Type;

constexpr std::size_t large_bytes = 10'000'000;

// What `http serve` gives for /bytes/N.
std::string alphabet(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

std::string contents(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

struct Side {
  Family family;
  std::string kernel, ours;  // as a person writes them
  [[nodiscard]] std::string url(const std::string& host) const {
    return family == Family::ipv6 ? fmt::format("http://[{}]", host) : "http://" + host;
  }
  [[nodiscard]] Endpoint kernel_endpoint(Port port) const {
    return {*IpAddress::parse(kernel), port};
  }
  [[nodiscard]] Endpoint any(Port port) const { return {IpAddress::any(family), port}; }
  // The peer's half of a test, in Python; `connect()` and `listen()` are there.
  [[nodiscard]] std::string python(const std::string& body) const {
    return fmt::format(
        "python3 -c '\n"
        "import socket, struct, sys, time\n"
        "family = socket.AF_INET{}\n"
        "def connect():\n"
        "  s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(30)\n"
        "  s.connect((\"{}\", 7000)); return s\n"
        "def listen():\n"
        "  s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(30)\n"
        "  s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "  s.bind((\"{}\", 7001)); s.listen(5); return s\n"
        "def read_all(s):\n"
        "  data = b\"\"\n"
        "  while True:\n"
        "    piece = s.recv(65536)\n"
        "    if not piece: return data\n"
        "    data += piece\n"
        "{}\n'",
        family == Family::ipv6 ? "6" : "", ours, kernel, body);
  }
};

class WithKernel : public testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    if (!enter_namespace().empty()) GTEST_SKIP() << enter_namespace();
    auto opened = device::Tap::open("lanyard0");
    ASSERT_TRUE(opened.has_value()) << opened.error();
    tap = std::move(*opened);
    ASSERT_EQ(run("ip link set lanyard0 address 02:00:00:00:00:01 mtu 1500 up && "
                  "ip addr add 10.9.0.1/24 dev lanyard0 && "
                  "ip addr add fd09::1/64 dev lanyard0 nodad"),
              0);
    directory = testing::TempDir() + fmt::format("lanyard_kernel_{}", ::getpid());
    ASSERT_EQ(run("mkdir -p " + directory), 0);
  }
  void TearDown() override {
    if (!directory.empty()) run("rm -rf " + directory);
  }
  [[nodiscard]] static Side side() {
    if (GetParam() == Family::ipv6) return {Family::ipv6, "fd09::1", "fd09::2"};
    return {Family::ipv4, "10.9.0.1", "10.9.0.2"};
  }
  // curl's fetch of a large body from our server.
  void fetch_large(device::FrameDevice& device) {
    LiveHost host(device);
    host.start("http", {"serve"});
    const std::string path = directory + "/fetched";
    EXPECT_EQ(host.run_command(fmt::format("curl -sSf -g --max-time 50 -o {} {}/bytes/{}", path,
                                           side().url(side().ours), large_bytes)),
              0);
    EXPECT_TRUE(contents(path) == alphabet(large_bytes)) << "the body differs";
  }
  // Our client's fetch of a large body from the kernel's python.
  void get_large(device::FrameDevice& device) {
    LiveHost host(device);
    std::ofstream(directory + "/large") << alphabet(large_bytes);
    host.start_command(
        fmt::format("python3 -m http.server 8000 --bind {} --directory {} 2>&1 | "
                    "cat > /dev/null",
                    side().kernel, directory));
    await_listener(host, 8000);
    const std::string url = fmt::format("{}:8000/large", side().url(side().kernel));
    EXPECT_EQ(host.run_program("http", {"get", url}), 0) << host.errors();
    EXPECT_TRUE(host.output() == alphabet(large_bytes)) << "the body differs";
  }
  // Until a kernel's server takes connections.
  static void await_listener(LiveHost& host, Port port) {
    host.run_program([port](Process& process) {
      for (int i = 0; i < 400; ++i) {
        Socket probe(process, side().family, Type::stream);
        if (probe.connect(side().kernel_endpoint(port))) return;
        process.sleep(Duration::milliseconds(25));
      }
      ADD_FAILURE() << "nobody listens on port " << port;
    });
  }

  std::unique_ptr<device::Tap> tap;
  std::string directory;
};

TEST_P(WithKernel, PingIsAnswered) {
  LiveHost host(*tap);
  EXPECT_EQ(host.run_command(fmt::format("ping -q -c 3 -i 0.01 {} > /dev/null", side().ours)), 0);
  EXPECT_EQ(
      host.run_command(fmt::format("ping -q -c 2 -i 0.01 -s 5000 {} > /dev/null", side().ours)), 0)
      << "fragments";
}

TEST_P(WithKernel, OurPingIsAnswered) {
  LiveHost host(*tap);
  EXPECT_EQ(host.run_program("ping", {"-c", "2", side().kernel}), 0)
      << host.output() << host.errors();
}

TEST_P(WithKernel, CurlFetchesFromOurServer) {
  LiveHost host(*tap);
  host.start("http", {"serve"});
  const std::string path = directory + "/page";
  EXPECT_EQ(host.run_command(fmt::format("curl -sSf -g -o {} {}/", path, side().url(side().ours))),
            0);
  EXPECT_NE(contents(path).find("Hello from ours"), std::string::npos);
}

TEST_P(WithKernel, CurlFetchesALargeBodyInSuperSegments) {
  Losing counting(*tap, 0);
  fetch_large(counting);
  EXPECT_GT(counting.sent_super_segments, 100U);
}

TEST_P(WithKernel, CurlFetchesALargeBodyWithoutOffloads) {
  Plain plain(*tap);
  fetch_large(plain);
  EXPECT_EQ(plain.not_plain, 0U);
}

TEST_P(WithKernel, CurlFetchesALargeBodyOverALossyLink) {
  Losing losing(*tap, 10);
  fetch_large(losing);
  EXPECT_GT(losing.lost, 0U);
}

TEST_P(WithKernel, OurClientFetchesALargeBodyFromPythonInSuperSegments) {
  Losing counting(*tap, 0);
  get_large(counting);
  EXPECT_GT(counting.received_super_segments, 100U);
}

TEST_P(WithKernel, OurClientFetchesALargeBodyFromPythonWithoutOffloads) {
  Plain plain(*tap);
  get_large(plain);
}

TEST_P(WithKernel, OurClientFetchesALargeBodyFromPythonOverALossyLink) {
  Losing losing(*tap, 10);
  get_large(losing);
  EXPECT_GT(losing.lost, 0U);
}

// tshark judges every frame of a fetch both ways.
TEST_P(WithKernel, TsharkFindsNothingWrong) {
  const std::string path = directory + "/run.pcapng";
  {
    auto recorder = device::CaptureRecorder::open(*tap, path);
    ASSERT_TRUE(recorder.has_value()) << recorder.error();
    LiveHost host(**recorder);
    host.start("http", {"serve"});
    EXPECT_EQ(host.run_command(fmt::format("curl -sSf -g -o /dev/null {}/bytes/300000",
                                           side().url(side().ours))),
              0);
  }
  const std::string judge = fmt::format(
      "tshark -r {} -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -o "
      "ip.check_checksum:TRUE "
      "-Y '_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || "
      "icmpv6.checksum.status == 0' 2> {}.errors > {}.found",
      path, path, path);
  const int status = run(judge);
  if (status == 127) GTEST_SKIP() << "tshark is not here";
  EXPECT_EQ(status, 0) << contents(path + ".errors");
  EXPECT_EQ(contents(path + ".found"), "");
}

TEST_P(WithKernel, RefusedConnectionIsRefusedBothWays) {
  LiveHost host(*tap);
  host.run_program([](Process& process) {
    Socket socket(process, side().family, Type::stream);
    const auto connected = socket.connect(side().kernel_endpoint(9));
    ASSERT_FALSE(connected.has_value());
    EXPECT_EQ(connected.error(), Errno::connection_refused);
  });
  EXPECT_EQ(host.run_command(side().python("try:\n"
                                           "  connect(); sys.exit(1)\n"
                                           "except ConnectionRefusedError: pass")),
            0);
}

// The kernel closes its half; we still send, all of it arrives, then both are closed.
TEST_P(WithKernel, KernelsHalfCloseLeavesOurHalfOpen) {
  LiveHost host(*tap);
  host.start([](Process& process) {
    Socket listener(process, side().family, Type::stream);
    ASSERT_TRUE(listener.bind(side().any(7000)) && listener.listen(5));
    auto peer = listener.accept();
    ASSERT_TRUE(peer.has_value());
    std::size_t got = 0;
    for (auto piece = peer->recv(65536); piece && !piece->empty(); piece = peer->recv(65536)) {
      got += piece->size();
    }
    process.sleep(Duration::milliseconds(50));
    ASSERT_TRUE(peer->send(fmt::format("{} ", got) + alphabet(300'000)));
  });
  EXPECT_EQ(host.run_command(side().python("s = connect()\n"
                                           "s.sendall(b\"x\" * 200000)\n"
                                           "s.shutdown(socket.SHUT_WR)\n"
                                           "data = read_all(s)\n"
                                           "sys.exit(data[:7] != b\"200000 \" or "
                                           "len(data) != 300007)")),
            0);
}

TEST_P(WithKernel, OurHalfCloseLeavesTheKernelsHalfOpen) {
  LiveHost host(*tap);
  // The first to come is await_listener's probe, which does not stay for an answer.
  host.start_command(
      side().python("listener = listen()\n"
                    "while True:\n"
                    "  s = listener.accept()[0]\n"
                    "  data = read_all(s)\n"
                    "  if data: s.sendall(b\"%d \" % len(data) + b\"y\" * 300000)\n"
                    "  s.close()"));
  await_listener(host, 7001);
  host.run_program([](Process& process) {
    Socket socket(process, side().family, Type::stream);
    ASSERT_TRUE(socket.connect(side().kernel_endpoint(7001)));
    ASSERT_TRUE(socket.send(std::string(200'000, 'x')));
    ASSERT_TRUE(socket.shutdown(socket::Shutdown::write));
    std::string got;
    for (auto piece = socket.recv(65536); piece && !piece->empty(); piece = socket.recv(65536)) {
      got += *piece;
    }
    EXPECT_EQ(got.size(), 300'007U);
    EXPECT_EQ(got.substr(0, 7), "200000 ");
  });
}

TEST_P(WithKernel, KernelsResetReachesOurProgram) {
  LiveHost host(*tap);
  host.start_command(side().python(
      "listener = listen()\n"
      "while True:\n"
      "  s = listener.accept()[0]\n"
      "  s.recv(1)\n"
      "  s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(\"ii\", 1, 0))\n"
      "  s.close()"));
  await_listener(host, 7001);
  host.run_program([](Process& process) {
    Socket socket(process, side().family, Type::stream);
    ASSERT_TRUE(socket.connect(side().kernel_endpoint(7001)));
    ASSERT_TRUE(socket.send("x"));
    const auto got = socket.recv(100);
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error(), Errno::connection_reset);
  });
}

TEST_P(WithKernel, OurResetReachesTheKernelsProgram) {
  LiveHost host(*tap);
  host.start([](Process& process) {
    Socket listener(process, side().family, Type::stream);
    ASSERT_TRUE(listener.bind(side().any(7000)) && listener.listen(5));
    auto peer = listener.accept();
    ASSERT_TRUE(peer.has_value());
    ASSERT_TRUE(peer->recv(1));
    ASSERT_TRUE(peer->set_option(socket::Option::linger,
                                 socket::Linger{.is_on = true, .timeout = Duration::zero()}));
    ASSERT_TRUE(peer->close());
  });
  EXPECT_EQ(host.run_command(side().python("s = connect()\n"
                                           "s.sendall(b\"x\")\n"
                                           "try:\n"
                                           "  s.recv(100); sys.exit(1)\n"
                                           "except ConnectionResetError: pass")),
            0);
}

// Datagrams larger than a frame are cut by one side and put together by the other.
TEST_P(WithKernel, LargeDatagramsAreEchoedInFragments) {
  LiveHost host(*tap);
  host.start([](Process& process) {
    Socket socket(process, side().family, Type::datagram);
    ASSERT_TRUE(socket.bind(side().any(7000)));
    std::vector<std::uint8_t> buffer(65536);
    while (true) {
      const auto got = socket.recvfrom(buffer);
      if (!got) return;
      ASSERT_TRUE(socket.sendto(Bytes(buffer).first(got->bytes), got->facts.peer));
    }
  });
  EXPECT_EQ(host.run_command(side().python(
                fmt::format("s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(10)\n"
                            "for size in (1, 1472, 1473, 8000, 60000):\n"
                            "  data = bytes(i % 251 for i in range(size))\n"
                            "  s.sendto(data, (\"{}\", 7000))\n"
                            "  if s.recv(65536) != data: sys.exit(1)",
                            side().ours))),
            0);
}

INSTANTIATE_TEST_SUITE_P(BothFamilies, WithKernel, testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& each) {
                           return each.param == Family::ipv6 ? "IPv6" : "IPv4";
                         });

}  // namespace
}  // namespace lanyard::device_kernel
