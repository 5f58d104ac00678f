// SPDX-License-Identifier: Apache-2.0
// Who may have which port: bind(2) as Linux answers it, and ephemeral ports (RFC 6056).
#include <gtest/gtest.h>

#include <set>

#include "harness.hh"
#include "transport/ports.hh"

namespace lanyard::test {

using transport::BindingId;
using transport::BindRequest;
using transport::Ports;

namespace {

const IpAddress any4 = IpAddress::any(Family::ipv4), any6 = IpAddress::any(Family::ipv6);
const IpAddress one = IpAddress::v4(10, 0, 0, 1), two = IpAddress::v4(10, 0, 0, 2);

BindRequest at(const IpAddress& address, Port port = 80) {
  return {.local = {address, port, 0}};
}

class PortRules : public ::testing::Test {
 protected:
  transport::Config config;
  Ports ports{config, Seed(1)};
  void expect_in_use(const BindRequest& request) {
    EXPECT_EQ(ports.bind(request).error(), Errno::address_in_use);
  }
};

}  // namespace

TEST_F(PortRules, OnePortHasOneOwnerForEachAddress) {
  ASSERT_TRUE(ports.bind(at(one)));
  expect_in_use(at(one));
  expect_in_use(at(any4));
  expect_in_use(at(any6));
  EXPECT_TRUE(ports.bind(at(two)));
  EXPECT_TRUE(ports.bind(at(one, 81)));
}

TEST_F(PortRules, TheDualStackWildcardTakesBothFamilies) {
  ASSERT_TRUE(ports.bind(at(any6)));
  expect_in_use(at(any4));
  expect_in_use(at(one));
  BindRequest six = at(any6, 90);
  six.v6_only = true;
  ASSERT_TRUE(ports.bind(six));
  EXPECT_TRUE(ports.bind(at(any4, 90)));
}

TEST_F(PortRules, AWildcardThatIsThereTakesEveryAddressOfItsFamilies) {
  ASSERT_TRUE(ports.bind(at(any4)));
  expect_in_use(at(one));
  EXPECT_TRUE(ports.bind(at(*IpAddress::parse("fd00::1"))));  // no IPv4 reaches that one
  ASSERT_TRUE(ports.bind(at(any6, 81)));
  expect_in_use(at(one, 81));
}

// setsockopt after bind: it counts for whoever comes next, as on Linux.
TEST_F(PortRules, SharingMayBeAllowedAndForbiddenLater) {
  const auto first = ports.bind(at(one));
  ASSERT_TRUE(first);
  BindRequest shares = at(one);
  shares.reuse_address = true;
  expect_in_use(shares);
  ports.set_reuse(*first, true, false);
  const auto second = ports.bind(shares);
  ASSERT_TRUE(second);
  ports.set_reuse(*first, false, false);
  expect_in_use(shares);
  EXPECT_TRUE(ports.find(*second)->reuse_address);
}

TEST_F(PortRules, ReusePortTakesTwo) {
  BindRequest shares = at(one), keeps = at(one);
  shares.reuse_port = true;
  ASSERT_TRUE(ports.bind(keeps));
  expect_in_use(shares);
  keeps.local.port = shares.local.port = 81;
  ASSERT_TRUE(ports.bind(shares));
  expect_in_use(keeps);
  EXPECT_TRUE(ports.bind(shares));
}

TEST_F(PortRules, ReleasedPortsAreFree) {
  const auto binding = ports.bind(at(one));
  ports.release(*binding);
  EXPECT_TRUE(ports.bind(at(any4)));
}

TEST_F(PortRules, ABindingThatIsGoneIsNoneThoughItsPortIsUsed) {
  const auto gone = *ports.bind(at(one));
  ports.release(gone);
  ASSERT_TRUE(ports.bind(at(one)));
  EXPECT_EQ(ports.find(gone), nullptr);
  ports.set_address(gone, two);
  ports.set_reuse(gone, true, true);
  ports.release(gone);
  EXPECT_EQ(ports.listen(gone).error(), Errno::invalid);
  expect_in_use(at(one));
}

TEST_F(PortRules, HoldersThatDifferInAnythingAreNotCountedTogether) {
  const BindRequest plain = at(one);
  BindRequest reused = plain, shared = plain, bound = plain, only6 = plain;
  reused.reuse_address = true;
  shared.reuse_port = true;
  bound.interface = 3;
  only6.v6_only = true;
  std::set<BindingId> ids{ports.hold(plain, true)};
  for (const BindRequest& each : {plain, at(two), reused, shared, bound, only6}) {
    const auto id = ports.hold(each, false);
    EXPECT_EQ(ports.hold(each, false), id);
    EXPECT_TRUE(ids.insert(id).second);
  }
}

TEST_F(PortRules, ReuseAddressSharesWithEverythingButAListener) {
  BindRequest reuse = at(any4);
  reuse.reuse_address = true;
  const auto first = ports.bind(reuse);
  const auto second = ports.bind(reuse);
  ASSERT_TRUE(first && second);
  expect_in_use(at(any4));  // both must ask for it
  ASSERT_TRUE(ports.listen(*first));
  expect_in_use(reuse);
  EXPECT_EQ(ports.listen(*second).error(), Errno::address_in_use);
  ports.release(*first);
  EXPECT_TRUE(ports.listen(*second));
}

TEST_F(PortRules, ReusePortSharesListeners) {
  BindRequest reuse = at(any4);
  reuse.reuse_port = true;
  const auto first = ports.bind(reuse);
  ASSERT_TRUE(ports.listen(*first));
  const auto second = ports.bind(reuse);
  ASSERT_TRUE(second);
  EXPECT_TRUE(ports.listen(*second));
  expect_in_use(at(any4));
}

TEST_F(PortRules, DifferentDevicesDoNotMeet) {
  BindRequest through2 = at(any4), through3 = at(any4);
  through2.interface = 2;
  through3.interface = 3;
  ASSERT_TRUE(ports.bind(through2));
  EXPECT_TRUE(ports.bind(through3));
  expect_in_use(through2);
  expect_in_use(at(any4));
}

TEST_F(PortRules, ConnectionsOfAServerCountAsHolders) {
  const BindingId one_connection = ports.hold(at(one), false);
  EXPECT_EQ(ports.hold(at(one), false), one_connection);
  expect_in_use(at(any4));
  ports.release(one_connection);
  expect_in_use(at(any4));
  ports.release(one_connection);
  EXPECT_TRUE(ports.bind(at(any4)));
}

TEST_F(PortRules, PrivilegedPortsMayBeClosed) {
  config.may_bind_privileged = false;
  EXPECT_EQ(ports.bind(at(any4, 1023)).error(), Errno::access_denied);
  EXPECT_TRUE(ports.bind(at(any4, 1024)));
}

TEST_F(PortRules, PortZeroChoosesAFreeOneInTheRange) {
  config.ephemeral_first = 40000;
  config.ephemeral_last = 40099;
  std::set<Port> chosen;
  for (int i = 0; i < 100; ++i) {
    const auto binding = ports.bind(at(any4, 0));
    ASSERT_TRUE(binding);
    chosen.insert(ports.find(*binding)->local.port);
  }
  EXPECT_EQ(chosen.size(), 100U);
  EXPECT_EQ(*chosen.begin(), 40000);
  expect_in_use(at(any4, 0));
}

TEST_F(PortRules, ChoicesAreRandomAndAvoidWhatIsBound) {
  // [RFC6056-3.3-a].
  config.ephemeral_first = 40000;
  config.ephemeral_last = 40009;
  ASSERT_TRUE(ports.bind(at(any4, 40003)));
  std::set<Port> taken;
  const Endpoint remote{two, 80, 0};
  for (int i = 0; i < 9; ++i) {
    const auto port = ports.choose(one, remote, [&](Port p) { return taken.contains(p); });
    ASSERT_TRUE(port);
    EXPECT_NE(*port, 40003);
    EXPECT_TRUE(taken.insert(*port).second);
  }
  EXPECT_EQ(ports.choose(one, remote, [&](Port p) { return taken.contains(p); }).error(),
            Errno::address_not_available);
  // Another remote may use the same ports.
  EXPECT_TRUE(ports.choose(one, {two, 81, 0}, [](Port) { return false; }));
  Ports other(config, Seed(2));
  transport::Config wide;
  std::set<int> distances;
  Ports spread(wide, Seed(3));
  for (std::uint8_t host = 1; host < 100; ++host) {
    const Endpoint there{IpAddress::v4(10, 0, 1, host), 80, 0};
    const auto port = spread.choose(one, there, [](Port) { return false; });
    const auto next = spread.choose(one, there, [](Port) { return false; });
    distances.insert(*port);
    EXPECT_NE(*port, *next);
  }
  EXPECT_GT(distances.size(), 90U);
}

TEST_F(PortRules, OnlyOwnAddressesMayBeBound) {
  FakePaths paths;
  paths.own.insert(one);
  EXPECT_TRUE(check_local(paths, at(one), false));
  EXPECT_TRUE(check_local(paths, at(any4), false));
  EXPECT_EQ(check_local(paths, at(two), false).error(), Errno::address_not_available);
  BindRequest free = at(two);
  free.free_bind = true;
  EXPECT_TRUE(check_local(paths, free, false));
  EXPECT_FALSE(check_local(paths, at(IpAddress::v4(224, 0, 0, 1)), false));
  EXPECT_TRUE(check_local(paths, at(IpAddress::v4(224, 0, 0, 1)), true));
  EXPECT_FALSE(check_local(paths, at(IpAddress::v4(10, 0, 0, 255)), false));
  EXPECT_TRUE(check_local(paths, at(IpAddress::v4(10, 0, 0, 255)), true));  // a broadcast is heard
  EXPECT_EQ(check_local(paths, at(*IpAddress::parse("fe80::1")), false).error(), Errno::invalid);
}

}  // namespace lanyard::test
