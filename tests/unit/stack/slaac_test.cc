// SPDX-License-Identifier: Apache-2.0
// Addresses that a machine makes of a router's prefix with a secret (RFC 7217), and short-lived
// ones beside them (RFC 8981).
#include <algorithm>

#include "lone_host.hh"

namespace lanyard::stack::test {
namespace {

constexpr const char* here = "2001:db8:5::/64";

class FormedHost : public LoneHost {
 protected:
  explicit FormedHost(const Config& config, bool checks = false)
      : LoneHost(config, with_link_local(checks), false) {}
  static InterfaceConfig with_link_local(bool checks) {
    InterfaceConfig config = interface_config();
    config.makes_link_local = true;
    config.checks_duplicates = checks;
    return config;
  }
  void advertise(std::uint32_t valid_s = 86400, std::uint32_t preferred_s = 86400) {
    ndp::Message message;
    message.type = ndp::Type::router_advertisement;
    message.router_lifetime_s = 9000;
    ndp::PrefixInformation& prefix = message.options.prefixes.emplace_back();
    prefix.prefix = net(here);
    prefix.is_on_link = prefix.is_autonomous = true;
    prefix.valid_lifetime_s = valid_s;
    prefix.preferred_lifetime_s = preferred_s;
    ndp(message, "fe80::9", "ff02::1");
    take();
  }
  // Those in use under the prefix, oldest first.
  [[nodiscard]] std::vector<IpAddress> made() const { return under(here); }
  [[nodiscard]] std::vector<IpAddress> under(std::string_view prefix) const {
    std::vector<IpAddress> found;
    const InterfaceRow row = stack.interface(eth).value();
    for (const IpPrefix& each : row.addresses)
      if (net(prefix).contains(each.address)) found.push_back(each.address);
    return found;
  }
  bool is_own(const IpAddress& address) { return stack.network().is_own_address(address, 0); }
  IpAddress source() { return stack.network().find(ip("2001:db8:5::77"), ip("::"), 0)->source; }
  // The next address under the prefix that is asked after, as one checked for duplicates is.
  std::optional<IpAddress> probed() {
    for (int i = 0; i < 30; ++i) {
      for (const Frame& frame : run_for(100_ms)) {
        const auto packet = ipv6::View::parse(Bytes(frame).subspan(14));
        const auto message = ndp::View::parse(packet->payload());
        if (packet->next_header() == protocol::icmpv6 && message &&
            message->type() == ndp::Type::neighbour_solicitation &&
            net(here).contains(message->target()))
          return message->target();
      }
    }
    return std::nullopt;
  }
  // Somebody says that the address being checked is his.
  void claim(const IpAddress& address) {
    ndp::Message message;
    message.type = ndp::Type::neighbour_advertisement;
    message.target = address;
    message.options.target_link_address = peer_mac;
    ndp(message, "fe80::9", "ff02::1");
    take();
  }
};

Config stable() {
  Config config;
  config.internet.stable_identifiers = true;
  return config;
}

class StableHost : public FormedHost {
 protected:
  explicit StableHost(bool checks = false) : FormedHost(stable(), checks) {}
};

class CheckedStableHost : public StableHost {
 protected:
  CheckedStableHost() : StableHost(true) {}
};

IpAddress link_local_of(Seed seed, const InterfaceConfig& interface) {
  Stack stack(stable(), seed, 0, nullptr);
  return stack.interface(stack.add_interface(interface))->addresses.at(0).address;
}

TEST_F(StableHost, NoAddressSaysTheMacAddressAndEachIsTheSameNextTime) {
  // RFC 7217 5 [RFC7217-5-a]
  advertise();
  ASSERT_EQ(made().size(), 1U);
  ASSERT_EQ(under("fe80::/64").size(), 1U);
  EXPECT_NE(made()[0], ip("2001:db8:5::ff:fe00:1"));
  const IpAddress link_local = under("fe80::/64")[0];
  EXPECT_NE(link_local, ip("fe80::ff:fe00:1"));
  InterfaceConfig interface = with_link_local(false);
  interface.mac = peer_mac;  // another card in the same place
  EXPECT_EQ(link_local_of(Seed(1), interface), link_local);
  EXPECT_NE(link_local_of(Seed(2), interface), link_local);
}

TEST_F(StableHost, HoweverOftenARouterSpeaksTheMachineWakesOnceForALifetime) {
  for (std::uint32_t i = 0; i < 1000; ++i) advertise(90'000 + i, 80'000 + i);
  const Instant end = now + 200'000_s;
  int woken = 0;
  for (; stack.next_deadline() <= end && woken < 1000; ++woken) {
    now = std::max(now, stack.next_deadline());
    stack.poll(now);
    take();
  }
  EXPECT_LT(woken, 20);
  EXPECT_TRUE(made().empty());
}

TEST_F(CheckedStableHost, ATakenAddressIsFollowedByAnotherThreeTimesAndThenByNone) {
  // RFC 7217 6 [RFC7217-5-a], BI-41
  run_for(5_s);
  advertise();
  std::vector<IpAddress> tried;
  while (const auto address = probed()) {
    tried.push_back(*address);
    claim(*address);
    ASSERT_LE(tried.size(), 4U);
  }
  EXPECT_EQ(tried.size(), 4U);
  std::sort(tried.begin(), tried.end());
  EXPECT_EQ(std::unique(tried.begin(), tried.end()), tried.end());
  advertise();
  EXPECT_FALSE(probed());
  EXPECT_TRUE(made().empty());
}

TEST_F(CheckedStableHost, TheSecondOfThemIsOursIfNobodyObjects) {
  run_for(5_s);
  advertise();
  claim(probed().value());
  const IpAddress second = probed().value();
  run_for(5_s);
  EXPECT_EQ(made(), std::vector{second});
}

Config temporary() {
  Config config;
  config.internet.temporary_addresses = true;
  return config;
}

class TemporaryHost : public FormedHost {
 protected:
  explicit TemporaryHost(bool checks = false) : FormedHost(temporary(), checks) {}
};

class CheckedTemporaryHost : public TemporaryHost {
 protected:
  CheckedTemporaryHost() : TemporaryHost(true) {}
};

TEST_F(TemporaryHost, AsksFromOneAndIsAskedAtBoth) {
  // RFC 8981 3.1, 3.4 [RFC8981-3-a], RFC 6724 5 rule 7
  advertise();
  ASSERT_EQ(made().size(), 2U);
  EXPECT_EQ(made()[0], ip("2001:db8:5::ff:fe00:1"));
  EXPECT_TRUE(is_own(made()[0]));
  EXPECT_TRUE(is_own(made()[1]));
  EXPECT_EQ(source(), made()[1]);
  advertise();
  EXPECT_EQ(made().size(), 2U);  // another word of the router is not another address
}

TEST_F(TemporaryHost, TheNextOneIsThereBeforeOneIsOverAndOldOnesGo) {
  // RFC 8981 3.4, 3.5, 3.8 [RFC8981-3-a]
  advertise(0xffffffff, 0xffffffff);
  const IpAddress first = made().at(1);
  const Instant began = now;
  // Preferred for a day, less up to two fifths of one.
  run_for(Duration::seconds(86400 * 3 / 5 - 10));
  EXPECT_EQ(source(), first);
  EXPECT_EQ(made().size(), 2U);
  while (made().size() == 2 && now - began < Duration::seconds(86401)) run_for(1_s);
  ASSERT_EQ(made().size(), 3U);
  const IpAddress second = made()[2];
  EXPECT_NE(first, second);
  run_for(6_s);
  EXPECT_EQ(source(), second);  // the first is deprecated,
  EXPECT_TRUE(is_own(first));   // and still answers to its name
  run_for(began + Duration::seconds(2 * 86400 - 1) - now);
  EXPECT_TRUE(is_own(first));
  run_for(2_s);
  EXPECT_FALSE(is_own(first));
  run_for(Duration::seconds(30 * 86400));
  EXPECT_LE(made().size(), 5U);
  EXPECT_GE(made().size(), 3U);
}

TEST_F(TemporaryHost, LivesNoLongerThanTheRouterSaysAndNoneIsMadeForAMoment) {
  // RFC 8981 3.4 (1), (4) [RFC8981-3-a]
  advertise(7200, 5);
  EXPECT_EQ(made().size(), 1U);
  advertise(7200, 100);
  ASSERT_EQ(made().size(), 2U);
  const IpAddress first = made()[1];
  run_for(50_s);
  advertise(7200, 100);  // moved on
  run_for(60_s);
  EXPECT_EQ(source(), first);
  run_for(41_s);
  EXPECT_TRUE(is_own(first));
  EXPECT_EQ(made().size(), 2U);  // nothing to make the next one of
  advertise(7200, 1000);
  EXPECT_EQ(source(), first);  // back, within its own day
  run_for(7201_s);
  EXPECT_TRUE(made().empty());
}

TEST_F(CheckedTemporaryHost, IsTriedFourTimesAndThenNoMore) {
  // RFC 8981 3.4 (7) [RFC8981-3-a], BI-41
  run_for(5_s);
  advertise();
  const IpAddress base = ip("2001:db8:5::ff:fe00:1");
  int claimed = 0;
  while (const auto address = probed()) {
    if (*address == base) continue;
    claim(*address);
    ASSERT_LE(++claimed, 4);
  }
  EXPECT_EQ(claimed, 4);
  EXPECT_EQ(made(), std::vector{base});
  EXPECT_EQ(source(), base);
  advertise();
  EXPECT_FALSE(probed());
}

}  // namespace
}  // namespace lanyard::stack::test
