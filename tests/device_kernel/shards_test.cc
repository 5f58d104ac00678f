// SPDX-License-Identifier: Apache-2.0
// One machine on several threads, the kernel as its peer through a TAP with a queue for each.
#include <array>
#include <atomic>
#include <numeric>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "application/programs.hh"
#include "device/shards.hh"
#include "device/tap.hh"
#include "namespace.hh"
#include "socket/process.hh"

namespace lanyard::device_kernel {
namespace {

using socket::Process;
using socket::Socket;
using socket::Type;

constexpr unsigned shards_wanted = 3;

// A program's surroundings on one shard.
class ShardProcess final : public Process {
 public:
  explicit ShardProcess(device::Shard& shard)
      : sockets_(shard.sockets),
        tasks_(shard.tasks),
        random_(Seed(shard.index).branch("process").stream()) {}
  socket::Sockets& sockets() override { return sockets_; }
  Tasks& tasks() override { return tasks_; }
  const socket::Names& names() override { return names_; }
  RandomStream& random() override { return random_; }
  void print(int, std::string_view) override {}
  void spawn(std::function<void(Process&)> body) override {
    tasks_.spawn([this, body = std::move(body)] { body(*this); });
  }

 private:
  socket::Sockets& sockets_;
  Tasks& tasks_;
  socket::Names names_;
  RandomStream random_;
};

class SeveralShards : public testing::Test {
 protected:
  void SetUp() override {
    if (!enter_namespace().empty()) GTEST_SKIP() << enter_namespace();
    auto opened = device::Tap::open_queues("lanyard0", shards_wanted);
    ASSERT_TRUE(opened.has_value()) << opened.error();
    for (auto& tap : *opened) queues.push_back(std::move(tap));
    ASSERT_EQ(run("ip link set lanyard0 address 02:00:00:00:00:01 mtu 1500 up && "
                  "ip addr add 10.9.0.1/24 dev lanyard0 && "
                  "ip addr add fd09::1/64 dev lanyard0 nodad"),
              0);
  }
  // A machine whose every shard runs `program`.
  std::unique_ptr<device::Shards> machine(std::function<void(Process&, unsigned)> program) {
    stack::InterfaceConfig interface;
    interface.mac = MacAddress{{2, 0, 0, 0, 0, 2}};
    const device::DeviceAbilities abilities = queues.front()->abilities();
    interface.takes_checksums = abilities.takes_checksums;
    interface.super_segment_bytes_max = abilities.super_segment_bytes_max;
    return std::make_unique<device::Shards>(
        stack::Config{}, interface, Seed(1), std::move(queues),
        [this, program = std::move(program)](device::Shard& shard) {
          shard.stack.add_address(shard.loop.now(), shard.interface,
                                  {IpAddress::v4(10, 9, 0, 2), 24});
          shard.stack.add_address(shard.loop.now(), shard.interface,
                                  {*IpAddress::parse("fd09::2"), 64});
          auto& process = processes[shard.index];
          process = std::make_unique<ShardProcess>(shard);
          shard.tasks.spawn([&process, program, index = shard.index] { program(*process, index); });
        });
  }
  static std::uint64_t sum(const std::vector<device::ShardCounters>& counters,
                           std::uint64_t device::ShardCounters::*which) {
    return std::accumulate(
        counters.begin(), counters.end(), std::uint64_t{0},
        [&](std::uint64_t total, const auto& each) { return total + each.*which; });
  }
  std::vector<std::unique_ptr<device::FrameDevice>> queues;
  std::array<std::unique_ptr<ShardProcess>, shards_wanted> processes;  // each its thread's
};

std::array<std::atomic<unsigned>, shards_wanted> served;

// Echoes what comes on one connection, until its end.
void echo_one(Socket& peer) {
  while (true) {
    const auto text = peer.recv(65536);
    if (!text || text->empty() || !peer.send(*text)) return;
  }
}

// An echo server of both families and both kinds.
void serve_echo(Process& process, unsigned index) {
  process.spawn([](Process& own) {
    Socket datagrams(own, Family::ipv6, Type::datagram);
    EXPECT_TRUE(datagrams.bind({IpAddress::any(Family::ipv6), 7}));
    std::vector<std::uint8_t> buffer(65536);
    while (true) {
      const auto got = datagrams.recvfrom(buffer);
      if (!got) return;
      (void)datagrams.sendto(Bytes(buffer).first(got->bytes), got->facts.peer);
    }
  });
  Socket server(process, Family::ipv6, Type::stream);
  ASSERT_TRUE(server.bind({IpAddress::any(Family::ipv6), 7}));
  ASSERT_TRUE(server.listen(128));
  while (auto peer = server.accept()) {
    ++served[index];
    process.spawn([handle = peer->release()](Process& own) {
      Socket connection(own, handle);
      echo_one(connection);
    });
  }
}

// Sixty conversations at once, of either family, each with 200 kB there and back.
constexpr auto kernel_client = R"(timeout 50 python3 -c '
import socket, threading, sys, os
def talk(family, address, bad):
  try:
    s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(30); s.connect((address, 7))
    text = os.urandom(200000); got = b""
    threading.Thread(target=lambda: (s.sendall(text), s.shutdown(socket.SHUT_WR))).start()
    while True:
      piece = s.recv(65536)
      if not piece: break
      got += piece
    if got != text: bad.append("differs")
  except Exception as problem: bad.append(str(problem))
bad = []
sides = [(socket.AF_INET, "10.9.0.2"), (socket.AF_INET6, "fd09::2")] * 30
threads = [threading.Thread(target=talk, args=(*side, bad)) for side in sides]
for each in threads: each.start()
for each in threads: each.join()
for family, address in sides[:10]:
  for size in (100, 8000):
    s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(20)
    text = os.urandom(size); s.sendto(text, (address, 7))
    if s.recv(65536) != text: bad.append("datagram differs")
    s.settimeout(0.05)
    try:
      s.recv(65536); bad.append("a second answer")
    except TimeoutError: pass
sys.exit("\n".join(bad) if bad else 0)')";

TEST_F(SeveralShards, ServeTheKernelsConversationsEachOnOneShard) {
  for (auto& each : served) each = 0;
  auto shards = machine(serve_echo);
  EXPECT_EQ(run(kernel_client), 0);
  // One answer to each request, fragments too, whichever shard they come to.
  for (const char* address : {"10.9.0.2", "fd09::2"})
    EXPECT_EQ(
        run(fmt::format("text=$(ping -c 3 -i 0.2 -s 3000 {}) && case $text in *DUP*) exit 9;; esac",
                        address)),
        0);
  const auto counters = shards->stop();
  unsigned all = 0;
  for (const auto& each : served) {
    EXPECT_GT(each, 0U);
    all += each;
  }
  EXPECT_EQ(all, 60U);
  EXPECT_GT(sum(counters, &device::ShardCounters::handed_over), 0U);
  EXPECT_GT(sum(counters, &device::ShardCounters::taken_over), 0U);
  EXPECT_EQ(sum(counters, &device::ShardCounters::handed_in_vain), 0U);
  EXPECT_GT(sum(counters, &device::ShardCounters::left_to_first), 0U);  // ARP and NDP
}

TEST_F(SeveralShards, ConnectToTheKernelFromTheirOwnPorts) {
  constexpr int each = 20;
  std::atomic<int> good = 0, ended = 0;
  const std::string server =
      "timeout 50 python3 -c '\n"
      "import socket\n"
      "s = socket.create_server((\"10.9.0.1\", 7000), backlog=100)\n"
      "for _ in range(60):\n"
      "  c, peer = s.accept(); c.sendall(str(peer[1]).encode()); c.close()\n' &";
  ASSERT_EQ(run(server), 0);
  auto shards = machine([&](Process& process, unsigned) {
    for (int i = 0; i < each; ++i) {
      Endpoint local;
      std::string text;
      // Until the server is there.
      for (int tries = 0; tries < 200 && text.empty(); ++tries) {
        Socket client(process, Family::ipv4, Type::stream);
        client.set_timeout(Duration::seconds(20));
        if (!client.connect({IpAddress::v4(10, 9, 0, 1), 7000})) {
          process.sleep(Duration::milliseconds(25));
          continue;
        }
        local = *client.getsockname();
        if (const auto got = client.recv(100)) text = *got;
      }
      if (text == std::to_string(local.port)) ++good;
    }
    ++ended;
  });
  for (int i = 0; i < 400 && ended < static_cast<int>(shards_wanted); ++i) run("sleep 0.05");
  shards->stop();
  EXPECT_EQ(good, each * static_cast<int>(shards_wanted));
}

// A port that was bound and is nobody's ephemeral one: its answers come to one shard of three.
TEST_F(SeveralShards, RefuseAConversationWhoseAnswersWouldComeToAnother) {
  std::atomic<int> refused = 0, begun = 0, ended = 0;
  auto shards = machine([&](Process& process, unsigned) {
    for (const Type type : {Type::stream, Type::datagram}) {
      Socket client(process, Family::ipv4, type);
      EXPECT_TRUE(client.bind({IpAddress::any(Family::ipv4), 5000}));
      const auto result = process.sockets().connect(process.now(), client.handle(),
                                                    {IpAddress::v4(10, 9, 0, 1), 9});
      if (result || result.error() == Errno::in_progress) {
        ++begun;
      } else if (result.error() == Errno::address_not_available) {
        ++refused;
      }
    }
    ++ended;
  });
  for (int i = 0; i < 400 && ended < static_cast<int>(shards_wanted); ++i) run("sleep 0.05");
  shards->stop();
  EXPECT_EQ(begun, 2);
  EXPECT_EQ(refused, 4);
}

}  // namespace
}  // namespace lanyard::device_kernel
