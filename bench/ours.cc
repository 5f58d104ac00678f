// SPDX-License-Identifier: Apache-2.0
// Our stack: two machines in one thread over an in-memory link, driven through the socket calls.
// Time is virtual and moves a microsecond with every round of the link.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "bench/measure.hh"
#include "core/checksum.hh"
#include "socket/sockets.hh"
#include "stack/stack.hh"

namespace lanyard::bench {
namespace {

using socket::Handle;
using socket::Sockets;

constexpr std::size_t kSpan = 64 * 1024;
constexpr Port kPort = 5001;

template <typename T>
T checked(Result<T> result, std::string_view what) {
  if (!result) give_up(fmt::format("{}: {}", what, errno_text(result.error())));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

bool would_block(Errno error) {
  return error == Errno::try_again || error == Errno::in_progress;
}

enum class LinkKind { frames, super_segments };

stack::InterfaceConfig interface_of(std::uint8_t last, LinkKind kind) {
  stack::InterfaceConfig config;
  config.mac = MacAddress{{2, 0, 0, 0, 0, last}};
  config.makes_link_local = false;
  if (kind == LinkKind::super_segments) {
    config.takes_checksums = true;
    config.super_segment_bytes_max = 65535;
  }
  return config;
}

struct Machine {
  Machine(std::uint8_t last, LinkKind kind, const stack::Config& config)
      : address(IpAddress::v4(10, 0, 0, last)), stack(config, Seed(last), last, nullptr) {
    interface = stack.add_interface(interface_of(last, kind));
    stack.add_address(Instant::start(), interface, IpPrefix{address, 24});
    sockets = std::make_unique<Sockets>(stack);
  }
  IpAddress address;
  stack::Stack stack;
  std::unique_ptr<Sockets> sockets;
  std::uint32_t interface = 0;
};

struct World {
  explicit World(LinkKind kind, const stack::Config& config = {})
      : a(1, kind, config), b(2, kind, config) {}

  // Carries frames both ways until none is left. True if one was.
  bool pump() {
    bool any = false;
    now += Duration::microseconds(1);
    while (carry(a, b) | carry(b, a)) any = true;
    return any;
  }
  // Lets time pass to the next timer.
  void wait() {
    now = std::max(now, std::min(a.stack.next_deadline(), b.stack.next_deadline()));
    if (now == Instant::never()) give_up("nothing more will happen");
    a.stack.poll(now);
    b.stack.poll(now);
  }
  bool carry(Machine& from, Machine& to) {
    bool any = false;
    while (auto out = from.stack.take_frame()) {
      to.stack.on_frame(now, to.interface, std::move(out->frame));
      any = true;
    }
    return any;
  }

  Machine a, b;
  Instant now = Instant::start();
};

Handle listen_at(World& world, Port port, int backlog = 4096) {
  Handle listener = checked(world.b.sockets->open(Family::ipv4, socket::Type::stream), "open");
  checked(world.b.sockets->bind(listener, Endpoint{IpAddress::any(Family::ipv4), port}), "bind");
  checked(world.b.sockets->listen(world.now, listener, backlog), "listen");
  return listener;
}

struct Ends {
  Handle client, server;
};

Ends connect(World& world, Handle listener, Port port) {
  Sockets& sockets = *world.a.sockets;
  Handle client = checked(sockets.open(Family::ipv4, socket::Type::stream), "open");
  checked(sockets.set_option(world.now, client, socket::Option::no_delay, std::int64_t{1}),
          "no_delay");
  auto started = sockets.connect(world.now, client, Endpoint{world.b.address, port});
  if (!started && !would_block(started.error())) checked(started, "connect");
  for (int tries = 0; tries < 100; ++tries) {
    if (!world.pump()) world.wait();
    auto accepted = world.b.sockets->accept(world.now, listener);
    if (accepted) return {client, accepted->socket};
    if (!would_block(accepted.error())) checked(std::move(accepted), "accept");
  }
  give_up("the connection was never accepted");
}

// Sends as much of `bytes` as fits; 0 when nothing does.
std::size_t send_some(Sockets& sockets, Instant now, Handle socket, Bytes bytes) {
  auto sent = sockets.send(now, socket, bytes);
  if (!sent && would_block(sent.error())) return 0;
  return checked(std::move(sent), "send");
}

std::size_t receive_some(Sockets& sockets, Instant now, Handle socket, MutableBytes buffer) {
  auto got = sockets.receive(now, socket, buffer);
  if (!got && would_block(got.error())) return 0;
  return checked(std::move(got), "receive");
}

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

// Resident bytes per idle established end, both ends and all tables counted.
double tcp_idle_bytes(Amount amount) {
  std::uint64_t connections = amount.of(200'000, 500);
  World world(LinkKind::frames);
  std::vector<Handle> listeners;
  constexpr std::uint64_t kPerListener = 20'000;  // the client's ephemeral ports, per peer port
  for (std::uint64_t i = 0; i * kPerListener < connections; ++i) {
    listeners.push_back(listen_at(world, static_cast<Port>(kPort + i)));
  }
  connect(world, listeners[0], kPort);
  std::uint64_t before = resident_bytes();
  for (std::uint64_t i = 0; i < connections; ++i) {
    std::uint64_t at = i / kPerListener;
    connect(world, listeners[at], static_cast<Port>(kPort + at));
  }
  malloc_trim(0);
  return static_cast<double>(resident_bytes() - before) / static_cast<double>(2 * connections);
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
  std::uint64_t rounds = amount.of(20'000'000'000, 20'000'000) / bytes;
  std::vector<std::uint8_t> data(bytes, 'x');
  double start = seconds_now();
  for (std::uint64_t i = 0; i < rounds; ++i) {
    std::uint16_t sum = checksum(data);
    asm volatile("" : : "r"(sum), "r"(data.data()) : "memory");
  }
  return static_cast<double>(rounds * bytes) / (seconds_now() - start) / 1e9;
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run({{"tcp_stream", tcp_stream},
              {"tcp_stream_mtu1500", tcp_stream_mtu1500},
              {"tcp_pingpong", tcp_pingpong},
              {"tcp_connections", tcp_connections},
              {"tcp_idle_bytes", tcp_idle_bytes},
              {"udp_datagrams", udp_datagrams},
              {"checksum_1460", [](Amount amount) { return checksum_rate(amount, 1460); }},
              {"checksum_65535", [](Amount amount) { return checksum_rate(amount, 65535); }}},
             count, arguments);
}
