// SPDX-License-Identifier: Apache-2.0
// A queue of an existing interface through an XDP socket (af_xdp): frames come and go in memory
// shared with the kernel, before the kernel's own stack has seen them, and it never does:
// everything that arrives on the queue is ours. No offloads: a peer that leaves checksums
// unfinished, as a veth does, has to be told not to (ethtool -K PEER tx off).
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "device/frame_device.hh"

namespace lanyard::device {

// A ring of the kernel's: one side moves `producer`, the other `consumer`.
struct XdpRing {
  std::uint32_t* producer = nullptr;
  std::uint32_t* consumer = nullptr;
  std::uint32_t* flags = nullptr;
  void* entries = nullptr;
  void* memory = nullptr;
  std::size_t memory_bytes = 0;
};

class XdpSocket : public FrameDevice {
 public:
  // Takes queue 0; an interface with several has to send all to it. Needs CAP_NET_RAW,
  // CAP_NET_ADMIN and CAP_BPF in the machine's first user namespace. The program that steers frames
  // here leaves with us. The sentence says what failed.
  [[nodiscard]] static std::expected<std::unique_ptr<XdpSocket>, std::string> open(
      const std::string& interface);
  ~XdpSocket() override;
  XdpSocket(const XdpSocket&) = delete;
  XdpSocket& operator=(const XdpSocket&) = delete;

  [[nodiscard]] int descriptor() const override { return socket_; }
  [[nodiscard]] DeviceAbilities abilities() const override { return {}; }
  Result<Packet> receive() override;
  // Laid down; it leaves with flush(). message_too_long above frame_bytes_max.
  Result<void> send(Packet frame) override;
  void flush() override;

  static constexpr std::size_t frame_bytes_max = 4096;

 private:
  XdpSocket() = default;
  using Done = std::expected<void, std::string>;
  Done share_memory();
  Done map_rings();
  Done bind(unsigned interface);
  Done steer(unsigned interface);
  Result<void> lay_down(Packet& frame);
  void take_back();
  int socket_ = -1, map_ = -1, program_ = -1, link_ = -1;
  std::uint8_t* frames_ = nullptr;
  XdpRing fill_, completion_, receive_, transmit_;
  std::vector<std::uint64_t> free_;  // places to send from
  bool has_laid_down_ = false;
};

}  // namespace lanyard::device
