// SPDX-License-Identifier: Apache-2.0
// Devices around a device, for tests: one loses frames, one hides what the device can do. Both
// count what passes.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "core/random.hh"
#include "device/frame_device.hh"
#include "link/segment.hh"

namespace lanyard::device_kernel {

// Loses frames in both directions, each with the same chance, always the same ones by their number.
class Losing : public device::FrameDevice {
 public:
  Losing(FrameDevice& device, std::uint64_t parts_per_thousand)
      : device_(device), parts_per_billion_(parts_per_thousand * 1'000'000) {}

  [[nodiscard]] int descriptor() const override { return device_.descriptor(); }
  [[nodiscard]] device::DeviceAbilities abilities() const override { return device_.abilities(); }
  Result<Packet> receive() override {
    while (true) {
      Result<Packet> frame = device_.receive();
      if (!frame || !is_lost(*frame, received_super_segments, in_)) return frame;
    }
  }
  Result<void> send(Packet frame) override {
    if (is_lost(frame, sent_super_segments, out_)) return {};
    return device_.send(std::move(frame));
  }

  std::uint64_t lost = 0, received_super_segments = 0, sent_super_segments = 0;

 private:
  bool is_lost(const Packet& frame, std::uint64_t& super_segments, RandomStream& random) {
    if (frame.offload.segment_bytes > 0) ++super_segments;
    const bool lost_now = random.happens(parts_per_billion_);
    if (lost_now) ++lost;
    return lost_now;
  }
  FrameDevice& device_;
  std::uint64_t parts_per_billion_;
  RandomStream in_ = Seed(5).branch("in").stream();
  RandomStream out_ = Seed(5).branch("out").stream();
};

// Shows a device without offloads: every frame is what a wire would carry, checksums computed by us
// and looked at by us.
class Plain : public device::FrameDevice {
 public:
  explicit Plain(FrameDevice& device) : device_(device) {}

  [[nodiscard]] int descriptor() const override { return device_.descriptor(); }
  [[nodiscard]] device::DeviceAbilities abilities() const override { return {}; }
  Result<Packet> receive() override {
    if (pieces_.empty()) {
      Result<Packet> frame = device_.receive();
      if (!frame) return frame;
      for (Packet& piece : link::segment(std::move(*frame))) pieces_.push_back(std::move(piece));
      if (pieces_.empty()) return unexpected(Errno::protocol_error);
    }
    Packet piece = std::move(pieces_.front());
    pieces_.pop_front();
    piece.offload = {};
    return piece;
  }
  Result<void> send(Packet frame) override {
    if (frame.offload.checksum_wanted || frame.offload.segment_bytes > 0) ++not_plain;
    return device_.send(std::move(frame));
  }

  std::uint64_t not_plain = 0;

 private:
  FrameDevice& device_;
  std::deque<Packet> pieces_;
};

}  // namespace lanyard::device_kernel
