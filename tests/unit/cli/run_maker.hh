// SPDX-License-Identifier: Apache-2.0
// A run file made by hand: alice -- office (switch) -- r1 (router) -- bob.
#pragma once

#include <string>
#include <string_view>

#include "core/packet.hh"
#include "lab/run_file.hh"
#include "wire/arp.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"

namespace lanyard::cli {

inline const IpAddress alice = IpAddress::v4(10, 0, 1, 2);
inline const IpAddress bob = IpAddress::v4(10, 0, 2, 2);

struct Segment {
  bool from_alice = true;
  tcp::Flags flags;
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::string_view text;
  std::uint16_t window = 64240;
};

class RunMaker {
 public:
  enum Port : std::uint32_t { alice_eth0, office_1, office_2, r1_eth0, r1_eth1, bob_eth0 };

  RunMaker() {
    using lab::NodeKind;
    run.lab_name = "test";
    run.nodes = {{"bob", NodeKind::host, {}},
                 {"alice", NodeKind::host, {}},
                 {"office", NodeKind::switching, {}},
                 {"r1", NodeKind::router, {}}};
    add_port(1, "eth0", 1, {{alice, 24}}, office_1, 0);
    add_port(2, "port1", 0, {}, alice_eth0, 0);
    add_port(2, "port2", 0, {}, r1_eth0, 1);
    add_port(3, "eth0", 3, {{IpAddress::v4(10, 0, 1, 1), 24}}, office_2, 1);
    add_port(3, "eth1", 4, {{IpAddress::v4(10, 0, 2, 1), 24}}, bob_eth0, 2);
    add_port(0, "eth0", 2, {{bob, 24}}, r1_eth1, 2);
    run.links = {"alice -- office", "office -- r1", "r1 -- bob"};
  }

  void at_us(std::int64_t us) { now_us_ = us; }

  // An ARP request from alice, answered by r1.
  void arp() {
    arp::Message message{.operation = arp::Operation::request,
                         .sender_mac = mac(1),
                         .sender_ip = alice,
                         .target_mac = {},
                         .target_ip = IpAddress::v4(10, 0, 1, 1)};
    send_arp(message, MacAddress::broadcast(), {alice_eth0, office_1, office_2, r1_eth0});
    message = {.operation = arp::Operation::reply,
               .sender_mac = mac(3),
               .sender_ip = IpAddress::v4(10, 0, 1, 1),
               .target_mac = mac(1),
               .target_ip = alice};
    send_arp(message, mac(1), {r1_eth0, office_2, office_1, alice_eth0});
  }

  // One segment between alice:40000 and bob:80, all the way; or lost behind `lost_at`.
  void segment(const Segment& segment, std::string_view lost = {}, Port lost_at = r1_eth1) {
    ++packet_;
    const std::vector<Port> forth{alice_eth0, office_1, office_2, r1_eth0, r1_eth1, bob_eth0};
    const std::vector<Port> back(forth.rbegin(), forth.rend());
    const std::vector<Port>& path = segment.from_alice ? forth : back;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const bool behind_router = (i >= 4) == segment.from_alice;
      const bool is_second_half = segment.from_alice ? i >= 4 : i >= 2;
      add_frame(path[i], i % 2 == 0, segment_bytes(segment, behind_router, is_second_half));
      if (!lost.empty() && path[i] == lost_at) {
        run.packets.back().comment = lost;
        return;
      }
    }
  }

  static MacAddress mac(std::uint8_t number) { return {{2, 0, 0, 0, 0, number}}; }

  lab::RunFile run;

 private:
  void add_port(std::uint32_t node, std::string name, std::uint8_t mac_number,
                std::vector<IpPrefix> addresses, std::uint32_t peer, std::uint32_t link) {
    lab::RunPort port;
    port.node = node;
    port.name = std::move(name);
    if (mac_number != 0) port.mac = mac(mac_number);
    port.addresses = std::move(addresses);
    port.peer = peer;
    port.link = link;
    run.ports.push_back(std::move(port));
  }

  void send_arp(const arp::Message& message, const MacAddress& to, const std::vector<Port>& path) {
    ++packet_;
    for (std::size_t i = 0; i < path.size(); ++i) {
      Packet packet(64, 0);
      message.push_onto(packet);
      ethernet::Header{to, message.sender_mac, ethernet::Type::arp}.push_onto(packet);
      add_frame(path[i], i % 2 == 0, packet.linear());
    }
  }

  std::vector<std::uint8_t> segment_bytes(const Segment& segment, bool on_bobs_side,
                                          bool is_forwarded) {
    const IpAddress source = segment.from_alice ? alice : bob;
    const IpAddress destination = segment.from_alice ? bob : alice;
    Packet packet = Packet::copy_of(bytes_of(segment.text), 128);
    tcp::Header header;
    header.source_port = segment.from_alice ? 40000 : 80;
    header.destination_port = segment.from_alice ? 80 : 40000;
    header.sequence = tcp::SequenceNumber(segment.sequence);
    header.acknowledgment = tcp::SequenceNumber(segment.acknowledgment);
    header.flags = segment.flags;
    header.window = segment.window;
    header.push_onto(packet, source, destination);
    ipv4::Header ip;
    ip.source = source;
    ip.destination = destination;
    ip.protocol = protocol::tcp;
    ip.ttl = is_forwarded ? 63 : 64;
    ip.push_onto(packet);
    const MacAddress left = on_bobs_side ? mac(4) : mac(1);
    const MacAddress right = on_bobs_side ? mac(2) : mac(3);
    ethernet::Header{segment.from_alice ? right : left, segment.from_alice ? left : right,
                     ethernet::Type::ipv4}
        .push_onto(packet);
    const Bytes bytes = packet.linear();
    return {bytes.begin(), bytes.end()};
  }

  void add_frame(Port port, bool is_sent, Bytes bytes) {
    lab::RunPacket packet;
    packet.port = port;
    packet.at = Instant::at_ns(now_us_ * 1000);
    packet.is_sent = is_sent;
    packet.packet = packet_;
    packet.offset = run.bytes.size();
    packet.size = bytes.size();
    run.bytes.insert(run.bytes.end(), bytes.begin(), bytes.end());
    run.packets.push_back(std::move(packet));
    now_us_ += is_sent ? 10 : 1;
  }

  std::int64_t now_us_ = 0;
  std::uint64_t packet_ = 0;
};

}  // namespace lanyard::cli
