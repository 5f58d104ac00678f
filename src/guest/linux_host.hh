// SPDX-License-Identifier: Apache-2.0
// The second kind of host: a namespace with the kernel's own stack, whose interfaces' frames cross
// the lab. Its programs run without the filter. Linux as a host beside ours is the best judge of
// our stack, and serves what we do not (packet sockets, tcpdump, nmap).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/packet.hh"
#include "device/event_loop.hh"
#include "device/virtio_frames.hh"
#include "guest/descriptor.hh"
#include "guest/host_setup.hh"
#include "lab/launcher.hh"

namespace lanyard::guest {

// What to make the host's namespace from.
[[nodiscard]] HostSetup kernel_host_setup(const lab::KernelHost& host, const NameFiles& files);

// The lab's ends of a kernel host's interfaces: frames the kernel sends go into the lab.
class KernelPorts {
 public:
  // One descriptor (a TAP or a packet socket) for each port of `host`.
  KernelPorts(device::EventLoop& loop, const lab::KernelHost& host,
              std::vector<Descriptor> descriptors);
  ~KernelPorts();
  KernelPorts(const KernelPorts&) = delete;
  KernelPorts& operator=(const KernelPorts&) = delete;

  // Where the lab's frames for each port go.
  [[nodiscard]] std::vector<std::function<void(Packet)>> into_kernel();

 private:
  struct Port {
    std::unique_ptr<device::VirtioFrames> frames;
    std::function<void(Packet)> into_lab;
  };
  void on_frames(Port& port);
  device::EventLoop& loop_;
  std::vector<std::unique_ptr<Port>> ports_;
};

}  // namespace lanyard::guest
