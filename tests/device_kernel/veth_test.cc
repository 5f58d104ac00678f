// SPDX-License-Identifier: Apache-2.0
// A pair of the kernel's own interfaces: one end is ours through shared rings (TPACKET_V3, AF_XDP),
// at the other stand the kernel's stack and its curl.
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "device/packet_ring.hh"
#include "device/xdp_socket.hh"
#include "live_host.hh"
#include "namespace.hh"

namespace lanyard::device_kernel {
namespace {

constexpr std::size_t body_bytes = 3'000'000;

class Veth : public testing::Test {
 protected:
  // The kernel's end computes its checksums, since a veth would hand them over unfinished.
  static void make(bool finishes_checksums) {
    ASSERT_EQ(run("ip link add lanyard1 type veth peer name lanyard2 && "
                  "ip addr add 10.9.0.1/24 dev lanyard2 && "
                  "ip link set lanyard1 up && ip link set lanyard2 up"),
              0);
    if (!finishes_checksums) return;
    ASSERT_EQ(run("python3 -c '\n"
                  "import array, fcntl, socket, struct\n"
                  "for what in 0x17, 0x1f, 0x24:\n"  // ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO
                  "  off = array.array(\"B\", struct.pack(\"II\", what, 0))\n"
                  "  ask = struct.pack(\"16sP\", b\"lanyard2\", off.buffer_info()[0])\n"
                  "  fcntl.ioctl(socket.socket(), 0x8946, ask)\n'"),
              0);
  }
  ~Veth() override { run("ip link del lanyard1 2> /dev/null"); }

  // The kernel's curl fetches from us, and we from the kernel's python.
  static void fetch_both_ways(device::FrameDevice& device) {
    const std::string directory = testing::TempDir() + fmt::format("lanyard_veth_{}", ::getpid());
    ASSERT_EQ(run("mkdir -p " + directory), 0);
    LiveHost host(device);
    host.start("http", {"serve"});
    EXPECT_EQ(host.run_command("ping -q -c 3 -i 0.01 10.9.0.2 > /dev/null"), 0);
    EXPECT_EQ(host.run_command(fmt::format("curl -sSf --max-time 50 -o {}/body 10.9.0.2/bytes/{}",
                                           directory, body_bytes)),
              0);
    host.start_command(fmt::format(
        "python3 -m http.server 8000 --bind 10.9.0.1 --directory {} > /dev/null 2>&1", directory));
    int status = 1;
    for (int i = 0; i < 100 && status != 0; ++i) {
      status = host.run_program("http", {"get", "10.9.0.1:8000/body"});
      if (status != 0) host.run_command("sleep 0.05");
    }
    EXPECT_EQ(status, 0) << host.errors();
    std::ifstream fetched(directory + "/body", std::ios::binary);
    const std::string body{std::istreambuf_iterator<char>(fetched), {}};
    EXPECT_EQ(body.size(), body_bytes);
    EXPECT_TRUE(host.output().ends_with(body)) << "the bodies differ";  // behind the server's lines
    run("rm -rf " + directory);
  }
};

TEST_F(Veth, PacketRingsCarryBothWays) {
  if (!enter_namespace().empty()) GTEST_SKIP() << enter_namespace();
  make(false);
  auto ring = device::PacketRing::open("lanyard1");
  ASSERT_TRUE(ring.has_value()) << ring.error();
  fetch_both_ways(**ring);
  EXPECT_EQ((*ring)->take_lost(), 0U);
}

TEST_F(Veth, XdpSocketsCarryBothWays) {
  if (!enter_network_namespace().empty()) GTEST_SKIP() << enter_network_namespace();
  make(true);
  auto socket = device::XdpSocket::open("lanyard1");
  if (!socket && socket.error().find("XDP socket:") == 0) GTEST_SKIP() << socket.error();
  ASSERT_TRUE(socket.has_value()) << socket.error();
  fetch_both_ways(**socket);
}

TEST_F(Veth, AnXdpSocketSaysWhatIsMissing) {
  const auto missing = device::XdpSocket::open("no-such-one");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().find("no-such-one: No such device"), std::string::npos)
      << missing.error();
}

}  // namespace
}  // namespace lanyard::device_kernel
