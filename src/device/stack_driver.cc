// SPDX-License-Identifier: Apache-2.0
#include "device/stack_driver.hh"

#include <sys/epoll.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace lanyard::device {
namespace {

// How many frames are taken before timers, programs and other descriptors have their turn.
constexpr int frames_per_round_max = 64;

}  // namespace

StackDriver::StackDriver(EventLoop& loop, stack::Stack& stack, std::uint32_t interface,
                         FrameDevice& device, Tasks* tasks, Gate* gate)
    : loop_(loop),
      stack_(stack),
      interface_(interface),
      device_(device),
      tasks_(tasks),
      gate_(gate) {
  loop_.watch(device_.descriptor(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
}

StackDriver::~StackDriver() {
  loop_.forget(device_.descriptor());
}

void StackDriver::on_readable() {
  came_.clear();
  for (int i = 0; i < frames_per_round_max; ++i) {
    Result<Packet> frame = device_.receive();
    if (!frame) {
      if (frame.error() == Errno::no_data) loop_.forget(device_.descriptor());
      const bool is_end = frame.error() == Errno::no_data || frame.error() == Errno::try_again;
      if (!is_end) ++counters_.unreadable_frames;
      break;
    }
    ++counters_.received_frames;
    if (gate_ == nullptr || gate_->lets_in(*frame)) came_.push_back(std::move(*frame));
  }
  if (gate_ != nullptr) gate_->end_round();
  if (!came_.empty()) stack_.on_frames(loop_.now(), interface_, came_);
}

void StackDriver::run_until(Instant now) {
  stack_.poll(now);
  send_frames();
  if (tasks_ == nullptr) return;
  tasks_->run(now);
  send_frames();
}

Instant StackDriver::next_deadline() const {
  const Instant stack = stack_.next_deadline();
  return tasks_ == nullptr ? stack : std::min(stack, tasks_->next_deadline());
}

// Frames of other interfaces than the device's have nowhere to go.
void StackDriver::send_frames() {
  while (std::optional<stack::OutFrame> out = stack_.take_frame()) {
    if (gate_ != nullptr && !gate_->lets_out(out->frame)) continue;
    if (out->interface == interface_ && device_.send(std::move(out->frame))) {
      ++counters_.sent_frames;
    } else {
      ++counters_.unsent_frames;
    }
  }
  device_.flush();
}

}  // namespace lanyard::device
