// SPDX-License-Identifier: Apache-2.0
// A packet as a script says it: sent to the stack (<), or expected of it (>).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lanyard::lab::drill {

struct TcpOption {
  enum class Kind : std::uint8_t {
    mss,
    sack_permitted,
    window_scale,
    timestamps,
    sack,
    no_operation,
    end_of_list,
    fast_open,
    fast_open_experimental,
    md5,
    raw  // kind N HEX: any other option, as bytes
  };
  Kind kind = Kind::no_operation;
  std::uint32_t value = 0;  // mss, window scale, TS val, kind of a raw option
  std::uint32_t echo = 0;   // TS ecr
  std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks{};
  std::vector<std::uint8_t> bytes{};  // cookie, digest, raw data
  bool has_length = true;             // raw: `bytes` without kind and length
};

struct SequenceRange {
  std::uint32_t begin = 0, end = 0, bytes = 0;
  friend bool operator==(const SequenceRange&, const SequenceRange&) = default;
};

// What stands in brackets before a packet: [ect0], [ttl 64], [tos 0x10], [flow 2].
struct PacketPrefix {
  enum class Ecn : std::uint8_t { unsaid, none, ect1, ect0, ect01, ce };
  Ecn ecn = Ecn::unsaid;
  std::optional<std::uint8_t> ttl{}, tos{};
  std::optional<std::uint32_t> flow{};     // which connection, counted from 1 (ours)
  bool has_bad_checksum = false;           // [badsum] (ours)
  std::string source{};                    // [from ADDRESS] (ours)
  std::string destination{};               // [to ADDRESS] (ours)
  std::vector<std::uint8_t> ip_options{};  // [ipopt HEX] (ours), IPv4 only
};

struct PacketEvent {
  enum class Kind : std::uint8_t { tcp, udp, icmp };
  bool is_inbound = false;
  Kind kind = Kind::tcp;
  PacketPrefix prefix{};
  std::uint8_t flags = 0;
  std::optional<std::uint8_t> ace{};  // a digit among the flags: AE, CWR, ECE as a number
  bool has_accurate_ecn = false;      // flag A
  SequenceRange range{};
  std::optional<std::uint32_t> ack{};
  std::optional<std::uint16_t> window{}, urgent{};
  std::vector<TcpOption> options{};
  bool any_options = false;  // <...>
  // ICMP: an error, and what it quotes.
  std::uint8_t icmp_type = 0, icmp_code = 0;
  std::uint32_t icmp_rest = 0;
  std::optional<SequenceRange> quoted{};
  bool quotes_udp = false;
};

}  // namespace lanyard::lab::drill
