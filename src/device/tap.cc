// SPDX-License-Identifier: Apache-2.0
#include "device/tap.hh"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fmt/format.h>

#include "device/virtio_header.hh"

namespace lanyard::device {
namespace {

// Newer than Debian 12's headers.
constexpr unsigned tun_f_uso4 = 0x20;
constexpr unsigned tun_f_uso6 = 0x40;

constexpr short tap_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;

std::string failure(const char* what, int error) {
  const auto number = static_cast<Errno>(error);
  return fmt::format("{}: {} ({})", what, errno_text(number), errno_name(number));
}

// A descriptor attached to the interface `name`.
std::expected<int, std::string> attach(const std::string& name, short flags) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) {
    return std::unexpected(fmt::format("an interface name has at most {} letters: {}",
                                       sizeof request.ifr_name - 1, name));
  }
  const int descriptor = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return std::unexpected(failure("open /dev/net/tun", errno));
  std::copy(name.begin(), name.end(), std::begin(request.ifr_name));
  request.ifr_flags = flags;
  if (::ioctl(descriptor, TUNSETIFF, &request) != 0) {
    const int error = errno;
    ::close(descriptor);
    return std::unexpected(failure(fmt::format("TUNSETIFF {}", name).c_str(), error));
  }
  return descriptor;
}

}  // namespace

std::expected<std::unique_ptr<Tap>, std::string> Tap::open(const std::string& name) {
  const auto descriptor = attach(name, tap_flags);
  if (!descriptor) return std::unexpected(descriptor.error());
  return adopt(*descriptor);
}

std::expected<std::vector<std::unique_ptr<Tap>>, std::string> Tap::open_queues(
    const std::string& name, std::size_t queues) {
  std::vector<std::unique_ptr<Tap>> taps;
  while (taps.size() < queues) {
    // The first may have chosen the name.
    const auto descriptor =
        attach(taps.empty() ? name : taps.front()->name(), tap_flags | IFF_MULTI_QUEUE);
    if (!descriptor) return std::unexpected(descriptor.error());
    auto tap = adopt(*descriptor);
    if (!tap) return std::unexpected(tap.error());
    taps.push_back(std::move(*tap));
  }
  return taps;
}

std::expected<std::unique_ptr<Tap>, std::string> Tap::adopt(int descriptor) {
  std::unique_ptr<Tap> tap(new Tap(descriptor));
  if (auto done = tap->set_up(); !done) return std::unexpected(done.error());
  return tap;
}

std::expected<void, std::string> Tap::set_up() {
  ifreq request{};
  if (::ioctl(descriptor(), TUNGETIFF, &request) != 0) {
    return std::unexpected(failure("TUNGETIFF", errno));
  }
  name_ = std::begin(request.ifr_name);
  if ((request.ifr_flags & IFF_TAP) == 0 || (request.ifr_flags & IFF_NO_PI) == 0) {
    return std::unexpected(
        fmt::format("{} is not a TAP interface without packet information", name_));
  }
  const int flags = ::fcntl(descriptor(), F_GETFL);
  if (flags < 0 || ::fcntl(descriptor(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return std::unexpected(failure("fcntl O_NONBLOCK", errno));
  }
  if ((request.ifr_flags & IFF_VNET_HDR) == 0) return {};
  int size = sizeof(VirtioHeader);
  if (::ioctl(descriptor(), TUNSETVNETHDRSZ, &size) != 0) {
    return std::unexpected(failure("TUNSETVNETHDRSZ", errno));
  }
  ask_for_offloads();
  return {};
}

// Says what we can take from the kernel: as much as it knows.
void Tap::ask_for_offloads() {
  constexpr unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  const bool cuts_udp = ::ioctl(descriptor(), TUNSETOFFLOAD, tcp | tun_f_uso4 | tun_f_uso6) == 0;
  const bool cuts_tcp = cuts_udp || ::ioctl(descriptor(), TUNSETOFFLOAD, tcp) == 0;
  frames_.set({.has_header = true, .cuts_tcp = cuts_tcp, .cuts_udp = cuts_udp});
}

}  // namespace lanyard::device
