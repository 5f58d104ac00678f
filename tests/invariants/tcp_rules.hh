// SPDX-License-Identifier: Apache-2.0
// What no TCP may ever send, whatever the network does, as seen by an onlooker who knows what went
// out at one end and what came in at the other. It reads nothing of the stack's own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/bytes.hh"

namespace lanyard::invariants {

// A segment, as its bytes say (RFC 9293 3.1).
struct Segment {
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> scale;
  Bytes payload;
  bool is_super = false;  // to be cut on its way: longer than the peer's MSS
  [[nodiscard]] bool fin() const { return (flags & 1) != 0; }
  [[nodiscard]] bool syn() const { return (flags & 2) != 0; }
  [[nodiscard]] bool rst() const { return (flags & 4) != 0; }
  [[nodiscard]] bool ack() const { return (flags & 16) != 0; }
};

class TcpRules {
 public:
  // Is told what is wrong, during sent().
  explicit TcpRules(std::function<void(const std::string&)> complain)
      : complain_(std::move(complain)) {}

  // What a machine sends may not be seen: from an address that it has no longer.
  bool may_leave_out = false;
  // `flow` names this direction of the connection, `back` the other.
  void sent(const std::string& flow, const std::string& back, const Segment& segment);
  // It has reached the other end.
  void received(const std::string& flow, const std::string& back, const Segment& segment);

 private:
  // One direction of a connection.
  struct Flow {
    bool has_begun = false;
    std::uint32_t first = 0;  // of the SYN
    std::uint32_t next = 0;   // the highest sequence number sent, plus its length
    std::uint8_t scale = 0;   // of the windows it announces
    bool has_scale = false;
    std::uint16_t mss = 536;
    std::optional<std::uint32_t> fin;                 // its sequence number
    std::optional<std::uint32_t> acknowledged, edge;  // announced last
    std::optional<std::uint32_t>
        seen_edge;                     // of the peer, the furthest that has come to the sender
    std::vector<std::uint8_t> stream;  // bytes sent, from first + 1
  };
  static void begin(Flow& flow, const Segment& segment);
  void check_window(const Segment& segment, Flow& flow, const Flow& peer);
  void check_stream(const Segment& segment, Flow& flow);

  std::function<void(const std::string&)> complain_;
  std::unordered_map<std::string, Flow> flows_;
};

}  // namespace lanyard::invariants
