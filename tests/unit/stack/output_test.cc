// SPDX-License-Identifier: Apache-2.0
// What a machine sends by itself, and how errors about it come back.
#include <set>

#include "lone_host.hh"
#include "transport/udp.hh"

namespace lanyard::stack::test {
namespace {

class Sender : public LoneHost {
 protected:
  explicit Sender(const Config& config = host_config()) : LoneHost(config) {
    introduce();
    stack.add_route({net("0.0.0.0/0"), ip("10.0.0.9"), eth, 0});
    stack.add_route({net("::/0"), ip("fe80::9"), eth, 0});
  }
  // The IPv4 packet that sending this gives; the one frame there must be.
  ipv4::View sent_v4(std::string_view to, bool may_fragment = true, std::size_t bytes = 8) {
    internet::Datagram datagram;
    datagram.destination = ip(to);
    datagram.may_fragment = may_fragment;
    datagram.packet = Packet::copy_of(Frame(bytes));
    EXPECT_TRUE(stack.send(now, std::move(datagram)));
    frames = take();
    return ipv4::View::parse(Bytes(frames.at(0)).subspan(14)).value();
  }
  std::vector<Frame> frames;
};

TEST_F(Sender, HeadersAreAsTheStandardWants) {
  // [RFC1122-3.2.1.7-a], [RFC1122-3.2.1.7-c], [RFC1122-2.3.1-a], [RFC1122-3.2.1.8-e],
  // [RFC1122-3.2.1.3-d]
  const auto view = sent_v4("192.0.2.1");
  EXPECT_EQ(view.ttl(), 64);
  EXPECT_TRUE(view.options().empty());
  EXPECT_EQ(view.source(), ip("10.0.0.1"));
  EXPECT_TRUE(view.has_good_checksum());
  EXPECT_EQ(load16(frames[0].data() + 12), 0x0800);
}

class ZeroTtl : public Sender {
 protected:
  static Config config() {
    Config config;
    config.internet.default_hop_limit = 0;
    return config;
  }
  ZeroTtl() : Sender(config()) {}
};

TEST_F(ZeroTtl, IsNeverSentWhateverIsConfigured) {
  // [RFC1122-3.2.1.7-a]
  EXPECT_EQ(sent_v4("192.0.2.1").ttl(), 1);
}

TEST_F(Sender, IdentificationsOfFragmentableDatagramsDoNotComeBackSoon) {
  // [RFC1122-3.2.1.5-a], RFC 6864 4 [RFC6864-4-b]
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 60'000; ++i) {
    ASSERT_TRUE(seen.insert(sent_v4("192.0.2.1").identification()).second) << i;
  }
}

TEST_F(Sender, IdentificationOfAnAtomicDatagramSaysNothingAndIsNotRead) {
  // RFC 6864 4.1 [RFC6864-4-a]
  EXPECT_TRUE(sent_v4("192.0.2.1", false).dont_fragment());
  EXPECT_EQ(sent_v4("192.0.2.1", false).identification(), 0);
  for (int i = 0; i < 3; ++i) {
    ipv4::Header header = v4_header();
    header.identification = 7;
    header.dont_fragment = true;
    v4(header, echo_v4());
    EXPECT_TRUE(take_icmp());
  }
}

TEST_F(Sender, LinkLocalNeverGoesToARouter) {
  // RFC 3927 2.6.2 [RFC3927-2.6.2-a]
  EXPECT_EQ(stack.network().find(ip("169.254.1.1"), ip("0.0.0.0"), 0).error(),
            Errno::network_unreachable);
  stack.add_address(now, eth, net("169.254.7.7/16"));
  EXPECT_TRUE(stack.network().find(ip("169.254.1.1"), ip("0.0.0.0"), 0));
  EXPECT_EQ(stack.network().find(ip("192.0.2.1"), ip("169.254.7.7"), 0).error(),
            Errno::network_unreachable);
}

TEST_F(Sender, SolicitedNodeGroupIsLeftWithTheLastAddressThatMapsToIt) {
  // RFC 4861 7.2.1 [RFC4861-7.2.1-a]
  const auto answers = [&](std::string_view target) {
    ndp::Message message;
    message.type = ndp::Type::neighbour_solicitation;
    message.target = ip(target);
    message.options.source_link_address = peer_mac;
    ndp(message, "2001:db8::9", "ff02::1:ff00:1");
    return count() == 1;
  };
  EXPECT_TRUE(answers("2001:db8::1"));
  stack.remove_address(now, eth, ip("fe80::1"));
  EXPECT_TRUE(answers("2001:db8::1"));
  stack.remove_address(now, eth, ip("2001:db8::1"));
  EXPECT_FALSE(answers("2001:db8::1"));
  EXPECT_EQ(drops(DropReason::not_local), 1u);
}

// A connected UDP socket about whose datagrams the test complains.
class Complaints : public Sender {
 protected:
  Complaints() {
    socket4 = open(Family::ipv4, "192.0.2.1");
    socket6 = open(Family::ipv6, "2001:db8:9::1");
  }
  udp::SocketId open(Family family, std::string_view to) {
    const auto socket = stack.udp().open(family, 1);
    udp::Options options = stack.udp().options(socket);
    options.receives_errors = true;
    stack.udp().set_options(socket, options);
    EXPECT_TRUE(stack.udp().connect(socket, {ip(to), 53, 0}));
    EXPECT_TRUE(stack.udp().send(now, socket, bytes_of("question")));
    stack.flush(now);
    const auto sent = take();
    EXPECT_EQ(sent.size(), 1u);
    quoted[socket] = {sent.at(0).begin() + 14, sent.at(0).end()};
    return socket;
  }
  std::optional<udp::QueuedError> complain(udp::SocketId socket, std::uint8_t type,
                                           std::uint8_t code, std::uint32_t rest = 0) {
    Packet packet = Packet::copy_of(quoted[socket]);
    if (socket == socket4) {
      icmp::Header{type, code, rest}.push_onto_v4(packet);
      v4(v4_header("192.0.2.254"), packet.front());
    } else {
      icmp::Header{type, code, rest}.push_onto_v6(packet, ip("2001:db8:9::ff"), ip("2001:db8::1"));
      v6(v6_header("2001:db8:9::ff"), packet.front());
    }
    const auto error = stack.udp().take_queued_error(socket);
    static_cast<void>(stack.udp().take_error(socket));
    EXPECT_EQ(count(), 0u);
    return error;
  }
  udp::SocketId socket4{}, socket6{};
  std::map<udp::SocketId, Frame> quoted;
};

TEST_F(Complaints, EveryErrorReachesTheSocketItIsAbout) {
  // [RFC1122-3.2.2-c], [RFC1122-3.2.2.1-b], [RFC1122-3.2.2.4-a], [RFC1122-3.2.2.5-a],
  // [RFC1122-4.1.3.3-a], RFC 4443 3.1 [RFC4443-3.1-b], 2.4 (a) [RFC4443-2.4-a]
  const std::vector<std::tuple<std::uint8_t, std::uint8_t, Errno>> v4_rows = {
      {3, 0, Errno::network_unreachable}, {3, 1, Errno::host_unreachable},
      {3, 2, Errno::no_such_option},      {3, 3, Errno::connection_refused},
      {3, 5, Errno::not_supported},       {3, 13, Errno::host_unreachable},
      {11, 0, Errno::host_unreachable},   {11, 1, Errno::host_unreachable},
      {12, 0, Errno::protocol_error},
  };
  for (const auto& [type, code, error] : v4_rows) {
    const auto queued = complain(socket4, type, code);
    ASSERT_TRUE(queued) << int{type} << ' ' << int{code};
    EXPECT_EQ(queued->error, error) << int{type} << ' ' << int{code};
    EXPECT_EQ(queued->reporter, ip("192.0.2.254"));
  }
  const std::vector<std::tuple<std::uint8_t, std::uint8_t, Errno>> v6_rows = {
      {1, 0, Errno::network_unreachable}, {1, 3, Errno::host_unreachable},
      {1, 4, Errno::connection_refused},  {3, 0, Errno::host_unreachable},
      {4, 1, Errno::protocol_error},      {100, 0, Errno::protocol_error},
  };
  for (const auto& [type, code, error] : v6_rows) {
    const auto queued = complain(socket6, type, code);
    ASSERT_TRUE(queued) << int{type} << ' ' << int{code};
    EXPECT_EQ(queued->error, error) << int{type} << ' ' << int{code};
  }
}

TEST_F(Complaints, UnreachableHostAndNetworkAreHintsAndChangeNoRoute) {
  // [RFC1122-3.2.2.1-c]
  for (const std::uint8_t code : std::initializer_list<std::uint8_t>{0, 1, 5}) {
    complain(socket4, 3, code);
  }
  EXPECT_TRUE(stack.network().find(ip("192.0.2.1"), ip("0.0.0.0"), 0));
  EXPECT_FALSE(internet::meaning_of(internet::IcmpError::Kind::host_unreachable).is_hard);
  EXPECT_FALSE(internet::meaning_of(internet::IcmpError::Kind::network_unreachable).is_hard);
  EXPECT_FALSE(internet::meaning_of(internet::IcmpError::Kind::source_route_failed).is_hard);
}

TEST_F(Complaints, SourceQuenchIsIgnored) {
  // [RFC1122-3.2.2.3-a], RFC 6633 [RFC6633-2-a]
  EXPECT_FALSE(complain(socket4, 4, 0));
}

TEST_F(Sender, RepliesComeFromTheAddressThatWasAsked) {
  // [RFC1122-3.3.4.2-a], RFC 4443 2.2 [RFC4443-2.2-a]
  stack.add_address(now, eth, net("10.0.0.2/24"));
  stack.add_address(now, eth, net("2001:db8::2/64"));
  v4(v4_header("10.0.0.9", "10.0.0.2", protocol::udp), udp("10.0.0.9", "10.0.0.2"));
  EXPECT_EQ(take_icmp()->source, ip("10.0.0.2"));
  v6(v6_header("2001:db8::9", "2001:db8::2", protocol::udp), udp("2001:db8::9", "2001:db8::2"));
  EXPECT_EQ(take_icmp()->source, ip("2001:db8::2"));
}

TEST_F(Sender, HostNeverRedirects) {
  // RFC 4861 8.3 [RFC4861-8.3-b], [RFC1122-3.2.2.2-a]
  v4(v4_header("10.0.0.9", "192.0.2.1"), echo_v4());
  v6(v6_header("2001:db8::9", "2001:db8:9::1"), echo_v6("2001:db8::9", "2001:db8:9::1"));
  EXPECT_EQ(count(), 0u);
}

TEST_F(Sender, TransportLearnsHowMuchItMaySend) {
  // [RFC1122-3.3.2-c], [RFC1122-3.3.3-a]
  EXPECT_EQ(stack.network().find(ip("192.0.2.1"), ip("0.0.0.0"), 0)->mtu, 1500u);
  EXPECT_EQ(stack.network().find(ip("127.0.0.1"), ip("0.0.0.0"), 0)->mtu, 65535u);
}

// Two interfaces: eth is 10.0.0.1, other is 10.0.1.1.
class TwoHomes : public Sender {
 protected:
  explicit TwoHomes(bool strong = false) : Sender(config(strong)) {
    InterfaceConfig interface = interface_config();
    interface.name = "eth1";
    other = stack.add_interface(interface);
    stack.add_address(now, other, net("10.0.1.1/24"));
    stack.add_address(now, other, net("2001:db8:1::1/64"));
  }
  static Config config(bool strong) {
    Config config;
    config.internet.strong_host = strong;
    return config;
  }
  std::uint32_t other = 0;
};
class StrongHost : public TwoHomes {
 protected:
  StrongHost() : TwoHomes(true) {}
};

TEST_F(TwoHomes, WeakHostAnswersForItsOtherAddress) {
  // [RFC1122-3.3.4.2-c]
  v4(v4_header("10.0.0.9", "10.0.1.1"), echo_v4());
  EXPECT_EQ(take_icmp()->source, ip("10.0.1.1"));
}

TEST_F(StrongHost, DoesNot) {
  // [RFC1122-3.3.4.2-c]
  v4(v4_header("10.0.0.9", "10.0.1.1"), echo_v4());
  v6(v6_header("2001:db8::9", "2001:db8:1::1"), echo_v6("2001:db8::9", "2001:db8:1::1"));
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(drops(DropReason::not_local), 2u);
  EXPECT_EQ(stack.network().find(ip("192.0.2.1"), ip("10.0.1.1"), 0).error(),
            Errno::network_unreachable);
}

class CheckingRouter : public LoneHost {
 protected:
  static Config config() {
    Config config = router_config();
    config.internet.checks_reverse_path = true;
    return config;
  }
  CheckingRouter() : LoneHost(config()) {
    InterfaceConfig interface = interface_config();
    interface.name = "eth1";
    const auto other = stack.add_interface(interface);
    stack.add_address(now, other, net("10.0.1.1/24"));
    stack.add_address(now, other, net("2001:db8:1::1/64"));
  }
};

TEST_F(CheckingRouter, DropsSourcesThatLiveElsewhere) {
  // RFC 1812 5.3.8 [RFC1812-5.3.8-a]
  v4(v4_header("10.0.1.9", "10.0.1.7", protocol::udp), udp("10.0.1.9", "10.0.1.7"));
  v4(v4_header("192.0.2.1", "10.0.1.7", protocol::udp), udp("192.0.2.1", "10.0.1.7"));
  v6(v6_header("2001:db8:1::9", "2001:db8:1::7", protocol::udp), Frame(8));
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(drops(DropReason::filtered), 3u);
  v4(v4_header("10.0.0.9", "10.0.1.7", protocol::udp), udp("10.0.0.9", "10.0.1.7"));
  EXPECT_EQ(count(), 1u);  // the ARP request for 10.0.1.7
}

}  // namespace
}  // namespace lanyard::stack::test
