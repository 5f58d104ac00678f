// SPDX-License-Identifier: Apache-2.0
// The TCP conversations of a run, put together from what was on the wire: every segment with its
// place in the stream, what it acknowledged, and which earlier one it repeats.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/why/packets.hh"

namespace lanyard::lab::why {

// Offsets count sequence numbers from the initial one: the SYN is 0, the first byte of data is 1.
struct Segment {
  std::size_t journey = 0;
  std::uint8_t side = 0;  // who sent it: 0 the side that opened the conversation
  Instant sent_at;
  Instant arrived_at = Instant::never();  // never: it did not
  std::size_t arrival = 0;                // its record, if it arrived
  std::int64_t begin = 0, end = 0;        // of what it occupies, SYN and FIN included
  std::int64_t payload_begin = 0;
  std::int64_t acked = -1;  // of the other side; -1: no ACK
  std::int64_t window = 0;  // bytes
  Bytes payload;
  tcp::Flags flags;
  std::optional<std::size_t> repeats;  // the latest earlier segment with its first byte
};

struct FlowSide {
  Endpoint endpoint;
  std::optional<std::uint32_t> node;
  bool is_known = false;  // its initial sequence number is
  tcp::SequenceNumber first;
  std::int64_t highest = 0;  // end of what was sent
  std::uint8_t scale = 0;
  bool has_scale = false;
  std::uint32_t mss = 536;  // the largest payload it may be sent
};

struct Flow {
  std::array<FlowSide, 2> sides;
  std::vector<Segment> segments;  // in the order of their sending
  [[nodiscard]] Instant began() const { return segments.front().sent_at; }
};

class Flows {
 public:
  explicit Flows(const Packets& packets);
  [[nodiscard]] const std::vector<Flow>& all() const { return flows_; }
  struct Place {
    std::size_t flow = 0, segment = 0;
  };
  [[nodiscard]] std::optional<Place> of_journey(std::size_t journey) const;
  // The conversation between these ends, this one's first, that began last before or at `at`.
  [[nodiscard]] std::optional<Place> find(const Endpoint& a, const Endpoint& b, Instant at) const;
  // The first one that `a` opened to `b` at `at` or later: its SYN may have waited for a neighbour.
  [[nodiscard]] std::optional<Place> find_opened(const Endpoint& a, const Endpoint& b,
                                                 Instant at) const;

 private:
  void take(std::size_t journey);
  const Packets& packets_;
  std::vector<Flow> flows_;
  std::vector<std::optional<Place>> places_;  // by journey
};

// "alice:34761-bob:80": the opener first.
[[nodiscard]] std::string flow_name(const RunFile& run, const Flow& flow);
[[nodiscard]] std::string endpoint_name(const RunFile& run, const FlowSide& side);

// How a side's stream came in at the other: how far it was whole, and with which segment's arrival.
class Delivery {
 public:
  Delivery(const Flow& flow, std::uint8_t side);
  // The segment with whose arrival everything before stream offset `end` was there; nothing if that
  // never was.
  [[nodiscard]] std::optional<std::size_t> of(std::int64_t end) const;

 private:
  std::vector<std::pair<std::int64_t, std::size_t>> steps_;  // both grow
};

// A side's stream as the other side got it, with the segment that brought each piece first.
struct Piece {
  std::int64_t begin = 0;  // as Segment::payload_begin
  Bytes bytes;
  std::size_t segment = 0;
  Instant at;  // when it and all before it were there
};
[[nodiscard]] std::vector<Piece> stream_of(const Flow& flow, std::uint8_t side);

}  // namespace lanyard::lab::why
