// SPDX-License-Identifier: Apache-2.0
// Addresses, routes and names chosen for a lab.
#include "lab/plan.hh"

#include <gtest/gtest.h>

#include "lab/lab_file.hh"

namespace lanyard::lab {
namespace {

struct Planned {
  Model model;
  Plan plan;
  // "10.0.1.2/24 fd00:0:0:1::2/64" of a port called "alice:eth0".
  [[nodiscard]] std::string addresses(std::string_view name) const {
    for (std::uint32_t i = 0; i < plan.ports.size(); ++i) {
      if (plan.port_name(model, i) != name) continue;
      std::string text;
      for (const IpPrefix& each : plan.ports[i].addresses)
        text += (text.empty() ? "" : " ") + to_text(each);
      return text;
    }
    return "no such port";
  }
  // "10.0.2.0/24 via 10.0.3.1 dev 3", one a line.
  [[nodiscard]] std::string routes(std::string_view node) const {
    std::string text;
    for (const stack::Route& each : plan.nodes[*model.node(node)].routes)
      text += to_text(each.destination) + " via " + to_text(each.gateway) + " dev " +
              std::to_string(each.interface) + "\n";
    return text;
  }
};

Planned plan_of(std::string_view text) {
  auto lab = parse_lab(text, "t");
  if (!lab) {
    for (const Diagnostic& each : lab.error()) ADD_FAILURE() << to_text(each);
    return {};
  }
  auto plan = make_plan(lab->model);
  return {std::move(lab->model), std::move(*plan)};
}

TEST(Plan, RoutersGetTheFirstNumbersThenHostsInFileOrder) {
  const Planned lab = plan_of(
      "hosts: [alice, bob, carol]\nswitches: [office, dc]\nrouters: [r1]\n"
      "links: [alice -- office, carol -- office, office -- r1, r1 -- dc, dc -- bob]\n");
  EXPECT_EQ(lab.plan.networks.size(), 2U);
  EXPECT_EQ(lab.addresses("r1:eth0"), "10.0.1.1/24 fd00:0:0:1::1/64");
  EXPECT_EQ(lab.addresses("alice:eth0"), "10.0.1.2/24 fd00:0:0:1::2/64");
  EXPECT_EQ(lab.addresses("carol:eth0"), "10.0.1.3/24 fd00:0:0:1::3/64");
  EXPECT_EQ(lab.addresses("r1:eth1"), "10.0.2.1/24 fd00:0:0:2::1/64");
  EXPECT_EQ(lab.addresses("bob:eth0"), "10.0.2.2/24 fd00:0:0:2::2/64");
  EXPECT_EQ(lab.addresses("office:port1"), "");
  EXPECT_EQ(lab.routes("alice"), "0.0.0.0/0 via 10.0.1.1 dev 2\n::/0 via fd00:0:0:1::1 dev 2\n");
  EXPECT_EQ(lab.routes("r1"), "");
}

TEST(Plan, MacsAreLocalAndDistinct) {
  const Planned lab = plan_of(
      "hosts:\n  a:\n  b: { mac: '02:00:00:00:00:01' }\n  c:\nswitches: [s]\nlinks: [a -- s, b -- "
      "s, c -- s]\n");
  EXPECT_EQ(to_text(lab.plan.ports[0].mac), "02:00:00:00:00:02");
  EXPECT_EQ(to_text(lab.plan.ports[1].mac), "02:00:00:00:00:01");
  EXPECT_EQ(to_text(lab.plan.ports[2].mac), "02:00:00:00:00:03");
  EXPECT_TRUE(lab.plan.ports[3].mac.is_zero());
}

TEST(Plan, RoutesTakeTheFewestRoutersAndTiesTheFirst) {
  // a - r1 - r2 - b, and the same from r1 to b's network over r3.
  const Planned lab = plan_of(
      "hosts: [a, b]\nswitches: [s]\nrouters: [r1, r3, r2]\n"
      "links: [a -- r1, r1 -- r2, r1 -- r3, r2 -- s, r3 -- s, s -- b]\n");
  EXPECT_EQ(lab.routes("r1"),
            "10.0.4.0/24 via 10.0.2.2 dev 3\nfd00:0:0:4::/64 via fd00:0:0:2::2 dev 3\n");
  EXPECT_EQ(lab.routes("r2"),
            "10.0.1.0/24 via 10.0.2.1 dev 2\nfd00:0:0:1::/64 via fd00:0:0:2::1 dev 2\n"
            "10.0.3.0/24 via 10.0.2.1 dev 2\nfd00:0:0:3::/64 via fd00:0:0:2::1 dev 2\n");
  // b's first gateway is the router that stands first in the file.
  EXPECT_EQ(lab.routes("b"), "0.0.0.0/0 via 10.0.4.1 dev 2\n::/0 via fd00:0:0:4::1 dev 2\n");
  EXPECT_EQ(lab.addresses("r3:eth1"), "10.0.4.1/24 fd00:0:0:4::1/64");
}

TEST(Plan, GivenAddressesAreKeptAndChosenOnesAvoidThem) {
  const Planned lab = plan_of(
      "hosts:\n  a: { address: 10.0.1.2/24 }\n  b:\n  c:\n  d:\nrouters: [r]\nswitches: [s]\n"
      "links: [c -- r, a -- s, b -- s, d -- s, s -- r]\n");
  EXPECT_EQ(lab.addresses("a:eth0"), "10.0.1.2/24 fd00:0:0:2::2/64");
  EXPECT_EQ(lab.addresses("b:eth0"), "10.0.1.3/24 fd00:0:0:2::3/64");
  // The first network would have been 10.0.1.0/24, had it not been given away.
  EXPECT_EQ(lab.addresses("c:eth0"), "10.0.2.2/24 fd00:0:0:1::2/64");
}

TEST(Plan, AddressesOfARouterAreGivenOnTheLink) {
  const Planned lab = plan_of(
      "hosts: [a, b]\nrouters: [r]\nlinks:\n  - a -- r: { addresses: { r: 192.168.7.254/24, a: "
      "192.168.7.9/24 } }\n  - b -- r\n");
  EXPECT_EQ(lab.addresses("r:eth0"), "192.168.7.254/24 fd00:0:0:1::1/64");
  EXPECT_EQ(lab.routes("a"), "0.0.0.0/0 via 192.168.7.254 dev 2\n::/0 via fd00:0:0:1::1 dev 2\n");
}

TEST(Plan, ANetworkOfAThousandHostsIsWideEnough) {
  const Planned lab = plan_of("hosts: [h*1000, x, y]\nswitches: [s]\nlinks: [x -- y, h* -- s]\n");
  EXPECT_EQ(lab.addresses("x:eth0"), "10.0.1.1/24 fd00:0:0:1::1/64");
  EXPECT_EQ(lab.addresses("h1:eth0"), "10.0.4.1/22 fd00:0:0:2::1/64");
  EXPECT_EQ(lab.addresses("h1000:eth0"), "10.0.7.232/22 fd00:0:0:2::3e8/64");
}

TEST(Plan, NamesAreServedByTheGatewayOrTheHostItself) {
  const Planned lab = plan_of("hosts: [a, b, c]\nrouters: [r]\nlinks: [a -- r, b -- c]\n");
  const auto servers = [&](std::string_view node) {
    return to_text(lab.plan.nodes[*lab.model.node(node)].names.name_servers.at(0));
  };
  EXPECT_EQ(servers("a"), "10.0.1.1:53");
  EXPECT_FALSE(lab.plan.nodes[0].serves_names);
  EXPECT_EQ(servers("b"), "127.0.0.53:53");
  EXPECT_TRUE(lab.plan.nodes[1].serves_names);
  EXPECT_EQ(servers("r"), "127.0.0.1:53");
  EXPECT_TRUE(lab.plan.nodes[3].serves_names);
  std::string zone;
  for (const auto& [name, address] : lab.plan.zone) zone += name + " " + to_text(address) + "\n";
  EXPECT_EQ(
      zone,
      "a 10.0.1.2\na fd00:0:0:1::2\nb 10.0.2.1\nb fd00:0:0:2::1\nc 10.0.2.2\nc fd00:0:0:2::2\n"
      "r 10.0.1.1\nr fd00:0:0:1::1\n");
}

TEST(Plan, APairOfMachinesFitsIntoASlash31) {
  // RFC 3021 2: both addresses of a /31 are hosts'.
  const Planned lab = plan_of("hosts:\n  a: { address: 10.9.0.0/31 }\n  b:\nlinks: [a -- b]\n");
  EXPECT_EQ(lab.addresses("a:eth0"), "10.9.0.0/31 fd00:0:0:1::1/64");
  EXPECT_EQ(lab.addresses("b:eth0"), "10.9.0.1/31 fd00:0:0:1::2/64");
}

}  // namespace
}  // namespace lanyard::lab
