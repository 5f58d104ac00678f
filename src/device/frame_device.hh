// SPDX-License-Identifier: Apache-2.0
// One place where Ethernet frames leave the process and come in. All devices have this face, so the
// driver, the lab and tests take any of them.
#pragma once

#include <cstdint>

#include "core/error.hh"
#include "core/packet.hh"

namespace lanyard::device {

// What a device does for a stack (Offload in core/packet.hh); a stack::InterfaceConfig is told.
struct DeviceAbilities {
  bool takes_checksums = false;
  std::uint32_t super_segment_bytes_max = 0;  // payload; 0: it takes none
};

class FrameDevice {
 public:
  virtual ~FrameDevice() = default;

  // Readable (poll(2)) when receive() may have a frame.
  [[nodiscard]] virtual int descriptor() const = 0;
  [[nodiscard]] virtual DeviceAbilities abilities() const = 0;
  // The next frame. Errors: try_again when none is waiting, no_data when none will ever come (the
  // end of a file); else an errno of the system's.
  virtual Result<Packet> receive() = 0;
  // Hands a frame over, whatever its offload facts: what the device cannot do is done before.
  // Errors: try_again when it has no room, network_down when the interface is down; the frame is
  // lost.
  virtual Result<void> send(Packet frame) = 0;
  // No more frames for now: a device that gathers them sends what it has.
  virtual void flush() {}
};

}  // namespace lanyard::device
