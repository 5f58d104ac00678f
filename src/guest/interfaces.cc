// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "guest/descriptor.hh"
#include "guest/host_setup.hh"
#include "guest/netlink.hh"

namespace lanyard::guest {

namespace {

constexpr std::uint32_t loopback_index = 1;
// Frames that the kernel may queue for us. A TAP drops what does not fit (500 by default), without
// the sender being slowed down; a lab's links lose only what the lab file says.
constexpr int tap_queue_frames = 32 * 1024;
constexpr int packet_queue_bytes = 64 * 1024 * 1024;

std::string failed(const std::string& what, int error) {
  return fmt::format("cannot {}: {}", what, std::strerror(error));
}

// A TAP with a virtio header before each frame; -1 where there is none for us.
int open_tap(const std::string& name) {
  Descriptor tap(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!tap.is_open()) return -1;
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), std::min(name.size(), sizeof request.ifr_name - 1));
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (ioctl(tap.get(), TUNSETIFF, &request) != 0) return -1;
  const Descriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  request.ifr_qlen = tap_queue_frames;
  ioctl(any.get(), SIOCSIFTXQLEN, &request);  // where it may not be set, 500 it is
  return tap.release();
}

// A packet socket on an interface of the namespace we are in, speaking the same frames as a TAP.
int open_packet_socket(std::uint32_t index) {
  Descriptor packets(
      ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
  if (!packets.is_open()) return -1;
  const int on = 1;
  setsockopt(packets.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on);
  setsockopt(packets.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  setsockopt(packets.get(), SOL_SOCKET, SO_RCVBUFFORCE, &packet_queue_bytes,
             sizeof packet_queue_bytes);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  if (bind(packets.get(), static_cast<sockaddr*>(static_cast<void*>(&address)), sizeof address) !=
      0)
    return -1;
  return packets.release();
}

// The namespace of the other ends: made first, left, and held by one descriptor.
class Backstage {
 public:
  // Leaves the present namespace to the other ends and enters a fresh one.
  bool enter_front() {
    namespace_ = Descriptor(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!namespace_.is_open() || !netlink_.is_open()) return false;
    return unshare(CLONE_NEWNET) == 0;
  }
  [[nodiscard]] int descriptor() const { return namespace_.get(); }
  [[nodiscard]] int release() { return namespace_.release(); }
  Netlink& netlink() { return netlink_; }

 private:
  Netlink netlink_;  // made in, and forever working on, the namespace left behind
  Descriptor namespace_;
};

int open_packet_socket_in(int network, std::uint32_t index) {
  const Descriptor here(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!here.is_open() || setns(network, CLONE_NEWNET) != 0) return -1;
  const int packets = open_packet_socket(index);
  return setns(here.get(), CLONE_NEWNET) == 0 ? packets : -1;
}

std::string make_link(const stack::InterfaceRow& row, bool has_taps, Netlink& front,
                      Backstage& backstage, std::vector<int>& frame_descriptors) {
  if (has_taps) {
    const int tap = open_tap(row.name);
    if (tap >= 0) {
      frame_descriptors.push_back(tap);
      const int error = front.set_mac(if_nametoindex(row.name.c_str()), row.mac, row.mtu);
      return error == 0 ? std::string() : failed("give a TAP its address", error);
    }
  }
  const Netlink::Pair pair{.name = row.name,
                           .peer_name = row.name,
                           .index = row.index,
                           .peer_index = row.index,
                           .mac = row.mac,
                           .mtu = row.mtu,
                           .peer_namespace = backstage.descriptor()};
  if (const int error = front.add_pair(pair); error != 0)
    return failed("make an interface (veth) like " + row.name, error);
  if (const int error = backstage.netlink().set_up(row.index); error != 0)
    return failed("set the other end of " + row.name + " up", error);
  if (!has_taps) return {};
  const int packets = open_packet_socket_in(backstage.descriptor(), row.index);
  if (packets < 0) return failed("open a packet socket for " + row.name, errno);
  frame_descriptors.push_back(packets);
  return {};
}

std::string configure(const stack::InterfaceRow& row, std::uint32_t index, Netlink& front) {
  if (const int error = front.set_up(index); error != 0)
    return failed("set " + row.name + " up", error);
  for (const IpPrefix& prefix : row.addresses) {
    // The kernel makes the same link-local address from the same MAC by itself, a moment later.
    const int error = front.add_address(index, prefix);
    if (error != 0 && error != EEXIST)
      return failed("give " + row.name + " the address " + to_text(prefix), error);
  }
  return {};
}

}  // namespace

std::string make_interfaces(const HostSetup& setup, int& keep_alive,
                            std::vector<int>& frame_descriptors) {
  Backstage backstage;
  if (!backstage.enter_front()) return failed("make a second network namespace", errno);
  Netlink front;
  if (!front.is_open()) return failed("open a netlink socket", errno);
  if (const int error = front.set_up(loopback_index); error != 0) return failed("set lo up", error);
  for (const stack::InterfaceRow& row : setup.interfaces) {
    if (row.index == loopback_index) continue;
    std::string why = make_link(row, setup.has_taps, front, backstage, frame_descriptors);
    if (why.empty()) why = configure(row, if_nametoindex(row.name.c_str()), front);
    if (!why.empty()) return why;
  }
  for (const stack::Route& route : setup.routes) {
    if (route.interface == loopback_index) continue;
    // On-link routes came with the addresses.
    const int error =
        front.add_route(route.destination, route.gateway, route.interface, route.metric);
    if (error != 0 && error != EEXIST && !route.gateway.is_unspecified())
      return failed("add the route to " + to_text(route.destination), error);
  }
  keep_alive = backstage.release();
  return {};
}

}  // namespace lanyard::guest
