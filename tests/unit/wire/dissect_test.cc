// SPDX-License-Identifier: Apache-2.0
#include "wire/dissect.hh"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "frames.hh"
#include "wire/dissect_json.hh"

namespace lanyard::wire {
namespace {

std::string summary_of(std::string_view name) {
  for (const test::NamedFrame& frame : test::all_frames()) {
    if (frame.name == name) return summary(frame.bytes);
  }
  return "no such frame";
}

TEST(Dissect, EveryKindOfFrameHasItsLine) {
  EXPECT_EQ(summary_of("ARP request"), "ARP Who has 10.0.0.2? Tell 10.0.0.1");
  EXPECT_EQ(summary_of("ARP reply"), "ARP 10.0.0.2 is at 02:00:00:00:00:0b");
  EXPECT_EQ(summary_of("two VLAN tags"), summary_of("ARP request"));
  EXPECT_EQ(summary_of("TCP SYN over IPv4"),
            "TCP 49152 -> 80 [SYN] Seq=0xfffffff0 Win=64240 Len=0 MSS=1460 SACK_PERM TSval=1000 "
            "TSecr=0 WS=128");
  EXPECT_EQ(summary_of("TCP ACK with SACK over IPv6"),
            "TCP 49152 -> 80 [ACK] Seq=0xfffffff0 Ack=0x0000004d Win=64240 Len=0 TSval=1001 "
            "TSecr=5 SLE=0x00000064 SRE=0x000000c8 SLE=0x0000012c SRE=0x0000012d");
  EXPECT_EQ(summary_of("TCP data over IPv4"), "HTTP GET / HTTP/1.1");
  EXPECT_EQ(summary_of("UDP over IPv6"), "UDP 5000 -> 6000 Len=10");
  EXPECT_EQ(summary_of("DNS query over IPv4"), "DNS Standard query 0x4242 AAAA bob.lab");
  EXPECT_TRUE(summary_of("DNS response over IPv6")
                  .starts_with("DNS Standard query response 0x4242 ANY www.bob.lab CNAME bob.lab "
                               "A 10.0.0.2 AAAA fe80::b"));
  EXPECT_EQ(summary_of("ICMP echo"), "ICMP Echo (ping) request id=0x0001, seq=2, ttl=64");
  EXPECT_EQ(summary_of("ICMP port unreachable"),
            "ICMP Destination unreachable (Port unreachable (3))");
  EXPECT_EQ(summary_of("neighbour solicitation"),
            "ICMPv6 Neighbor Solicitation for fe80::b from 02:00:00:00:00:0a");
  EXPECT_EQ(summary_of("neighbour advertisement"),
            "ICMPv6 Neighbor Advertisement fe80::a (sol, ovr) is at 02:00:00:00:00:0a");
  EXPECT_EQ(summary_of("router advertisement"),
            "ICMPv6 Router Advertisement from 02:00:00:00:00:0a");
  EXPECT_EQ(summary_of("IPv6 fragment"), "IPv6 fragment (off=0 more=y ident=0x00000063 nxt=253)");
}

}  // namespace
}  // namespace lanyard::wire
