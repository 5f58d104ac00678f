// SPDX-License-Identifier: Apache-2.0
// The kernel between pairs of veth interfaces, each end in a network namespace that this program
// makes: forwarding with a million routes, and one TCP connection. Exit status 3: not allowed here.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "bench/kernel_stream.hh"
#include "bench/measure.hh"

namespace lanyard::bench {
namespace {

void shell(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) give_up("failed: " + command);
}

void write_file(const std::string& path, const std::string& text) {
  if (!(std::ofstream(path) << text << std::flush)) give_up("cannot write " + path);
}

void enter_namespace() {
  if (unshare(CLONE_NEWNET) == 0) return;
  const uid_t user = getuid();
  const gid_t group = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) refuse("no network namespaces here");
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", fmt::format("0 {} 1", user));
  write_file("/proc/self/gid_map", fmt::format("0 {} 1", group));
}

// A child in a namespace of its own, below ours. It runs `body` once told to, and is killed when
// the parent is done with it.
class Elsewhere {
 public:
  template <typename Body>
  explicit Elsewhere(Body body) {
    std::array<int, 2> up{}, down{};
    if (pipe(up.data()) != 0 || pipe(down.data()) != 0) give_up("pipe");
    pid_ = fork();
    if (pid_ < 0) give_up("fork");
    char sign = 0;
    if (pid_ == 0) {
      if (unshare(CLONE_NEWNET) != 0) _exit(1);
      if (write(up[1], &sign, 1) != 1 || read(down[0], &sign, 1) != 1) _exit(1);
      body();
      if (write(up[1], &sign, 1) != 1) _exit(1);
      pause();
      _exit(0);
    }
    ready_ = up[0];
    go_ = down[1];
    await();
  }
  ~Elsewhere() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  void go() const {
    const char sign = 0;
    if (write(go_, &sign, 1) != 1) give_up("the other namespace is gone");
  }
  void await() const {
    char sign = 0;
    if (read(ready_, &sign, 1) != 1) give_up("the other namespace failed");
  }

 private:
  pid_t pid_ = -1;
  int ready_ = -1, go_ = -1;
};

// Packets that left by `interface` of this namespace.
std::uint64_t sent_by(const std::string& interface) {
  std::ifstream file("/proc/self/net/dev");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || line.find(interface + ":") == std::string::npos) continue;
    std::istringstream numbers(line.substr(colon + 1));
    std::uint64_t number = 0;
    for (int i = 0; i < 10; ++i) numbers >> number;
    return number;
  }
  give_up("no interface " + interface);
}

std::uint32_t network_of(std::uint32_t number) {
  return ((16U << 16) + number) << 8;
}

constexpr std::size_t kFrame = 64;
using Frame = std::array<std::uint8_t, kFrame>;

Frame udp_frame(std::uint32_t destination) {
  Frame frame{};
  const std::array<std::uint8_t, 34> head{2,  0, 0, 0, 0, 1,  2,  0, 0, 0,  9, 9, 8, 0, 0x45, 0, 0,
                                          50, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 1, 9, 0, 0,    0, 0};
  std::memcpy(frame.data(), head.data(), head.size());
  const std::uint32_t to = htonl(destination);
  std::memcpy(frame.data() + 30, &to, 4);
  std::uint32_t sum = 0;
  for (std::size_t i = 14; i < 34; i += 2) {
    sum += static_cast<std::uint32_t>(frame[i] << 8) + frame[i + 1];
  }
  while (sum >> 16 != 0) sum = (sum >> 16) + (sum & 0xffff);
  frame[24] = static_cast<std::uint8_t>(~sum >> 8);
  frame[25] = static_cast<std::uint8_t>(~sum);
  frame[39] = 30;  // the UDP length; no checksum
  return frame;
}

void append(std::vector<char>& to, const void* bytes, std::size_t size) {
  const auto* const from = static_cast<const char*>(bytes);
  to.insert(to.end(), from, from + size);
}

void append_attribute(std::vector<char>& to, unsigned short type, std::uint32_t value) {
  const rtattr head{RTA_LENGTH(sizeof value), type};
  append(to, &head, sizeof head);
  append(to, &value, sizeof value);
}

// One request for a route to `network`/24; the kernel answers if it fails, or if it is the last.
void append_route(std::vector<char>& to, std::uint32_t network, std::uint32_t out, bool is_last) {
  nlmsghdr head{};
  head.nlmsg_len = NLMSG_LENGTH(sizeof(rtmsg)) + 3 * RTA_LENGTH(sizeof(std::uint32_t));
  head.nlmsg_type = RTM_NEWROUTE;
  head.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
  if (is_last) head.nlmsg_flags |= NLM_F_ACK;
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_dst_len = 24;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_type = RTN_UNICAST;
  append(to, &head, sizeof head);
  append(to, &route, sizeof route);
  append_attribute(to, RTA_DST, htonl(network));
  append_attribute(to, RTA_GATEWAY, htonl(0x0a000202));  // 10.0.2.2
  append_attribute(to, RTA_OIF, out);
}

// A million of them, many in a message: `ip -batch` takes minutes.
void add_routes(std::uint32_t routes, std::uint32_t out) {
  const int socket = checked(::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), "netlink");
  constexpr std::uint32_t at_once = 1'000;
  std::vector<char> requests;
  for (std::uint32_t i = 0; i < routes;) {
    requests.clear();
    const std::uint32_t end = std::min(routes, i + at_once);
    for (; i < end; ++i) append_route(requests, network_of(i), out, i + 1 == end);
    if (send(socket, requests.data(), requests.size(), 0) < 0) give_up("netlink: send");
    std::array<char, 4096> answer{};
    nlmsgerr error{};
    if (recv(socket, answer.data(), answer.size(), 0) <
        static_cast<int>(NLMSG_LENGTH(sizeof error)))
      give_up("netlink: no answer");
    std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
    if (error.error != 0) give_up(fmt::format("a route was refused: {}", -error.error));
  }
  close(socket);
}

void set_up_router(const Elsewhere& sink, std::uint32_t routes) {
  shell("ip link add a0 type veth peer name a1 && ip link add b0 type veth peer name b1");
  shell(fmt::format("ip link set b1 netns {}", sink.pid()));
  shell("ip link set a1 address 02:00:00:00:00:01 && ip link set a0 arp off");
  shell("ip addr add 10.0.1.1/24 dev a1 && ip addr add 10.0.2.1/24 dev b0");
  shell("ip link set a0 up && ip link set a1 up && ip link set b0 up && ip link set lo up");
  sink.go();
  sink.await();
  shell("ip neigh add 10.0.2.2 lladdr 02:00:00:00:00:03 dev b0 nud permanent");
  write_file("/proc/sys/net/ipv4/ip_forward", "1");
  add_routes(routes, if_nametoindex("b0"));
}

// Packets a second that leave, while frames are put into the other pair as fast as the kernel lets
// us: in batches, past the queueing discipline.
double ipv4_forward(Amount amount) {
  const std::uint64_t packets = amount.of(1'000'000, 2'000);
  const std::uint32_t routes = amount.is_smoke ? 1'000 : 1'000'000;
  enter_namespace();
  const Elsewhere sink([] { shell("ip link set b1 address 02:00:00:00:00:03 up"); });
  set_up_router(sink, routes);
  const int socket = checked(::socket(AF_PACKET, SOCK_RAW, 0), "packet socket");
  const int on = 1;
  setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex("a0"));
  checked(bind(socket, static_cast<sockaddr*>(static_cast<void*>(&to)), sizeof to), "bind");

  std::mt19937 dice(2);
  std::vector<Frame> frames;
  for (int i = 0; i < 4096; ++i)
    frames.push_back(udp_frame(network_of(static_cast<std::uint32_t>(dice()) % routes) + 7));
  constexpr std::size_t kBatch = 64;
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> pieces{};
  const std::uint64_t before = sent_by("b0");
  const double start = seconds_now();
  for (std::uint64_t sent = 0; sent < packets; sent += kBatch) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      pieces[i] = {frames[(sent + i) % frames.size()].data(), kFrame};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    checked(sendmmsg(socket, messages.data(), kBatch, 0), "sendmmsg");
  }
  const double seconds = seconds_now() - start;
  const std::uint64_t forwarded = sent_by("b0") - before;
  if (forwarded < packets / 2) give_up(fmt::format("only {} were forwarded", forwarded));
  return static_cast<double>(forwarded) / seconds;
}

// Gbit/s of one connection from one namespace to another.
double tcp_stream(Amount amount) {
  const std::uint64_t bytes = amount.of(1'500, 20) * 1'000'000;
  enter_namespace();
  const Elsewhere server([bytes] {
    shell("ip addr add 10.9.0.2/24 dev v1 && ip link set v1 up && ip link set lo up");
    if (fork() == 0) {
      serve_stream(7000, bytes);
      _exit(0);
    }
  });
  shell("ip link add v0 type veth peer name v1");
  shell(fmt::format("ip link set v1 netns {}", server.pid()));
  shell("ip addr add 10.9.0.1/24 dev v0 && ip link set v0 up");
  server.go();
  server.await();
  return send_stream("10.9.0.2", 7000, bytes);
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run({{"ipv4_forward", ipv4_forward}, {"tcp_stream", tcp_stream}}, count, arguments);
}
