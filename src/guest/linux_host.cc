// SPDX-License-Identifier: Apache-2.0
#include "guest/linux_host.hh"

#include <linux/if_tun.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <utility>

namespace lanyard::guest {

namespace {

constexpr std::uint32_t first_port_index = 2;  // after lo
constexpr int frames_per_turn = 64;

// Both kinds of descriptor carry a virtio header. A TAP is told that checksums and super-segments
// may stay unfinished; a packet socket gives and takes them as they are.
device::VirtioAbilities abilities_of(int descriptor) {
  device::VirtioAbilities abilities;
  abilities.has_header = true;
  unsigned flags = 0;
  if (ioctl(descriptor, TUNGETFEATURES, &flags) != 0) return abilities;
  abilities.cuts_tcp = ioctl(descriptor, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0;
  return abilities;
}

}  // namespace

HostSetup kernel_host_setup(const lab::KernelHost& host, const NameFiles& files) {
  HostSetup setup;
  setup.name = host.name;
  setup.files = files;
  setup.has_taps = true;
  setup.routes = host.routes;
  std::uint32_t index = first_port_index;
  for (const lab::KernelPort& port : host.ports) {
    stack::InterfaceRow row;
    row.index = index++;
    row.name = port.name;
    row.mac = port.mac;
    row.mtu = port.mtu;
    row.addresses = port.addresses;
    setup.interfaces.push_back(std::move(row));
  }
  return setup;
}

KernelPorts::KernelPorts(device::EventLoop& loop, const lab::KernelHost& host,
                         std::vector<Descriptor> descriptors)
    : loop_(loop) {
  for (std::size_t i = 0; i < descriptors.size() && i < host.ports.size(); ++i) {
    auto port = std::make_unique<Port>();
    const int descriptor = descriptors[i].release();
    port->frames = std::make_unique<device::VirtioFrames>(descriptor);
    port->frames->set(abilities_of(descriptor));
    port->into_lab = host.ports[i].into_lab;
    loop_.watch(descriptor, EPOLLIN, [this, at = port.get()](std::uint32_t) { on_frames(*at); });
    ports_.push_back(std::move(port));
  }
}

KernelPorts::~KernelPorts() {
  for (const auto& port : ports_) loop_.forget(port->frames->descriptor());
}

void KernelPorts::on_frames(Port& port) {
  for (int count = 0; count < frames_per_turn; ++count) {
    auto frame = port.frames->receive();
    if (!frame) return;
    port.into_lab(std::move(*frame));
  }
}

std::vector<std::function<void(Packet)>> KernelPorts::into_kernel() {
  std::vector<std::function<void(Packet)>> calls;
  for (const auto& port : ports_) {
    // A full queue or an interface that is down drops the frame, as any wire's end may.
    calls.emplace_back(
        [at = port.get()](Packet frame) { (void)at->frames->send(std::move(frame)); });
  }
  return calls;
}

}  // namespace lanyard::guest
