// SPDX-License-Identifier: Apache-2.0
// The kernel's loopback as a peer: both ends on the core this program is pinned to.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "bench/measure.hh"

namespace lanyard::bench {
namespace {

constexpr std::size_t kSpan = 64 * 1024;

int checked(int result, const char* what) {
  if (result < 0) give_up(fmt::format("{}: {}", what, std::strerror(errno)));
  return result;
}

sockaddr* generic(sockaddr_in& address) {
  return static_cast<sockaddr*>(static_cast<void*>(&address));
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// A bound socket of `type` and the address it got.
int bound(int type, sockaddr_in& address) {
  int socket = checked(::socket(AF_INET, type, 0), "socket");
  address = loopback(0);
  checked(bind(socket, generic(address), sizeof address), "bind");
  socklen_t size = sizeof address;
  checked(getsockname(socket, generic(address), &size), "getsockname");
  return socket;
}

struct Pair {
  int client, server;
};

Pair stream_pair() {
  sockaddr_in address;
  int listener = bound(SOCK_STREAM, address);
  checked(listen(listener, 16), "listen");
  Pair pair{};
  pair.client = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
  checked(connect(pair.client, generic(address), sizeof address), "connect");
  pair.server = checked(accept(listener, nullptr, nullptr), "accept");
  int on = 1;
  for (int end : {pair.client, pair.server}) {
    checked(setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
  }
  close(listener);
  return pair;
}

// Runs `child` in a process of its own and `parent` here; seconds until both are done.
template <typename Child, typename Parent>
double both(Child child, Parent parent) {
  double start = seconds_now();
  pid_t pid = checked(fork(), "fork");
  if (pid == 0) {
    child();
    _exit(0);
  }
  parent();
  int status = 0;
  checked(waitpid(pid, &status, 0), "waitpid");
  if (status != 0) give_up("the other end failed");
  return seconds_now() - start;
}

void read_all(int from, std::uint64_t bytes) {
  std::vector<char> buffer(kSpan);
  while (bytes > 0) {
    ssize_t got = read(from, buffer.data(), buffer.size());
    if (got <= 0) give_up("the stream ended early");
    bytes -= static_cast<std::uint64_t>(got);
  }
}

void write_all(int to, std::uint64_t bytes) {
  std::vector<char> span(kSpan, 'x');
  while (bytes > 0) {
    ssize_t sent = write(to, span.data(), std::min<std::uint64_t>(bytes, kSpan));
    if (sent <= 0) give_up("the stream broke");
    bytes -= static_cast<std::uint64_t>(sent);
  }
}

// Gbit/s of one connection.
double tcp_stream(Amount amount) {
  std::uint64_t bytes = amount.of(2'000, 20) * 1'000'000;
  Pair pair = stream_pair();
  double seconds =
      both([&] { read_all(pair.server, bytes); }, [&] { write_all(pair.client, bytes); });
  return static_cast<double>(bytes) * 8 / seconds / 1e9;
}

// Nanoseconds for 64 bytes there and back.
double tcp_pingpong(Amount amount) {
  std::uint64_t rounds = amount.of(100'000, 1'000);
  Pair pair = stream_pair();
  std::array<char, 64> message{};
  double seconds = both(
      [&] {
        std::array<char, 64> echo{};
        for (std::uint64_t i = 0; i < rounds; ++i) {
          checked(static_cast<int>(recv(pair.server, echo.data(), 64, MSG_WAITALL)), "recv");
          checked(static_cast<int>(send(pair.server, echo.data(), 64, 0)), "send");
        }
      },
      [&] {
        for (std::uint64_t i = 0; i < rounds; ++i) {
          checked(static_cast<int>(send(pair.client, message.data(), 64, 0)), "send");
          checked(static_cast<int>(recv(pair.client, message.data(), 64, MSG_WAITALL)), "recv");
        }
      });
  return seconds * 1e9 / static_cast<double>(rounds);
}

// Connections a second: connect, accept, reset (TIME-WAIT would use up the ports).
double tcp_connections(Amount amount) {
  std::uint64_t rounds = amount.of(50'000, 500);
  sockaddr_in address;
  int listener = bound(SOCK_STREAM, address);
  checked(listen(listener, 16), "listen");
  linger at_once{1, 0};
  double start = seconds_now();
  for (std::uint64_t i = 0; i < rounds; ++i) {
    int client = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    checked(connect(client, generic(address), sizeof address), "connect");
    int server = checked(accept(listener, nullptr, nullptr), "accept");
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(client);
    close(server);
  }
  return static_cast<double>(rounds) / (seconds_now() - start);
}

// Datagrams a second, 64 bytes, one thread: a batch sent, then received.
double udp_datagrams(Amount amount) {
  std::uint64_t batches = amount.of(20'000, 200);
  sockaddr_in address;
  int server = bound(SOCK_DGRAM, address);
  int client = checked(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  checked(connect(client, generic(address), sizeof address), "connect");
  std::array<char, 64> message{};
  constexpr std::uint64_t kBatch = 32;
  double start = seconds_now();
  for (std::uint64_t i = 0; i < batches; ++i) {
    for (std::uint64_t n = 0; n < kBatch; ++n) {
      checked(static_cast<int>(send(client, message.data(), 64, 0)), "send");
    }
    for (std::uint64_t n = 0; n < kBatch; ++n) {
      checked(static_cast<int>(recv(server, message.data(), 64, 0)), "recv");
    }
  }
  return static_cast<double>(batches * kBatch) / (seconds_now() - start);
}

// GB/s of memcpy over `bytes` that stay in the cache.
double copy_rate(Amount amount, std::size_t bytes) {
  std::vector<char> from(bytes, 'x');
  std::vector<char> to(bytes);
  const double seconds = quickest(amount.of(20'000, 20), 50, [&] {
    std::memcpy(to.data(), from.data(), bytes);
    asm volatile("" : : "r"(to.data()), "r"(from.data()) : "memory");
  });
  return static_cast<double>(bytes) / seconds / 1e9;
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run({{"tcp_stream", tcp_stream},
              {"tcp_pingpong", tcp_pingpong},
              {"tcp_connections", tcp_connections},
              {"udp_datagrams", udp_datagrams},
              {"checksum_1460", [](Amount amount) { return copy_rate(amount, 1460); }},
              {"checksum_65535", [](Amount amount) { return copy_rate(amount, 65535); }}},
             count, arguments);
}
