// SPDX-License-Identifier: Apache-2.0
// What must hold of every frame and event of a run, whatever is broken. It looks from outside: at
// the frames at each port and at the events, never into a stack.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "frame_facts.hh"
#include "lab/observer.hh"
#include "lab/plan.hh"

namespace lanyard::simulation {

// What the network may do to frames in this run.
struct Allowed {
  bool duplicates = false, corrupts = false;
  bool crashes = false;  // a machine may forget its connections
};

class Watch final : public lab::Observer {
 public:
  Watch(const lab::Model& model, const lab::Plan& plan, Allowed allowed);

  void on_event(const Event& event) override;
  void on_frame(const lab::RecordedFrame& frame) override;

  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }

 private:
  // One direction of a TCP connection, as its frames show it.
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
  struct Handled {  // the frame a machine is answering
    EventId event = 0;
    std::uint64_t packet = 0;
    bool is_reset = false, is_to_group = false, is_icmp_error = false;
  };
  struct Identified {
    std::uint64_t packet = 0;
    Instant at;
  };

  void problem(const lab::RecordedFrame& frame, const std::string& what);
  void on_sent(const lab::RecordedFrame& frame, const FrameFacts& facts);
  void on_received(const lab::RecordedFrame& frame, const FrameFacts& facts);
  void count_copies(const lab::RecordedFrame& frame);
  void check_forwarded(const lab::RecordedFrame& frame, const FrameFacts& facts);
  void check_answer(const lab::RecordedFrame& frame, const FrameFacts& facts);
  void check_identification(const lab::RecordedFrame& frame, const FrameFacts& facts);
  void check_segment(const lab::RecordedFrame& frame, const FrameFacts& facts);
  void check_window(const lab::RecordedFrame& frame, const FrameFacts& facts, Flow& flow);
  void check_stream(const lab::RecordedFrame& frame, const TcpFacts& tcp, Flow& flow);
  void begin(Flow& flow, const TcpFacts& tcp);

  const lab::Model& model_;
  const lab::Plan& plan_;
  const Allowed allowed_;
  std::uint64_t frames_ = 0, last_packet_ = 0;
  std::vector<std::string> problems_;
  std::unordered_map<std::string, Flow> flows_;
  std::unordered_map<std::uint64_t, int> copies_;  // of a packet on one direction of a link
  std::unordered_map<std::uint64_t, int> hops_;    // of a packet as a router received it
  std::unordered_map<std::string, Identified> identified_;
  std::vector<Handled> handled_;  // by node
  std::vector<bool> is_switch_;
};

}  // namespace lanyard::simulation
