// SPDX-License-Identifier: Apache-2.0
// Which packets are meant: `SYN of alice`, `tcp from alice to bob`, `packet from alice to
// 10.0.9.0/24`. Links drop by it, checks and the timeline look by it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hh"
#include "wire/address.hh"

namespace lanyard::lab {

struct PacketMatch {
  enum class Kind : std::uint8_t {
    any,
    arp,
    ndp,
    icmp,
    udp,
    dns,
    tcp,
    syn,
    syn_ack,
    fin,
    rst,
    data
  };
  Kind kind = Kind::any;
  // Node names as written, or prefixes; empty: whoever. Resolved to addresses by PacketMatcher.
  std::string from, to;
  friend bool operator==(const PacketMatch&, const PacketMatch&) = default;
};

// `drop: [packet 7, every 100th, first SYN of alice]`: which of the frames that match are lost.
struct DropRule {
  std::uint64_t first = 1, last = 1;  // of those that match, counted from 1
  std::uint64_t every = 0;            // or every so many; 0: not
  PacketMatch match;
  friend bool operator==(const DropRule&, const DropRule&) = default;
};

// "SYN", "packet": the word for a kind.
[[nodiscard]] std::string_view word_of(PacketMatch::Kind kind);
[[nodiscard]] std::optional<PacketMatch::Kind> kind_of_packet(std::string_view word);
// "SYN from alice to bob"
[[nodiscard]] std::string text_of(const PacketMatch& match);

// What of a frame decides whether it matches; anything may be in the frame.
struct FrameFacts {
  bool is_arp = false, is_ndp = false, is_ip = false;
  bool is_first_fragment = true;
  IpAddress source, destination;  // of ARP: the sender's and the target's
  std::uint8_t protocol = 255;
  std::uint8_t tcp_flags = 0;
  std::uint16_t source_port = 0, destination_port = 0;
  std::size_t payload_bytes = 0;  // of TCP or UDP
};
[[nodiscard]] FrameFacts facts_of_frame(Bytes front, std::size_t frame_size);

// A match whose ends are addresses.
class PacketMatcher {
 public:
  using Kind = PacketMatch::Kind;
  PacketMatcher() = default;
  // No prefixes: any address.
  PacketMatcher(Kind kind, std::vector<IpPrefix> from, std::vector<IpPrefix> to)
      : kind_(kind), from_(std::move(from)), to_(std::move(to)) {}
  [[nodiscard]] bool matches(const FrameFacts& facts) const;

 private:
  [[nodiscard]] bool is_kind(const FrameFacts& facts) const;
  Kind kind_ = Kind::any;
  std::vector<IpPrefix> from_, to_;
};

}  // namespace lanyard::lab
