// SPDX-License-Identifier: Apache-2.0
#include "lone_host.hh"

namespace lanyard::stack::test {
namespace {

// Two networks: 10.0.0.0/24 here, 10.0.1.0/24 with 10.0.1.7 there; the same in IPv6.
class Router : public LoneHost {
 protected:
  Router() : LoneHost(router_config()) {
    InterfaceConfig config = interface_config();
    config.name = "eth1";
    config.mac = {{2, 0, 0, 0, 1, 1}};
    config.mtu = 1400;
    far = stack.add_interface(config);
    stack.add_address(now, far, net("10.0.1.1/24"));
    stack.add_address(now, far, net("2001:db8:1::1/64"));
    stack.add_address(now, far, net("fe80::101/64"));
    introduce();
    // The far neighbour makes itself known.
    std::array<std::uint8_t, arp::message_size> bytes;
    arp::Message{arp::Operation::request, far_mac, ip("10.0.1.7"), {}, ip("10.0.1.1")}.write(
        bytes.data());
    stack.on_frame(now, far,
                   Packet::copy_of(framed(ethernet::Type::arp, bytes, MacAddress::broadcast())));
    ndp::Message message;
    message.type = ndp::Type::neighbour_solicitation;
    message.target = ip("2001:db8:1::1");
    message.options.source_link_address = far_mac;
    Packet packet;
    message.push_onto(packet, ip("2001:db8:1::7"), ip("2001:db8:1::1"));
    stack.on_frame(now, far,
                   Packet::copy_of(framed(
                       ethernet::Type::ipv6,
                       v6_packet(v6_header("2001:db8:1::7", "2001:db8:1::1", protocol::icmpv6, 255),
                                 packet.front()),
                       {{2, 0, 0, 0, 1, 1}})));
    take();
  }
  const MacAddress far_mac{{2, 0, 0, 0, 0, 7}};
  std::uint32_t far = 0;
};

TEST_F(Router, ForwardsWithOneHopLessAndAFreshChecksum) {
  // RFC 1812 5.3.1 [RFC1812-5.3.1-a], 5.2.2 [RFC1812-5.2.2-a]
  ipv4::Header header = v4_header("10.0.0.9", "10.0.1.7", protocol::udp);
  header.ttl = 2;
  header.traffic_class = 0xb8;
  header.identification = 1234;
  v4(header, udp());
  auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  const auto outer = ethernet::View::parse(frames[0]);
  EXPECT_EQ(outer->destination(), far_mac);
  EXPECT_EQ(outer->source(), (MacAddress{{2, 0, 0, 0, 1, 1}}));
  const auto view = ipv4::View::parse(outer->payload());
  EXPECT_EQ(view->ttl(), 1);
  EXPECT_TRUE(view->has_good_checksum());
  EXPECT_EQ(view->traffic_class(), 0xb8);
  EXPECT_EQ(view->identification(), 1234);
  v6(v6_header("2001:db8::9", "2001:db8:1::7", protocol::udp, 2), Frame(16));
  frames = take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(ipv6::View::parse(Bytes(frames[0]).subspan(14))->hop_limit(), 1);
}

TEST_F(Router, ChecksumsAreVerifiedBeforeForwarding) {
  // RFC 1812 4.2.2.5 [RFC1812-4.2.2.5-a], [RFC1812-5.2.2-a]
  Frame packet = v4_packet(v4_header("10.0.0.9", "10.0.1.7"), echo_v4());
  packet[ipv4::checksum_offset] ^= 1;
  give(framed(ethernet::Type::ipv4, packet));
  EXPECT_EQ(count(), 0u);
}

TEST_F(Router, FragmentsWhatIsTooLongInOrderAndAsFewAsPossible) {
  // RFC 1812 4.2.2.7 [RFC1812-4.2.2.7-a], RFC 791 3.2 [RFC791-3.2-b]
  const Frame options = {0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0};  // one copied, one not
  ipv4::Header header = v4_header("10.0.0.9", "10.0.1.7", protocol::udp);
  header.options = options;
  header.identification = 99;
  Frame payload(1460);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(i);
  v4(header, payload);
  const auto frames = take();
  ASSERT_EQ(frames.size(), 2u);
  Frame whole;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto view = ipv4::View::parse(Bytes(frames[i]).subspan(14));
    ASSERT_TRUE(view);
    EXPECT_TRUE(view->has_good_checksum());
    EXPECT_EQ(view->offset(), whole.size());
    EXPECT_EQ(view->more_fragments(), i == 0);
    EXPECT_EQ(view->identification(), 99);
    EXPECT_LE(view->total_length(), 1400);
    EXPECT_EQ(view->header_size(), i == 0 ? 32u : 24u);
    whole.insert(whole.end(), view->payload().begin(), view->payload().end());
  }
  EXPECT_EQ(whole, payload);
}

TEST_F(Router, TooLongWithDfOrIPv6IsReportedWithTheNextMtu) {
  // RFC 1812 5.2.5 [RFC1812-5.2.5-a], RFC 4443 3.2
  ipv4::Header header = v4_header("10.0.0.9", "10.0.1.7", protocol::udp);
  header.dont_fragment = true;
  v4(header, Frame(1460));
  auto error = take_icmp();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, 3);
  EXPECT_EQ(error->code, 4);
  EXPECT_EQ(error->rest, 1400u);
  EXPECT_EQ(error->source, ip("10.0.0.1"));
  // RFC 1812 4.3.2.5 [RFC1812-4.3.2.5-a]
  EXPECT_EQ(error->traffic_class, 0xc0);
  v6(v6_header("2001:db8::9", "2001:db8:1::7", protocol::udp), Frame(1440));
  error = take_icmp();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, icmp::v6::packet_too_big);
  EXPECT_EQ(error->rest, 1400u);
}

TEST_F(Router, NeverForwardsWhatMustStayOnItsLink) {
  // RFC 1812 5.3.4 [RFC1812-5.3.4-a], 5.3.5.1 [RFC1812-5.3.5.1-a], 5.3.5.2 [RFC1812-5.3.5.2-a],
  // 5.3.7 [RFC1812-5.3.7-a], 4.2.3.1 [RFC1812-4.2.3.1-a], 5.2.3 [RFC1812-5.2.3-a],
  // RFC 3927 7 [RFC3927-7-a], 2.7 [RFC3927-2.7-a], RFC 4291 2.5.6 [RFC4291-2.5-a]
  v4(v4_header("10.0.0.9", "10.0.1.7"), echo_v4(), MacAddress::broadcast());
  for (const char* to : {"255.255.255.255", "10.0.1.255", "10.0.1.0", "0.0.0.0", "127.0.0.1",
                         "224.1.1.1", "240.0.0.1", "169.254.1.1"}) {
    v4(v4_header("10.0.0.9", to, protocol::udp), udp("10.0.0.9", to));
  }
  for (const char* from : {"169.254.1.1", "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0",
                           "0.0.0.5", "240.0.0.1", "10.0.1.255"}) {
    v4(v4_header(from, "10.0.1.7", protocol::udp), udp(from, "10.0.1.7"));
  }
  v6(v6_header("fe80::9", "2001:db8:1::7", protocol::udp), Frame(8));
  v6(v6_header("2001:db8::9", "fe80::107", protocol::udp), Frame(8));
  v6(v6_header("2001:db8::9", "ff05::1", protocol::udp), Frame(8));
  v6(v6_header("::1", "2001:db8:1::7", protocol::udp), Frame(8));
  EXPECT_EQ(count(), 0u);
}

TEST_F(Router, SourceRoutesAreNotFollowedAndUnknownOptionsPassUnchanged) {
  // RFC 1812 5.3.13 [RFC1812-5.3.13-a], [RFC1122-3.3.5-a]
  const Frame unknown = {0x99, 4, 1, 2};
  ipv4::Header header = v4_header("10.0.0.9", "10.0.1.7");
  header.options = unknown;
  v4(header, echo_v4());
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  const auto view = ipv4::View::parse(Bytes(frames[0]).subspan(14));
  EXPECT_EQ(Frame(view->options().begin(), view->options().end()), unknown);
  const Frame route = {131, 7, 4, 10, 0, 1, 9, 0};
  header.options = route;
  v4(header, echo_v4());
  const auto error = take_icmp();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, 3);
  EXPECT_EQ(error->code, 5);
}

TEST_F(Router, RedirectsANeighbourThatCouldHaveGoneDirectly) {
  // RFC 1812 5.2.7.2 [RFC1812-5.2.7.2-a]
  stack.add_route({net("192.0.2.0/24"), ip("10.0.0.9"), eth, 0});
  v4(v4_header("10.0.0.8", "192.0.2.1"), echo_v4());
  std::size_t redirects = 0;
  for (const Frame& frame : run_for(10_ms)) {
    const auto seen = icmp_of(frame);
    if (seen && seen->type == icmp::v4::redirect) ++redirects;
  }
  // 10.0.0.8 is not known yet: the redirect waits for its ARP reply.
  arp(arp::Operation::reply, "10.0.0.8", peer_mac, "10.0.0.1");
  for (const Frame& frame : take()) {
    const auto seen = icmp_of(frame);
    if (!seen || seen->type != icmp::v4::redirect) continue;
    EXPECT_EQ(seen->code, 1);
    EXPECT_EQ(seen->rest, ip("10.0.0.9").v4_number());
    ++redirects;
  }
  EXPECT_EQ(redirects, 1u);
  // Not to one of another network.
  v4(v4_header("172.16.0.1", "192.0.2.1"), echo_v4());
  for (const Frame& frame : take()) {
    const auto seen = icmp_of(frame);
    EXPECT_FALSE(seen && seen->type == icmp::v4::redirect);
  }
}

TEST_F(Router, GatewayThatIsDeadIsReplacedByTheNext) {
  // [RFC1122-3.3.1.4-a], [RFC1122-3.3.1.5-a]
  stack.add_route({net("0.0.0.0/0"), ip("10.0.1.88"), far, 1});
  stack.add_route({net("0.0.0.0/0"), ip("10.0.1.7"), far, 2});
  v4(v4_header("10.0.0.9", "192.0.2.1"), echo_v4());
  run_for(4_s);
  v4(v4_header("10.0.0.9", "192.0.2.1"), echo_v4());
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(ethernet::View::parse(frames[0])->destination(), far_mac);
}

}  // namespace
}  // namespace lanyard::stack::test
