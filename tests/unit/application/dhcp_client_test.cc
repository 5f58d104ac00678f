// SPDX-License-Identifier: Apache-2.0
// The DHCP client as a state machine: told messages and times, asked what is to be done.
#include "application/dhcp_client.hh"

#include <gtest/gtest.h>

namespace lanyard::application {
namespace {

using namespace lanyard::literals;
using dhcp::Message;
using dhcp::Type;
using Kind = DhcpClient::Action::Kind;
using State = DhcpClient::State;

const MacAddress mac{{2, 0, 0, 0, 0, 0xa}};
const IpAddress server = IpAddress::v4(10, 0, 0, 1);
const IpAddress other_server = IpAddress::v4(10, 0, 0, 2);
const IpAddress wanted = IpAddress::v4(10, 0, 0, 100);
const IpAddress nobody = IpAddress::any(Family::ipv4);

class Dhcp : public ::testing::Test {
 protected:
  static DhcpClient::Settings settings() {
    DhcpClient::Settings settings;
    settings.mac = mac;
    settings.host_name = "alice";
    settings.at_once = true;
    return settings;
  }
  explicit Dhcp(const DhcpClient::Settings& given = settings())
      : client(Instant::start(), given, Seed(5).stream()) {}

  // Runs until the next thing is to be done, and gives that.
  std::vector<DhcpClient::Action> next() {
    now = std::max(now, client.next_deadline());
    return client.poll(now);
  }
  Message sent(const std::vector<DhcpClient::Action>& actions) {
    EXPECT_EQ(actions.size(), 1u);
    if (actions.empty()) return {};
    last = actions[0].message;
    return last;
  }
  // The server's answer to the latest message.
  Message answer(Type type) const {
    Message message;
    message.is_reply = true;
    message.type = type;
    message.transaction = last.transaction;
    message.hardware = mac;
    message.server = server;
    if (type == Type::nak) return message;
    message.yours = wanted;
    message.mask = IpAddress::v4(255, 255, 255, 0);
    message.lease_s = 1000;
    message.routers = {server};
    return message;
  }
  std::vector<DhcpClient::Action> hear(const Message& message) {
    return client.on_message(now, message);
  }
  void bind() {
    sent(next());
    sent(hear(answer(Type::offer)));
    const auto check = hear(answer(Type::ack));
    ASSERT_EQ(check.size(), 1u);
    ASSERT_EQ(check[0].kind, Kind::check);
    const auto use = client.on_checked(now, true);
    ASSERT_EQ(use.size(), 1u);
    ASSERT_EQ(use[0].kind, Kind::use);
    ASSERT_EQ(client.state(), State::bound);
  }

  DhcpClient client;
  Instant now = Instant::start();
  Message last;
};

TEST_F(Dhcp, DiscoverOfferRequestAckThenTheAddressIsChecked) {
  // RFC 2131 3.1 [RFC2131-3.1-a], 4.4.1 [RFC2131-4.4.1-b], 4.1 [RFC2131-4.1-c]
  next();  // the first is lost
  const Message discover = sent(next());
  EXPECT_EQ(discover.type, Type::discover);
  EXPECT_FALSE(discover.is_reply);
  EXPECT_TRUE(discover.wants_broadcast);
  EXPECT_EQ(discover.hardware, mac);
  EXPECT_EQ(discover.host_name, "alice");
  EXPECT_GE(discover.seconds, 3);
  EXPECT_FALSE(discover.server);
  now += 100_ms;
  const Message request = sent(hear(answer(Type::offer)));
  EXPECT_EQ(request.type, Type::request);
  EXPECT_EQ(request.transaction, discover.transaction);
  EXPECT_EQ(request.seconds, discover.seconds);
  EXPECT_EQ(request.server, server);
  EXPECT_EQ(request.requested, wanted);
  EXPECT_EQ(request.client, nobody);
  EXPECT_EQ(request.parameters, discover.parameters);
  EXPECT_EQ(request.client_identifier, discover.client_identifier);
  const auto check = hear(answer(Type::ack));
  ASSERT_EQ(check.size(), 1u);
  EXPECT_EQ(check[0].kind, Kind::check);
  EXPECT_EQ(check[0].lease.address, (IpPrefix{wanted, 24}));
  EXPECT_EQ(client.next_deadline(), Instant::never());
  const auto use = client.on_checked(now + 5_s, true);
  ASSERT_EQ(use.size(), 1u);
  EXPECT_EQ(use[0].kind, Kind::use);
  EXPECT_EQ(use[0].lease.routers, std::vector{server});
  EXPECT_EQ(client.next_deadline(), now + 500_s);  // counted from the request
}

TEST(DhcpStart, WaitsBetweenOneAndTenSecondsUnlessTold) {
  // RFC 2131 4.4.1
  Duration least = 100_s, most = 0_s;
  for (std::uint64_t seed = 1; seed < 100; ++seed) {
    const DhcpClient client(Instant::start(), {.mac = mac}, Seed(seed).stream());
    const Duration wait = client.next_deadline().since_start();
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_GE(least, 1_s);
  EXPECT_LE(most, 10_s);
  EXPECT_GT(most - least, 6_s);
}

TEST_F(Dhcp, DiscoversAreRepeatedEverMoreSlowlyEachASecondMoreOrLess) {
  // RFC 2131 4.1 [RFC2131-4.1-a]
  next();
  Instant before = now;
  bool is_random = false;
  for (const int seconds : {4, 8, 16, 32, 64, 64, 64}) {
    sent(next());
    const Duration waited = now - before;
    EXPECT_GE(waited, Duration::seconds(seconds - 1));
    EXPECT_LE(waited, Duration::seconds(seconds + 1));
    is_random = is_random || waited != Duration::seconds(seconds);
    before = now;
  }
  EXPECT_TRUE(is_random);
}

TEST_F(Dhcp, AnswersToOthersOrToOlderQuestionsAreNothing) {
  // RFC 2131 4.4.1 [RFC2131-4.4.1-a], BI-89
  sent(next());
  Message message = answer(Type::offer);
  message.transaction ^= 1;
  EXPECT_TRUE(hear(message).empty());
  message = answer(Type::offer);
  message.hardware.bytes[5] ^= 1;
  EXPECT_TRUE(hear(message).empty());
  message = answer(Type::offer);
  message.is_reply = false;
  EXPECT_TRUE(hear(message).empty());
  EXPECT_TRUE(hear(answer(Type::ack)).empty());
  EXPECT_EQ(client.state(), State::selecting);
  EXPECT_FALSE(hear(answer(Type::offer)).empty());
  EXPECT_TRUE(hear(answer(Type::offer)).empty());  // a second one
}

TEST_F(Dhcp, OffersOfWhatCannotBeAreNothing) {
  // BI-89
  sent(next());
  const auto is_refused = [&](auto change) {
    Message message = answer(Type::offer);
    change(message);
    return hear(message).empty() && client.state() == State::selecting;
  };
  for (const char* address : {"0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1", "250.0.0.1",
                              "10.0.0.0", "10.0.0.255"}) {
    EXPECT_TRUE(is_refused([&](Message& m) { m.yours = *IpAddress::parse(address); })) << address;
  }
  EXPECT_TRUE(is_refused([](Message& m) { m.lease_s = 0; }));
  EXPECT_TRUE(is_refused([](Message& m) { m.lease_s.reset(); }));
  EXPECT_TRUE(is_refused([](Message& m) { m.server.reset(); }));
}

TEST_F(Dhcp, TimesThatDoNotFitAndMasksThatAreNoneAreTakenAsNotSaid) {
  // BI-89
  sent(next());
  Message message = answer(Type::offer);
  message.mask = IpAddress::v4(255, 0, 255, 0);
  message.renewal_s = 900;
  message.rebinding_s = 800;
  hear(message);
  EXPECT_EQ(client.lease().address.length, 8);  // of the class of 10.0.0.0
  EXPECT_EQ(client.lease().renew_at, now + 500_s);
  EXPECT_EQ(client.lease().rebind_at, now + 800_s);
  EXPECT_EQ(client.lease().expires_at, now + 1000_s);
}

TEST_F(Dhcp, AnAddressThatIsTakenIsDeclinedAndNothingIsAskedForTenSeconds) {
  // RFC 2131 3.1 5, 4.4.1 [RFC2131-4.4.1-b]
  sent(next());
  sent(hear(answer(Type::offer)));
  hear(answer(Type::ack));
  const Message decline = sent(client.on_checked(now, false));
  EXPECT_EQ(decline.type, Type::decline);
  EXPECT_EQ(decline.requested, wanted);
  EXPECT_EQ(decline.server, server);
  EXPECT_EQ(decline.client, nobody);
  EXPECT_GE(client.next_deadline(), now + 10_s);
  EXPECT_EQ(sent(next()).type, Type::discover);
}

TEST_F(Dhcp, RenewsWithTheServerThenWithAnybodyAtHalfTheTimeLeftAndAtTheEndTheAddressGoes) {
  // RFC 2131 4.4.5 [RFC2131-4.4.5-a]
  bind();
  const Instant start = now;
  auto actions = next();
  EXPECT_EQ(now, start + 500_s);
  EXPECT_EQ(actions[0].kind, Kind::unicast);
  EXPECT_EQ(actions[0].message.client, wanted);
  EXPECT_FALSE(actions[0].message.server);
  EXPECT_FALSE(actions[0].message.requested);
  EXPECT_FALSE(actions[0].message.wants_broadcast);
  std::vector<std::int64_t> at;
  std::vector<Kind> kinds;
  while (client.state() != State::init) {
    actions = next();
    at.push_back((now - start) / 1_s);
    kinds.push_back(actions.at(0).kind);
  }
  // T2 is 875: 500 + 187, then 94, then a minute, then all; then half of 125 and what is left.
  EXPECT_EQ(at, (std::vector<std::int64_t>{687, 781, 841, 875, 937, 997, 1000}));
  EXPECT_EQ(kinds, (std::vector{Kind::unicast, Kind::unicast, Kind::unicast, Kind::broadcast,
                                Kind::broadcast, Kind::broadcast, Kind::drop}));
  EXPECT_EQ(sent(next()).type, Type::discover);
}

TEST_F(Dhcp, ARenewedLeaseCountsFromTheRequestAndAnotherServerMayRebindIt) {
  // RFC 2131 4.4.5
  bind();
  last = next()[0].message;
  now += 1_s;
  auto use = hear(answer(Type::ack));
  ASSERT_EQ(use.size(), 1u);
  EXPECT_EQ(use[0].kind, Kind::use);
  EXPECT_EQ(client.next_deadline(), now - 1_s + 500_s);
  while (client.state() != State::rebinding) last = next().at(0).message;
  Message message = answer(Type::ack);
  message.server = other_server;
  use = hear(message);
  ASSERT_EQ(use.size(), 1u);
  EXPECT_EQ(client.lease().server, other_server);
}

TEST_F(Dhcp, ANakSendsTheClientBackToTheBeginning) {
  // RFC 2131 3.1 4 [RFC2131-3.1-b]
  sent(next());
  sent(hear(answer(Type::offer)));
  hear(answer(Type::nak));
  EXPECT_EQ(client.state(), State::init);
  sent(next());
  sent(hear(answer(Type::offer)));
  hear(answer(Type::ack));
  static_cast<void>(client.on_checked(now, true));
  last = next()[0].message;
  const auto drop = hear(answer(Type::nak));
  ASSERT_EQ(drop.size(), 1u);
  EXPECT_EQ(drop[0].kind, Kind::drop);
  EXPECT_EQ(client.state(), State::init);
}

TEST_F(Dhcp, ANakWhileNothingWasAskedOrFromAnotherServerChangesNothing) {
  // BI-89
  bind();
  EXPECT_TRUE(hear(answer(Type::nak)).empty());
  EXPECT_EQ(client.state(), State::bound);
  last = next()[0].message;
  Message message = answer(Type::nak);
  message.server = other_server;
  EXPECT_TRUE(hear(message).empty());
  message.server.reset();
  EXPECT_TRUE(hear(message).empty());
  EXPECT_EQ(client.state(), State::renewing);
}

TEST_F(Dhcp, RequestsAreRepeatedFourTimesThenAllBeginsAgain) {
  // RFC 2131 3.1 5
  sent(next());
  const Instant start = now;
  sent(hear(answer(Type::offer)));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(sent(next()).type, Type::request);
  EXPECT_TRUE(next().empty());
  EXPECT_NEAR(static_cast<double>((now - start) / 1_s), 60, 5);
  EXPECT_EQ(sent(next()).type, Type::discover);
}

TEST_F(Dhcp, TheLeaseIsGivenBackWithTheIdentifierItWasGotWith) {
  // RFC 2131 3.1 6 [RFC2131-3.1-b]
  bind();
  const auto actions = client.release(now);
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_EQ(actions[0].kind, Kind::unicast);
  EXPECT_EQ(actions[0].message.type, Type::release);
  EXPECT_EQ(actions[0].message.client, wanted);
  EXPECT_EQ(actions[0].message.server, server);
  EXPECT_EQ(actions[0].message.client_identifier, last.client_identifier);
  EXPECT_EQ(actions[0].lease.server, server);
  EXPECT_EQ(actions[1].kind, Kind::drop);
  EXPECT_EQ(client.next_deadline(), Instant::never());
}

TEST_F(Dhcp, ALeaseForEverIsNeverRenewed) {
  sent(next());
  sent(hear(answer(Type::offer)));
  Message message = answer(Type::ack);
  message.lease_s = dhcp::for_ever_s;
  hear(message);
  static_cast<void>(client.on_checked(now, true));
  EXPECT_EQ(client.state(), State::bound);
  EXPECT_EQ(client.next_deadline(), Instant::never());
}

class DhcpAgain : public Dhcp {
 protected:
  static DhcpClient::Settings remembering() {
    DhcpClient::Settings given = settings();
    given.remembered = wanted;
    return given;
  }
  DhcpAgain() : Dhcp(remembering()) {}
};

TEST_F(DhcpAgain, AsksForTheAddressItHadOfNoServerInParticular) {
  // RFC 2131 4.4.2 [RFC2131-4.4.2-a]
  const Message request = sent(next());
  EXPECT_EQ(client.state(), State::rebooting);
  EXPECT_EQ(request.type, Type::request);
  EXPECT_EQ(request.requested, wanted);
  EXPECT_FALSE(request.server);
  EXPECT_EQ(request.client, nobody);
  Message wrong = answer(Type::ack);
  wrong.yours = IpAddress::v4(10, 0, 0, 101);
  EXPECT_TRUE(hear(wrong).empty());
  EXPECT_EQ(hear(answer(Type::ack)).at(0).kind, Kind::check);
}

TEST_F(DhcpAgain, WithoutAnAnswerOrWithANakItAsksAnew) {
  // RFC 2131 4.4.2, 3.2
  for (int i = 0; i < 4; ++i) EXPECT_EQ(sent(next()).type, Type::request);
  next();
  EXPECT_EQ(sent(next()).type, Type::discover);
}

}  // namespace
}  // namespace lanyard::application
