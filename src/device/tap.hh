// SPDX-License-Identifier: Apache-2.0
// A TAP interface (Linux, Documentation/networking/tuntap): what the kernel sends through it comes
// out of receive(), what is sent here the kernel receives. Checksums and super-segments cross it
// unfinished in both directions (IFF_VNET_HDR), where the kernel can.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "core/pool.hh"
#include "device/frame_device.hh"

namespace lanyard::device {

class Tap : public FrameDevice {
 public:
  // Makes the interface `name`, or attaches to it; an empty name lets the kernel choose. The
  // sentence says what failed. Needs CAP_NET_ADMIN in the network namespace.
  [[nodiscard]] static std::expected<std::unique_ptr<Tap>, std::string> open(
      const std::string& name);
  // Takes over a descriptor of /dev/net/tun attached with IFF_TAP | IFF_NO_PI, with or without
  // IFF_VNET_HDR, whatever namespace its interface is in. It is closed if this fails.
  [[nodiscard]] static std::expected<std::unique_ptr<Tap>, std::string> adopt(int descriptor);
  ~Tap() override;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int descriptor() const override { return descriptor_; }
  [[nodiscard]] DeviceAbilities abilities() const override;
  Result<Packet> receive() override;
  Result<void> send(Packet frame) override;

 private:
  explicit Tap(int descriptor) : descriptor_(descriptor) {}
  std::expected<void, std::string> set_up();
  void ask_for_offloads();
  Result<void> write(Packet& frame);
  int descriptor_;
  std::string name_;
  bool has_header_ = false;  // a virtio_net_hdr stands before each frame
  bool cuts_udp_ = false;    // the kernel knows UDP super-segments
  bool cuts_tcp_ = false;
  Block* spare_ = nullptr;  // where the rest of a super-segment is read into
};

}  // namespace lanyard::device
