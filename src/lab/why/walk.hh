// SPDX-License-Identifier: Apache-2.0
// Walks a run backwards from an end, each time to what came last of all that was needed, and cuts
// the way into parts. The steps: a packet arrived <- it was sent <- an acknowledgment, a timer or a
// call of a program let it go <- the program had got what it waited for <- a packet arrived ...
#pragma once

#include <map>
#include <optional>

#include "lab/why/calls.hh"
#include "lab/why/link_time.hh"
#include "lab/why/part.hh"

namespace lanyard::lab::why {

// A run, looked through once.
struct Index {
  explicit Index(const RunFile& of)
      : run(of), packets(of), flows(packets), calls(of, flows), links(of) {}
  const RunFile& run;
  Packets packets;
  Flows flows;
  Calls calls;
  LinkTimes links;
};

// Where a walk stands.
struct Step {
  enum class Kind : std::uint8_t { none, arrival, sending, call };
  Kind kind = Kind::none;
  std::size_t index = 0;  // arrival: a record; sending: a journey; call: of Calls::all()
};

class Walk {
 public:
  // Cuts what lies between `floor` and `end`.
  Walk(const Index& index, Instant floor, Instant end) : in_(index), floor_(floor), cursor_(end) {}
  // Inside a wait: its parts are not cut further.
  void set_shallow() { is_shallow_ = true; }
  // Ends where the packet the walk began with was asked for or caused.
  void set_stops_at_cause() { stops_at_cause_ = true; }

  // The way from the walk's end to its floor; what cannot be explained is Cause::before.
  std::vector<Part> run(Step step);
  // As far as the way could be followed; for set_stops_at_cause.
  [[nodiscard]] Instant reached() const { return cursor_; }
  // A part by the caller, before run().
  void add(Instant from, Part part);

 private:
  Step take(Step step);
  Step arrived(std::size_t record);
  void cross_link(const RunPacket& sent, const RunPacket& received);
  void cross_node(const RunPacket& received, const RunPacket& sent);
  // walk_send.cc: why a packet was sent then.
  Step sent(std::size_t journey);
  Step sent_segment(Flows::Place place);
  Step sent_syn(const Flows::Place& place);
  Step sent_again(const Flows::Place& place);
  Step sent_data(const Flows::Place& place);
  Step sent_ack(const Flows::Place& place);
  Step sent_datagram(const Journey& journey);
  Step held_back(const Flows::Place& place, Instant since, Step next);
  [[nodiscard]] Part reason_for(const Flows::Place& place) const;
  [[nodiscard]] std::optional<std::size_t> trigger_of(const Flows::Place& place, Instant at) const;
  [[nodiscard]] std::optional<std::size_t> data_before(const Flows::Place& place) const;
  [[nodiscard]] Step established(const Flow& flow, std::uint8_t side) const;
  [[nodiscard]] std::string fate_of(const Journey& journey) const;
  // walk_call.cc: what a program had waited for.
  Step called(std::size_t call);
  Step waited(const CallRow& row, const CallRow& before);
  Step waited_for_data(const CallRow& row, const CallRow& before);
  Step waited_for_datagram(const CallRow& row, const CallRow& before);
  Step waited_to_send_again(const CallRow& row, const CallRow& before);
  Step began(const CallRow& row);
  void leave_phase(const CallRow& row);
  [[nodiscard]] std::string program_name(const TaskKey& task) const;

  [[nodiscard]] const Flow& flow(const Flows::Place& place) const {
    return in_.flows.all()[place.flow];
  }
  [[nodiscard]] const Segment& segment(const Flows::Place& place) const {
    return flow(place).segments[place.segment];
  }
  [[nodiscard]] const std::string& node_name(std::uint32_t node) const {
    return in_.run.nodes[node].name;
  }
  [[nodiscard]] std::vector<Part> inside(Instant since, Step step) const;
  [[nodiscard]] const Delivery& delivery(std::size_t flow, std::uint8_t side);

  const Index& in_;
  const Instant floor_;
  Instant cursor_;
  Phase phase_ = Phase::data;
  std::optional<std::pair<TaskKey, std::uint32_t>> look_up_;  // the socket that asks for a name
  bool is_shallow_ = false, stops_at_cause_ = false, has_begun_ = false;
  bool is_same_data_ = false;  // the next sending is of what was sent again
  std::vector<Part> parts_;    // the last one first
  std::map<std::pair<std::size_t, std::uint8_t>, Delivery> deliveries_;
};

}  // namespace lanyard::lab::why
