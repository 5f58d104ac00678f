// SPDX-License-Identifier: Apache-2.0
// The walk itself, and a packet's way over links and through machines.
#include "lab/why/walk.hh"

#include <fmt/format.h>

#include <algorithm>

namespace lanyard::lab::why {
namespace {

constexpr std::size_t steps_max = 2'000'000;  // a walk that long explains nothing any more

bool may_join(const Part& a, const Part& b) {
  return a.cause == b.cause && a.phase == b.phase && a.where == b.where && a.what == b.what &&
         a.inside.empty() == b.inside.empty();
}

}  // namespace

std::string_view to_text(Cause cause) {
  switch (cause) {
    case Cause::program:
      return "program";
    case Cause::neighbour:
      return "ARP/NDP";
    case Cause::queue:
      return "queue";
    case Cause::transmission:
      return "transmission";
    case Cause::propagation:
      return "propagation";
    case Cause::extra_delay:
      return "extra delay";
    case Cause::send_buffer:
      return "sender window";
    case Cause::congestion_window:
      return "congestion window";
    case Cause::receiver_window:
      return "receiver window";
    case Cause::nagle:
      return "Nagle";
    case Cause::delayed_ack:
      return "delayed ACK";
    case Cause::lost_packet:
      return "lost packet";
    case Cause::time_out:
      return "time-out";
    case Cause::host:
      return "host";
    case Cause::before:
      return "unexplained";
  }
  return "";
}

std::string_view to_text(Phase phase) {
  switch (phase) {
    case Phase::data:
      return "data";
    case Phase::look_up:
      return "name look-up";
    case Phase::handshake:
      return "handshake";
  }
  return "";
}

// Parts are added from the end on; each begins where nothing has been explained yet.
void Walk::add(Instant from, Part part) {
  part.from = std::max(from, floor_);
  part.to = cursor_;
  part.phase = phase_;
  if (part.from >= part.to) return;
  cursor_ = part.from;
  if (!parts_.empty() && may_join(part, parts_.back())) {
    Part& later = parts_.back();
    later.from = part.from;
    later.inside.insert(later.inside.begin(), part.inside.begin(), part.inside.end());
    return;
  }
  parts_.push_back(std::move(part));
}

std::vector<Part> Walk::run(Step step) {
  for (std::size_t i = 0; i < steps_max && cursor_ > floor_; ++i) {
    if (step.kind == Step::Kind::none) break;
    step = take(step);
  }
  if (!stops_at_cause_) add(floor_, {.cause = Cause::before});
  std::reverse(parts_.begin(), parts_.end());
  return std::move(parts_);
}

Step Walk::take(Step step) {
  switch (step.kind) {
    case Step::Kind::arrival: {
      if (stops_at_cause_ && has_begun_) return {};
      return arrived(step.index);
    }
    case Step::Kind::sending:
      if (stops_at_cause_ && has_begun_ && !is_same_data_) return {};
      has_begun_ = true;
      is_same_data_ = false;
      return sent(step.index);
    case Step::Kind::call:
      if (stops_at_cause_) return {};
      return called(step.index);
    case Step::Kind::none:
      break;
  }
  return {};
}

// Back along the way, from the port that received it to the node that made it.
Step Walk::arrived(std::size_t record) {
  const Headers& headers = in_.packets.of_record(record).headers;
  if (headers.layer == Layer::tcp && phase_ != Phase::look_up) {
    if (headers.tcp.flags.syn()) phase_ = Phase::handshake;
    if (!headers.payload.empty()) phase_ = Phase::data;
  }
  const std::vector<std::size_t> way = in_.packets.way_to(record);
  for (std::size_t i = way.size(); i-- > 1;) {
    const RunPacket& later = in_.run.packets[way[i]];
    const RunPacket& earlier = in_.run.packets[way[i - 1]];
    if (later.is_sent)
      cross_node(earlier, later);
    else
      cross_link(earlier, later);
  }
  const Journey& journey = in_.packets.of_record(record);
  if (in_.run.packets[way.front()].is_sent)
    return {Step::Kind::sending, in_.packets.index_of_record(record)};
  add(journey.sent_at, {.cause = Cause::before});
  return {};
}

void Walk::cross_link(const RunPacket& sent, const RunPacket& received) {
  const RunPort& port = in_.run.ports[sent.port];
  const std::string link = in_.run.links[port.link];
  const std::string out = in_.run.port_name(sent.port);
  const LinkTime time = in_.links.of(in_.run, sent, received);
  const auto number = static_cast<std::uint64_t>(&sent - in_.run.packets.data()) + 1;
  Instant at = received.at;
  const auto part = [&](Duration length, Cause cause, const std::string& where) {
    at = at - length;
    add(at, {.cause = cause, .where = where, .packet = number});
  };
  part(time.extra, Cause::extra_delay, link);
  part(time.propagation, Cause::propagation, link);
  part(time.transmission, Cause::transmission, out);
  part(time.queue, Cause::queue, out);
}

void Walk::cross_node(const RunPacket& received, const RunPacket& sent) {
  const std::uint32_t node = in_.run.ports[sent.port].node;
  const auto answer = in_.packets.neighbour_answer(node, sent.at);
  add(received.at, {.cause = answer ? Cause::neighbour : Cause::host, .where = node_name(node)});
}

std::vector<Part> Walk::inside(Instant since, Step step) const {
  if (is_shallow_ || step.kind == Step::Kind::none) return {};
  Walk walk(in_, since, cursor_);
  walk.set_shallow();
  walk.phase_ = phase_;
  return walk.run(step);
}

const Delivery& Walk::delivery(std::size_t flow, std::uint8_t side) {
  const auto key = std::pair(flow, side);
  const auto found = deliveries_.find(key);
  if (found != deliveries_.end()) return found->second;
  return deliveries_.emplace(key, Delivery(in_.flows.all()[flow], side)).first->second;
}

}  // namespace lanyard::lab::why
