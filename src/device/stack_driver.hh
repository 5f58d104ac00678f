// SPDX-License-Identifier: Apache-2.0
// One stack on one frame device in real time, with the tasks of its programs: a live host.
//   device readable -> stack.on_frame    every round -> stack.poll, tasks, frames to the device
#pragma once

#include <cstdint>
#include <vector>

#include "core/task.hh"
#include "device/event_loop.hh"
#include "device/frame_device.hh"
#include "stack/stack.hh"

namespace lanyard::device {

struct DriverCounters {
  std::uint64_t received_frames = 0, sent_frames = 0;
  std::uint64_t unsent_frames = 0;      // the device had no room or was down
  std::uint64_t unreadable_frames = 0;  // the device gave an error instead
};

// Stands between a device and a stack.
class Gate {
 public:
  // False: not for this stack; the gate may have moved the frame elsewhere.
  virtual bool lets_in(Packet& frame) = 0;
  // No more frames in this round.
  virtual void end_round() = 0;
  // False: this stack does not send it.
  virtual bool lets_out(const Packet& frame) = 0;

 protected:
  ~Gate() = default;
};

class StackDriver : public Driven {
 public:
  // Watches the device until destroyed; loop.drive(this) is the caller's. `interface` is the
  // stack's interface that the device is, `tasks` (may be null) what runs on this host. Without a
  // gate every frame passes.
  StackDriver(EventLoop& loop, stack::Stack& stack, std::uint32_t interface, FrameDevice& device,
              Tasks* tasks, Gate* gate = nullptr);
  ~StackDriver();
  StackDriver(const StackDriver&) = delete;
  StackDriver& operator=(const StackDriver&) = delete;

  void run_until(Instant now) override;
  [[nodiscard]] Instant next_deadline() const override;
  [[nodiscard]] const DriverCounters& counters() const { return counters_; }

 private:
  void on_readable();
  void send_frames();
  EventLoop& loop_;
  stack::Stack& stack_;
  std::uint32_t interface_;
  FrameDevice& device_;
  Tasks* tasks_;
  Gate* gate_;
  DriverCounters counters_;
  std::vector<Packet> came_;  // in one round
};

}  // namespace lanyard::device
