// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "guest/interface_requests.hh"

namespace lanyard::guest {
namespace {

std::vector<stack::InterfaceRow> rows() {
  return {{.index = 1,
           .name = "lo",
           .mac = {},
           .mtu = 65536,
           .addresses = {{IpAddress::v4(0x7f000001), 8}}},
          {.index = 2,
           .name = "eth0",
           .mac = {{2, 0, 0, 0, 0, 1}},
           .mtu = 1500,
           .addresses = {{IpAddress::loopback(Family::ipv6), 64}, {IpAddress::v4(0x0a000102), 24}}},
          {.index = 3, .name = "eth1", .mac = {}, .mtu = 9000, .is_up = false, .addresses = {}}};
}

ifreq named(const char* name) {
  ifreq asked{};
  std::strncpy(asked.ifr_name, name, sizeof asked.ifr_name - 1);
  return asked;
}

std::uint32_t v4_of(const sockaddr& address) {
  sockaddr_in four{};
  std::memcpy(&four, &address, sizeof four);
  EXPECT_EQ(four.sin_family, AF_INET);
  return ntohl(four.sin_addr.s_addr);
}

TEST(InterfaceRequests, AreAnsweredFromTheStacksRows) {
  ifreq asked = named("eth0");
  ASSERT_EQ(answer_interface_request(rows(), SIOCGIFINDEX, asked), 0);
  EXPECT_EQ(asked.ifr_ifindex, 2);
  ASSERT_EQ(answer_interface_request(rows(), SIOCGIFADDR, asked = named("eth0")), 0);
  EXPECT_EQ(v4_of(asked.ifr_addr), 0x0a000102U);
  ASSERT_EQ(answer_interface_request(rows(), SIOCGIFNETMASK, asked = named("eth0")), 0);
  EXPECT_EQ(v4_of(asked.ifr_netmask), 0xffffff00U);
  ASSERT_EQ(answer_interface_request(rows(), SIOCGIFBRDADDR, asked = named("eth0")), 0);
  EXPECT_EQ(v4_of(asked.ifr_broadaddr), 0x0a0001ffU);
  ASSERT_EQ(answer_interface_request(rows(), SIOCGIFMTU, asked = named("eth1")), 0);
  EXPECT_EQ(asked.ifr_mtu, 9000);
  ASSERT_EQ(answer_interface_request(rows(), SIOCGIFHWADDR, asked = named("eth0")), 0);
  EXPECT_EQ(asked.ifr_hwaddr.sa_data[5], 1);
  ASSERT_EQ(answer_interface_request(rows(), SIOCGIFFLAGS, asked = named("lo")), 0);
  EXPECT_EQ(asked.ifr_flags, IFF_UP | IFF_RUNNING | IFF_LOOPBACK);
  ASSERT_EQ(answer_interface_request(rows(), SIOCGIFFLAGS, asked = named("eth1")), 0);
  EXPECT_EQ(asked.ifr_flags & IFF_UP, 0);
  asked = {};
  asked.ifr_ifindex = 2;
  ASSERT_EQ(answer_interface_request(rows(), SIOCGIFNAME, asked), 0);
  EXPECT_STREQ(asked.ifr_name, "eth0");
}

TEST(InterfaceRequests, WhatIsNotThereIsSaid) {
  ifreq asked = named("wlan0");
  EXPECT_EQ(answer_interface_request(rows(), SIOCGIFINDEX, asked), ENODEV);
  EXPECT_EQ(answer_interface_request(rows(), SIOCGIFADDR, asked = named("eth1")), EADDRNOTAVAIL);
  EXPECT_EQ(answer_interface_request(rows(), SIOCGIFMAP, asked = named("eth0")), EINVAL);
  std::memset(asked.ifr_name, 'x', sizeof asked.ifr_name);
  EXPECT_EQ(answer_interface_request(rows(), SIOCGIFINDEX, asked), ENODEV) << "a name without end";
}

TEST(InterfaceRequests, TheListHasThoseWithAddresses) {
  const auto list = interface_list(rows());
  ASSERT_EQ(list.size(), 2U);
  EXPECT_STREQ(list[0].ifr_name, "lo");
  EXPECT_STREQ(list[1].ifr_name, "eth0");
  EXPECT_EQ(v4_of(list[1].ifr_addr), 0x0a000102U);
}

}  // namespace
}  // namespace lanyard::guest
