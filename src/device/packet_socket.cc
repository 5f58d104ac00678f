// SPDX-License-Identifier: Apache-2.0
#include "device/packet_socket.hh"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "core/error.hh"

namespace lanyard::device {
namespace {

bool set_option(int descriptor, int option, int value) {
  return ::setsockopt(descriptor, SOL_PACKET, option, &value, sizeof value) == 0;
}

}  // namespace

std::unexpected<std::string> failure(const std::string& what) {
  const auto number = static_cast<Errno>(errno);
  return std::unexpected(fmt::format("{}: {} ({})", what, errno_text(number), errno_name(number)));
}

std::expected<int, std::string> open_packet_socket() {
  // Protocol 0: nothing arrives before the socket is bound to its one interface.
  const int descriptor = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return failure("packet socket");
  const bool has_headers = set_option(descriptor, PACKET_VNET_HDR, 1);
  if (has_headers && set_option(descriptor, PACKET_IGNORE_OUTGOING, 1)) return descriptor;
  const auto failed = failure(has_headers ? "PACKET_IGNORE_OUTGOING" : "PACKET_VNET_HDR");
  ::close(descriptor);
  return failed;
}

std::expected<void, std::string> bind_packet_socket(int descriptor, const std::string& interface) {
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) return failure(fmt::format("interface {}", interface));
  packet_mreq promiscuous{};
  promiscuous.mr_ifindex = static_cast<int>(index);
  promiscuous.mr_type = PACKET_MR_PROMISC;
  if (::setsockopt(descriptor, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
                   sizeof promiscuous) != 0) {
    return failure(fmt::format("promiscuous mode of {}", interface));
  }
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  if (::bind(descriptor, static_cast<const sockaddr*>(static_cast<const void*>(&address)),
             sizeof address) != 0) {
    return failure(fmt::format("bind to {}", interface));
  }
  return {};
}

}  // namespace lanyard::device
