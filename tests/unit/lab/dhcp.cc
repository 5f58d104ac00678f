// SPDX-License-Identifier: Apache-2.0
// Hosts that ask for their addresses, in virtual time.
#include <gtest/gtest.h>

#include "application/link_local.hh"
#include "lab.hh"

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;

using DhcpLab = test::EndedLab;

TEST(DhcpInLab, AHostGetsTheAddressOfItsNameAndOthersReachIt) {
  // RFC 2131 3.1 [RFC2131-3.1-a]
  const DhcpLab lab(
      "hosts:\n"
      "  alice: { address: dhcp, run: { do: ping bob -c 1 -4, at: 25s, expect: exit 0 } }\n"
      "  bob: { run: { do: ping alice -c 1 -4, at: 26s, expect: exit 0 } }\n"
      "routers: { r1: { run: dhcp serve } }\n"
      "links: [alice -- r1, r1 -- bob]\n");
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_EQ(lab.printed("alice.dhcp"), "eth0: 10.0.1.2/24 for 3600s from 10.0.1.1\n");
  EXPECT_EQ(lab.printed("r1"), "02:00:00:00:00:01 has 10.0.1.2 for 3600s\n");
}

TEST(DhcpInLab, WithoutAServerAHostHasNoAddressAtAll) {
  const DhcpLab lab(
      "hosts:\n"
      "  alice: { address: dhcp, run: { do: ping bob -c 1 -4, at: 25s, expect: exit 1 } }\n"
      "  bob: {}\n"
      "links: [alice -- bob]\n"
      "check: [packets icmp == 0]\n");
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_EQ(lab.printed("alice.dhcp"), "");
}

TEST(DhcpInLab, AnAddressThatAnotherTookIsDeclinedAndTheNextIsUsed) {
  // RFC 2131 4.4.1 [RFC2131-4.4.1-b], RFC 5227 2.1.1 [RFC5227-2.1.1-a]
  const DhcpLab lab(
      "hosts:\n"
      "  server: { run: dhcp serve --pool 10.0.1.100-10.0.1.150 }\n"
      "  squatter: { address: 10.0.1.100/24 }\n"
      "  alice: { address: dhcp, run: { do: ping server -c 1 -4, at: 60s, expect: exit 0 } }\n"
      "switches: [office]\n"
      "links: [server -- office, squatter -- office, alice -- office]\n");
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_EQ(lab.printed("alice.dhcp"),
            "eth0: 10.0.1.100 is taken by another, declined\n"
            "eth0: 10.0.1.101/24 for 3600s from 10.0.1.1\n");
}

TEST(DhcpInLab, TheLeaseEndsWithTheServersSilenceAndTheAddressWithIt) {
  // RFC 2131 4.4.5 [RFC2131-4.4.5-a]
  const DhcpLab lab(
      "hosts:\n"
      "  server: { run: dhcp serve --lease 100 }\n"
      "  alice: { address: dhcp, run: { do: ping server -c 1 -4, at: 240s, expect: any } }\n"
      "links: [server -- alice]\n"
      "at: { 90s: crash server }\n"
      "until: 250s\n");
  EXPECT_EQ(lab.printed("alice.dhcp"),
            "eth0: 10.0.1.2/24 for 100s from 10.0.1.1\n"
            "eth0: 10.0.1.2/24 for 100s from 10.0.1.1\n"
            "eth0: 10.0.1.2 is given up\n");
}

TEST(DhcpInLab, ALeaseThatIsGivenBackIsFreeForAnother) {
  // RFC 2131 3.1 [RFC2131-3.1-b], 4.4.2 [RFC2131-4.4.2-a]
  const DhcpLab lab(
      "hosts:\n"
      "  server: { run: dhcp serve --pool 10.0.1.100-10.0.1.100 }\n"
      "  alice: { run: { do: dhcp client --at-once --for 30, expect: exit 0 } }\n"
      "  bob:\n"
      "    run:\n"
      "      - { do: dhcp client --at-once --for 30, at: 40s, name: first, expect: exit 0 }\n"
      "      - { do: dhcp client --at-once --for 30 --was 10.0.1.100, at: 75s, name: second,"
      " expect: exit 0 }\n"
      "switches: [office]\n"
      "links: [server -- office, alice -- office, bob -- office]\n");
  EXPECT_EQ(lab.complaints(), "");
  const std::string had =
      "eth0: 10.0.1.100/24 for 3600s from 10.0.1.1\neth0: 10.0.1.100 is given up\n";
  EXPECT_EQ(lab.printed("alice"), had);
  EXPECT_EQ(lab.printed("first"), had);
  EXPECT_EQ(lab.printed("second"), had);
}

TEST(DhcpInLab, ARelayServesANetworkWithoutAServer) {
  // RFC 1542 4.1
  const DhcpLab lab(
      "hosts:\n"
      "  server: { run: 'dhcp serve --pool 10.0.1.50-10.0.1.60,10.0.2.50-10.0.2.60/24' }\n"
      "  alice: { address: dhcp, run: { do: ping server -c 1 -4, at: 25s, expect: exit 0 } }\n"
      "routers: { r1: { run: dhcp relay 10.0.1.2 } }\n"
      "links: [server -- r1, r1 -- alice]\n");
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_EQ(lab.printed("alice.dhcp"), "eth0: 10.0.2.50/24 for 3600s from 10.0.1.2\n");
}

TEST(DhcpInLab, AnIpv6AddressIsUsedBesideTheOthersAndGivenBack) {
  // RFC 8415 18.2 [RFC8415-18-a]
  const DhcpLab lab(
      "hosts:\n"
      "  server: { run: 'dhcp6 serve --dns fd00:0:0:1::1' }\n"
      "  alice: { run: { do: dhcp6 client --for 20, expect: exit 0 } }\n"
      "  bob: { run: { do: dhcp6 client --information, expect: exit 0 } }\n"
      "switches: [office]\n"
      "links: [server -- office, alice -- office, bob -- office]\n");
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_EQ(lab.printed("alice"),
            "eth0: fd00:0:0:1::1000 for 3600 s\neth0: fd00:0:0:1::1000 is given up\n");
  EXPECT_EQ(lab.printed("bob"), "eth0: name servers fd00:0:0:1::1\n");
}

TEST(LinkLocalInLab, AHostTriesAnotherAddressThanItsNeighboursAndGivesUpWhatIsTakenFromIt) {
  // RFC 3927 2.1, 2.5, RFC 5227 2.4 [RFC5227-2.4-a], [RFC5227-2.4-b]
  application::LinkLocalAddresses addresses(MacAddress{{2, 0, 0, 0, 0, 0xaa}});
  const std::string first = to_text(addresses.next());
  const std::string second = to_text(addresses.next());
  const DhcpLab lab(
      "hosts:\n"
      "  alice:\n"
      "    mac: '02:00:00:00:00:aa'\n"
      "    run: [link-local, { do: echo serve, name: sink }]\n"
      "  carol: { run: { do: echo send " +
      second +
      " hello --hold 60, at: 20s, name: source, expect: any } }\n"
      "  bob: { run: { do: ping 169.254.77.77 -c 3, at: 40s, expect: any } }\n"
      "switches: [office]\n"
      "links: [alice -- office, bob -- office, carol -- office]\n"
      "at: { 0s: 'address carol " +
      first + "/16', 35s: 'address bob " + second +
      "/16' }\n"
      "until: 70s\n"
      "check: [alice tcp resets >= 1]\n");
  EXPECT_EQ(lab.complaints(), "");
  const std::string told = lab.printed("alice");
  const std::string begun = "eth0: " + first + " is taken by another\neth0: " + second +
                            "/16\neth0: " + second + " is given up\neth0: 169.254.";
  EXPECT_EQ(told.substr(0, begun.size()), begun) << told;
}

TEST(DhcpInLab, IsRefusedForHostsWithTheKernelsStack) {
  const auto lab = parse_lab("hosts: { alice: { kind: linux, address: dhcp } }\n", "t.yaml");
  ASSERT_FALSE(lab);
  EXPECT_NE(to_text(lab.error()[0]).find("`address: dhcp` is for hosts with our stack"),
            std::string::npos);
}

}  // namespace
}  // namespace lanyard::lab
