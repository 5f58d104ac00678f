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

// Whether the kernel takes this frame as it is; a super-segment only with its checksum unfinished.
[[nodiscard]] bool is_taken_whole(const VirtioAbilities& abilities, const Packet& frame);

// Where the rest of a received super-segment lies; an ordinary frame fits into a packet's front,
// with room before it for a stack that forwards it.
inline constexpr std::size_t received_headroom = 64;
inline constexpr std::size_t received_front_bytes = 1920;
[[nodiscard]] DeviceAbilities device_abilities(const VirtioAbilities& abilities);

class VirtioFrames {
 public:
  // Owns the descriptor, which is non-blocking.
  explicit VirtioFrames(int descriptor) : descriptor_(descriptor) {}
  ~VirtioFrames();
  VirtioFrames(const VirtioFrames&) = delete;
  VirtioFrames& operator=(const VirtioFrames&) = delete;

  void set(const VirtioAbilities& abilities) { abilities_ = abilities; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] DeviceAbilities abilities() const { return device_abilities(abilities_); }
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
