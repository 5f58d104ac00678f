// SPDX-License-Identifier: Apache-2.0
// The DHCPv6 client and server as state machines.
#include <gtest/gtest.h>

#include "application/dhcp6_client.hh"
#include "application/dhcp6_server.hh"

namespace lanyard::application {
namespace {

using namespace lanyard::literals;
using dhcp6::Message;
using dhcp6::Status;
using dhcp6::Type;
using Kind = Dhcp6Client::Action::Kind;
using State = Dhcp6Client::State;

const MacAddress mac{{2, 0, 0, 0, 0, 0xa}};
const MacAddress server_mac{{2, 0, 0, 0, 0, 1}};
const IpAddress wanted = *IpAddress::parse("2001:db8::1000");

class Dhcp6 : public ::testing::Test {
 protected:
  explicit Dhcp6(bool only_informs = false)
      : client(Instant::start(), {.mac = mac, .ia = 1, .only_informs = only_informs},
               Seed(5).stream()) {}
  std::vector<Dhcp6Client::Action> next() {
    std::vector<Dhcp6Client::Action> actions;
    do {  // an exchange that is given up makes way for the next at once
      now = std::max(now, client.next_deadline());
      actions = client.poll(now);
    } while (actions.empty() && client.next_deadline() <= now);
    return actions;
  }
  Message sent(const std::vector<Dhcp6Client::Action>& actions) {
    EXPECT_EQ(actions.size(), 1u);
    if (actions.empty()) return {};
    EXPECT_EQ(actions[0].kind, Kind::send);
    last = actions[0].message;
    return last;
  }
  Message answer(Type type, std::uint8_t preference = 0, const MacAddress& from = server_mac) {
    Message message;
    message.type = type;
    message.transaction = last.transaction;
    message.client = dhcp6::duid_of(mac);
    message.server = dhcp6::duid_of(from);
    message.preference = preference;
    message.ia = dhcp6::Ia{.id = 1, .t1_s = 500, .t2_s = 800, .addresses = {{wanted, 1000, 1200}}};
    return message;
  }
  std::vector<Dhcp6Client::Action> hear(const Message& message) {
    return client.on_message(now, message);
  }
  void bind() {
    sent(next());
    sent(hear(answer(Type::advertise, 255)));
    ASSERT_EQ(hear(answer(Type::reply)).at(0).kind, Kind::check);
    ASSERT_EQ(client.on_checked(now, true).at(0).kind, Kind::use);
  }
  Dhcp6Client client;
  Instant now = Instant::start();
  Message last;
};

TEST_F(Dhcp6, SolicitsWithinASecondThenEverMoreSlowlyAboutTwiceAsLong) {
  // RFC 8415 18.2.1, 15, 7.6 [RFC8415-14-a]
  const Message solicit = sent(next());
  EXPECT_EQ(solicit.type, Type::solicit);
  EXPECT_LE(now.since_start(), 1_s);
  EXPECT_EQ(solicit.client, dhcp6::duid_of(mac));
  EXPECT_TRUE(solicit.server.empty());
  EXPECT_EQ(solicit.elapsed, 0);
  Instant before = now;
  Duration last_wait;
  for (int i = 0; i < 20; ++i) {
    const Message again = sent(next());
    EXPECT_EQ(again.transaction, solicit.transaction);
    const Duration wait = now - before;
    if (i == 0) {
      EXPECT_GT(wait, 1_s);  // above zero, so that the first Advertises are waited for
      EXPECT_LE(wait, 1100_ms);
    } else if (last_wait < 1700_s) {
      EXPECT_GE(wait, last_wait * 19 / 10);
      EXPECT_LE(wait, last_wait * 21 / 10);
    }
    EXPECT_LE(wait, 3960_s);
    last_wait = wait;
    before = now;
  }
  EXPECT_GE(last_wait, 3240_s);
}

TEST_F(Dhcp6, TheBestOfTheFirstWaitIsAskedOrAtOnceTheOneOfHighestPreference) {
  // RFC 8415 18.2.1 [RFC8415-18-a]
  sent(next());
  EXPECT_TRUE(hear(answer(Type::advertise, 10)).empty());
  const MacAddress better{{2, 0, 0, 0, 0, 2}};
  EXPECT_TRUE(hear(answer(Type::advertise, 20, better)).empty());
  EXPECT_TRUE(hear(answer(Type::advertise, 15)).empty());
  const Message request = sent(next());
  EXPECT_EQ(request.type, Type::request);
  EXPECT_EQ(request.server, dhcp6::duid_of(better));
  EXPECT_EQ(request.ia->addresses.at(0).address, wanted);
}

TEST_F(Dhcp6, PreferenceOf255IsNotWaitedFor) {
  // RFC 8415 18.2.1 [RFC8415-18-a]
  sent(next());
  EXPECT_EQ(sent(hear(answer(Type::advertise, 255))).type, Type::request);
}

TEST_F(Dhcp6, MessagesThatAreNotForThisExchangeAreNothing) {
  // RFC 8415 16 [RFC8415-16-a]
  sent(next());
  Message message = answer(Type::advertise, 255);
  message.transaction ^= 1;
  EXPECT_TRUE(hear(message).empty());
  message = answer(Type::advertise, 255);
  message.server.clear();
  EXPECT_TRUE(hear(message).empty());
  message = answer(Type::advertise, 255);
  message.client = dhcp6::duid_of(server_mac);
  EXPECT_TRUE(hear(message).empty());
  message = answer(Type::advertise, 255);
  message.client.clear();
  EXPECT_TRUE(hear(message).empty());
  EXPECT_TRUE(hear(answer(Type::reply)).empty());
  for (const char* wrong : {"::", "::1", "ff02::1", "fe80::5"}) {
    message = answer(Type::advertise, 255);
    message.ia->addresses[0].address = *IpAddress::parse(wrong);
    EXPECT_TRUE(hear(message).empty()) << wrong;
  }
  message = answer(Type::advertise, 255);
  message.ia->id = 9;
  EXPECT_TRUE(hear(message).empty());
  EXPECT_EQ(client.state(), State::soliciting);
}

TEST_F(Dhcp6, RequestsAreSentTenTimesThenAllBeginsAgain) {
  // RFC 8415 7.6 [RFC8415-14-a]
  sent(next());
  sent(hear(answer(Type::advertise, 255)));
  for (int i = 0; i < 9; ++i) EXPECT_EQ(sent(next()).type, Type::request);
  EXPECT_EQ(sent(next()).type, Type::solicit);
}

TEST_F(Dhcp6, RenewsAtT1RebindsAtT2AndAtTheEndTheAddressGoes) {
  // RFC 8415 18.2.4, 18.2.5 [RFC8415-18-a]
  bind();
  const Instant start = now;
  Message renew = sent(next());
  EXPECT_EQ(now, start + 500_s);
  EXPECT_EQ(renew.type, Type::renew);
  EXPECT_EQ(renew.server, dhcp6::duid_of(server_mac));
  std::vector<Type> types;
  std::vector<Dhcp6Client::Action> actions;
  do {
    actions = next();
    ASSERT_FALSE(actions.empty());
    if (actions[0].kind == Kind::send) types.push_back(actions[0].message.type);
    if (types.size() > 100) break;
  } while (actions[0].kind == Kind::send);
  EXPECT_EQ(now, start + 1200_s);
  EXPECT_EQ(actions[0].kind, Kind::drop);
  const auto first_rebind = std::find(types.begin(), types.end(), Type::rebind);
  ASSERT_NE(first_rebind, types.end());
  EXPECT_TRUE(
      std::all_of(types.begin(), first_rebind, [](Type type) { return type == Type::renew; }));
  EXPECT_TRUE(
      std::all_of(first_rebind, types.end(), [](Type type) { return type == Type::rebind; }));
}

TEST_F(Dhcp6, ARenewedLeaseIsUsedOnAndAServerThatForgotIsAskedAnew) {
  // RFC 8415 18.2.10.1 [RFC8415-18-a]
  bind();
  last = sent(next());
  EXPECT_EQ(hear(answer(Type::reply)).at(0).kind, Kind::use);
  EXPECT_EQ(client.next_deadline(), now + 500_s);
  last = sent(next());
  Message forgot = answer(Type::reply);
  forgot.ia->addresses.clear();
  forgot.ia->status = Status::no_binding;
  EXPECT_EQ(sent(hear(forgot)).type, Type::request);
}

TEST_F(Dhcp6, WhatAnotherHasIsDeclinedFourTimesIfNobodyAnswers) {
  // RFC 8415 18.2.8 [RFC8415-18-a]
  sent(next());
  sent(hear(answer(Type::advertise, 255)));
  hear(answer(Type::reply));
  const Message decline = sent(client.on_checked(now, false));
  EXPECT_EQ(decline.type, Type::decline);
  EXPECT_EQ(decline.ia->addresses.at(0).address, wanted);
  EXPECT_EQ(decline.server, dhcp6::duid_of(server_mac));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(sent(next()).type, Type::decline);
  EXPECT_EQ(sent(next()).type, Type::solicit);
}

TEST_F(Dhcp6, ReleaseGivesTheAddressUpFirst) {
  // RFC 8415 18.2.7 [RFC8415-18-a]
  bind();
  const auto actions = client.release(now);
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_EQ(actions[0].kind, Kind::drop);
  EXPECT_EQ(actions[1].message.type, Type::release);
  last = actions[1].message;
  EXPECT_TRUE(hear(answer(Type::reply)).empty());
  EXPECT_EQ(client.state(), State::over);
}

TEST_F(Dhcp6, WhenTheLinkComesBackTheAddressIsConfirmed) {
  // RFC 8415 18.2.3 [RFC8415-18-a]
  bind();
  EXPECT_EQ(sent(client.on_link_up(now)).type, Type::confirm);
  while (client.state() == State::confirming) next();  // nobody says no
  EXPECT_EQ(client.state(), State::bound);
  EXPECT_EQ(sent(client.on_link_up(now)).type, Type::confirm);
  Message moved = answer(Type::reply);
  moved.status = Status::not_on_link;
  EXPECT_EQ(hear(moved).at(0).kind, Kind::drop);
  EXPECT_EQ(client.state(), State::soliciting);
}

class Dhcp6Informing : public Dhcp6 {
 protected:
  Dhcp6Informing() : Dhcp6(true) {}
};

TEST_F(Dhcp6Informing, AsksForEverythingButAnAddress) {
  // RFC 8415 18.2.6 [RFC8415-18-a]
  const Message question = sent(next());
  EXPECT_EQ(question.type, Type::information_request);
  EXPECT_FALSE(question.ia);
  Message reply = answer(Type::reply);
  reply.ia.reset();
  reply.name_servers = {wanted};
  const auto actions = hear(reply);
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].kind, Kind::inform);
  EXPECT_EQ(actions[0].lease.name_servers, std::vector{wanted});
  EXPECT_EQ(client.state(), State::over);
}

class Server6 : public ::testing::Test {
 protected:
  Server6()
      : server({.duid = dhcp6::duid_of(server_mac),
                .network = *IpPrefix::parse("2001:db8::/64"),
                .first = wanted,
                .last = *IpAddress::parse("2001:db8::1001")}) {}
  static Message from(std::uint8_t client, Type type, bool names_server) {
    Message message;
    message.type = type;
    message.transaction = client;
    message.client = dhcp6::duid_of({{2, 0, 0, 0, 1, client}});
    if (names_server) message.server = dhcp6::duid_of(server_mac);
    if (type != Type::information_request) message.ia = dhcp6::Ia{.id = 1};
    return message;
  }
  std::string lease(std::uint8_t client) {
    const auto reply = server.on_message(now, from(client, Type::request, true));
    if (!reply || reply->ia->addresses.empty()) return "nothing";
    return to_text(reply->ia->addresses[0].address);
  }
  Dhcp6Server server;
  Instant now = Instant::at_ns(1);
};

TEST_F(Server6, EveryClientGetsAnAddressOfItsOwnUntilThereIsNone) {
  const auto offer = server.on_message(now, from(1, Type::solicit, false));
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->type, Type::advertise);
  EXPECT_EQ(offer->ia->addresses.at(0).address, wanted);
  EXPECT_LE(offer->ia->t1_s, offer->ia->t2_s);
  EXPECT_EQ(lease(1), "2001:db8::1000");
  EXPECT_EQ(lease(2), "2001:db8::1001");
  EXPECT_EQ(lease(1), "2001:db8::1000");
  EXPECT_EQ(lease(3), "nothing");
  EXPECT_EQ(server.on_message(now, from(3, Type::solicit, false))->status, Status::no_addresses);
  now += 3601_s;
  EXPECT_EQ(lease(3), "2001:db8::1000");
}

TEST_F(Server6, MessagesThatNameTheWrongServerOrNobodyAreDropped) {
  // RFC 8415 16 [RFC8415-16-a]
  EXPECT_FALSE(server.on_message(now, from(1, Type::solicit, true)));
  EXPECT_FALSE(server.on_message(now, from(1, Type::request, false)));
  Message message = from(1, Type::request, true);
  message.server = dhcp6::duid_of(mac);
  EXPECT_FALSE(server.on_message(now, message));
  message = from(1, Type::solicit, false);
  message.client.clear();
  EXPECT_FALSE(server.on_message(now, message));
  EXPECT_FALSE(server.on_message(now, from(1, Type::reply, true)));
  message = from(1, Type::information_request, false);
  EXPECT_TRUE(server.on_message(now, message));
  message.ia = dhcp6::Ia{};
  EXPECT_FALSE(server.on_message(now, message));
}

TEST_F(Server6, RenewsWhatItKnowsFreesWhatIsReleasedAndLeavesAloneWhatIsDeclined) {
  // RFC 8415 18.3 [RFC8415-18-a]
  Message renew = from(1, Type::renew, true);
  EXPECT_EQ(server.on_message(now, renew)->ia->status, Status::no_binding);
  lease(1);
  now += 3000_s;
  EXPECT_EQ(server.on_message(now, renew)->ia->addresses.size(), 1u);
  now += 3000_s;
  EXPECT_EQ(server.on_message(now, from(1, Type::rebind, false))->ia->addresses.size(), 1u);
  Message release = from(2, Type::release, true);
  release.ia->addresses = {{wanted, 0, 0}};
  static_cast<void>(server.on_message(now, release));  // not its own
  EXPECT_EQ(lease(3), "2001:db8::1001");
  EXPECT_EQ(lease(2), "nothing");
  release = from(1, Type::release, true);
  release.ia->addresses = {{wanted, 0, 0}};
  static_cast<void>(server.on_message(now, release));
  EXPECT_EQ(lease(2), "2001:db8::1000");
  Message decline = from(2, Type::decline, true);
  decline.ia->addresses = {{wanted, 0, 0}};
  static_cast<void>(server.on_message(now, decline));
  EXPECT_EQ(lease(2), "nothing");
}

TEST_F(Server6, ConfirmsAddressesOfItsLinkOnly) {
  // RFC 8415 18.3.3 [RFC8415-18-a]
  Message confirm = from(1, Type::confirm, false);
  EXPECT_FALSE(server.on_message(now, confirm));
  confirm.ia->addresses = {{*IpAddress::parse("2001:db8::7"), 1, 1}};
  EXPECT_EQ(server.on_message(now, confirm)->status, Status::success);
  confirm.ia->addresses = {{*IpAddress::parse("2001:db9::7"), 1, 1}};
  EXPECT_EQ(server.on_message(now, confirm)->status, Status::not_on_link);
}

}  // namespace
}  // namespace lanyard::application
