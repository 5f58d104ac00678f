// SPDX-License-Identifier: Apache-2.0
// Our stack in the benchmarks of one or few connections; scaling.cc has those of many.
#include <array>
#include <vector>

#include "bench/ours.hh"
#include "core/checksum.hh"

namespace lanyard::bench {
namespace {

constexpr std::size_t kSpan = 64 * 1024;

// Gbit/s of one connection.
double stream(LinkKind kind, std::uint64_t bytes) {
  World world(kind);
  Ends ends = connect(world, listen_at(world, kPort), kPort);
  std::vector<std::uint8_t> span(kSpan, 'x');
  std::vector<std::uint8_t> buffer(kSpan);
  std::uint64_t received = 0;
  double start = seconds_now();
  while (received < bytes) {
    bool any = send_some(*world.a.sockets, world.now, ends.client, span) > 0;
    any |= world.pump();
    while (std::size_t got = receive_some(*world.b.sockets, world.now, ends.server, buffer)) {
      received += got;
      any = true;
    }
    if (!any) world.wait();
  }
  return static_cast<double>(received) * 8 / (seconds_now() - start) / 1e9;
}

double tcp_stream(Amount amount) {
  return stream(LinkKind::super_segments, amount.of(8'000, 20) * 1'000'000);
}

double tcp_stream_mtu1500(Amount amount) {
  return stream(LinkKind::frames, amount.of(1'500, 10) * 1'000'000);
}

// Nanoseconds for 64 bytes there and back.
double tcp_pingpong(Amount amount) {
  std::uint64_t rounds = amount.of(500'000, 1'000);
  World world(LinkKind::frames);
  Ends ends = connect(world, listen_at(world, kPort), kPort);
  std::array<std::uint8_t, 64> message{};
  double start = seconds_now();
  for (std::uint64_t i = 0; i < rounds; ++i) {
    send_some(*world.a.sockets, world.now, ends.client, message);
    world.pump();
    std::size_t there = receive_some(*world.b.sockets, world.now, ends.server, message);
    send_some(*world.b.sockets, world.now, ends.server, message);
    world.pump();
    std::size_t back = receive_some(*world.a.sockets, world.now, ends.client, message);
    if (there != 64 || back != 64) give_up("an echo is missing");
  }
  return (seconds_now() - start) * 1e9 / static_cast<double>(rounds);
}

// Connections a second: connect, accept, FIN both ways; TIME-WAIT is kept its two minutes.
double tcp_connections(Amount amount) {
  std::uint64_t rounds = amount.of(300'000, 500);
  World world(LinkKind::frames);
  Handle listener = listen_at(world, kPort);
  double start = seconds_now();
  for (std::uint64_t i = 0; i < rounds; ++i) {
    // A second for every 200 connections: the ports of 28,000 in TIME-WAIT come back in time.
    world.now += Duration::milliseconds(5);
    world.a.stack.poll(world.now);
    world.b.stack.poll(world.now);
    Ends ends = connect(world, listener, kPort);
    checked(world.a.sockets->close(world.now, ends.client), "close");
    world.pump();
    checked(world.b.sockets->close(world.now, ends.server), "close");
    world.pump();
  }
  return static_cast<double>(rounds) / (seconds_now() - start);
}

// Datagrams a second, 64 bytes: a batch sent, then received.
double udp_datagrams(Amount amount) {
  std::uint64_t batches = amount.of(100'000, 200);
  constexpr std::uint64_t kBatch = 32;
  World world(LinkKind::frames);
  Handle server = checked(world.b.sockets->open(Family::ipv4, socket::Type::datagram), "open");
  checked(world.b.sockets->bind(server, Endpoint{IpAddress::any(Family::ipv4), kPort}), "bind");
  Handle client = checked(world.a.sockets->open(Family::ipv4, socket::Type::datagram), "open");
  checked(world.a.sockets->connect(world.now, client, Endpoint{world.b.address, kPort}), "connect");
  std::array<std::uint8_t, 64> message{};
  std::uint64_t received = 0;
  double start = seconds_now();
  for (std::uint64_t i = 0; i < batches; ++i) {
    for (std::uint64_t n = 0; n < kBatch; ++n) {
      checked(world.a.sockets->send_to(world.now, client, message, {}), "send_to");
    }
    world.pump();
    while (world.b.sockets->receive_from(world.now, server, message)) ++received;
  }
  if (received + kBatch < batches * kBatch) give_up("datagrams were lost");
  return static_cast<double>(received) / (seconds_now() - start);
}

// GB/s of the internet checksum over `bytes` that stay in the cache.
double checksum_rate(Amount amount, std::size_t bytes) {
  std::vector<std::uint8_t> data(bytes, 'x');
  const double seconds = quickest(amount.of(20'000, 20), 50, [&] {
    std::uint16_t sum = checksum(data);
    asm volatile("" : : "r"(sum), "r"(data.data()) : "memory");
  });
  return static_cast<double>(bytes) / seconds / 1e9;
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run({{"tcp_stream", tcp_stream},
              {"tcp_stream_mtu1500", tcp_stream_mtu1500},
              {"tcp_pingpong", tcp_pingpong},
              {"tcp_connections", tcp_connections},
              {"udp_datagrams", udp_datagrams},
              {"checksum_1460", [](Amount amount) { return checksum_rate(amount, 1460); }},
              {"checksum_65535", [](Amount amount) { return checksum_rate(amount, 65535); }}},
             count, arguments);
}
