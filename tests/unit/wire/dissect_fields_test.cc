// SPDX-License-Identifier: Apache-2.0
// Options, odd sizes and what lies in a payload, as the dissector names them.
#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/dhcp.hh"
#include "wire/dissect.hh"
#include "wire/ipv4.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"

namespace lanyard::wire {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets ip_of(const Packet& packet) {
  Octets bytes = test::bytes_in(packet);
  const std::size_t frame = bytes[0] >> 4 == 4 || bytes[0] >> 4 == 6 ? 0 : 14;
  return {bytes.begin() + static_cast<std::ptrdiff_t>(frame), bytes.end()};
}

// A segment with options as they stand here and this text.
Octets segment(const Octets& options, std::string_view text = "", std::uint16_t port = 5000) {
  Octets bytes(20);
  store16(&bytes[0], port);
  store16(&bytes[2], 6000);
  bytes[12] = static_cast<std::uint8_t>((20 + options.size()) / 4 << 4);
  bytes[13] = 0x10;
  bytes.insert(bytes.end(), options.begin(), options.end());
  bytes.insert(bytes.end(), text.begin(), text.end());
  Packet packet = Packet::copy_of(bytes);
  test::wrap(packet, protocol::tcp);
  return ip_of(packet);
}

Octets datagram(std::uint16_t from, std::uint16_t to, const Octets& payload) {
  Octets bytes(8);
  store16(&bytes[0], from);
  store16(&bytes[2], to);
  store16(&bytes[4], static_cast<std::uint16_t>(8 + payload.size()));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  Packet packet = Packet::copy_of(bytes);
  test::wrap(packet, protocol::udp);
  return ip_of(packet);
}

std::string value_of(const Octets& packet, std::size_t layer, std::string_view name) {
  const auto layers = dissect(packet, Start::ip);
  if (layers.size() <= layer) return "no such layer";
  for (const Field& field : layers[layer].children)
    if (field.name == name) return field.value;
  return "no such field";
}

TEST(DissectTcp, AnOptionOfAnotherSizeIsShownAsItsOctets) {
  EXPECT_EQ(value_of(segment({2, 4, 5, 0xb4}), 1, "Option: Maximum Segment Size"), "1460");
  EXPECT_EQ(value_of(segment({2, 3, 5, 1}), 1, "Option: Maximum Segment Size"), "05");
  EXPECT_EQ(value_of(segment({3, 3, 2, 1}), 1, "Option: Window Scale"), "2 (multiply by 4)");
  EXPECT_EQ(value_of(segment({3, 4, 2, 9}), 1, "Option: Window Scale"), "02 09");
  EXPECT_EQ(value_of(segment({8, 4, 1, 2}), 1, "Option: Timestamps"), "01 02");
  EXPECT_EQ(value_of(segment({5, 4, 1, 2}), 1, "Option: SACK"), "01 02");
  EXPECT_EQ(value_of(segment({19, 4, 1, 2}), 1, "Option: MD5 Signature"), "01 02");
}

TEST(DissectTcp, HttpIsKnownByItsPortAndItsFirstLine) {
  EXPECT_EQ(summary(segment({}, "HTTP/1.1 200 OK\r\n\r\n", 8080), Start::ip),
            "HTTP HTTP/1.1 200 OK");
  EXPECT_EQ(summary(segment({}, "GET / HTTP/1.0\r\n\r\n", 80), Start::ip), "HTTP GET / HTTP/1.0");
  EXPECT_TRUE(summary(segment({}, "more of it", 80), Start::ip).starts_with("TCP 80 -> 6000"));
  EXPECT_TRUE(
      summary(segment({}, "GET / HTTP/1.0\r\n\r\n", 81), Start::ip).starts_with("TCP 81 -> 6000"));
  EXPECT_EQ(value_of(segment({}, "HTTP/1.1 404 Not Found\r\n\r\n", 80), 2, "Status Line"),
            "HTTP/1.1 404 Not Found");
}

TEST(DissectTcp, DnsHasALengthBeforeItAndElseIsPayload) {
  // RFC 1035 4.2.2
  const std::string query("\x00\x0c\x12\x34\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14);
  EXPECT_TRUE(summary(segment({}, query, 53), Start::ip).starts_with("DNS "));
  EXPECT_TRUE(summary(segment({}, query + "x", 53), Start::ip).starts_with("TCP 53"));
  EXPECT_TRUE(summary(segment({}, "x", 53), Start::ip).starts_with("TCP 53"));
}

TEST(DissectUdp, WithoutAChecksumThereIsNoneToJudge) {
  EXPECT_EQ(value_of(datagram(1, 2, {9, 9}), 1, "Checksum"), "0x0000 (none)");
}

// RFC 791 3.1
TEST(DissectIpv4, OptionsHaveTheirNames) {
  struct Named {
    std::uint8_t type;
    const char* name;
  };
  for (const Named& each : {Named{7, "Record Route"},
                            {68, "Timestamp"},
                            {130, "Security"},
                            {131, "Loose Source Route"},
                            {136, "Stream Identifier"},
                            {137, "Strict Source Route"},
                            {148, "Router Alert"},
                            {99, "Unknown Option"}}) {
    Octets packet(24);
    packet[0] = 0x46;
    store16(&packet[2], 24);
    packet[8] = 64;
    packet[9] = 253;
    packet[20] = each.type;
    packet[21] = 4;
    const auto layers = dissect(packet, Start::ip);
    bool is_there = false;
    for (const Field& field : layers.at(0).children)
      is_there = is_there || field.name.find(each.name) != std::string::npos;
    EXPECT_TRUE(is_there) << each.name;
  }
}

// RFC 2132
TEST(DissectDhcp, OptionsAreWhatTheyAreIfTheirSizeIsRight) {
  const auto with = [](const Octets& options) {
    dhcp::Message message;
    message.type = dhcp::Type::request;
    Octets bytes = dhcp::write(message);
    while (!bytes.empty() && bytes.back() == 0) bytes.pop_back();
    if (!bytes.empty() && bytes.back() == 255) bytes.pop_back();
    bytes.insert(bytes.end(), options.begin(), options.end());
    bytes.push_back(255);
    return datagram(68, 67, bytes);
  };
  const Octets wanted = with({50, 4, 10, 0, 0, 7});
  EXPECT_EQ(value_of(wanted, 2, "Option: Requested IP Address (50)"), "10.0.0.7");
  EXPECT_NE(summary(wanted, Start::ip).find(" wants 10.0.0.7"), std::string::npos);
  EXPECT_EQ(value_of(with({6, 8, 10, 0, 0, 1, 10, 0, 0, 2}), 2, "Option: Domain Name Server (6)"),
            "10.0.0.1, 10.0.0.2");
  EXPECT_EQ(value_of(with({58, 4, 0, 0, 0, 60}), 2, "Option: Renewal Time Value (58)"), "60 s");
  EXPECT_EQ(value_of(with({52, 1, 1}), 2, "Option: Option Overload (52)"), "01");
  EXPECT_EQ(value_of(with({6, 3, 10, 0, 0}), 2, "Option: Domain Name Server (6)"), "0a 00 00");
  EXPECT_EQ(value_of(with({58, 3, 0, 0, 60}), 2, "Option: Renewal Time Value (58)"), "00 00 3c");
}

}  // namespace
}  // namespace lanyard::wire
