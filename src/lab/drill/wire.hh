// SPDX-License-Identifier: Apache-2.0
// Between the script's packets and frames: what the stack sent is read, what the script sends is
// built, byte by byte, so that wrong packets can be sent too. Addresses are resolved for the stack.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "core/packet.hh"
#include "lab/drill/script.hh"
#include "wire/address.hh"
#include "wire/ethernet.hh"

namespace lanyard::lab::drill {

inline constexpr MacAddress stack_mac{{2, 0, 0, 0, 0, 1}};
inline constexpr MacAddress peer_mac{{2, 0, 0, 0, 0, 2}};

// A packet on the wire, either way, with the numbers it carries.
struct Seen {
  Instant at;
  bool is_inbound = false;
  PacketEvent::Kind kind = PacketEvent::Kind::tcp;
  Endpoint source{}, destination{};
  std::uint8_t ttl = 0, traffic_class = 0;
  // TCP.
  std::uint8_t flags = 0;
  bool has_accurate_ecn = false;
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::uint16_t window = 0, urgent = 0;
  std::vector<TcpOption> options{};
  std::uint32_t bytes = 0;  // of data
  // ICMP.
  std::uint8_t icmp_type = 0, icmp_code = 0;
  std::uint32_t icmp_rest = 0;
};

// What was in a frame of the stack: a packet to look at, or a question to answer.
struct FromStack {
  std::optional<Seen> packet;
  Packet answer;  // an ARP reply or a neighbour advertisement, if the frame asked for one
};
[[nodiscard]] FromStack read_frame(Instant now, Packet frame);

// A TCP segment or UDP datagram of the script, numbers already as the wire has them.
[[nodiscard]] Packet build_frame(const Seen& packet, const PacketEvent& said);
// An ICMP error about `quoted`, which the stack sent.
[[nodiscard]] Packet build_icmp(const Seen& packet, const Seen& quoted);
// The numbers IPv6 has for an ICMP message that is named in IPv4's; nothing: it has none.
[[nodiscard]] bool translate_icmp_to_v6(Seen& packet);

// Problem when the options do not fit in a header.
[[nodiscard]] std::expected<std::vector<std::uint8_t>, std::string> write_options(
    const std::vector<TcpOption>& options);
[[nodiscard]] std::vector<TcpOption> read_options(Bytes bytes);

// In the script's notation: "S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK>".
[[nodiscard]] std::string to_text(const TcpOption& option);
[[nodiscard]] std::string to_text(const Seen& packet);
[[nodiscard]] std::string flags_text(std::uint8_t flags, bool has_accurate_ecn);

}  // namespace lanyard::lab::drill
