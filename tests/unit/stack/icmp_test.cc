// SPDX-License-Identifier: Apache-2.0
#include "lone_host.hh"

namespace lanyard::stack::test {
namespace {

class IcmpHost : public LoneHost {
 protected:
  IcmpHost() { introduce(); }
};

TEST_F(IcmpHost, EchoIsAnsweredFromTheAddressItWasSentToWithAllItsData) {
  // [RFC1122-3.2.2.6-a], [RFC1122-3.2.2.6-b], [RFC1122-3.2.2.6-c], RFC 4443 4.1 [RFC4443-4.1-a]
  v4(v4_header(), echo_v4(1000));
  auto reply = take_icmp();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->source, ip("10.0.0.1"));
  EXPECT_EQ(reply->rest, 77u << 16 | 1);
  EXPECT_EQ(reply->body, Frame(1000, 0x5a));
  v6(v6_header(), echo_v6("2001:db8::9", "2001:db8::1", 1000));
  reply = take_icmp();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->source, ip("2001:db8::1"));
  EXPECT_EQ(reply->type, icmp::v6::echo_reply);
  EXPECT_EQ(reply->body, Frame(1000, 0x5a));
}

TEST_F(IcmpHost, EchoToAllIsNotAnsweredOverIPv4AndFromAUnicastAddressOverIPv6) {
  // [RFC1122-3.2.2.6-d], BI-35, RFC 4443 4.2 [RFC4443-4.2-a]
  for (const char* all : {"255.255.255.255", "10.0.0.255", "224.0.0.1"}) {
    v4(v4_header("10.0.0.9", all), echo_v4(), MacAddress::broadcast());
    v4(v4_header("10.0.0.9", all), echo_v4());
  }
  EXPECT_EQ(count(), 0u);
  v6(v6_header("2001:db8::9", "ff02::1"), echo_v6("2001:db8::9", "ff02::1"));
  const auto reply = take_icmp();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->source, ip("2001:db8::1"));
}

TEST_F(IcmpHost, MessagesWithWrongChecksumsOrTooShortAreDropped) {
  // BI-29, BI-30, BI-31
  Frame echo = echo_v4();
  echo[9] ^= 1;
  v4(v4_header(), echo);
  for (std::size_t size = 0; size < 8; ++size) {
    v4(v4_header(), Bytes(echo_v4()).first(size));
    v6(v6_header(), Bytes(echo_v6()).first(size));
  }
  echo = echo_v6();
  echo[9] ^= 1;
  v6(v6_header(), echo);
  EXPECT_EQ(drops(DropReason::bad_icmp), 18u);
  EXPECT_EQ(count(), 0u);
  // An IPv6 payload length larger than the frame.
  Frame packet = v6_packet(v6_header(), echo_v6());
  store16(&packet[4], 1000);
  give(framed(ethernet::Type::ipv6, packet));
  EXPECT_EQ(drops(DropReason::bad_total_length), 1u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(IcmpHost, UnknownTypesAndObsoleteQuestionsAreIgnored) {
  // [RFC1122-3.2.2-a], [RFC1122-3.2.2.7-a], [RFC1122-3.2.2.9-a], [RFC1122-3.2.2.3-a],
  // RFC 6633 [RFC6633-2-a], RFC 4443 2.4 (b) [RFC4443-2.4-b]
  for (const std::uint8_t type :
       std::initializer_list<std::uint8_t>{1, 2, 7, 13, 15, 17, 40, 255}) {
    Packet packet = Packet::copy_of(Frame(20, 0));
    icmp::Header{type, 0, 0}.push_onto_v4(packet);
    v4(v4_header(), packet.front());
  }
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{150, 200, 255}) {
    Packet packet = Packet::copy_of(Frame(20, 0));
    icmp::Header{type, 0, 0}.push_onto_v6(packet, ip("2001:db8::9"), ip("2001:db8::1"));
    v6(v6_header(), packet.front());
  }
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(drops(DropReason::icmp_ignored), 11u);
}

TEST_F(IcmpHost, ClosedUdpPortIsPortUnreachableQuotingAsMuchAsFits) {
  // [RFC1122-3.2.2.1-a], [RFC1122-4.1.3.1-a], [RFC1122-3.2.2-b], [RFC1122-3.2.2-i],
  // RFC 1812 4.3.2.3 [RFC1812-4.3.2.3-a], RFC 4443 2.4 (c) [RFC4443-2.4-c], 3.1 [RFC4443-3.1-a]
  const ipv4::Header header = v4_header("10.0.0.9", "10.0.0.1", protocol::udp);
  const Frame payload = udp("10.0.0.9", "10.0.0.1", 9, 1200);
  v4(header, payload);
  auto error = take_icmp();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, icmp::v4::destination_unreachable);
  EXPECT_EQ(error->code, icmp::v4::port_unreachable);
  EXPECT_EQ(error->source, ip("10.0.0.1"));
  EXPECT_EQ(error->packet_size, 576u);
  EXPECT_EQ(error->traffic_class, 0);
  Frame whole = v4_packet(header, payload);
  whole.resize(576 - 28);
  EXPECT_EQ(error->body, whole);
  v6(v6_header("2001:db8::9", "2001:db8::1", protocol::udp),
     udp("2001:db8::9", "2001:db8::1", 9, 1400));
  error = take_icmp();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, icmp::v6::destination_unreachable);
  EXPECT_EQ(error->code, icmp::v6::port_unreachable);
  EXPECT_EQ(error->packet_size, 1280u);
}

TEST_F(IcmpHost, ErrorQuotesOptionsAsReceived) {
  // BI-10
  const Frame options = {7, 11, 4, 1, 2, 3, 4, 5, 6, 7, 8, 0};
  ipv4::Header header = v4_header("10.0.0.9", "10.0.0.1", protocol::udp);
  header.options = options;
  const Frame payload = udp();
  v4(header, payload);
  const auto error = take_icmp();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->body, v4_packet(header, payload));
}

TEST_F(IcmpHost, NoErrorIsSentAboutWhatMustNotCauseOne) {
  // [RFC1122-3.2.2-d], [RFC1122-3.2.2-e], [RFC1122-3.2.2-f], [RFC1122-3.2.2-g], [RFC1122-3.2.2-h],
  // RFC 1812 4.3.2.7 [RFC1812-4.3.2.7-a], RFC 4443 2.4 (e) [RFC4443-2.4-e], BI-35
  // To broadcast and multicast, IP or link.
  for (const char* all : {"255.255.255.255", "10.0.0.255", "224.0.0.1"}) {
    v4(v4_header("10.0.0.9", all, protocol::udp), udp("10.0.0.9", all), MacAddress::broadcast());
    v4(v4_header("10.0.0.9", all, protocol::udp), udp("10.0.0.9", all));
    v4(v4_header("10.0.0.9", all, 99), udp("10.0.0.9", all));
  }
  v6(v6_header("2001:db8::9", "ff02::1", protocol::udp), udp("2001:db8::9", "ff02::1"));
  v6(v6_header("2001:db8::9", "2001:db8::1", protocol::udp), udp("2001:db8::9", "2001:db8::1"),
     MacAddress::broadcast());
  // From nobody.
  v4(v4_header("0.0.0.0", "255.255.255.255", protocol::udp), udp("0.0.0.0", "255.255.255.255"));
  v6(v6_header("::", "ff02::1", protocol::udp), udp("::", "ff02::1"));
  // About an error: one that is malformed enough to be a problem itself.
  Packet inner = Packet::copy_of(v4_packet(v4_header("10.0.0.1", "10.0.0.9", 99), Frame(8)));
  icmp::Header{icmp::v4::destination_unreachable, 2, 0}.push_onto_v4(inner);
  v4(v4_header(), inner.front());
  EXPECT_EQ(count(), 0u);
}

TEST_F(IcmpHost, ErrorsAreRateLimited) {
  // RFC 4443 2.4 (f) [RFC4443-2.4-f], RFC 1812 4.3.2.8 [RFC1812-4.3.2.8-a]
  const auto burst = host_config().internet.icmp_errors_burst;
  for (int i = 0; i < 500; ++i) {
    v4(v4_header("10.0.0.9", "10.0.0.1", protocol::udp), udp());
  }
  EXPECT_EQ(count(), burst);
  now = now + 10_ms;
  for (int i = 0; i < 500; ++i) {
    v4(v4_header("10.0.0.9", "10.0.0.1", protocol::udp), udp());
  }
  EXPECT_EQ(count(), 10u);
}

class PathMtuHost : public IcmpHost {
 protected:
  PathMtuHost() {
    stack.add_route({net("0.0.0.0/0"), ip("10.0.0.9"), eth, 0});
    stack.add_route({net("::/0"), ip("fe80::9"), eth, 0});
  }
  // Fragmentation needed or packet too big about a datagram of ours of 1500 bytes.
  void too_big_v4(std::uint16_t mtu, std::string_view quoted_source = "10.0.0.1") {
    ipv4::Header quoted = v4_header(quoted_source, "192.0.2.1", protocol::udp);
    Packet packet = Packet::copy_of(Bytes(v4_packet(quoted, Frame(1480))).first(28));
    icmp::Header{3, 4, mtu}.push_onto_v4(packet);
    v4(v4_header("192.0.2.254"), packet.front());
  }
  void too_big_v6(std::uint32_t mtu) {
    const ipv6::Header quoted = v6_header("2001:db8::1", "2001:db8:9::1", protocol::udp);
    Packet packet = Packet::copy_of(Bytes(v6_packet(quoted, Frame(1460))).first(48));
    icmp::Header{icmp::v6::packet_too_big, 0, mtu}.push_onto_v6(packet, ip("2001:db8:9::ff"),
                                                                ip("2001:db8::1"));
    v6(v6_header("2001:db8:9::ff"), packet.front());
  }
  std::uint32_t mtu(std::string_view to) {
    return stack.network().find(ip(to), IpAddress::any(ip(to).family()), 0)->mtu;
  }
};

TEST_F(PathMtuHost, RouterReportsLowerThePathAndAbsurdOnesDoNot) {
  // RFC 1191 3 [RFC1191-3-a], RFC 8201 4 [RFC8201-4-a], RFC 4443 3.2 [RFC4443-3.2-a], BI-33
  EXPECT_EQ(mtu("192.0.2.1"), 1500u);
  too_big_v4(1400);
  EXPECT_EQ(mtu("192.0.2.1"), 1400u);
  EXPECT_EQ(mtu("192.0.2.2"), 1500u);
  too_big_v4(1);
  too_big_v4(67);
  too_big_v4(9000);
  EXPECT_EQ(mtu("192.0.2.1"), 1400u);
  too_big_v4(0);
  EXPECT_EQ(mtu("192.0.2.1"), 1006u);
  too_big_v4(68);
  EXPECT_EQ(mtu("192.0.2.1"), 552u);
  for (const std::uint32_t absurd : {0U, 1279U, 0xffffffffU}) too_big_v6(absurd);
  EXPECT_EQ(mtu("2001:db8:9::1"), 1500u);
  too_big_v6(1280);
  EXPECT_EQ(mtu("2001:db8:9::1"), 1280u);
}

TEST_F(PathMtuHost, ReportAboutAPacketThatIsNotOursIsIgnored) {
  // RFC 8201 4 [RFC8201-4-b], BI-31
  too_big_v4(1400, "10.0.0.77");
  EXPECT_EQ(mtu("192.0.2.1"), 1500u);
}

TEST_F(PathMtuHost, BelowTheFloorDatagramsMayBeFragmented) {
  // RFC 1191 3, BI-33
  too_big_v4(100);
  internet::Datagram datagram;
  datagram.destination = ip("192.0.2.1");
  datagram.may_fragment = false;
  datagram.packet = Packet::copy_of(Frame(500));
  ASSERT_TRUE(stack.send(now, std::move(datagram)));
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_FALSE(ipv4::View::parse(Bytes(frames[0]).subspan(14))->dont_fragment());
}

TEST_F(PathMtuHost, DatagramThatMayNotBeFragmentedIsRefusedLocally) {
  // RFC 791 3.2 [RFC791-3.2-a], [RFC1122-3.3.3-a], [RFC1122-3.3.3-b]
  too_big_v4(1400);
  for (const auto& [size, fits] : {std::pair{1380U, true}, std::pair{1381U, false}}) {
    internet::Datagram datagram;
    datagram.destination = ip("192.0.2.1");
    datagram.may_fragment = false;
    datagram.packet = Packet::copy_of(Frame(size));
    EXPECT_EQ(stack.send(now, std::move(datagram)).has_value(), fits) << size;
  }
}

TEST_F(PathMtuHost, ErrorsThatQuoteTooLittleOrNonsenseAreIgnored) {
  // BI-31
  const Frame quoted = v4_packet(v4_header("10.0.0.1", "192.0.2.1", protocol::udp), Frame(1480));
  for (std::size_t size = 0; size < 28; ++size) {
    Packet packet = Packet::copy_of(Bytes(quoted).first(size));
    icmp::Header{3, 4, 1400}.push_onto_v4(packet);
    v4(v4_header("192.0.2.254"), packet.front());
  }
  Frame bad = quoted;
  bad[0] = 0x42;
  bad.resize(28);
  Packet packet = Packet::copy_of(bad);
  icmp::Header{3, 4, 1400}.push_onto_v4(packet);
  v4(v4_header("192.0.2.254"), packet.front());
  EXPECT_EQ(mtu("192.0.2.1"), 1500u);
  EXPECT_EQ(drops(DropReason::bad_icmp), 29u);
}

TEST_F(PathMtuHost, RedirectOfTheFirstHopChangesTheRouteOfThatDestinationOnly) {
  // [RFC1122-3.2.2.2-b], [RFC1122-3.2.2.2-c], [RFC1122-3.2.2.2-a]
  const auto redirect = [&](std::string_view from, std::string_view gateway, std::uint8_t code) {
    Packet packet = Packet::copy_of(
        Bytes(v4_packet(v4_header("10.0.0.1", "192.0.2.1", protocol::udp), Frame(8))).first(28));
    icmp::Header{5, code, ip(gateway).v4_number()}.push_onto_v4(packet);
    v4(v4_header(from), packet.front());
  };
  const auto gateway_of = [&](std::string_view to) {
    return stack.network().routes().find(ip(to), 0)->gateway;
  };
  redirect("10.0.0.8", "10.0.0.7", 1);     // not the first hop
  redirect("10.0.0.9", "192.0.2.254", 1);  // not a neighbour
  redirect("10.0.0.9", "10.0.0.1", 1);     // ourselves
  EXPECT_EQ(gateway_of("192.0.2.1"), ip("10.0.0.9"));
  redirect("10.0.0.9", "10.0.0.7", 0);
  EXPECT_EQ(gateway_of("192.0.2.1"), ip("10.0.0.7"));
  EXPECT_EQ(gateway_of("192.0.2.2"), ip("10.0.0.9"));
}

}  // namespace
}  // namespace lanyard::stack::test
