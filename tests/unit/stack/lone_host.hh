// SPDX-License-Identifier: Apache-2.0
// One machine whose wire is the test itself: frames are put in by hand and what comes out is read.
// The machine is 10.0.0.1/24, 2001:db8::1/64, fe80::1/64; the test speaks as 10.0.0.9,
// 2001:db8::9, fe80::9.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "internet/network.hh"
#include "stack/stack.hh"
#include "wire/arp.hh"
#include "wire/ethernet.hh"
#include "wire/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ndp.hh"
#include "wire/protocol.hh"
#include "wire/udp.hh"

namespace lanyard::stack::test {

using namespace lanyard::literals;

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
inline IpPrefix net(std::string_view text) {
  return IpPrefix::parse(text).value();
}

inline const MacAddress own_mac{{2, 0, 0, 0, 0, 1}};
inline const MacAddress peer_mac{{2, 0, 0, 0, 0, 9}};

using Frame = std::vector<std::uint8_t>;

class LoneHost : public ::testing::Test {
 protected:
  static Config host_config() { return {}; }
  static Config router_config() {
    Config config;
    config.internet.forwarding = true;
    return config;
  }
  static InterfaceConfig interface_config() {
    InterfaceConfig config;
    config.mac = own_mac;
    config.makes_link_local = false;
    return config;
  }
  explicit LoneHost(const Config& config = host_config(),
                    const InterfaceConfig& interface = interface_config(), bool addressed = true)
      : stack(config, Seed(1), 0, nullptr) {
    eth = stack.add_interface(interface);
    if (!addressed) return;
    stack.add_address(now, eth, net("10.0.0.1/24"));
    stack.add_address(now, eth, net("2001:db8::1/64"));
    stack.add_address(now, eth, net("fe80::1/64"));
  }

  // The machine learns the test's addresses, so that answers come at once.
  void introduce() {
    arp(arp::Operation::request, "10.0.0.9", peer_mac, "10.0.0.1");
    for (const char* address : {"2001:db8::9", "fe80::9"}) {
      ndp::Message message;
      message.type = ndp::Type::neighbour_solicitation;
      message.target = ip("2001:db8::1");
      message.options.source_link_address = peer_mac;
      ndp(message, address, "2001:db8::1");
    }
    take();
  }

  // Frames in.
  void give(const Frame& frame) { stack.on_frame(now, eth, Packet::copy_of(frame)); }
  static Frame framed(ethernet::Type type, Bytes payload, const MacAddress& to = own_mac,
                      const MacAddress& from = peer_mac) {
    Frame frame(ethernet::header_size);
    ethernet::Header{to, from, type}.write(frame.data());
    frame.insert(frame.end(), payload.begin(), payload.end());
    return frame;
  }
  void arp(arp::Operation operation, std::string_view sender, const MacAddress& sender_mac,
           std::string_view target) {
    std::array<std::uint8_t, arp::message_size> bytes;
    arp::Message{operation, sender_mac, ip(sender), {}, ip(target)}.write(bytes.data());
    give(framed(ethernet::Type::arp, bytes, MacAddress::broadcast(), sender_mac));
  }
  static Frame v4_packet(ipv4::Header header, Bytes payload) {
    Frame packet(header.size());
    header.write(packet.data(), payload.size());
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
  }
  static ipv4::Header v4_header(std::string_view source = "10.0.0.9",
                                std::string_view destination = "10.0.0.1",
                                std::uint8_t protocol = protocol::icmp) {
    ipv4::Header header;
    header.source = ip(source);
    header.destination = ip(destination);
    header.protocol = protocol;
    return header;
  }
  void v4(const ipv4::Header& header, Bytes payload, const MacAddress& to = own_mac) {
    give(framed(ethernet::Type::ipv4, v4_packet(header, payload), to));
  }
  static ipv6::Header v6_header(std::string_view source = "2001:db8::9",
                                std::string_view destination = "2001:db8::1",
                                std::uint8_t next_header = protocol::icmpv6,
                                std::uint8_t hop_limit = 64) {
    ipv6::Header header;
    header.source = ip(source);
    header.destination = ip(destination);
    header.next_header = next_header;
    header.hop_limit = hop_limit;
    return header;
  }
  static Frame v6_packet(const ipv6::Header& header, Bytes payload) {
    Frame packet(ipv6::header_size);
    header.write(packet.data(), payload.size());
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
  }
  void v6(const ipv6::Header& header, Bytes payload, std::optional<MacAddress> to = std::nullopt) {
    const MacAddress mac =
        header.destination.is_multicast() ? multicast_mac(header.destination) : own_mac;
    give(framed(ethernet::Type::ipv6, v6_packet(header, payload), to.value_or(mac)));
  }
  void ndp(const ndp::Message& message, std::string_view source, std::string_view destination,
           std::uint8_t hop_limit = 255) {
    Packet packet;
    message.push_onto(packet, ip(source), ip(destination));
    v6(v6_header(source, destination, protocol::icmpv6, hop_limit), packet.front());
  }

  // Payloads.
  static Frame echo_v4(std::size_t bytes = 8, std::uint16_t identifier = 77) {
    Packet packet = Packet::copy_of(Frame(bytes, 0x5a));
    icmp::Header::echo(icmp::v4::echo_request, identifier, 1).push_onto_v4(packet);
    return {packet.front().begin(), packet.front().end()};
  }
  static Frame echo_v6(std::string_view source = "2001:db8::9",
                       std::string_view destination = "2001:db8::1", std::size_t bytes = 8) {
    Packet packet = Packet::copy_of(Frame(bytes, 0x5a));
    icmp::Header::echo(icmp::v6::echo_request, 77, 1)
        .push_onto_v6(packet, ip(source), ip(destination));
    return {packet.front().begin(), packet.front().end()};
  }
  static Frame udp(std::string_view source = "10.0.0.9", std::string_view destination = "10.0.0.1",
                   Port port = 9, std::size_t bytes = 8) {
    Packet packet = Packet::copy_of(Frame(bytes, 0x5a));
    udp::Header{4000, port}.push_onto(packet, ip(source), ip(destination));
    return {packet.front().begin(), packet.front().end()};
  }

  // Frames out.
  std::vector<Frame> take() {
    std::vector<Frame> frames;
    while (auto out = stack.take_frame()) {
      frames.emplace_back(out->frame.size());
      out->frame.copy_to(0, frames.back());
    }
    return frames;
  }
  std::size_t count() { return take().size(); }
  // What the next call of poll brings, as time passes.
  std::vector<Frame> run_for(Duration duration) {
    std::vector<Frame> frames = take();
    const Instant end = now + duration;
    while (stack.next_deadline() <= end) {
      now = std::max(now, stack.next_deadline());
      stack.poll(now);
      for (Frame& frame : take()) frames.push_back(std::move(frame));
    }
    now = end;
    return frames;
  }

  // An ICMP message among what came out: the one frame there must be.
  struct IcmpSeen {
    IpAddress source, destination;
    std::uint8_t type = 0, code = 0;
    std::uint32_t rest = 0;
    Frame body;
    std::uint8_t traffic_class = 0;
    std::size_t packet_size = 0;
  };
  static std::optional<IcmpSeen> icmp_of(const Frame& frame) {
    const auto outer = ethernet::View::parse(frame);
    if (!outer) return std::nullopt;
    IcmpSeen seen;
    Bytes message;
    seen.packet_size = outer->payload().size();
    if (outer->type() == ethernet::Type::ipv4) {
      const auto view = ipv4::View::parse(outer->payload());
      if (!view || !view->has_good_checksum() || view->protocol() != protocol::icmp) {
        return std::nullopt;
      }
      seen.source = view->source();
      seen.destination = view->destination();
      seen.traffic_class = view->traffic_class();
      message = view->payload();
    } else {
      const auto view = ipv6::View::parse(outer->payload());
      if (!view || view->next_header() != protocol::icmpv6) return std::nullopt;
      seen.source = view->source();
      seen.destination = view->destination();
      message = view->payload();
    }
    const auto icmp = icmp::View::parse(message);
    const Family family = seen.source.family();
    if (!icmp || !icmp::has_good_checksum(family, seen.source, seen.destination,
                                          Packet::copy_of(message), message.size())) {
      return std::nullopt;
    }
    seen.type = icmp->type();
    seen.code = icmp->code();
    seen.rest = icmp->rest();
    seen.body.assign(icmp->body().begin(), icmp->body().end());
    return seen;
  }
  std::optional<IcmpSeen> take_icmp() {
    const auto frames = take();
    if (frames.size() != 1) return std::nullopt;
    return icmp_of(frames[0]);
  }

  [[nodiscard]] std::uint64_t drops(DropReason reason) const {
    return stack.drops()[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::string state_of(std::string_view address) const {
    for (const NeighbourRow& row : stack.neighbours()) {
      if (row.address == ip(address)) return row.state;
    }
    return "none";
  }
  [[nodiscard]] MacAddress mac_of(std::string_view address) const {
    for (const NeighbourRow& row : stack.neighbours()) {
      if (row.address == ip(address)) return row.mac;
    }
    return {};
  }

  Instant now = Instant::at_ns(1'000'000'000);
  Stack stack;
  std::uint32_t eth = 0;
};

}  // namespace lanyard::stack::test
