// SPDX-License-Identifier: Apache-2.0
#include "watch.hh"

#include <fmt/format.h>

#include <algorithm>

#include "wire/dissect.hh"
#include "wire/ethernet.hh"

namespace lanyard::simulation {

Watch::Watch(const lab::Model& model, const lab::Plan& plan, Allowed allowed)
    : model_(model), plan_(plan), allowed_(allowed), handled_(model.nodes.size()) {
  tcp_.may_leave_out = allowed.moves;
  for (const lab::NodeSpec& node : model.nodes)
    is_switch_.push_back(node.kind == lab::NodeKind::switching);
  for (const lab::PlannedPort& port : plan.ports) addresses_.insert(port.mac);
}

void Watch::problem(const lab::RecordedFrame& frame, const std::string& what) {
  if (problems_.size() >= 20) return;
  problems_.push_back(fmt::format("{} at {}, {}: {}", what, plan_.port_name(model_, frame.port),
                                  to_text(frame.at), wire::summary(frame.bytes)));
}

// Time does not go back.
void Watch::check_order(Instant at) {
  if (at < last_at_ && problems_.size() < 20)
    problems_.push_back(
        fmt::format("something happens before what was at {}, {}", to_text(last_at_), to_text(at)));
  last_at_ = at;
}

void Watch::on_event(const Event& event) {
  check_order(event.at);
  if ((event.id <= last_event_ || event.cause >= event.id) && problems_.size() < 20)
    problems_.push_back(fmt::format("event {} comes after {} and is caused by {} at {}", event.id,
                                    last_event_, event.cause, to_text(event.at)));
  last_event_ = event.id;
  if (event.kind == EventKind::frame_received) {
    handled_[event.node] = {};
    handled_[event.node].event = event.id;
    handled_[event.node].packet = static_cast<std::uint64_t>(event.values[2]);
  }
  // A path that a datagram has found to be narrow, and a segment that was cut before (RFC 8201 5.2
  // lets it be told when it is sent): the wire does not see it.
  tcp_.may_leave_out |=
      event.kind == EventKind::packet_dropped &&
      event.values[3] == static_cast<std::int64_t>(DropReason::needs_fragmentation);
  // RFC 6298 2.4, 2.5: the configured bounds are 200 ms (less than the RFC's second) and 120 s.
  if (event.kind == EventKind::tcp_rtt && problems_.size() < 20 &&
      (event.values[3] < 100'000'000 || event.values[3] > 120'000'000'000))
    problems_.push_back(fmt::format("an RTO of {} ns at {}, {}", event.values[3],
                                    model_.nodes[event.node].name, to_text(event.at)));
}

void Watch::on_frame(const lab::RecordedFrame& frame) {
  ++frames_;
  check_order(frame.at);
  count_copies(frame);
  if (is_switch_[plan_.ports[frame.port].node]) return;
  const FrameFacts facts = facts_of(frame.bytes);
  is_echo_crowded_out_ |=
      frame.dropped == DropReason::queue_full && (facts.protocol == 1 || facts.protocol == 58);
  // What a link has broken arrives, and is passed on by who does not look so deep; what begins here
  // is whole.
  const bool may_be_broken = allowed_.breaks && (!frame.is_sent || frame.packet <= last_packet_);
  if (!facts.problem.empty()) {
    if (!may_be_broken) problem(frame, facts.problem);
    return;
  }
  if (frame.is_sent)
    on_sent(frame, facts);
  else
    on_received(frame, facts);
}

// What comes out of one direction of a link has gone into it, as often.
void Watch::count_copies(const lab::RecordedFrame& frame) {
  const lab::PlannedPort& port = plan_.ports[frame.port];
  const bool is_a_to_b = port.is_a == frame.is_sent;
  const std::uint64_t key =
      frame.packet << 12 | static_cast<std::uint64_t>(port.link) << 1 | (is_a_to_b ? 1U : 0U);
  if (frame.is_sent) {
    if (frame.dropped == DropReason::none) ++copies_[key];
    return;
  }
  const auto found = copies_.find(key);
  if (found == copies_.end() || found->second == 0) {
    if (!allowed_.duplicates) problem(frame, "a frame came that was not sent, or came twice");
    return;
  }
  if (--found->second == 0 && !allowed_.duplicates) copies_.erase(found);
}

void Watch::on_received(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  const std::uint32_t node = plan_.ports[frame.port].node;
  Handled& handled = handled_[node];
  if (handled.packet == frame.packet) {
    handled.is_reset = facts.tcp && facts.tcp->rst();
    handled.is_to_group = facts.is_to_group;
    handled.is_icmp_error = facts.is_icmp_error;
  }
  if (model_.nodes[node].kind == lab::NodeKind::router) hops_[frame.packet] = facts.hops;
  if (!facts.tcp || facts.is_fragment) return;
  tcp_.received(facts.flow, facts.back, *facts.tcp);
}

void Watch::on_sent(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  // Numbers are given out in order, to a packet where it begins.
  const bool begins_here = frame.packet > last_packet_;
  last_packet_ = std::max(last_packet_, frame.packet);
  const auto link = ethernet::View::parse(frame.bytes, frame.bytes.size());
  is_anyone_misled_ |=
      link && !link->destination().is_group() && !addresses_.contains(link->destination());
  if (facts.version == 0) return;
  if (!begins_here) return check_forwarded(frame, facts);
  if (facts.hops == 0) problem(frame, "a packet begins without a hop left");
  check_answer(frame, facts);
  check_identification(frame, facts);
  if (!facts.tcp) return;
  looked_at_ = &frame;
  tcp_.sent(facts.flow, facts.back, *facts.tcp);
  const std::uint32_t node = plan_.ports[frame.port].node;
  if (!facts.tcp->payload.empty() && (senders_.empty() || senders_.back() != node))
    senders_.push_back(node);
}

// RFC 1812 5.3.1: a router takes one off the TTL, and sends nothing with none left.
void Watch::check_forwarded(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  if (model_.nodes[plan_.ports[frame.port].node].kind != lab::NodeKind::router) return;
  const auto came = hops_.find(frame.packet);
  // A fragment of a packet that begins here has its number too.
  if (came == hops_.end()) return;
  if (facts.hops != came->second - 1 || facts.hops == 0)
    problem(frame, fmt::format("a packet that came with {} hops left is forwarded with {}",
                               came->second, facts.hops));
}

// RFC 1122 3.2.2, 4.2.3.10; RFC 9293 3.5.2: nothing is said to a reset, and no error about an error
// or a broadcast.
void Watch::check_answer(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  const Handled& handled = handled_[plan_.ports[frame.port].node];
  if (frame.cause == 0 || frame.cause != handled.event) return;
  const bool is_reset = facts.tcp && facts.tcp->rst();
  if (handled.is_reset && is_reset) problem(frame, "a reset answers a reset");
  if (handled.is_icmp_error && facts.is_icmp_error)
    problem(frame, "an ICMP error answers an ICMP error");
  if (handled.is_to_group && (is_reset || (facts.is_icmp_error && facts.version == 4)))
    problem(frame, "an error answers a broadcast or multicast");
}

// It may choose an identification again that it does not remember.
bool Watch::has_crashed(std::uint32_t node, Instant since) const {
  return std::ranges::any_of(model_.timeline, [&](const lab::Action& action) {
    return action.kind == lab::Action::Kind::crash && action.node == node &&
           Instant::start() + action.at >= since && Instant::start() + action.at <= last_at_;
  });
}

// RFC 6864 4.2: an identification is not used again while a fragment may be on its way.
void Watch::check_identification(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  if (facts.version != 4 || !facts.is_first_fragment) return;
  if (!facts.is_fragment && !facts.may_fragment) return;
  const std::string key = facts.addresses + static_cast<char>(facts.protocol) +
                          std::string{static_cast<char>(facts.identification >> 8),
                                      static_cast<char>(facts.identification & 0xff)};
  Identified& last = identified_[key];
  const bool is_too_soon =
      last.packet != 0 && last.packet != frame.packet && frame.at - last.at < Duration::seconds(30);
  if (is_too_soon && !has_crashed(plan_.ports[frame.port].node, last.at))
    problem(frame, fmt::format("the identification {} is used again after {}", facts.identification,
                               to_text(frame.at - last.at)));
  last = {frame.packet, frame.at};
}

}  // namespace lanyard::simulation
