// SPDX-License-Identifier: Apache-2.0
// What checks about packets, requests and flows need to know while a lab runs: looked at only if
// the lab has such a check. Their `counter` says what: "match: SYN from alice to bob", "requests:
// packet to bob", "request time p99: packet", "progress".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/packet.hh"
#include "lab/match.hh"
#include "lab/model.hh"

namespace lanyard::lab {

// What one check has seen.
struct Watched {
  std::uint64_t count = 0;             // packets that matched, requests
  std::vector<Instant> at;             // when each was, at most a million
  std::string example;                 // "SYN 10.0.1.2:40000 -> 10.0.2.2:80", the first
  std::vector<std::int64_t> times_ns;  // request_time: of each answered request
  std::uint64_t unanswered = 0;
};

// The match behind the colon of a counter; nothing if there is none.
[[nodiscard]] PacketMatch match_of_counter(std::string_view counter);

class Watch {
 public:
  using Prefixes = std::function<std::vector<IpPrefix>(const std::string& end)>;
  Watch(const Model& model, const Prefixes& prefixes_of);
  // False: nothing need be told.
  [[nodiscard]] bool is_on() const { return is_on_; }

  // A packet leaves the machine it began at; it reaches a machine with these addresses.
  void on_sent(Instant now, const Packet& frame);
  void on_delivered(Instant now, const Packet& frame, const std::vector<IpPrefix>& own);
  // Something was healed: flows that got nowhere are to get on from here.
  void on_healed(Instant now);

  [[nodiscard]] const Watched& of(std::size_t check) const { return watched_[check]; }
  // The flows that did not get on within `limit` of a heal, as far as `now` can tell.
  [[nodiscard]] std::string stuck(Duration limit, Instant now) const;
  [[nodiscard]] std::size_t healed_flows() const { return healed_.size(); }

 private:
  using Flow = std::tuple<IpAddress, Port, IpAddress, Port>;  // the smaller end first
  // A TCP segment's place in its stream, and its payload's in the frame.
  struct Segment {
    std::uint32_t sequence = 0;
    std::size_t payload_offset = 0;
  };
  struct FlowState {
    Instant tried, delivered;
    bool is_reset = false;
    std::uint8_t fins = 0;          // 1: of the smaller end, 2: of the other
    std::uint32_t request_end = 0;  // sequence: a request sent again counts once
    bool has_request = false;
    Instant asked = Instant::never();  // waiting for the answer since
  };
  struct Healed {
    Flow flow;
    Instant at, got_on = Instant::never();
  };
  [[nodiscard]] static Segment segment_of(const Packet& frame);
  [[nodiscard]] FlowState* flow_of(const FrameFacts& facts, Flow& flow);
  void look_for_request(Instant now, const Packet& frame, const FrameFacts& facts,
                        FlowState& state);
  void look_for_answer(Instant now, const Packet& frame, const FrameFacts& facts, FlowState& state);

  enum class What : std::uint8_t { nothing, match, requests, request_time, progress };
  std::vector<What> whats_;              // as the checks
  std::vector<PacketMatcher> matchers_;  // the same
  std::vector<Watched> watched_;
  bool is_on_ = false, has_flows_ = false;
  std::map<Flow, FlowState> flows_;
  std::vector<Healed> healed_;
};

}  // namespace lanyard::lab
