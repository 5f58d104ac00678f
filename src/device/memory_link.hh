// SPDX-License-Identifier: Apache-2.0
// Two devices joined in memory: what is sent into one comes out of the other, packets as they are,
// nothing copied. For tests and for stacks that talk to one another inside one process in real
// time.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "device/frame_device.hh"

namespace lanyard::device {

class MemoryDevice : public FrameDevice {
 public:
  // Two ends; each queue holds at most `frames_max` frames, then send says try_again. Either end
  // may be destroyed first: the other then sends to network_down.
  [[nodiscard]] static std::pair<std::unique_ptr<MemoryDevice>, std::unique_ptr<MemoryDevice>>
  make_pair(const DeviceAbilities& abilities, std::size_t frames_max = 1024);
  ~MemoryDevice() override;
  MemoryDevice(const MemoryDevice&) = delete;
  MemoryDevice& operator=(const MemoryDevice&) = delete;

  [[nodiscard]] int descriptor() const override { return bell_; }
  [[nodiscard]] DeviceAbilities abilities() const override { return abilities_; }
  Result<Packet> receive() override;
  Result<void> send(Packet frame) override;

 private:
  MemoryDevice(const DeviceAbilities& abilities, std::size_t frames_max);
  Result<void> put(Packet frame);
  DeviceAbilities abilities_;
  std::size_t frames_max_;
  std::deque<Packet> waiting_;
  MemoryDevice* peer_ = nullptr;
  int bell_;  // an eventfd, readable while frames wait
};

}  // namespace lanyard::device
