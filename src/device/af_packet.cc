// SPDX-License-Identifier: Apache-2.0
#include "device/af_packet.hh"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>

#include <fmt/format.h>

namespace lanyard::device {
namespace {

std::unexpected<std::string> failure(const std::string& what) {
  const auto number = static_cast<Errno>(errno);
  return std::unexpected(fmt::format("{}: {} ({})", what, errno_text(number), errno_name(number)));
}

bool set_option(int descriptor, int option, int value) {
  return ::setsockopt(descriptor, SOL_PACKET, option, &value, sizeof value) == 0;
}

}  // namespace

std::expected<std::unique_ptr<AfPacket>, std::string> AfPacket::open(const std::string& interface) {
  // Protocol 0: nothing arrives before the socket is bound to its one interface.
  const int descriptor = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return failure("packet socket");
  std::unique_ptr<AfPacket> device(new AfPacket(descriptor));
  if (auto done = device->set_up(interface); !done) return std::unexpected(done.error());
  return device;
}

std::expected<void, std::string> AfPacket::set_up(const std::string& interface) {
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) return failure(fmt::format("interface {}", interface));
  if (!set_option(descriptor(), PACKET_VNET_HDR, 1)) return failure("PACKET_VNET_HDR");
  if (!set_option(descriptor(), PACKET_IGNORE_OUTGOING, 1)) {
    return failure("PACKET_IGNORE_OUTGOING");
  }
  packet_mreq promiscuous{};
  promiscuous.mr_ifindex = static_cast<int>(index);
  promiscuous.mr_type = PACKET_MR_PROMISC;
  if (::setsockopt(descriptor(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
                   sizeof promiscuous) != 0) {
    return failure(fmt::format("promiscuous mode of {}", interface));
  }
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  if (::bind(descriptor(), static_cast<const sockaddr*>(static_cast<const void*>(&address)),
             sizeof address) != 0) {
    return failure(fmt::format("bind to {}", interface));
  }
  frames_.set({.has_header = true, .cuts_tcp = true, .cuts_udp = false});
  return {};
}

}  // namespace lanyard::device
