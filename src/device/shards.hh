// SPDX-License-Identifier: Apache-2.0
// One machine on many cores: a stack to a thread (stack/steering.hh says which frames are whose),
// each with a queue of the device, its own sockets, tasks and event loop, and nothing hot in
// common. A frame that came to the wrong queue is handed to its shard in a batch, copied.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/task.hh"
#include "device/event_loop.hh"
#include "device/frame_device.hh"
#include "device/stack_driver.hh"
#include "socket/sockets.hh"
#include "stack/stack.hh"

namespace lanyard::device {

// What a program sees of the shard it runs on; all of it belongs to that shard's thread.
struct Shard {
  unsigned index = 0;
  std::uint32_t interface = 0;
  stack::Stack& stack;
  socket::Sockets& sockets;
  Tasks& tasks;
  EventLoop& loop;
};

struct ShardCounters {
  DriverCounters driver;
  std::uint64_t handed_over = 0;     // came to this queue for another shard
  std::uint64_t taken_over = 0;      // came to another queue for this shard
  std::uint64_t handed_in_vain = 0;  // the other shard had no room for them
  std::uint64_t left_to_first = 0;   // what the first shard sends for all
};

class Shards {
 public:
  // On each shard's own thread, before its first frame: addresses, routes, tasks.
  using Begin = std::function<void(Shard&)>;

  // As many shards as queues, all of one interface. `machine` and `interface` configure each stack;
  // ephemeral ports are divided among them. Threads run when this returns.
  Shards(const stack::Config& machine, const stack::InterfaceConfig& interface, const Seed& seed,
         std::vector<std::unique_ptr<FrameDevice>> queues, const Begin& begin);
  ~Shards();
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  // Ends all threads, each with its tasks and sockets, and waits for them. Once: the counters of
  // each shard.
  std::vector<ShardCounters> stop();

 private:
  class Thread;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace lanyard::device
