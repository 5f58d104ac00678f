// SPDX-License-Identifier: Apache-2.0
#include "guest/interface_requests.hh"

#include <linux/sockios.h>
#include <net/if_arp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "guest/socket_address.hh"
#include "wire/address.hh"

namespace lanyard::guest {

namespace {

using Rows = std::vector<stack::InterfaceRow>;

// As the mirror interfaces have it: what a veth pair has.
constexpr int queue_frames = 1000;

std::optional<IpPrefix> v4_of(const stack::InterfaceRow& row) {
  const auto found = std::ranges::find_if(
      row.addresses, [](const IpPrefix& each) { return each.address.is_v4(); });
  return found == row.addresses.end() ? std::nullopt : std::optional(*found);
}

bool is_loopback(const stack::InterfaceRow& row) {
  const auto address = v4_of(row);
  return address && address->address.is_loopback();
}

short flags_of(const stack::InterfaceRow& row) {
  const int up = row.is_up ? IFF_UP | IFF_RUNNING : 0;
  return static_cast<short>(up | (is_loopback(row) ? IFF_LOOPBACK : IFF_BROADCAST | IFF_MULTICAST));
}

void put_name(const std::string& name, ifreq& asked) {
  std::memset(asked.ifr_name, 0, sizeof asked.ifr_name);
  std::memcpy(asked.ifr_name, name.data(), std::min(name.size(), sizeof asked.ifr_name - 1));
}

void put_address(const IpAddress& address, sockaddr& to) {
  const SocketAddress shown = to_sockaddr({address, 0}, AF_INET);
  std::memcpy(&to, &shown.storage, sizeof to);
}

void put_mac(const stack::InterfaceRow& row, sockaddr& to) {
  to = {};
  to.sa_family = is_loopback(row) ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
  std::memcpy(to.sa_data, row.mac.bytes.data(), row.mac.bytes.size());
}

int answer_address(const stack::InterfaceRow& row, unsigned long request, ifreq& asked) {
  const auto prefix = v4_of(row);
  if (!prefix) return EADDRNOTAVAIL;
  if (request == SIOCGIFNETMASK) {
    const std::uint64_t mask = 0xffffffff00000000ULL >> prefix->length;
    put_address(IpAddress::v4(static_cast<std::uint32_t>(mask)), asked.ifr_netmask);
  } else if (request == SIOCGIFBRDADDR) {
    put_address(prefix->broadcast().value_or(IpAddress::any(Family::ipv4)), asked.ifr_broadaddr);
  } else {
    put_address(prefix->address, asked.ifr_addr);
  }
  return 0;
}

}  // namespace

int answer_interface_request(const Rows& rows, unsigned long request, ifreq& asked) {
  const std::string_view name(asked.ifr_name, strnlen(asked.ifr_name, sizeof asked.ifr_name));
  const bool by_index = request == SIOCGIFNAME;
  const auto row = std::ranges::find_if(rows, [&](const stack::InterfaceRow& each) {
    return by_index ? static_cast<int>(each.index) == asked.ifr_ifindex : each.name == name;
  });
  if (row == rows.end()) return ENODEV;
  switch (request) {
    case SIOCGIFNAME:
      put_name(row->name, asked);
      return 0;
    case SIOCGIFINDEX:
      asked.ifr_ifindex = static_cast<int>(row->index);
      return 0;
    case SIOCGIFFLAGS:
      asked.ifr_flags = flags_of(*row);
      return 0;
    case SIOCGIFMTU:
      asked.ifr_mtu = static_cast<int>(row->mtu);
      return 0;
    case SIOCGIFMETRIC:
      asked.ifr_metric = 0;
      return 0;
    case SIOCGIFTXQLEN:
      asked.ifr_qlen = queue_frames;
      return 0;
    case SIOCGIFHWADDR:
      put_mac(*row, asked.ifr_hwaddr);
      return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFBRDADDR:
      return answer_address(*row, request, asked);
    default:
      return EINVAL;
  }
}

std::vector<ifreq> interface_list(const Rows& rows) {
  std::vector<ifreq> list;
  for (const stack::InterfaceRow& row : rows) {
    const auto prefix = v4_of(row);
    if (!prefix) continue;
    ifreq& one = list.emplace_back();
    put_name(row.name, one);
    put_address(prefix->address, one.ifr_addr);
  }
  return list;
}

}  // namespace lanyard::guest
