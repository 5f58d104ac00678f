// SPDX-License-Identifier: Apache-2.0
#include "wire/ndp.hh"

#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/protocol.hh"
#include "wire/pseudo.hh"

namespace lanyard::ndp {
namespace {

using wire::test::alice6;
using wire::test::alice_mac;
using wire::test::bob6;
using wire::test::bytes_in;
using wire::test::from_hex;

const IpAddress group = *IpAddress::parse("ff02::1");

std::vector<std::uint8_t> written(const Message& message) {
  Packet packet(64, 0);
  message.push_onto(packet, alice6, bob6);
  EXPECT_EQ(packet.size(), message.size());
  EXPECT_EQ(transport_checksum({alice6, bob6, protocol::icmpv6}, packet, packet.size()), 0);
  return bytes_in(packet);
}

Message solicitation() {
  Message message{.type = Type::neighbour_solicitation, .target = bob6};
  message.options.source_link_address = alice_mac;
  return message;
}

// A message with these options behind its fixed part.
std::vector<std::uint8_t> with_options(Type type, std::string_view options) {
  Message message{.type = type, .target = bob6, .destination = bob6};
  auto bytes = written(message);
  const auto more = from_hex(options);
  bytes.insert(bytes.end(), more.begin(), more.end());
  return bytes;
}

TEST(Ndp, NeighbourMessagesAreReadAndWritten) {
  const auto asked = written(solicitation());
  const auto question = View::parse(asked);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->type(), Type::neighbour_solicitation);
  EXPECT_EQ(question->target(), bob6);
  EXPECT_EQ(question->options().source_link_address, alice_mac);
  Message message{.type = Type::neighbour_advertisement,
                  .target = bob6,
                  .is_router = true,
                  .is_solicited = false,
                  .is_override = true};
  message.options.target_link_address = alice_mac;
  const auto answered = written(message);
  const auto answer = View::parse(answered);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->is_router());
  EXPECT_FALSE(answer->is_solicited());
  EXPECT_TRUE(answer->is_override());
  EXPECT_EQ(answer->options().target_link_address, alice_mac);
}

TEST(Ndp, RouterAdvertisementIsReadAndWritten) {
  Message message{.type = Type::router_advertisement,
                  .current_hop_limit = 64,
                  .is_managed = true,
                  .router_lifetime_s = 1800,
                  .reachable_time_ms = 30000,
                  .retrans_timer_ms = 1000};
  message.options.mtu = 1280;
  message.options.prefixes = {{*IpPrefix::parse("2001:db8::/64"), true, false, 10, 20},
                              {*IpPrefix::parse("2001:db8:1::/128"), false, true, 0, ~0U}};
  message.options.dns_servers = DnsServers{600, {alice6, bob6}};
  const auto bytes = written(message);
  const auto view = View::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->current_hop_limit(), 64);
  EXPECT_TRUE(view->is_managed());
  EXPECT_FALSE(view->has_other_configuration());
  EXPECT_EQ(view->router_lifetime_s(), 1800);
  EXPECT_EQ(view->reachable_time_ms(), 30000U);
  EXPECT_EQ(view->retrans_timer_ms(), 1000U);
  EXPECT_EQ(view->options().mtu, 1280U);
  EXPECT_EQ(view->options().prefixes, message.options.prefixes);
  EXPECT_EQ(view->options().dns_servers, message.options.dns_servers);
}

TEST(Ndp, RedirectIsReadAndWritten) {
  const auto quoted = from_hex("6000000000003b40 0102030405");
  Message message{.type = Type::redirect, .target = bob6, .destination = *IpAddress::parse("2::1")};
  message.options.redirected_header = quoted;
  const auto bytes = written(message);
  const auto view = View::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->target(), bob6);
  EXPECT_EQ(to_text(view->destination()), "2::1");
  EXPECT_EQ(text_of(view->options().redirected_header.first(quoted.size())), text_of(quoted));
}

// RFC 4861 6.1.2 [RFC4861-6.1.2-a], 7.1.1, 7.1.2, 8.1: lengths of at least 8, 16, 24, 40; code 0.
TEST(Ndp, ShortMessagesAndOtherCodesAreDropped) {
  for (const Type type :
       {Type::router_solicitation, Type::router_advertisement, Type::neighbour_solicitation,
        Type::neighbour_advertisement, Type::redirect}) {
    auto bytes = with_options(type, "");
    EXPECT_TRUE(View::parse(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(View::parse(Bytes(bytes).first(size)).error(), DropReason::bad_ndp);
    }
    bytes[1] = 1;  // BI-39
    EXPECT_FALSE(View::parse(bytes));
  }
  EXPECT_FALSE(View::parse(from_hex("8000000000000000")));
}

// RFC 4861 4.6 [RFC4861-4.6-a], BI-38: length 0, or longer than the message.
TEST(Ndp, OneImpossibleOptionSpoilsTheMessage) {
  for (const char* bad : {"0100", "0100000000000000", "0102000000000000", "01", "ff00",
                          "0101020000000001 0500000000000000"}) {
    EXPECT_FALSE(View::parse(with_options(Type::neighbour_solicitation, bad))) << bad;
  }
}

// RFC 4861 4.6 [RFC4861-4-a]: unknown options are ignored, in any order.
TEST(Ndp, UnknownOptionsAreSkipped) {
  const auto bytes =
      with_options(Type::neighbour_solicitation, "fd01000000000000 0101020000000001");
  const auto view = View::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(to_text(*view->options().source_link_address), "02:00:00:00:00:01");
}

// BI-37: RDNSS of even length, of length 1, past the packet.
TEST(Ndp, DnsServerOptionsOfOddSizesAreIgnored) {
  const std::string address = "fe80000000000000000000000000000b";
  for (const std::string& bad :
       {std::string("1901000000000000"), "1902000000000001" + address.substr(0, 16),
        "1904000000000001" + address + address.substr(0, 16)}) {
    const auto bytes = with_options(Type::router_advertisement, bad);
    const auto view = View::parse(bytes);
    ASSERT_TRUE(view) << bad;
    EXPECT_FALSE(view->options().dns_servers) << bad;
  }
  EXPECT_FALSE(View::parse(with_options(Type::router_advertisement, "1905000000000001" + address)));
  const auto bytes = with_options(Type::router_advertisement, "1903000000000001" + address);
  EXPECT_EQ(View::parse(bytes)->options().dns_servers->addresses[0], bob6);
}

// RFC 4861 4.6: an option of another size than its own is none, and of two the first counts.
TEST(Ndp, AnOptionOfAnotherSizeOrForTheSecondTimeSaysNothing) {
  const std::string address = "20010db8000000000000000000000053";
  const auto twice = with_options(Type::router_advertisement,
                                  "0101020000000001 0101020000000002 0e01010203040506"
                                  "0e01060504030201 1903000000000001" +
                                      address + "1903000000000002" + address);
  const auto view = View::parse(twice);
  ASSERT_TRUE(view);
  EXPECT_EQ(to_text(*view->options().source_link_address), "02:00:00:00:00:01");
  EXPECT_EQ(view->options().nonce, (std::array<std::uint8_t, 6>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(view->options().dns_servers->lifetime_s, 1U);
  const auto longer = with_options(Type::router_advertisement,
                                   "0102020000000001 0000000000000000"
                                   "0e02010203040506 0000000000000000");
  const auto other = View::parse(longer);
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->options().source_link_address);
  EXPECT_FALSE(other->options().nonce);
}

// ::ffff:10.0.0.1 is how IPv4 is written in IPv6's sockets, and is nobody's on a wire (RFC 4291
// 2.5.5.2): taken for one, it would be an IPv4 prefix and an IPv4 name server.
TEST(Ndp, Ipv4InDisguiseIsNeitherPrefixNorNameServer) {
  const std::string mapped = "00000000000000000000ffff0a000001";
  const std::string good = "20010db8000000000000000000000053";
  const auto bytes =
      with_options(Type::router_advertisement, "030480c0 00000001 00000002 00000000" + mapped +
                                                   "1905000000000001" + mapped + good);
  const auto view = View::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->options().prefixes.empty());
  ASSERT_EQ(view->options().dns_servers->addresses.size(), 1U);
  EXPECT_EQ(to_text(view->options().dns_servers->addresses[0]), "2001:db8::53");
}

// BI-38: prefix lengths above 128; odd lifetimes and MTUs are for the receiver to judge.
TEST(Ndp, PrefixLengthsAbove128MakeNoPrefix) {
  const std::string rest = "c0 00000001 00000002 00000000 20010db8000000000000000000000000";
  for (const char* length : {"81", "ff"}) {
    const auto bytes = with_options(Type::router_advertisement, "0304" + (length + rest));
    ASSERT_TRUE(View::parse(bytes));
    EXPECT_TRUE(View::parse(bytes)->options().prefixes.empty());
  }
  const auto bytes = with_options(Type::router_advertisement, "030480" + rest);
  const auto view = View::parse(bytes);
  ASSERT_EQ(view->options().prefixes.size(), 1U);
  EXPECT_EQ(view->options().prefixes[0].prefix.length, 128);
  EXPECT_GT(view->options().prefixes[0].preferred_lifetime_s,
            view->options().prefixes[0].valid_lifetime_s);
}

// RFC 4861 7.1.1 [RFC4861-7.1.1-a], 8.1 [RFC4861-8.1-a]: targets.
TEST(Ndp, GroupsAreNoTargets) {
  Message message = solicitation();
  message.target = group;
  EXPECT_FALSE(View::parse(written(message)));
  message = {.type = Type::redirect, .target = *IpAddress::parse("2::1"), .destination = bob6};
  EXPECT_FALSE(View::parse(written(message))) << "neither link-local nor the destination";
  message.destination = message.target;
  EXPECT_TRUE(View::parse(written(message)));
  message.destination = group;
  EXPECT_FALSE(View::parse(written(message)));
}

// BI-39: hop limit 254; sources that may not speak.
TEST(Ndp, HopLimitAndSourceDecideWhoIsHeard) {
  const auto is_heard = [](const Message& message, const char* source, const IpAddress& to,
                           std::uint8_t hops = hop_limit) {
    const auto bytes = written(message);
    const auto view = View::parse(bytes);
    return is_acceptable(*view, *IpAddress::parse(source), to, hops);
  };
  EXPECT_TRUE(is_heard(solicitation(), "fe80::a", bob6));
  EXPECT_FALSE(is_heard(solicitation(), "fe80::a", bob6, 254));
  EXPECT_FALSE(is_heard(solicitation(), "::", solicited_node(bob6))) << "with a source address";
  Message probe = solicitation();
  probe.options = {};
  EXPECT_TRUE(is_heard(probe, "::", solicited_node(bob6)));
  EXPECT_FALSE(is_heard(probe, "::", bob6));
  const Message router{.type = Type::router_advertisement};
  EXPECT_TRUE(is_heard(router, "fe80::a", group));
  EXPECT_FALSE(is_heard(router, "2::1", group));
  Message answer{.type = Type::neighbour_advertisement, .target = bob6, .is_solicited = true};
  EXPECT_FALSE(is_heard(answer, "fe80::b", group));  // RFC 4861 7.1.2 [RFC4861-7.1.2-a]
  EXPECT_TRUE(is_heard(answer, "fe80::b", alice6));
  Message ask{.type = Type::router_solicitation};
  EXPECT_TRUE(is_heard(ask, "::", group));
  ask.options.source_link_address = alice_mac;
  EXPECT_FALSE(is_heard(ask, "::", group));
}

}  // namespace
}  // namespace lanyard::ndp
