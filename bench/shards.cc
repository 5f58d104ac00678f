// SPDX-License-Identifier: Apache-2.0
// Two machines of several shards each. A thread has one shard of either and the link between them,
// as cores have a queue of a card that hashes: every frame is steered at both ends.
#include <array>
#include <barrier>
#include <thread>
#include <vector>

#include "bench/ours.hh"
#include "stack/steering.hh"

namespace lanyard::bench {
namespace {

constexpr std::size_t conversations = 64;  // of a thread

stack::Config config_of(const std::shared_ptr<const stack::Steering>& steering, unsigned shard) {
  stack::Config config;
  config.steering = steering;
  config.shard = shard;
  config.transport = steering->config_of(shard, config.transport);
  return config;
}

// One shard of either machine; frames that are another thread's would be handed over there.
struct Pair : World {
  Pair(const std::shared_ptr<const stack::Steering>& steering, unsigned shard)
      : World(LinkKind::frames, config_of(steering, shard)), steering_(*steering), shard_(shard) {}

  // A conversation whose server's end is on this thread too: the client chooses its ports so.
  Ends connect_here(Handle listener) {
    for (int tries = 0; tries < 10'000; ++tries) {
      Sockets& sockets = *a.sockets;
      const Handle client = checked(sockets.open(Family::ipv4, socket::Type::stream), "open");
      checked(sockets.set_option(now, client, socket::Option::no_delay, std::int64_t{1}),
              "no_delay");
      (void)sockets.connect(now, client, {b.address, kPort});
      const Endpoint own = checked(sockets.local_endpoint(client), "getsockname");
      if (steering_.shard_of(internet::Protocol::tcp, {b.address, kPort}, own) != shard_) {
        (void)sockets.close(now, client);
        pump_steered();
        continue;
      }
      for (int turns = 0; turns < 100; ++turns) {
        if (!pump_steered()) wait();
        if (const auto accepted = b.sockets->accept(now, listener))
          return {client, accepted->socket};
      }
    }
    give_up("no conversation came to be on this shard");
  }

  bool pump_steered() {
    bool any = false;
    now += Duration::microseconds(1);
    while (carry_steered(a, b) | carry_steered(b, a)) any = true;
    return any;
  }

  std::uint64_t foreign = 0;  // frames of another shard: of attempts that were given up

 private:
  bool carry_steered(Machine& from, Machine& to) {
    frames.clear();
    while (auto out = from.stack.take_frame()) {
      const unsigned whose = steering_.shard_of(out->frame.front(), out->frame.size());
      if (whose != shard_ && whose != stack::Steering::every) {
        ++foreign;
        continue;
      }
      frames.push_back(std::move(out->frame));
    }
    if (frames.empty()) return false;
    to.stack.on_frames(now, to.interface, frames);
    return true;
  }
  const stack::Steering& steering_;
  unsigned shard_;
};

void ping_pong(Pair& pair, const std::vector<Ends>& all, std::uint64_t rounds) {
  std::array<std::uint8_t, 64> message{};
  const std::uint64_t foreign = pair.foreign;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const Ends& ends = all[i % all.size()];
    send_some(*pair.a.sockets, pair.now, ends.client, message);
    pair.pump_steered();
    const std::size_t there = receive_some(*pair.b.sockets, pair.now, ends.server, message);
    send_some(*pair.b.sockets, pair.now, ends.server, message);
    pair.pump_steered();
    const std::size_t back = receive_some(*pair.a.sockets, pair.now, ends.client, message);
    if (there != message.size() || back != message.size()) give_up("an echo is missing");
  }
  if (pair.foreign != foreign) give_up("a frame of another shard");
}

// Round trips of 64 bytes a second, of all shards together.
double round_trips(Amount amount, unsigned shards) {
  const std::uint64_t rounds = amount.of(500'000, 1'000);
  const auto steering =
      std::make_shared<const stack::Steering>(Seed(1), shards, transport::Config{});
  double start = 0;
  std::barrier all_ready(static_cast<std::ptrdiff_t>(shards),
                         [&start]() noexcept { start = seconds_now(); });
  std::vector<std::thread> threads;
  for (unsigned shard = 0; shard < shards; ++shard) {
    threads.emplace_back([&, shard] {
      Pair pair(steering, shard);
      const Handle listener = listen_at(pair, kPort);
      std::vector<Ends> all;
      while (all.size() < conversations) all.push_back(pair.connect_here(listener));
      all_ready.arrive_and_wait();
      ping_pong(pair, all, rounds);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(rounds * shards) / (seconds_now() - start);
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run({{"tcp_shards_1", [](Amount amount) { return round_trips(amount, 1); }},
              {"tcp_shards_2", [](Amount amount) { return round_trips(amount, 2); }},
              {"tcp_shards_4", [](Amount amount) { return round_trips(amount, 4); }}},
             count, arguments);
}
