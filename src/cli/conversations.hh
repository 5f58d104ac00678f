// SPDX-License-Identifier: Apache-2.0
// Follows TCP conversations from segment to segment, as an onlooker: what each one means beside
// those before it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "cli/facts.hh"

namespace lanyard::cli {

// What an onlooker says of one segment.
struct SegmentNote {
  std::uint32_t conversation = 0;  // from 1, in order of appearance
  std::uint32_t sequence = 0;      // relative to the first one seen in its direction
  std::uint32_t acknowledgment = 0;
  bool is_retransmission = false;
  bool is_keep_alive = false;
  std::uint32_t duplicate_acks = 0;  // the n-th in a row
};

class Conversations {
 public:
  // Takes the next segment; `facts.tcp` must be there.
  SegmentNote take(const Facts& facts);
  // A number for a UDP or ICMP pair, counted apart from TCP's and far from them.
  std::uint32_t number_of_pair(const Facts& facts);

 private:
  struct Direction {
    bool is_seen = false;
    tcp::SequenceNumber first, next;  // next: one past the highest sent
    tcp::SequenceNumber last_ack;
    std::uint16_t last_window = 0;
    bool has_acked = false;
    std::uint32_t duplicate_acks = 0;
  };
  using Ends = std::tuple<IpAddress, Port, IpAddress, Port>;
  static Ends ends_of(const Facts& facts);
  void see_ack(const TcpFacts& segment, Direction& ours, Direction& theirs, SegmentNote& note);
  std::map<Ends, Direction> directions_;
  using Numbers = std::map<Ends, std::uint32_t>;  // by the two ends, the lesser first
  static std::uint32_t number_in(Numbers& numbers, const Facts& facts);
  Numbers conversations_, pairs_;
};

}  // namespace lanyard::cli
