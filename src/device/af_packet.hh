// SPDX-License-Identifier: Apache-2.0
// An existing interface of the kernel's through a packet socket (packet(7)): sees what arrives
// there and sends through it, beside the kernel's own stack. Checksums and super-segments cross it
// unfinished, as on a TAP.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <utility>

#include "device/frame_device.hh"
#include "device/virtio_frames.hh"

namespace lanyard::device {

class AfPacket : public FrameDevice {
 public:
  // As packet_socket.hh has it. The sentence says what failed.
  [[nodiscard]] static std::expected<std::unique_ptr<AfPacket>, std::string> open(
      const std::string& interface);

  [[nodiscard]] int descriptor() const override { return frames_.descriptor(); }
  [[nodiscard]] DeviceAbilities abilities() const override { return frames_.abilities(); }
  Result<Packet> receive() override { return frames_.receive(); }
  Result<void> send(Packet frame) override { return frames_.send(std::move(frame)); }

 private:
  explicit AfPacket(int descriptor) : frames_(descriptor) {}
  VirtioFrames frames_;
};

}  // namespace lanyard::device
