// SPDX-License-Identifier: Apache-2.0
#include "link/bridge.hh"

#include <gtest/gtest.h>

namespace lanyard::link {
namespace {

using namespace literals;

MacAddress mac(std::uint8_t last) {
  return {{2, 0, 0, 0, 0, last}};
}

class Switch : public ::testing::Test {
 protected:
  Switch() {
    for (int i = 0; i < 3; ++i) bridge.add_port();
  }
  std::vector<std::uint32_t> send(std::uint32_t port, const MacAddress& from, const MacAddress& to,
                                  std::optional<std::uint16_t> vlan = std::nullopt) {
    const auto decision = bridge.on_frame(now, {port, to, from, vlan});
    reason = decision.reason;
    return {decision.ports.begin(), decision.ports.end()};
  }
  using Ports = std::vector<std::uint32_t>;
  Bridge bridge;
  Instant now = Instant::start();
  DropReason reason = DropReason::none;
};

TEST_F(Switch, FloodsTheUnknownAndLearnsWhoSpoke) {
  EXPECT_EQ(send(0, mac(1), mac(2)), (Ports{1, 2}));
  EXPECT_EQ(send(1, mac(2), mac(1)), Ports{0});
  EXPECT_EQ(send(0, mac(1), mac(2)), Ports{1});
}

TEST_F(Switch, GroupsGoEverywhereAndAreNeverLearned) {
  EXPECT_EQ(send(0, mac(1), MacAddress::broadcast()), (Ports{1, 2}));
  EXPECT_EQ(send(1, MacAddress::broadcast(), mac(1)), Ports{});
  EXPECT_EQ(reason, DropReason::not_for_us);
  EXPECT_EQ(bridge.rows(now).size(), 1u);
}

TEST_F(Switch, NothingGoesBackToItsOwnSegment) {
  send(0, mac(1), mac(9));
  EXPECT_EQ(send(0, mac(2), mac(1)), Ports{});
  EXPECT_EQ(reason, DropReason::same_segment);
}

TEST_F(Switch, ReservedGroupsStayOnTheirWire) {
  for (const int low : {0x00, 0x01, 0x0e, 0x0f}) {
    const auto last = static_cast<std::uint8_t>(low);
    EXPECT_EQ(send(0, mac(1), {{0x01, 0x80, 0xc2, 0, 0, last}}), Ports{});
    EXPECT_EQ(reason, DropReason::port_blocked);
  }
  EXPECT_EQ(send(0, mac(1), {{0x01, 0x80, 0xc2, 0, 0, 0x10}}), (Ports{1, 2}));
}

TEST_F(Switch, AddressThatMovesIsLearnedAnewAndOneThatIsSilentAges) {
  send(0, mac(1), mac(9));
  send(2, mac(1), mac(9));
  EXPECT_EQ(send(1, mac(2), mac(1)), Ports{2});
  now = now + 300_s;
  EXPECT_EQ(send(1, mac(2), mac(1)), (Ports{0, 2}));
}

TEST_F(Switch, PortThatGoesDownIsForgottenAndSkipped) {
  send(0, mac(1), mac(9));
  bridge.set_up(0, false);
  EXPECT_EQ(send(1, mac(2), mac(1)), Ports{2});
  EXPECT_EQ(send(0, mac(1), mac(2)), Ports{});
  EXPECT_EQ(reason, DropReason::link_down);
}

TEST(VlanSwitch, LearnsPerVlanAndKeepsThemApart) {
  Bridge bridge;
  const auto red = bridge.add_port({10, {}});
  const auto blue = bridge.add_port({20, {}});
  const auto trunk = bridge.add_port({1, {10, 20}});
  const Instant now = Instant::start();
  const auto out = bridge.on_frame(now, {red, MacAddress::broadcast(), mac(1), std::nullopt});
  ASSERT_EQ(out.ports.size(), 1u);
  EXPECT_EQ(out.ports[0], trunk);
  EXPECT_TRUE(bridge.sends_tagged(trunk, out.vlan));
  // The same address in the other VLAN is another station.
  EXPECT_EQ(bridge.on_frame(now, {trunk, mac(1), mac(2), 20}).ports[0], blue);
  EXPECT_EQ(bridge.on_frame(now, {trunk, mac(1), mac(2), 10}).ports[0], red);
  EXPECT_EQ(bridge.on_frame(now, {red, mac(1), mac(3), 20}).reason, DropReason::bad_vlan);
  EXPECT_EQ(bridge.on_frame(now, {trunk, mac(1), mac(3), 4095}).reason, DropReason::bad_vlan);
  EXPECT_FALSE(bridge.sends_tagged(red, 10));
}

TEST(SwitchTable, IsBoundedAndInventedAddressesDoNotPushOutRealOnes) {
  Bridge bridge({300_s, 100});
  bridge.add_port();
  bridge.add_port();
  bridge.add_port();
  Instant now = Instant::start();
  bridge.on_frame(now, {0, mac(9), mac(1), std::nullopt});
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    MacAddress invented{{4, 0, 0, 0, 0, 0}};
    store32(invented.bytes.data() + 2, i);
    bridge.on_frame(now, {1, mac(9), invented, std::nullopt});
  }
  EXPECT_EQ(bridge.size(), 100u);
  const auto decision = bridge.on_frame(now, {2, mac(1), mac(2), std::nullopt});
  ASSERT_EQ(decision.ports.size(), 1u);
  EXPECT_EQ(decision.ports[0], 0u);
}

}  // namespace
}  // namespace lanyard::link
