// SPDX-License-Identifier: Apache-2.0
// Which destinations are on the link and which are behind a gateway.
#include "lone_host.hh"
#include "transport/udp.hh"

namespace lanyard::stack::test {
namespace {

class OnLink : public LoneHost {
 protected:
  OnLink() : LoneHost(host_config(), interface_config(), false) {}
  void be(std::string_view address) {
    stack.add_address(now, eth, net(address));
    stack.add_route({net("0.0.0.0/0"), ip("10.0.0.126"), eth, 0});
  }
  // Whom the machine asks for by ARP to reach this, or the MAC address it sends to at once.
  std::string first_step(std::string_view destination) {
    Packet packet = Packet::copy_of(Frame(8));
    internet::Datagram datagram;
    datagram.destination = ip(destination);
    datagram.protocol = internet::Protocol::udp;
    datagram.packet = std::move(packet);
    EXPECT_TRUE(stack.send(now, std::move(datagram)));
    const auto frames = take();
    if (frames.empty()) return "nothing";
    const auto view = ethernet::View::parse(frames[0]);
    if (view->type() != ethernet::Type::arp) return to_text(view->destination());
    return "who has " + to_text(arp::View::parse(view->payload())->target_ip());
  }
};

TEST_F(OnLink, TheMaskSaysWhatIsOnTheLinkAndBroadcastAndGroupsAreLocal) {
  // RFC 1122 3.3.1.1 [RFC1122-3.3.1.1-a]
  be("10.0.0.1/24");
  EXPECT_EQ(first_step("10.0.0.200"), "who has 10.0.0.200");
  EXPECT_EQ(first_step("10.0.1.200"), "who has 10.0.0.126");
  EXPECT_EQ(first_step("10.0.0.255"), "ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(first_step("255.255.255.255"), "ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(first_step("239.1.2.3"), "01:00:5e:01:02:03");
}

TEST_F(OnLink, WithALongerMaskTheSameNeighboursAreBehindTheGateway) {
  // RFC 1122 3.3.1.1 [RFC1122-3.3.1.1-a]
  be("10.0.0.1/25");
  EXPECT_EQ(first_step("10.0.0.100"), "who has 10.0.0.100");
  EXPECT_EQ(first_step("10.0.0.200"), "who has 10.0.0.126");
  EXPECT_EQ(first_step("10.0.0.127"), "ff:ff:ff:ff:ff:ff");
}

}  // namespace
}  // namespace lanyard::stack::test
