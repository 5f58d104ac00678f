// SPDX-License-Identifier: Apache-2.0
#include "lone_host.hh"

namespace lanyard::stack::test {
namespace {

std::optional<ndp::View> ndp_of(const Frame& frame) {
  const auto outer = ethernet::View::parse(frame);
  if (!outer || outer->type() != ethernet::Type::ipv6) return std::nullopt;
  const auto view = ipv6::View::parse(outer->payload());
  if (!view || view->next_header() != protocol::icmpv6) return std::nullopt;
  const auto message = ndp::View::parse(view->payload());
  if (!message) return std::nullopt;
  return *message;
}

std::vector<Frame> of_type(const std::vector<Frame>& frames, ndp::Type type) {
  std::vector<Frame> found;
  for (const Frame& frame : frames) {
    const auto view = ndp_of(frame);
    if (view && view->type() == type) found.push_back(frame);
  }
  return found;
}

ipv6::View header_of(const Frame& frame) {
  return ipv6::View::parse(Bytes(frame).subspan(14)).value();
}

ndp::Message message_of(ndp::Type type, std::string_view target = "::") {
  ndp::Message message;
  message.type = type;
  message.target = ip(target);
  return message;
}

class Ndp : public LoneHost {
 protected:
  using LoneHost::LoneHost;
  ndp::Message solicitation(std::string_view target = "2001:db8::1") {
    ndp::Message message = message_of(ndp::Type::neighbour_solicitation, target);
    message.options.source_link_address = peer_mac;
    return message;
  }
};

TEST_F(Ndp, SolicitationIsAnsweredToTheAskerWhoIsStaleFromThenOn) {
  // RFC 4861 7.2.3 [RFC4861-7.2.3-b], 7.2.4 [RFC4861-7.2.4-a]
  ndp(solicitation(), "2001:db8::9", "ff02::1:ff00:1");
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  const auto view = ndp_of(frames[0]);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->type(), ndp::Type::neighbour_advertisement);
  EXPECT_TRUE(view->is_solicited());
  EXPECT_TRUE(view->is_override());
  EXPECT_FALSE(view->is_router());
  EXPECT_EQ(view->options().target_link_address, own_mac);
  EXPECT_EQ(header_of(frames[0]).destination(), ip("2001:db8::9"));
  EXPECT_EQ(header_of(frames[0]).source(), ip("2001:db8::1"));
  EXPECT_EQ(header_of(frames[0]).hop_limit(), 255);
  EXPECT_EQ(state_of("2001:db8::9"), "DELAY");  // STALE, and the answer was sent to it
}

TEST_F(Ndp, CheckByAnotherIsAnsweredToAllAndMakesNoEntry) {
  // RFC 4861 7.2.4 [RFC4861-7.2.4-a], 7.2.3 [RFC4861-7.2.3-a]
  ndp(message_of(ndp::Type::neighbour_solicitation, "2001:db8::1"), "::", "ff02::1:ff00:1");
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_FALSE(ndp_of(frames[0])->is_solicited());
  EXPECT_EQ(header_of(frames[0]).destination(), ip("ff02::1"));
  EXPECT_TRUE(stack.neighbours().empty());
}

TEST_F(Ndp, SolicitationsThatMayNotBeBelievedAreDropped) {
  // BI-39, RFC 4861 7.1.1 [RFC4861-7.1.1-a], 7.2.3 [RFC4861-7.2.3-a]
  ndp(solicitation(), "2001:db8::9", "2001:db8::1", 254);
  ndp(solicitation("ff02::1"), "2001:db8::9", "2001:db8::1");
  ndp(solicitation(), "::", "ff02::1:ff00:1");  // a check with a link-layer address
  ndp(message_of(ndp::Type::neighbour_solicitation, "2001:db8::1"), "::", "ff02::1");
  EXPECT_EQ(drops(DropReason::bad_ndp), 4u);
  Packet packet;
  solicitation().push_onto(packet, ip("2001:db8::9"), ip("2001:db8::1"));
  Frame bytes(packet.front().begin(), packet.front().end());
  const auto give_changed = [&](std::size_t at, std::uint8_t value, bool fix) {
    Frame changed = bytes;
    changed[at] = value;
    if (fix) {
      store16(&changed[2], 0);
      const PseudoHeader pseudo{ip("2001:db8::9"), ip("2001:db8::1"), protocol::icmpv6};
      store16(&changed[2], transport_checksum(pseudo, changed));
    }
    v6(v6_header("2001:db8::9", "2001:db8::1", protocol::icmpv6, 255), changed);
  };
  give_changed(1, 1, true);    // code
  give_changed(9, 77, false);  // checksum
  give_changed(25, 0, true);   // option of length zero: BI-38 [RFC4861-4.6-a]
  give_changed(25, 2, true);   // option past the end: BI-38
  EXPECT_EQ(drops(DropReason::bad_ndp), 8u);
  ndp(solicitation("2001:db8::77"), "2001:db8::9", "ff02::1:ff00:1");
  EXPECT_EQ(drops(DropReason::not_for_us), 1u);
  EXPECT_EQ(count(), 0u);
  EXPECT_TRUE(stack.neighbours().empty());
}

TEST_F(Ndp, AdvertisementsThatMayNotBeBelievedAreDropped) {
  // BI-39, RFC 4861 7.1.2 [RFC4861-7.1.2-a], 7.2.5 [RFC4861-7.2.5-a]
  ndp(solicitation(), "2001:db8::9", "2001:db8::1");
  take();
  ndp::Message message = message_of(ndp::Type::neighbour_advertisement, "2001:db8::9");
  message.is_override = true;
  message.options.target_link_address = {{2, 0, 0, 0, 0, 7}};
  ndp(message, "2001:db8::9", "2001:db8::1", 254);
  message.is_solicited = true;
  ndp(message, "2001:db8::9", "ff02::1");
  EXPECT_EQ(mac_of("2001:db8::9"), peer_mac);
  message.target = ip("2001:db8::55");
  ndp(message, "2001:db8::55", "2001:db8::1");
  EXPECT_EQ(state_of("2001:db8::55"), "none");
  message.target = ip("2001:db8::9");
  ndp(message, "2001:db8::9", "2001:db8::1");
  EXPECT_EQ(state_of("2001:db8::9"), "REACHABLE");
  EXPECT_NE(mac_of("2001:db8::9"), peer_mac);
}

class SlaacHost : public Ndp {
 protected:
  static InterfaceConfig config() {
    InterfaceConfig config = interface_config();
    config.makes_link_local = true;
    return config;
  }
  SlaacHost() : Ndp(host_config(), config(), false) {}
  static constexpr const char* own_link_local = "fe80::ff:fe00:1";
  // An advertisement of fe80::9 with one prefix.
  static ndp::Message advertisement(std::uint16_t lifetime_s = 1800) {
    ndp::Message message = message_of(ndp::Type::router_advertisement);
    message.router_lifetime_s = lifetime_s;
    message.options.source_link_address = peer_mac;
    return message;
  }
  static ndp::PrefixInformation prefix(std::string_view text = "2001:db8:5::/64",
                                       std::uint32_t valid = 86400,
                                       std::uint32_t preferred = 14400) {
    ndp::PrefixInformation information;
    information.prefix = net(text);
    information.is_on_link = true;
    information.is_autonomous = true;
    information.valid_lifetime_s = valid;
    information.preferred_lifetime_s = preferred;
    return information;
  }
  void hear(const ndp::Message& message, std::uint8_t hop_limit = 255,
            std::string_view from = "fe80::9") {
    ndp(message, from, "ff02::1", hop_limit);
    take();
  }
  bool has(std::string_view address) { return stack.network().is_own_address(ip(address), 0); }
  const internet::NextHop* route(std::string_view to) {
    return stack.network().routes().find(ip(to), 0);
  }
};

TEST_F(SlaacHost, MakesItsLinkLocalAddressAndAsksForRoutersThreeTimesThenMoreSlowly) {
  // RFC 4862 5.3 [RFC4862-5.3-a], RFC 4861 6.3.7 [RFC4861-6.3.7-a], RFC 7559
  EXPECT_TRUE(has(own_link_local));
  const auto first = run_for(1_s);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(header_of(first[0]).destination(), ip("ff02::2"));
  EXPECT_EQ(header_of(first[0]).source(), ip(own_link_local));
  EXPECT_EQ(run_for(8_s).size(), 2u);
  EXPECT_EQ(run_for(6_s).size(), 0u);
  EXPECT_LT(run_for(Duration::seconds(86400)).size(), 40u);
}

TEST_F(SlaacHost, TakesRouterPrefixAddressAndParametersFromAnAdvertisement) {
  // RFC 4861 6.3.4 [RFC4861-6.3.4-a], [RFC4861-6.3.4-b], [RFC4861-6.3.4-c], [RFC4861-6.3.4-d],
  // [RFC4861-6.3.4-e]
  ndp::Message message = advertisement();
  message.current_hop_limit = 33;
  message.options.mtu = 1400;
  message.options.prefixes = {prefix()};
  hear(message);
  EXPECT_TRUE(has("2001:db8:5::ff:fe00:1"));
  EXPECT_EQ(route("2001:db8:9::1")->gateway, ip("fe80::9"));
  EXPECT_TRUE(route("2001:db8:5::77")->is_on_link());
  EXPECT_EQ(state_of("fe80::9"), "STALE");
  EXPECT_TRUE(of_type(run_for(60_s), ndp::Type::router_solicitation).empty());
  internet::Datagram datagram;
  datagram.destination = ip("2001:db8:9::1");
  datagram.packet = Packet::copy_of(Frame(8));
  ASSERT_TRUE(stack.send(now, std::move(datagram)));
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(header_of(frames[0]).hop_limit(), 33);
  EXPECT_EQ(header_of(frames[0]).source(), ip("2001:db8:5::ff:fe00:1"));
  EXPECT_EQ(stack.network().find(ip("2001:db8:9::1"), ip("::"), 0)->mtu, 1400u);
}

TEST_F(SlaacHost, RouterGoesWithItsLifetimeOrAtOnceWithZero) {
  // RFC 4861 6.3.4 [RFC4861-6.3.4-a], 6.3.5 [RFC4861-6.3.5-a]
  hear(advertisement(100));
  run_for(99_s);
  EXPECT_NE(route("2001:db8:9::1"), nullptr);
  run_for(1_s);
  EXPECT_EQ(route("2001:db8:9::1"), nullptr);
  hear(advertisement(100));
  hear(advertisement(100), 255, "fe80::8");
  hear(advertisement(0));
  EXPECT_EQ(route("2001:db8:9::1")->gateway, ip("fe80::8"));
}

TEST_F(SlaacHost, AdvertisementsThatMayNotBeBelievedAreDropped) {
  // BI-39, RFC 4861 6.1.2 [RFC4861-6.1.2-a]
  hear(advertisement(), 254);
  hear(advertisement(), 255, "2001:db8::9");
  EXPECT_EQ(drops(DropReason::bad_ndp), 2u);
  EXPECT_EQ(route("2001:db8:9::1"), nullptr);
}

TEST_F(SlaacHost, OptionsOutOfTheirRangeAreIgnored) {
  // BI-38, RFC 4862 5.5.3 [RFC4862-5.5.3-a], RFC 4861 4 [RFC4861-4-a]
  ndp::Message message = advertisement();
  message.options.prefixes = {prefix("fe80::/64"), prefix("2001:db8:6::/64", 100, 200),
                              prefix("2001:db8:7::/48")};
  message.options.prefixes.push_back(prefix("2001:db8:8::/64", 0, 0));
  for (const std::uint32_t mtu : {0U, 1279U, 1501U, 0xffffffffU}) {
    message.options.mtu = mtu;
    hear(message);
  }
  EXPECT_FALSE(has("2001:db8:6::ff:fe00:1"));
  EXPECT_FALSE(has("2001:db8:7::ff:fe00:1"));
  EXPECT_FALSE(has("2001:db8:8::ff:fe00:1"));
  EXPECT_EQ(stack.network().find(ip("2001:db8:9::1"), ip("::"), 0)->mtu, 1500u);
  EXPECT_EQ(stack.interface(eth)->addresses.size(), 1u);
}

TEST_F(SlaacHost, DnsOptionsOfWrongLengthDoNoHarm) {
  // BI-37
  Packet packet;
  advertisement().push_onto(packet, ip("fe80::9"), ip("ff02::1"));
  const Frame base(packet.front().begin(), packet.front().end());
  for (const int length : {1, 2, 4, 6, 255}) {
    Frame bytes = base;
    bytes.push_back(25);
    bytes.push_back(static_cast<std::uint8_t>(length));
    bytes.resize(base.size() + 24, 0x11);
    store16(&bytes[2], 0);
    const PseudoHeader pseudo{ip("fe80::9"), ip("ff02::1"), protocol::icmpv6};
    store16(&bytes[2], transport_checksum(pseudo, bytes));
    v6(v6_header("fe80::9", "ff02::1", protocol::icmpv6, 255), bytes);
  }
  EXPECT_EQ(count(), 0u);
}

TEST_F(SlaacHost, ValidLifetimeIsNotCutBelowTwoHoursAtOnce) {
  // RFC 4862 5.5.3 e) [RFC4862-5.5.3-b]
  ndp::Message message = advertisement();
  message.options.prefixes = {prefix("2001:db8:5::/64", 86400, 86400)};
  hear(message);
  message.options.prefixes = {prefix("2001:db8:5::/64", 10, 10)};
  hear(message);
  run_for(7100_s);
  EXPECT_TRUE(has("2001:db8:5::ff:fe00:1"));
  run_for(200_s);
  EXPECT_FALSE(has("2001:db8:5::ff:fe00:1"));
}

TEST_F(SlaacHost, DeprecatedAddressIsAcceptedButNotChosen) {
  // RFC 4862 5.5.4 [RFC4862-5.5.4-a]
  ndp::Message message = advertisement();
  message.options.prefixes = {prefix("2001:db8:5::/64", 90000, 100),
                              prefix("2001:db8:6::/64", 90000, 90000)};
  hear(message);
  const auto source = [&] {
    return stack.network().find(ip("2001:db8:5::77"), ip("::"), 0)->source;
  };
  EXPECT_EQ(source(), ip("2001:db8:5::ff:fe00:1"));
  run_for(101_s);
  EXPECT_EQ(source(), ip("2001:db8:6::ff:fe00:1"));
  EXPECT_TRUE(has("2001:db8:5::ff:fe00:1"));
}

TEST_F(SlaacHost, RedirectOfTheFirstHopIsTakenAndOthersAreNot) {
  // RFC 4861 8.1 [RFC4861-8.1-a], 8.3 [RFC4861-8.3-a], BI-39
  ndp::Message ra = advertisement();
  ra.options.prefixes = {prefix()};
  hear(ra);
  const auto redirect = [&](std::string_view from, std::string_view target,
                            std::string_view destination, std::uint8_t hop_limit = 255) {
    ndp::Message message = message_of(ndp::Type::redirect, target);
    message.destination = ip(destination);
    message.options.target_link_address = {{2, 0, 0, 0, 0, 8}};
    ndp(message, from, "2001:db8:5::ff:fe00:1", hop_limit);
  };
  redirect("fe80::8", "fe80::8", "2001:db8:9::1");        // not the first hop
  redirect("fe80::9", "fe80::8", "2001:db8:9::1", 254);   // from afar
  redirect("fe80::9", "2001:db8:7::1", "2001:db8:9::1");  // no neighbour
  redirect("fe80::9", "fe80::8", "ff05::1");              // a group
  EXPECT_EQ(route("2001:db8:9::1")->gateway, ip("fe80::9"));
  redirect("fe80::9", "fe80::8", "2001:db8:9::1");
  EXPECT_EQ(route("2001:db8:9::1")->gateway, ip("fe80::8"));
  EXPECT_EQ(state_of("fe80::8"), "STALE");
  redirect("fe80::9", "2001:db8:9::2", "2001:db8:9::2");
  EXPECT_TRUE(route("2001:db8:9::2")->is_on_link());
}

TEST_F(SlaacHost, RouterThatDoesNotAnswerIsPassedOverForAnother) {
  // RFC 4861 6.3.6 [RFC4861-6.3.6-a], 7.3.3 [RFC4861-7.3.3-a], [RFC1122-3.3.1.5-a]
  hear(advertisement());
  hear(advertisement(), 255, "fe80::8");
  const IpAddress first = route("2001:db8:9::1")->gateway;
  internet::Datagram datagram;
  datagram.destination = ip("2001:db8:9::1");
  datagram.packet = Packet::copy_of(Frame(8));
  datagram.source = ip(own_link_local);
  static_cast<void>(stack.send(now, std::move(datagram)));
  internet::Datagram other;
  other.destination = ip("2001:db8:9::1");
  other.packet = Packet::copy_of(Frame(8));
  static_cast<void>(stack.send(now, std::move(other)));
  const auto solicitations = of_type(run_for(9_s), ndp::Type::neighbour_solicitation);
  EXPECT_EQ(solicitations.size(), 3u);
  EXPECT_NE(route("2001:db8:9::1")->gateway, first);
}

TEST_F(SlaacHost, HostIgnoresRouterSolicitations) {
  // RFC 4861 6.1.1 [RFC4861-6.1.1-a]
  ndp(message_of(ndp::Type::router_solicitation), "fe80::9", "ff02::1");
  EXPECT_TRUE(of_type(run_for(2_s), ndp::Type::router_advertisement).empty());
  EXPECT_TRUE(stack.neighbours().empty());
}

class DadHost : public Ndp {
 protected:
  static InterfaceConfig config() {
    InterfaceConfig config = interface_config();
    config.makes_link_local = true;
    config.solicits_routers = false;
    config.checks_duplicates = true;
    return config;
  }
  DadHost() : Ndp(host_config(), config(), false) {}
  static constexpr const char* own = "fe80::ff:fe00:1";
  // What is sent, without the reports of groups.
  std::vector<Frame> sent_in(Duration duration) {
    std::vector<Frame> frames = run_for(duration);
    std::erase_if(frames, [](const Frame& frame) {
      return header_of(frame).next_header() == protocol::hop_by_hop;
    });
    return frames;
  }
  bool is_own() { return stack.network().is_own_address(ip(own), 0); }
};

TEST_F(DadHost, AddressIsOursAfterOneUnansweredSolicitationFromNobody) {
  // RFC 4862 5.4 [RFC4862-5.4-a], [RFC4862-5.4-b], 5.4.2 [RFC4862-5.4.2-a]
  EXPECT_FALSE(is_own());
  ndp(solicitation(own), "fe80::9", "ff02::1:ff00:1");
  EXPECT_EQ(count(), 0u);
  const auto frames = sent_in(500_ms);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_TRUE(header_of(frames[0]).source().is_unspecified());
  EXPECT_EQ(header_of(frames[0]).destination(), solicited_node(ip(own)));
  EXPECT_FALSE(is_own());
  EXPECT_TRUE(sent_in(60_s).empty());
  EXPECT_TRUE(is_own());
}

TEST_F(DadHost, AdvertisementOfTheAddressMeansItIsAnothers) {
  // RFC 4862 5.4.4 [RFC4862-5.4.4-a], 5.4.5 [RFC4862-5.4.5-a], BI-41
  run_for(500_ms);
  ndp::Message message = message_of(ndp::Type::neighbour_advertisement, own);
  message.options.target_link_address = peer_mac;
  for (int i = 0; i < 100; ++i) ndp(message, own, "ff02::1");
  EXPECT_LE(sent_in(600_s).size(), 1u);
  EXPECT_FALSE(is_own());
  stack.add_address(now, eth, net("2001:db8::1/64"));
  run_for(10_s);
  take();
  ndp(solicitation(), "2001:db8::9", "2001:db8::1");
  EXPECT_EQ(count(), 0u);  // IPv6 is off on this interface
}

TEST_F(DadHost, CheckByAnotherAtTheSameTimeMeansItIsNobodysAndOurOwnEchoIsNot) {
  // RFC 4862 5.4.3 [RFC4862-5.4.3-a], RFC 7527
  const auto frames = sent_in(1_s);
  ASSERT_EQ(frames.size(), 1u);
  Frame looped = frames[0];
  give(looped);
  run_for(10_s);
  EXPECT_TRUE(is_own());
  stack.add_address(now, eth, net("fe80::5/64"));
  ndp(message_of(ndp::Type::neighbour_solicitation, "fe80::5"), "::", "ff02::1:ff00:5");
  run_for(10_s);
  EXPECT_FALSE(stack.network().is_own_address(ip("fe80::5"), 0));
}

class AdvertisingRouter : public Ndp {
 protected:
  static InterfaceConfig config() {
    InterfaceConfig config = interface_config();
    config.makes_link_local = true;
    config.advertises = true;
    return config;
  }
  AdvertisingRouter() : Ndp(router_config(), config(), false) {
    stack.add_address(now, eth, net("2001:db8:5::1/64"));
  }
};

TEST_F(AdvertisingRouter, AdvertisesItselfAndItsPrefixesFromTimeToTimeAndWhenAsked) {
  // RFC 4861 6.2.4, 6.2.6
  const auto first = of_type(run_for(60_s), ndp::Type::router_advertisement);
  ASSERT_EQ(first.size(), 3u);
  const auto view = ndp_of(first[0]);
  ASSERT_EQ(view->options().prefixes.size(), 1u);
  EXPECT_EQ(view->options().prefixes[0].prefix, net("2001:db8:5::/64"));
  EXPECT_EQ(view->router_lifetime_s(), 1800);
  EXPECT_EQ(view->options().source_link_address, own_mac);
  EXPECT_EQ(header_of(first[0]).hop_limit(), 255);
  for (int i = 0; i < 50; ++i) {
    ndp(message_of(ndp::Type::router_solicitation), "fe80::9", "ff02::2");
  }
  EXPECT_EQ(of_type(run_for(4_s), ndp::Type::router_advertisement).size(), 1u);
  EXPECT_GE(of_type(run_for(3600_s), ndp::Type::router_advertisement).size(), 5u);
}

TEST_F(AdvertisingRouter, AnswersSolicitationsAsARouterAndIgnoresAdvertisements) {
  // RFC 4861 7.2.4 [RFC4861-7.2.4-a]
  run_for(60_s);
  ndp(solicitation("2001:db8:5::1"), "fe80::9", "2001:db8:5::1");
  const auto frames = take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_TRUE(ndp_of(frames[0])->is_router());
  ndp::Message message = message_of(ndp::Type::router_advertisement);
  message.router_lifetime_s = 1800;
  ndp(message, "fe80::9", "ff02::1");
  EXPECT_EQ(stack.network().routes().find(ip("2001:db8:9::1"), 0), nullptr);
}

}  // namespace
}  // namespace lanyard::stack::test
