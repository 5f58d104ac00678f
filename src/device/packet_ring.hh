// SPDX-License-Identifier: Apache-2.0
// An existing interface of the kernel's, as AfPacket, but through rings of shared memory
// (TPACKET_V3): the kernel fills a block with frames and hands it over as a whole, full or a
// millisecond old; frames to send are laid into a ring, and one call sends all of them. Many frames
// a call, for a millisecond's wait where there are few.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "core/bytes.hh"
#include "device/frame_device.hh"

namespace lanyard::device {

class PacketRing : public FrameDevice {
 public:
  // As packet_socket.hh has it; the rings take 8 MiB. The sentence says what failed.
  [[nodiscard]] static std::expected<std::unique_ptr<PacketRing>, std::string> open(
      const std::string& interface);
  ~PacketRing() override;
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  [[nodiscard]] int descriptor() const override { return descriptor_; }
  [[nodiscard]] DeviceAbilities abilities() const override;
  // A frame longer than a block of the ring was cut by the kernel: protocol_error.
  Result<Packet> receive() override;
  // Laid down; it leaves with flush(), or when the ring is full.
  Result<void> send(Packet frame) override;
  void flush() override;
  // Frames that came and found no room, since the last call (PACKET_STATISTICS).
  [[nodiscard]] std::uint64_t take_lost();

 private:
  explicit PacketRing(int descriptor) : descriptor_(descriptor) {}
  std::expected<void, std::string> map_rings();
  [[nodiscard]] std::uint8_t* received_block() const;
  [[nodiscard]] std::uint8_t* slot(std::size_t index) const;
  void hand_back();
  Result<void> lay_down(const Packet& frame);
  int descriptor_;
  std::uint8_t* memory_ = nullptr;  // blocks received into, then slots to send from
  std::size_t block_ = 0;           // the one being read
  std::uint32_t left_in_block_ = 0;
  std::size_t at_ = 0;    // the next frame's place in it
  std::size_t slot_ = 0;  // the next to fill
  bool has_laid_down_ = false;
};

}  // namespace lanyard::device
