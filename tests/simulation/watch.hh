// SPDX-License-Identifier: Apache-2.0
// What must hold of every frame and event of a run, whatever is broken. It looks from outside: at
// the frames at each port and at the events, never into a stack.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "frame_facts.hh"
#include "lab/observer.hh"
#include "lab/plan.hh"

namespace lanyard::simulation {

// What the network may do to frames in this run.
struct Allowed {
  bool duplicates = false;
  bool breaks = false;   // frames are corrupted or truncated
  bool crashes = false;  // a machine may forget its connections
  bool moves = false;  // a machine may have another address: what it sends from the old is not seen
};

class Watch final : public lab::Observer {
 public:
  Watch(const lab::Model& model, const lab::Plan& plan, Allowed allowed);

  void on_event(const Event& event) override;
  void on_frame(const lab::RecordedFrame& frame) override;

  // The nodes that have sent segments with data since this was asked last.
  [[nodiscard]] std::vector<std::uint32_t> take_senders() { return std::exchange(senders_, {}); }
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  // A machine has sent to a link-layer address that nobody has.
  [[nodiscard]] bool is_anyone_misled() const { return is_anyone_misled_; }
  // A full queue has dropped a part of an echo or of its reply.
  [[nodiscard]] bool is_echo_crowded_out() const { return is_echo_crowded_out_; }

 private:
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
  void check_order(Instant at);
  void on_sent(const lab::RecordedFrame& frame, const FrameFacts& facts);
  void on_received(const lab::RecordedFrame& frame, const FrameFacts& facts);
  void count_copies(const lab::RecordedFrame& frame);
  void check_forwarded(const lab::RecordedFrame& frame, const FrameFacts& facts);
  void check_answer(const lab::RecordedFrame& frame, const FrameFacts& facts);
  [[nodiscard]] bool has_crashed(std::uint32_t node, Instant since) const;
  void check_identification(const lab::RecordedFrame& frame, const FrameFacts& facts);

  const lab::Model& model_;
  const lab::Plan& plan_;
  const Allowed allowed_;
  std::uint64_t frames_ = 0, last_packet_ = 0;
  std::vector<std::string> problems_;
  const lab::RecordedFrame* looked_at_ = nullptr;
  invariants::TcpRules tcp_{[this](const std::string& what) { problem(*looked_at_, what); }};
  std::unordered_map<std::uint64_t, int> copies_;  // of a packet on one direction of a link
  std::unordered_map<std::uint64_t, int> hops_;    // of a packet as a router received it
  std::unordered_map<std::string, Identified> identified_;
  std::vector<Handled> handled_;  // by node
  std::vector<bool> is_switch_;
  std::set<MacAddress> addresses_;
  bool is_anyone_misled_ = false, is_echo_crowded_out_ = false;
  std::vector<std::uint32_t> senders_;
  Instant last_at_;
  EventId last_event_ = 0;
};

}  // namespace lanyard::simulation
