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

const Field* find(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::vector<std::uint8_t> frame_of(std::string_view name) {
  for (const test::NamedFrame& frame : test::all_frames()) {
    if (frame.name == name) return frame.bytes;
  }
  return {};
}

TEST(Dissect, LayersHaveFieldsWhereTheFrameHasThem) {
  const auto frame = frame_of("TCP data over IPv4");
  const auto layers = dissect(frame);
  ASSERT_EQ(layers.size(), 4U);
  EXPECT_EQ(layers[0].name, "Ethernet");
  EXPECT_EQ(layers[1].name, "IPv4");
  EXPECT_EQ(layers[2].name, "TCP");
  EXPECT_EQ(layers[3].name, "HTTP");
  EXPECT_EQ(layers[1].offset, 14U);
  EXPECT_EQ(layers[1].size, 20U);
  const Field* ttl = find(layers[1].children, "Time to Live");
  ASSERT_NE(ttl, nullptr);
  EXPECT_EQ(ttl->value, "64");
  EXPECT_EQ(ttl->offset, 22U);
  EXPECT_EQ(ttl->size, 1U);
  EXPECT_TRUE(find(layers[1].children, "Header Checksum")->value.ends_with("(correct)"));
  EXPECT_TRUE(find(layers[2].children, "Checksum")->value.ends_with("(correct)"));
  EXPECT_EQ(find(layers[3].children, "Host")->value, "bob");
}

TEST(Dissect, WrongChecksumsSayWhatWouldBeRight) {
  auto frame = frame_of("UDP over IPv6");
  const auto right = find(dissect(frame)[2].children, "Checksum")->value.substr(0, 6);
  frame[14 + 40 + 6] ^= 0x55;
  EXPECT_TRUE(find(dissect(frame)[2].children, "Checksum")
                  ->value.ends_with("(wrong, " + right + " would be right)"));
}

TEST(Dissect, WhatIsMalformedIsSaidWithItsOffset) {
  const auto line = [](std::string_view name, std::size_t at, std::uint8_t value) {
    auto frame = frame_of(name);
    frame[at] = value;
    return summary(frame);
  };
  EXPECT_EQ(summary({}), "Ethernet malformed: frame cut short: 0 of 14 bytes, at offset 0");
  EXPECT_EQ(line("UDP over IPv4", 14, 0x42),
            "IPv4 malformed: header length 8 with 38 bytes there, at offset 14");
  EXPECT_EQ(line("UDP over IPv4", 38, 0xff),
            "UDP malformed: length 65298 with 18 bytes there, at offset 38");
  EXPECT_EQ(line("TCP SYN over IPv4", 46, 0x40),
            "TCP malformed: data offset of 16 bytes with 40 there, at offset 46");
  EXPECT_EQ(line("TCP SYN over IPv4", 55, 0),
            "TCP malformed: option length is impossible, at offset 54");
  EXPECT_EQ(line("DNS query over IPv4", 54, 0xff),
            "DNS malformed: pointer does not go backwards, at offset 54");
}

// BI-22, BI-31: errors that quote errors are followed a few levels only.
TEST(Dissect, QuotedPacketsAreDissectedInTheirPlace) {
  const auto layers = dissect(frame_of("ICMP port unreachable"));
  const Field* quoted = find(layers[2].children, "Quoted packet");
  ASSERT_NE(quoted, nullptr);
  EXPECT_EQ(quoted->value, "UDP 1000 -> 2000 Len=14");
  ASSERT_EQ(quoted->children.size(), 3U);
  EXPECT_EQ(quoted->children[1].name, "UDP");
  EXPECT_EQ(quoted->children[0].offset, 14U + 20 + 8);
}

TEST(Dissect, EndsAreThoseOfTheInnermostNetworkLayer) {
  EXPECT_EQ(ends(frame_of("UDP over IPv6")).source, "fe80::a");
  EXPECT_EQ(ends(frame_of("ARP reply")).destination, "02:00:00:00:00:0a");
  EXPECT_EQ(ends(frame_of("ICMP port unreachable")).source, "10.0.0.1");
}

TEST(Dissect, IpPacketsNeedNoFrame) {
  const auto frame = frame_of("UDP over IPv6");
  const auto layers = dissect(Bytes(frame).subspan(14), Start::ip);
  ASSERT_EQ(layers.size(), 3U);
  EXPECT_EQ(layers[0].name, "IPv6");
  EXPECT_EQ(layers[0].offset, 0U);
}

TEST(DissectJson, SaysTheSame) {
  const auto json = to_json(dissect(frame_of("ARP reply")));
  EXPECT_EQ(json[1]["name"], "ARP");
  EXPECT_EQ(json[1]["offset"], 14);
  EXPECT_EQ(json[1]["children"][4]["value"], "reply (2)");
  for (const test::NamedFrame& frame : test::all_frames()) {
    EXPECT_FALSE(to_json(dissect(frame.bytes)).dump().empty());
  }
}

}  // namespace
}  // namespace lanyard::wire
