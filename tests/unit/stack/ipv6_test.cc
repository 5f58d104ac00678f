// SPDX-License-Identifier: Apache-2.0
#include "lone_host.hh"
#include "wire/ipv6_extensions.hh"

namespace lanyard::stack::test {
namespace {

class Ipv6Input : public LoneHost {
 protected:
  Ipv6Input() { introduce(); }
  // `options` (6 + 8n bytes) as a header of this type, then `rest`.
  static Frame with_options(std::uint8_t next, Frame options, const Frame& rest) {
    options.insert(options.begin(),
                   {next, static_cast<std::uint8_t>((options.size() + 2) / 8 - 1)});
    options.insert(options.end(), rest.begin(), rest.end());
    return options;
  }
  // Parameter problem with this code and pointer, and nothing else.
  void expect_problem(std::uint8_t code, std::uint32_t pointer) {
    const auto error = take_icmp();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->type, icmp::v6::parameter_problem);
    EXPECT_EQ(error->code, code);
    EXPECT_EQ(error->rest, pointer);
  }
};

TEST_F(Ipv6Input, HeadersThatLieAreDroppedAndPaddingTrimmed) {
  // RFC 8200 3 [RFC8200-3-a]
  Frame packet = v6_packet(v6_header(), echo_v6());
  Frame bad = packet;
  bad[0] = 0x50;
  give(framed(ethernet::Type::ipv6, bad));
  EXPECT_EQ(drops(DropReason::bad_version), 1u);
  bad = packet;
  store16(&bad[4], 17);
  give(framed(ethernet::Type::ipv6, bad));
  EXPECT_EQ(drops(DropReason::bad_total_length), 1u);
  EXPECT_EQ(count(), 0u);
  packet.resize(packet.size() + 10, 0xee);
  give(framed(ethernet::Type::ipv6, packet));
  const auto reply = take_icmp();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, Frame(8, 0x5a));
}

TEST_F(Ipv6Input, AddressesNobodyCanHaveAreDroppedInSilence) {
  // BI-34, RFC 4291 2.5 [RFC4291-2.5-a], 2.7 [RFC4291-2.7-a]
  for (const char* source : {"ff02::1", "::1", "::", "2001:db8::1"}) {
    v6(v6_header(source), echo_v6(source));
  }
  EXPECT_EQ(drops(DropReason::martian_source), 4u);
  for (const char* destination : {"::", "::1", "ff00::1", "ff01::1"}) {
    v6(v6_header("2001:db8::9", destination), echo_v6("2001:db8::9", destination));
  }
  EXPECT_EQ(drops(DropReason::martian_destination), 4u);
  Frame mapped = v6_packet(v6_header(), echo_v6());
  const auto v4_mapped = ip("10.0.0.9").bytes();
  std::copy(v4_mapped.begin(), v4_mapped.end(), mapped.begin() + 8);
  give(framed(ethernet::Type::ipv6, mapped));
  EXPECT_EQ(drops(DropReason::martian_source), 5u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv6Input, HostKnowsItsAddressesAndGroupsAndNoOthers) {
  // RFC 4291 2.8 [RFC4291-2.8-a]
  for (const char* own : {"2001:db8::1", "fe80::1", "ff02::1"}) {
    const char* from = std::string_view(own) == "fe80::1" ? "fe80::9" : "2001:db8::9";
    v6(v6_header(from, own), echo_v6(from, own));
    EXPECT_TRUE(take_icmp()) << own;
  }
  for (const char* other : {"2001:db8::2", "ff02::2", "ff02::1:ff00:2"}) {
    v6(v6_header("2001:db8::9", other), echo_v6("2001:db8::9", other));
  }
  EXPECT_EQ(drops(DropReason::not_local), 3u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv6Input, OptionsAndHeadersInOrderAreWalkedThrough) {
  // RFC 8200 4 [RFC8200-4-b], 4.1 [RFC8200-4.1-a], 4.2 [RFC8200-4.2-a], [RFC8200-4.2-e],
  // 4.4 [RFC8200-4.4-a]
  const Frame echo = echo_v6();
  const Frame pads = {1, 4, 0, 0, 0, 0};
  const Frame pad1s = {0, 0, 0, 0, 0, 0};
  const Frame unknown_skip = {0x1e, 4, 1, 2, 3, 4};
  Frame rest = with_options(protocol::icmpv6, unknown_skip, echo);
  rest = with_options(protocol::destination_options, pad1s, rest);
  const Frame routing = {77, 0, 0, 0, 0, 0};  // unknown type, segments left 0
  rest = with_options(protocol::destination_options, routing, rest);
  rest = with_options(protocol::routing, pads, rest);
  v6(v6_header("2001:db8::9", "2001:db8::1", protocol::hop_by_hop), rest);
  EXPECT_TRUE(take_icmp());
}

TEST_F(Ipv6Input, UnknownNextHeaderIsParameterProblemCodeOneAtIt) {
  // RFC 8200 4 [RFC8200-4-c], RFC 4443 3.4 [RFC4443-3.4-a]
  v6(v6_header("2001:db8::9", "2001:db8::1", 200), Frame(8));
  expect_problem(icmp::v6::unknown_next_header, 6);
  v6(v6_header("2001:db8::9", "2001:db8::1", protocol::destination_options),
     with_options(200, {0, 0, 0, 0, 0, 0}, Frame(8)));
  expect_problem(icmp::v6::unknown_next_header, 40);
}

TEST_F(Ipv6Input, HopByHopElsewhereThanFirstIsParameterProblemCodeOne) {
  // BI-26, RFC 8200 4 [RFC8200-4-a]
  const Frame pad = {0, 0, 0, 0, 0, 0};
  const Frame second = with_options(protocol::icmpv6, pad, echo_v6());
  for (const std::uint8_t first : {protocol::destination_options, protocol::hop_by_hop}) {
    v6(v6_header("2001:db8::9", "2001:db8::1", first),
       with_options(protocol::hop_by_hop, pad, second));
    expect_problem(icmp::v6::unknown_next_header, 40);
  }
}

TEST_F(Ipv6Input, UnknownOptionsAreTreatedByTheirTwoTopBits) {
  // BI-27, RFC 8200 4.2 [RFC8200-4.2-a], [RFC8200-4.2-b], [RFC8200-4.2-c], [RFC8200-4.2-d]
  const auto send = [&](std::uint8_t bits, const char* to) {
    const Frame option = {static_cast<std::uint8_t>(bits << 6 | 0x1e), 4, 0, 0, 0, 0};
    v6(v6_header("2001:db8::9", to, protocol::destination_options),
       with_options(protocol::icmpv6, option, echo_v6("2001:db8::9", to)));
  };
  send(0, "2001:db8::1");
  EXPECT_EQ(take_icmp()->type, icmp::v6::echo_reply);
  send(1, "2001:db8::1");
  EXPECT_EQ(count(), 0u);
  send(2, "2001:db8::1");
  expect_problem(icmp::v6::unknown_option, 42);
  send(3, "2001:db8::1");
  expect_problem(icmp::v6::unknown_option, 42);
  send(1, "ff02::1");
  EXPECT_EQ(count(), 0u);
  send(2, "ff02::1");
  expect_problem(icmp::v6::unknown_option, 42);
  send(3, "ff02::1");
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv6Input, OptionPastTheEndOfItsHeaderIsDropped) {
  // BI-25, RFC 8200 4.2 [RFC8200-4.2-f]
  for (const int length : {5, 6, 200, 255}) {
    const Frame option = {0x1e, static_cast<std::uint8_t>(length), 0, 0, 0, 0};
    v6(v6_header("2001:db8::9", "2001:db8::1", protocol::destination_options),
       with_options(protocol::icmpv6, option, echo_v6()));
  }
  // A header longer than the packet.
  Frame longer = with_options(protocol::icmpv6, {0, 0, 0, 0, 0, 0}, echo_v6());
  longer[1] = 200;
  v6(v6_header("2001:db8::9", "2001:db8::1", protocol::destination_options), longer);
  for (const Frame& frame : take()) EXPECT_NE(icmp_of(frame)->type, icmp::v6::echo_reply);
}

TEST_F(Ipv6Input, RoutingHeaderWithSegmentsLeftIsRefused) {
  // RFC 8200 4.4 [RFC8200-4.4-b], RFC 5095
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 77}) {
    const Frame routing = {type, 1, 0, 0, 0, 0};
    v6(v6_header("2001:db8::9", "2001:db8::1", protocol::routing),
       with_options(protocol::icmpv6, routing, echo_v6()));
    expect_problem(icmp::v6::erroneous_header, 42);
  }
}

TEST_F(Ipv6Input, NoNextHeaderEndsThePacketWithoutAnError) {
  // RFC 8200 4.7 [RFC8200-4.7-a]
  v6(v6_header("2001:db8::9", "2001:db8::1", protocol::no_next_header), echo_v6());
  EXPECT_EQ(count(), 0u);
}

TEST_F(Ipv6Input, BurstOfBadOptionsGetsOneErrorEachUpToTheLimit) {
  // BI-23
  const Frame option = {0x9e, 4, 0, 0, 0, 0};
  const auto send = [&] {
    v6(v6_header("2001:db8::9", "2001:db8::1", protocol::destination_options),
       with_options(protocol::icmpv6, option, echo_v6()));
  };
  for (std::size_t batch = 1; batch <= 32; batch *= 2) {
    for (std::size_t i = 0; i < batch; ++i) send();
    EXPECT_EQ(count(), batch);
    now = now + 1_s;
  }
  for (int i = 0; i < 1000; ++i) send();
  EXPECT_EQ(count(), host_config().internet.icmp_errors_burst);
}

class Ipv6Fragments : public Ipv6Input {
 protected:
  void fragment(std::size_t offset, Bytes part, bool more, std::uint32_t id = 5,
                std::uint8_t next = protocol::icmpv6) {
    Frame payload(ipv6::fragment_header_size);
    ipv6::FragmentHeader{next, offset, more, id}.write(payload.data());
    payload.insert(payload.end(), part.begin(), part.end());
    v6(v6_header("2001:db8::9", "2001:db8::1", protocol::fragment), payload);
  }
};

TEST_F(Ipv6Fragments, EchoInPiecesIsAnsweredWhole) {
  // RFC 8200 5 [RFC8200-5-a], 4.5
  const Frame echo = echo_v6("2001:db8::9", "2001:db8::1", 3000);
  fragment(2000, Bytes(echo).subspan(2000), false);
  fragment(1000, Bytes(echo).subspan(1000, 1000), true);
  fragment(0, Bytes(echo).first(1000), true);
  const auto frames = take();
  EXPECT_EQ(frames.size(), 3u);  // the answer is as long
  EXPECT_EQ(drops(DropReason::bad_fragment), 0u);
}

TEST_F(Ipv6Fragments, OverlapsAreDroppedInSilenceWithTheirDatagram) {
  // BI-17, RFC 8200 4.5 [RFC8200-4.5-i]
  const Frame echo = echo_v6("2001:db8::9", "2001:db8::1", 192);
  fragment(0, Bytes(echo).first(104), true);
  fragment(96, Bytes(echo).subspan(96), false);
  fragment(104, Bytes(echo).subspan(104), false);
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(drops(DropReason::fragment_overlap), 2u);
}

TEST_F(Ipv6Fragments, AtomicFragmentIsDeliveredAloneAmongOthersOfItsId) {
  // BI-18, RFC 6946 4 [RFC6946-4-a]
  const Frame echo = echo_v6("2001:db8::9", "2001:db8::1", 192);
  fragment(0, Bytes(echo).first(104), true);
  fragment(0, echo_v6(), false);
  auto reply = take_icmp();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, Frame(8, 0x5a));
  fragment(104, Bytes(echo).subspan(104), false);
  reply = take_icmp();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body.size(), 192u);
}

TEST_F(Ipv6Fragments, WrongLengthsAreParameterProblems) {
  // BI-19, RFC 8200 4.5 [RFC8200-4.5-f], BI-14 [RFC8200-4.5-g]
  fragment(0, Frame(13, 0x80), true);
  expect_problem(icmp::v6::erroneous_header, 4);
  fragment(65528, Frame(104, 1), false);
  expect_problem(icmp::v6::erroneous_header, 42);
}

TEST_F(Ipv6Fragments, FirstFragmentWithoutTheWholeChainIsRefused) {
  // RFC 7112 5, RFC 8200 4.5 [RFC8200-4.5-h]
  const Frame options = with_options(protocol::udp, Frame(14), udp());
  fragment(0, Bytes(options).first(8), true, 6, protocol::destination_options);
  expect_problem(icmp::v6::incomplete_header_chain, 0);
  fragment(0, Bytes(options).first(16), true, 7, protocol::destination_options);
  expect_problem(icmp::v6::incomplete_header_chain, 0);
}

TEST_F(Ipv6Fragments, TimeExceededOnlyIfTheFirstFragmentCame) {
  // BI-21, RFC 8200 4.5 [RFC8200-4.5-e]
  const Frame data = udp("2001:db8::9", "2001:db8::1", 9, 96);
  fragment(0, data, true, 1, protocol::udp);
  fragment(208, data, true, 2, protocol::udp);
  run_for(59_s);
  introduce();
  const auto frames = run_for(2_s);
  std::size_t errors = 0;
  for (const Frame& frame : frames) {
    const auto error = icmp_of(frame);
    if (!error || error->type != icmp::v6::time_exceeded) continue;
    EXPECT_EQ(error->code, icmp::v6::reassembly_time_exceeded);
    ++errors;
  }
  EXPECT_EQ(errors, 1u);
  EXPECT_EQ(stack.network().reassembly_bytes(), 0u);
}

TEST_F(Ipv6Fragments, FragmentsInsideFragmentsAreDroppedAtDepthOne) {
  // BI-22
  Frame inner(ipv6::fragment_header_size);
  ipv6::FragmentHeader{protocol::icmpv6, 0, true, 9}.write(inner.data());
  inner.resize(104, 1);
  fragment(0, inner, true, 1, protocol::fragment);
  fragment(104, Frame(8, 1), false, 1, protocol::fragment);
  EXPECT_EQ(count(), 0u);
  // Extension headers without end.
  Frame chain;
  for (int i = 0; i < 150; ++i) {
    const Frame header = {protocol::destination_options, 0, 1, 4, 0, 0, 0, 0};
    chain.insert(chain.end(), header.begin(), header.end());
  }
  for (std::size_t at = 0; at < chain.size(); at += 400) {
    fragment(at, Bytes(chain).subspan(at, 400), at + 400 < chain.size(), 2,
             protocol::destination_options);
  }
  for (const Frame& frame : take()) EXPECT_NE(icmp_of(frame)->type, icmp::v6::echo_reply);
}

TEST_F(Ipv6Fragments, FragmentedNeighbourDiscoveryIsIgnored) {
  // RFC 6980 5 [RFC6980-5-a], BI-39
  ndp::Message message;
  message.type = ndp::Type::neighbour_solicitation;
  message.target = ip("2001:db8::1");
  Packet packet;
  message.push_onto(packet, ip("2001:db8::9"), ip("2001:db8::1"));
  Frame payload(ipv6::fragment_header_size);
  ipv6::FragmentHeader{protocol::icmpv6, 0, false, 1}.write(payload.data());
  payload.insert(payload.end(), packet.front().begin(), packet.front().end());
  v6(v6_header("2001:db8::9", "2001:db8::1", protocol::fragment, 255), payload);
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(drops(DropReason::bad_ndp), 1u);
}

TEST_F(Ipv6Input, FlowLabelsAreConstantInAFlowAndDifferBetweenFlows) {
  // RFC 6437 3 [RFC6437-3-a]
  stack.add_route({net("::/0"), ip("fe80::9"), eth, 0});
  std::vector<std::uint32_t> labels;
  for (const Port port : std::initializer_list<Port>{1, 1, 2}) {
    internet::Datagram datagram;
    datagram.destination = ip("2001:db8:9::1");
    datagram.packet = Packet::copy_of(Frame{0, 9, 0, static_cast<std::uint8_t>(port), 0, 8, 0, 0});
    ASSERT_TRUE(stack.send(now, std::move(datagram)));
    const auto frames = take();
    ASSERT_EQ(frames.size(), 1u);
    labels.push_back(ipv6::View::parse(Bytes(frames[0]).subspan(14))->flow_label());
  }
  EXPECT_NE(labels[0], 0u);
  EXPECT_EQ(labels[0], labels[1]);
  EXPECT_NE(labels[0], labels[2]);
}

TEST_F(Ipv6Input, FragmentIdentificationsDifferAndCannotBeGuessedFromOneAnother) {
  // RFC 8200 4.5 [RFC8200-4.5-a], [RFC8200-4.5-c], [RFC8200-4.5-b]
  stack.add_route({net("::/0"), ip("fe80::9"), eth, 0});
  std::vector<std::uint32_t> ids;
  for (const char* to : {"2001:db8:9::1", "2001:db8:9::1", "2001:db8:9::2"}) {
    internet::Datagram datagram;
    datagram.destination = ip(to);
    datagram.packet = Packet::copy_of(Frame(2000));
    ASSERT_TRUE(stack.send(now, std::move(datagram)));
    const auto frames = take();
    ASSERT_EQ(frames.size(), 2u);
    std::size_t expected = 0;
    for (const Frame& frame : frames) {
      const auto view = ipv6::View::parse(Bytes(frame).subspan(14));
      const auto header = ipv6::FragmentView::parse(view->payload());
      EXPECT_EQ(header->offset(), expected);
      expected += view->payload_size() - 8;
      ids.push_back(header->identification());
    }
    EXPECT_EQ(expected, 2000u);
  }
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_NE(ids[0], ids[2]);
  EXPECT_GT(std::max(ids[2], ids[4]) - std::min(ids[2], ids[4]), 100u);
}

}  // namespace
}  // namespace lanyard::stack::test
