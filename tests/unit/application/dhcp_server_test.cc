// SPDX-License-Identifier: Apache-2.0
// The DHCP server as a table of addresses: told messages and times, asked for its answers.
#include "application/dhcp_server.hh"

#include <gtest/gtest.h>

namespace lanyard::application {
namespace {

using namespace lanyard::literals;
using dhcp::Message;
using dhcp::Type;
using To = DhcpServer::Answer::To;

const IpPrefix own = *IpPrefix::parse("10.0.0.1/24");

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

Message from(std::uint8_t client, Type type) {
  Message message;
  message.type = type;
  message.transaction = client;
  message.hardware = {{2, 0, 0, 0, 0, client}};
  message.wants_broadcast = true;
  return message;
}

class Server : public ::testing::Test {
 protected:
  void serve(const std::string& pool, Duration lease = 3600_s) {
    DhcpServer::Settings settings;
    settings.pools = {*DhcpPool::parse(pool, own)};
    settings.lease = lease;
    server.emplace(settings);
  }
  std::optional<DhcpServer::Answer> ask(const Message& message) {
    return server->on_message(now, message, own, true);
  }
  // The address a client is offered and takes.
  std::string lease(std::uint8_t client) {
    const auto offer = ask(from(client, Type::discover));
    if (!offer) return "nothing";
    Message request = from(client, Type::request);
    request.server = own.address;
    request.requested = offer->message.yours;
    const auto ack = ask(request);
    if (!ack || ack->message.type != Type::ack) return "refused";
    EXPECT_EQ(ack->message.yours, offer->message.yours);
    return to_text(ack->message.yours);
  }
  std::optional<DhcpServer> server = DhcpServer({});
  Instant now = Instant::at_ns(1'000'000'000);
};

TEST_F(Server, EveryClientGetsAnAddressOfItsOwnAndKeepsIt) {
  // RFC 2131 4.3.1
  serve("10.0.0.100-10.0.0.101");
  EXPECT_EQ(lease(1), "10.0.0.100");
  EXPECT_EQ(lease(2), "10.0.0.101");
  EXPECT_EQ(lease(3), "nothing");
  EXPECT_EQ(lease(1), "10.0.0.100");
  ASSERT_EQ(server->leases(now).size(), 2u);
  now += 3601_s;
  EXPECT_TRUE(server->leases(now).empty());
  EXPECT_EQ(lease(3), "10.0.0.100");  // what is over is given again
  EXPECT_EQ(lease(2), "10.0.0.101");
}

TEST_F(Server, AnOfferSaysWhatAClientNeeds) {
  serve("10.0.0.100-10.0.0.101", 800_s);
  const auto offer = ask(from(1, Type::discover));
  ASSERT_TRUE(offer);
  const Message& message = offer->message;
  EXPECT_EQ(message.type, Type::offer);
  EXPECT_TRUE(message.is_reply);
  EXPECT_EQ(message.transaction, 1u);
  EXPECT_EQ(message.hardware, from(1, Type::offer).hardware);
  EXPECT_EQ(message.server, own.address);
  EXPECT_EQ(message.mask, ip("255.255.255.0"));
  EXPECT_EQ(message.lease_s, 800u);
  EXPECT_EQ(message.renewal_s, 400u);
  EXPECT_EQ(message.rebinding_s, 700u);
  EXPECT_EQ(message.routers, std::vector{own.address});
  EXPECT_EQ(offer->to, To::everybody);
}

TEST_F(Server, WithoutAPoolTheAddressAClientSuggestsIsTakenIfItIsFree) {
  // RFC 2131 4.3.1
  Message discover = from(1, Type::discover);
  discover.requested = ip("10.0.0.7");
  EXPECT_EQ(ask(discover)->message.yours, ip("10.0.0.7"));
  discover = from(2, Type::discover);
  discover.requested = ip("10.0.0.7");
  EXPECT_EQ(ask(discover)->message.yours, ip("10.0.0.128"));
  for (const char* wrong : {"10.0.0.1", "10.0.0.0", "10.0.0.255", "10.0.1.7"}) {
    discover = from(3, Type::discover);
    discover.requested = ip(wrong);
    EXPECT_EQ(ask(discover)->message.yours, ip("10.0.0.129")) << wrong;
  }
}

TEST_F(Server, AReservedAddressIsForItsOwnerOnly) {
  DhcpServer::Settings settings;
  settings.reservations[from(9, Type::discover).hardware] = ip("10.0.0.128");
  server.emplace(settings);
  EXPECT_EQ(lease(1), "10.0.0.129");
  EXPECT_EQ(lease(9), "10.0.0.128");
}

TEST_F(Server, ARequestOfAnothersOfferFreesOurs) {
  // RFC 2131 4.3.2
  serve("10.0.0.100-10.0.0.100");
  ask(from(1, Type::discover));
  EXPECT_EQ(lease(2), "nothing");
  Message request = from(1, Type::request);
  request.server = ip("10.0.0.2");
  request.requested = ip("10.0.0.77");
  EXPECT_FALSE(ask(request));
  EXPECT_EQ(lease(2), "10.0.0.100");
}

TEST_F(Server, WhoAsksForWhatItMayNotHaveIsRefusedAndWhoIsUnknownIsNotAnswered) {
  // RFC 2131 4.3.2
  serve("10.0.0.100-10.0.0.110");
  lease(1);
  Message again = from(1, Type::request);  // after a restart
  again.requested = ip("10.0.0.100");
  EXPECT_EQ(ask(again)->message.type, Type::ack);
  again.requested = ip("10.0.0.105");
  auto nak = ask(again);
  EXPECT_EQ(nak->message.type, Type::nak);
  EXPECT_EQ(nak->to, To::everybody);
  EXPECT_EQ(nak->message.server, own.address);
  again.requested = ip("192.168.1.5");  // it was moved to this network
  EXPECT_EQ(ask(again)->message.type, Type::nak);
  Message stranger = from(7, Type::request);
  stranger.requested = ip("10.0.0.100");
  EXPECT_FALSE(ask(stranger));
  stranger.server = own.address;  // nobody offered it that
  EXPECT_EQ(ask(stranger)->message.type, Type::nak);
}

TEST_F(Server, ARenewalLengthensTheLeaseAndIsAnsweredToTheAddress) {
  // RFC 2131 4.3.2
  serve("10.0.0.100-10.0.0.110", 100_s);
  lease(1);
  now += 50_s;
  Message renewal = from(1, Type::request);
  renewal.client = ip("10.0.0.100");
  renewal.wants_broadcast = false;
  const auto ack = ask(renewal);
  EXPECT_EQ(ack->message.type, Type::ack);
  EXPECT_EQ(ack->to, To::client);
  EXPECT_EQ(ack->address, ip("10.0.0.100"));
  now += 80_s;
  EXPECT_EQ(server->leases(now).size(), 1u);
}

TEST_F(Server, ADeclinedAddressIsLeftAloneAndAReleasedOneIsFree) {
  // RFC 2131 4.3.3, 4.3.4
  serve("10.0.0.100-10.0.0.101");
  lease(1);
  Message decline = from(1, Type::decline);
  decline.server = own.address;
  decline.requested = ip("10.0.0.100");
  EXPECT_FALSE(ask(decline));
  EXPECT_EQ(lease(1), "10.0.0.101");
  EXPECT_EQ(lease(2), "nothing");
  Message release = from(2, Type::release);
  release.client = ip("10.0.0.101");
  ask(release);  // not its own
  EXPECT_EQ(lease(2), "nothing");
  release = from(1, Type::release);
  release.client = ip("10.0.0.101");
  ask(release);
  EXPECT_EQ(lease(2), "10.0.0.101");
}

TEST_F(Server, ARelaysNetworkDecidesAndTheAnswerGoesThroughIt) {
  // RFC 2131 4.3.1, 4.1
  DhcpServer::Settings settings;
  settings.pools = {*DhcpPool::parse("10.0.0.100-10.0.0.110", own),
                    *DhcpPool::parse("10.9.0.50-10.9.0.60/16", std::nullopt)};
  server.emplace(settings);
  Message discover = from(1, Type::discover);
  discover.relay = ip("10.9.3.1");
  const auto offer = ask(discover);
  EXPECT_EQ(offer->message.yours, ip("10.9.0.50"));
  EXPECT_EQ(offer->message.mask, ip("255.255.0.0"));
  EXPECT_EQ(offer->message.relay, ip("10.9.3.1"));
  EXPECT_EQ(offer->message.routers, std::vector{ip("10.9.3.1")});
  EXPECT_EQ(offer->to, To::relay);
  EXPECT_EQ(offer->address, ip("10.9.3.1"));
  discover.relay = ip("10.8.0.1");
  EXPECT_FALSE(ask(discover));
}

TEST_F(Server, AClientThatHearsUnicastIsAnsweredAtItsMacAddress) {
  // RFC 2131 4.1
  Message discover = from(1, Type::discover);
  discover.wants_broadcast = false;
  const auto offer = ask(discover);
  EXPECT_EQ(offer->to, To::hardware);
  EXPECT_EQ(offer->address, offer->message.yours);
}

TEST_F(Server, InformIsAnsweredWithEverythingButAnAddress) {
  // RFC 2131 4.3.5
  Message inform = from(1, Type::inform);
  EXPECT_FALSE(ask(inform));
  inform.client = ip("10.0.0.55");
  const auto ack = ask(inform);
  EXPECT_EQ(ack->message.type, Type::ack);
  EXPECT_TRUE(ack->message.yours.is_unspecified());
  EXPECT_FALSE(ack->message.lease_s);
  EXPECT_EQ(ack->to, To::client);
}

TEST(DhcpPoolText, SaysFirstAndLastOfOneNetwork) {
  EXPECT_TRUE(DhcpPool::parse("10.0.0.5-10.0.0.9", own));
  EXPECT_TRUE(DhcpPool::parse("10.1.0.5-10.1.0.9/24", own));
  for (const char* wrong :
       {"", "10.0.0.5", "10.0.0.9-10.0.0.5", "10.0.0.5-10.0.1.5", "10.1.0.5-10.1.0.9",
        "10.0.0.0-10.0.0.9", "10.0.0.5-10.0.0.9/99", "10.0.0.5/24-10.0.0.9", "fd00::1-fd00::2"}) {
    EXPECT_FALSE(DhcpPool::parse(wrong, own)) << wrong;
  }
}

}  // namespace
}  // namespace lanyard::application
