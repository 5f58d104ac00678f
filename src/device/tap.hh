// SPDX-License-Identifier: Apache-2.0
// A TAP interface (Linux, Documentation/networking/tuntap): what the kernel sends through it comes
// out of receive(), what is sent here the kernel receives. Checksums and super-segments cross it
// unfinished in both directions (IFF_VNET_HDR), where the kernel can.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device/frame_device.hh"
#include "device/virtio_frames.hh"

namespace lanyard::device {

class Tap : public FrameDevice {
 public:
  // Makes the interface `name`, or attaches to it; an empty name lets the kernel choose. The
  // sentence says what failed. Needs CAP_NET_ADMIN in the network namespace.
  [[nodiscard]] static std::expected<std::unique_ptr<Tap>, std::string> open(
      const std::string& name);
  // The same with so many queues (IFF_MULTI_QUEUE), one to a thread: the kernel gives a
  // conversation to the queue that last sent for it.
  [[nodiscard]] static std::expected<std::vector<std::unique_ptr<Tap>>, std::string> open_queues(
      const std::string& name, std::size_t queues);
  // Takes over a descriptor of /dev/net/tun attached with IFF_TAP | IFF_NO_PI, with or without
  // IFF_VNET_HDR, whatever namespace its interface is in. It is closed if this fails.
  [[nodiscard]] static std::expected<std::unique_ptr<Tap>, std::string> adopt(int descriptor);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int descriptor() const override { return frames_.descriptor(); }
  [[nodiscard]] DeviceAbilities abilities() const override { return frames_.abilities(); }
  Result<Packet> receive() override { return frames_.receive(); }
  Result<void> send(Packet frame) override { return frames_.send(std::move(frame)); }

 private:
  explicit Tap(int descriptor) : frames_(descriptor) {}
  std::expected<void, std::string> set_up();
  void ask_for_offloads();
  VirtioFrames frames_;
  std::string name_;
};

}  // namespace lanyard::device
