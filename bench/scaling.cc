// SPDX-License-Identifier: Apache-2.0
// Our stack with many of everything: idle connections, connections that take turns, routes.
#include <malloc.h>

#include "bench/ours.hh"
#include "core/random.hh"
#include "internet/network.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/udp.hh"

namespace lanyard::bench {
namespace {

// As many connections as asked for. The client's ephemeral ports are 28,232 for each port of the
// server, so that it listens on many.
std::vector<Ends> connect_many(World& world, std::uint64_t connections) {
  constexpr std::uint64_t kPerListener = 20'000;
  std::vector<Handle> listeners;
  std::vector<Ends> all;
  all.reserve(connections);
  for (std::uint64_t i = 0; i < connections; ++i) {
    const auto port = static_cast<Port>(kPort + i / kPerListener);
    if (i % kPerListener == 0) listeners.push_back(listen_at(world, port));
    all.push_back(connect(world, listeners.back(), port));
  }
  return all;
}

// Resident bytes per idle established end, both ends and all tables counted.
double tcp_idle_bytes(Amount amount) {
  const std::uint64_t connections = amount.of(500'000, 500);
  World world(LinkKind::frames);
  connect(world, listen_at(world, 80), 80);
  std::uint64_t before = resident_bytes();
  connect_many(world, connections).clear();
  malloc_trim(0);
  return static_cast<double>(resident_bytes() - before) / static_cast<double>(2 * connections);
}

// The same of ten million connections, all of which stay: a million between each of ten pairs of
// machines, since a machine has as many sockets as Linux gives a process descriptors. The last of
// each pair still works at the end.
double tcp_idle_ten_million(Amount amount) {
  const std::uint64_t pairs = amount.of(10, 1);
  const std::uint64_t each = amount.is_smoke ? 500 : 1'000'000;
  const std::uint64_t before = resident_bytes();
  std::vector<std::unique_ptr<World>> worlds;
  std::vector<Ends> last;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    worlds.push_back(std::make_unique<World>(LinkKind::frames));
    last.push_back(connect_many(*worlds.back(), each).back());
  }
  malloc_trim(0);
  const std::uint64_t bytes = resident_bytes() - before;
  std::array<std::uint8_t, 64> message{};
  for (std::uint64_t i = 0; i < pairs; ++i) {
    World& world = *worlds[i];
    send_some(*world.a.sockets, world.now, last[i].client, message);
    world.pump();
    if (receive_some(*world.b.sockets, world.now, last[i].server, message) != 64)
      give_up("a connection does not work any more");
  }
  return static_cast<double>(bytes) / static_cast<double>(2 * pairs * each);
}

// Nanoseconds for 64 bytes there and back, each time on the next of many connections in an order
// without a pattern.
double tcp_demux(Amount amount, std::uint64_t connections) {
  const std::uint64_t rounds = amount.of(200'000, 1'000);
  World world(LinkKind::frames);
  const std::vector<Ends> all = connect_many(world, connections);
  std::array<std::uint8_t, 64> message{};
  RandomStream dice = Seed(1).stream();
  std::vector<std::uint32_t> order(rounds);
  for (std::uint32_t& next : order) next = static_cast<std::uint32_t>(dice.below(connections));
  const double start = seconds_now();
  for (const std::uint32_t next : order) {
    const Ends& ends = all[next];
    world.a.stack.poll(world.now);
    world.b.stack.poll(world.now);
    send_some(*world.a.sockets, world.now, ends.client, message);
    world.pump();
    const std::size_t there = receive_some(*world.b.sockets, world.now, ends.server, message);
    send_some(*world.b.sockets, world.now, ends.server, message);
    world.pump();
    if (there + receive_some(*world.a.sockets, world.now, ends.client, message) != 128) {
      give_up("an echo is missing");
    }
  }
  return (seconds_now() - start) * 1e9 / static_cast<double>(rounds);
}

// The `number`-th of a million networks of 24 bits, spread over the address space.
IpAddress network_of(std::uint32_t number) {
  constexpr std::uint32_t first = 16U << 16;  // 16.0.0.0/24
  return IpAddress::v4((first + number) << 8);
}

Packet udp_frame(const MacAddress& to, const IpAddress& destination) {
  Packet packet(64, 0);
  packet.append(std::vector<std::uint8_t>(64 - 14 - 20 - 8, 'x'));
  const IpAddress source = IpAddress::v4(10, 0, 1, 9);
  udp::Header{.source_port = 9, .destination_port = 9}.push_onto(packet, source, destination);
  ipv4::Header{.source = source, .destination = destination, .protocol = 17, .options = {}}
      .push_onto(packet);
  ethernet::Header{.destination = to, .source = {{2, 0, 0, 0, 9, 9}}, .type = ethernet::Type::ipv4}
      .push_onto(packet);
  return packet;
}

// Packets a second of 64 bytes through one router with many routes, to networks at random.
double forward(Amount amount, std::uint32_t routes) {
  const std::uint64_t packets = amount.of(3'000'000, 2'000);
  stack::Config config;
  config.internet.forwarding = true;
  stack::Stack router(config, Seed(1), 1, nullptr);
  const MacAddress inside{{2, 0, 0, 0, 0, 1}};
  for (std::uint8_t i = 1; i <= 2; ++i) {
    const std::uint32_t interface = router.add_interface(
        {.mac = {{2, 0, 0, 0, 0, i}}, .makes_link_local = false, .solicits_routers = false});
    router.add_address(Instant::start(), interface, {IpAddress::v4(10, 0, i, 1), 24});
  }
  const IpAddress gateway = IpAddress::v4(10, 0, 2, 2);
  router.network().interfaces().at(3).neighbours.add_permanent(gateway, {{2, 0, 0, 0, 0, 3}});
  for (std::uint32_t i = 0; i < routes; ++i) {
    router.add_route({.destination = {network_of(i), 24}, .gateway = gateway, .interface = 3});
  }
  RandomStream dice = Seed(2).stream();
  std::vector<Packet> kept;
  constexpr std::size_t kBatch = 64;
  for (std::size_t i = 0; i < 4096; ++i) {
    const auto number = static_cast<std::uint32_t>(dice.below(routes));
    kept.push_back(udp_frame(inside, IpAddress::v4(network_of(number).v4_number() + 7)));
  }
  std::vector<Packet> batch(kBatch);
  std::uint64_t out = 0;
  const double start = seconds_now();
  for (std::uint64_t sent = 0; sent < packets; sent += kBatch) {
    for (std::size_t i = 0; i < kBatch; ++i) batch[i] = kept[(sent + i) % kept.size()].share();
    router.on_frames(Instant::start(), 2, batch);
    while (const auto frame = router.take_frame()) out += frame->interface == 3 ? 1 : 0;
  }
  const double seconds = seconds_now() - start;
  if (out + kBatch < packets) give_up(fmt::format("only {} were forwarded", out));
  return static_cast<double>(out) / seconds;
}

double ipv4_forward(Amount amount) {
  return forward(amount, amount.is_whole() ? 1'000'000 : 1'000);
}

// The same work among ever more, for bench/growth.py.
template <std::uint64_t connections>
double demux_of(Amount amount) {
  return tcp_demux(amount, connections);
}
template <std::uint32_t routes>
double forward_of(Amount amount) {
  return forward(amount, routes);
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run(
      {{"tcp_idle_bytes", tcp_idle_bytes},
       {"tcp_idle_ten_million", tcp_idle_ten_million},
       {"tcp_demux_1", demux_of<1>},
       {"tcp_demux_10", demux_of<10>},
       {"tcp_demux_100", demux_of<100>},
       {"tcp_demux_1000", demux_of<1'000>},
       {"tcp_demux_10000", demux_of<10'000>},
       {"tcp_demux_1000000",
        [](Amount amount) { return tcp_demux(amount, amount.is_smoke ? 2'000 : 1'000'000); }},
       {"ipv4_forward", ipv4_forward},
       {"ipv4_forward_10", forward_of<10>},
       {"ipv4_forward_1000", forward_of<1'000>},
       {"ipv4_forward_100000", forward_of<100'000>},
       {"ipv4_forward_1000000", forward_of<1'000'000>}},
      count, arguments);
}
