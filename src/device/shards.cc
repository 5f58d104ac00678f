// SPDX-License-Identifier: Apache-2.0
#include "device/shards.hh"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "core/check.hh"
#include "stack/steering.hh"

namespace lanyard::device {
namespace {

constexpr std::size_t waiting_frames_max = 4096;  // for one shard, of all others

// Where other threads leave frames for a shard.
class Mailbox {
 public:
  Mailbox() : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(bell_ >= 0); }
  ~Mailbox() { ::close(bell_); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  [[nodiscard]] int bell() const { return bell_; }
  void ring() const { ::eventfd_write(bell_, 1); }

  // Takes them all over; how many there was no room for.
  std::size_t put(std::vector<Packet>& frames) {
    std::size_t taken = 0;
    {
      const std::lock_guard lock(mutex_);
      taken = std::min(frames.size(), waiting_frames_max - waiting_.size());
      for (std::size_t i = 0; i < taken; ++i) waiting_.push_back(std::move(frames[i]));
    }
    const std::size_t untaken = frames.size() - taken;
    frames.clear();
    ring();
    return untaken;
  }
  void take(std::vector<Packet>& frames) {
    eventfd_t rings = 0;
    ::eventfd_read(bell_, &rings);
    const std::lock_guard lock(mutex_);
    std::swap(frames, waiting_);
  }

 private:
  int bell_;
  std::mutex mutex_;
  std::vector<Packet> waiting_;
};

// The same frame in a block of its own: blocks that are shared stay on their thread.
Packet own_copy(const Packet& frame) {
  Packet copy(64, frame.size());
  frame.copy_to(0, {copy.push_back(frame.size()), frame.size()});
  copy.offload = frame.offload;
  return copy;
}

}  // namespace

class Shards::Thread final : private Gate {
 public:
  Thread(stack::Config config, const stack::InterfaceConfig& interface, const Seed& seed,
         std::unique_ptr<FrameDevice> queue)
      : config_(std::move(config)),
        interface_(interface),
        seed_(seed),
        queue_(std::move(queue)),
        outgoing_(config_.steering->shards()) {}

  // All threads are there when the first begins, so that each may hand frames to any.
  void begin(const std::vector<std::unique_ptr<Thread>>& all, const Begin& begin) {
    all_ = &all;
    thread_ = std::thread([this, begin] { live(begin); });
  }
  void end() {
    is_ending_ = true;
    mailbox_.ring();
  }
  ShardCounters join() {
    if (thread_.joinable()) thread_.join();
    return counters_;
  }

 private:
  void live(const Begin& begin) {
    EventLoop loop;
    stack::Stack stack(config_, seed_, config_.shard, nullptr);
    const std::uint32_t interface = stack.add_interface(interface_);
    socket::Sockets sockets(stack);
    Tasks tasks;
    StackDriver driver(loop, stack, interface, *queue_, &tasks, this);
    loop.watch(mailbox_.bell(), EPOLLIN, [&](std::uint32_t) {
      mailbox_.take(came_);
      counters_.taken_over += came_.size();
      if (!came_.empty()) stack.on_frames(loop.now(), interface, came_);
      came_.clear();
      if (is_ending_) loop.stop();
    });
    Shard shard{config_.shard, interface, stack, sockets, tasks, loop};
    begin(shard);
    loop.drive(&driver);
    loop.run();
    loop.forget(mailbox_.bell());
    counters_.driver = driver.counters();
  }

  bool lets_in(Packet& frame) override {
    const unsigned whose = config_.steering->shard_of(frame.front(), frame.size());
    if (whose == config_.shard) return true;
    if (whose != stack::Steering::every) {
      outgoing_[whose].push_back(own_copy(frame));
      return false;
    }
    for (unsigned other = 0; other < outgoing_.size(); ++other)
      if (other != config_.shard) outgoing_[other].push_back(own_copy(frame));
    return true;
  }

  void end_round() override {
    for (unsigned other = 0; other < outgoing_.size(); ++other) {
      std::vector<Packet>& frames = outgoing_[other];
      if (frames.empty()) continue;
      counters_.handed_over += frames.size();
      counters_.handed_in_vain += (*all_)[other]->mailbox_.put(frames);
    }
  }

  bool lets_out(const Packet& frame) override {
    if (config_.shard == 0) return true;
    if (!stack::Steering::speaks_for_machine(frame.front(), frame.size())) return true;
    ++counters_.left_to_first;
    return false;
  }

  const stack::Config config_;
  const stack::InterfaceConfig interface_;
  const Seed seed_;
  std::unique_ptr<FrameDevice> queue_;
  const std::vector<std::unique_ptr<Thread>>* all_ = nullptr;
  Mailbox mailbox_;
  std::atomic<bool> is_ending_ = false;
  std::vector<std::vector<Packet>> outgoing_;  // of this round, by shard
  std::vector<Packet> came_;
  ShardCounters counters_;
  std::thread thread_;
};

Shards::Shards(const stack::Config& machine, const stack::InterfaceConfig& interface,
               const Seed& seed, std::vector<std::unique_ptr<FrameDevice>> queues,
               const Begin& begin) {
  const auto steering = std::make_shared<const stack::Steering>(
      seed, static_cast<unsigned>(queues.size()), machine.transport);
  for (std::unique_ptr<FrameDevice>& queue : queues) {
    stack::Config config = machine;
    config.steering = steering;
    config.shard = static_cast<unsigned>(threads_.size());
    config.transport = steering->config_of(config.shard, machine.transport);
    const Seed own = seed.branch("shard " + std::to_string(config.shard));
    threads_.push_back(
        std::make_unique<Thread>(std::move(config), interface, own, std::move(queue)));
  }
  for (const auto& thread : threads_) thread->begin(threads_, begin);
}

Shards::~Shards() {
  stop();
}

// No mailbox goes while a thread may still put something into it.
std::vector<ShardCounters> Shards::stop() {
  std::vector<ShardCounters> counters;
  for (const auto& thread : threads_) thread->end();
  for (const auto& thread : threads_) counters.push_back(thread->join());
  return counters;
}

}  // namespace lanyard::device
