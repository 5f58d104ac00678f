// SPDX-License-Identifier: Apache-2.0
// Frames read from and written to a descriptor of the kernel's, one per call, each behind a
// virtio_net_hdr where the kernel gives one: the common part of TAP interfaces and packet sockets.
#pragma once

#include "core/pool.hh"
#include "device/frame_device.hh"

namespace lanyard::device {

// What the kernel does with a frame that stands behind a header.
struct VirtioAbilities {
  bool has_header = false;  // and takes unfinished checksums
  bool cuts_tcp = false;
  bool cuts_udp = false;
};

class VirtioFrames {
 public:
  // Owns the descriptor, which is non-blocking.
  explicit VirtioFrames(int descriptor) : descriptor_(descriptor) {}
  ~VirtioFrames();
  VirtioFrames(const VirtioFrames&) = delete;
  VirtioFrames& operator=(const VirtioFrames&) = delete;

  void set(const VirtioAbilities& abilities) { abilities_ = abilities; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] DeviceAbilities abilities() const;
  // As FrameDevice's.
  Result<Packet> receive();
  Result<void> send(Packet frame);

 private:
  Result<void> write(Packet& frame);
  int descriptor_;
  VirtioAbilities abilities_;
  Block* spare_ = nullptr;  // where the rest of a super-segment is read into
};

}  // namespace lanyard::device
