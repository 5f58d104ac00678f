// SPDX-License-Identifier: Apache-2.0
// A frame's way: out of a machine, cut to what a wire carries, through the effects of one
// direction, into the next machine. It is recorded as it leaves a port and as it has been handled
// at the next.
#include "lab/observer.hh"
#include "lab/world_state.hh"
#include "link/segment.hh"
#include "wire/ethernet.hh"
#include "wire/vlan.hh"

namespace lanyard::lab {

void World::State::take_frames(std::uint32_t node) {
  const std::vector<std::uint32_t>& ports = plan.nodes[node].ports;
  // Sending only schedules arrivals: no machine makes a frame meanwhile.
  machines[node].stack->take_frames(leaving);
  for (stack::OutFrame& out : leaving) {
    // Interface 1 is the loopback; ports count from 2.
    const std::size_t position = out.interface - 2;
    if (out.interface >= 2 && position < ports.size())
      transmit(ports[position], std::move(out.frame));
  }
  leaving.clear();
}

void World::State::transmit(std::uint32_t port, Packet&& frame) {
  if (frame.offload.segment_bytes == 0) {
    if (frame.offload.checksum_wanted && !may_stay_unsummed(port)) finish_checksum(frame);
    return transmit_one(port, std::move(frame));
  }
  if (may_pass_whole(port, frame)) return transmit_one(port, std::move(frame));
  const std::uint64_t id = frame.id;
  const EventId cause = frame.cause;
  for (Packet& each : link::segment(std::move(frame))) {
    each.id = id;
    each.cause = cause;
    transmit_one(port, std::move(each));
  }
}

// Wanted checksums and super-segments stay as they are as long as nobody sees or harms what a wire
// would carry.
bool World::State::may_stay_unsummed(std::uint32_t port) const {
  if (is_seen || watch != nullptr) return false;
  const Direction& direction = *directions[direction_of_port[port]];
  return direction.is_plain() && machines[direction.to_node].kernel_ports.empty();
}

bool World::State::may_pass_whole(std::uint32_t port, const Packet& frame) const {
  return !is_virtual && may_stay_unsummed(port) && !faults.has_partitions() &&
         directions[direction_of_port[port]]->takes_whole(frame);
}

// A packet without a number begins here; one that has its number is passed on.
void World::State::transmit_one(std::uint32_t port, Packet&& frame) {
  if (frame.id == 0) {
    frame.id = ++last_packet;
    machines[plan.ports[port].node].facts.sent.count(frame);
    if (watch != nullptr) watch->on_sent(now, frame);
  }
  last_frame_at = now;
  Direction& direction = *directions[direction_of_port[port]];
  if (!is_seen) return direction.send(now, std::move(frame));
  begin_record(port, true, frame);
  is_sent_unrecorded = true;
  direction.send(now, std::move(frame));
  record_sent(DropReason::none);
}

// Once for each frame, as it left, whatever the link makes of it.
void World::State::record_sent(DropReason reason) {
  if (is_sent_unrecorded) end_record(reason);
  is_sent_unrecorded = false;
}

void World::State::on_waits(const Direction&) {
  record_sent(DropReason::none);
}

void World::State::on_deadline(const Direction& direction, Instant at) {
  const std::uint32_t port = direction.from_port;
  schedule.add(at, plan.ports[port].node + 1, DueKind::transmit, direction_of_port[port]);
}

std::span<const std::int64_t> World::State::numbers_of(const std::string& file) {
  const auto found = model.numbers.find(file);
  return found == model.numbers.end() ? std::span<const std::int64_t>() : found->second;
}

std::vector<IpPrefix> World::State::prefixes_of(const std::string& end) {
  if (end.empty()) return {};
  if (const auto prefix = IpPrefix::parse(end)) return {*prefix};
  std::vector<IpPrefix> all;
  const auto node = model.node_called(end);
  for (const IpPrefix& each : node ? faults.addresses_of(*node) : std::vector<IpPrefix>{})
    all.push_back({each.address, each.address.is_v4() ? std::uint8_t{32} : std::uint8_t{128}});
  return all;
}

void World::State::on_carried(const Direction& direction, Instant arrives, Packet&& frame) {
  record_sent(DropReason::none);
  Arrivals& line = arrivals[direction.index];
  const std::uint64_t sequence = schedule.next_sequence();
  const bool is_first = line.is_empty();
  if (!is_first && arrives < line.back().arrives)
    return overtake({std::move(frame), arrives, sequence, direction.index, direction.cuts});
  InFlight& flight = line.push();
  flight.frame = std::move(frame);
  flight.arrives = arrives;
  flight.sequence = sequence;
  flight.direction = direction.index;
  flight.cuts = direction.cuts;
  if (is_first)
    schedule.add({arrives, direction.to_node + 1, DueKind::arrival, direction.index, sequence});
}

void World::State::overtake(InFlight&& flight) {
  Due due{flight.arrives, directions[flight.direction]->to_node + 1, DueKind::overtaking, 0,
          flight.sequence};
  if (free_slots.empty()) {
    due.index = static_cast<std::uint32_t>(in_flight.size());
    in_flight.push_back(std::move(flight));
  } else {
    due.index = free_slots.back();
    free_slots.pop_back();
    in_flight[due.index] = std::move(flight);
  }
  schedule.add(due);
}

void World::State::on_dropped(const Direction& direction, const Packet& frame, DropReason reason) {
  if (frame.id == recorded.packet) record_sent(reason);
  const PlannedPort& port = plan.ports[direction.from_port];
  trace.emit(now, port.node, EventKind::frame_dropped,
             {direction.from_port, static_cast<std::int64_t>(frame.size()),
              static_cast<std::int64_t>(frame.id), static_cast<std::int64_t>(reason)});
}

void World::State::arrive_next(std::uint32_t direction) {
  Arrivals& line = arrivals[direction];
  InFlight& first = line.pop();
  Packet frame = std::move(first.frame);  // its place may be taken before this is done
  const std::uint32_t cuts = first.cuts;
  // It is the first of the schedule, and gives its place to the one behind it.
  if (line.is_empty()) {
    schedule.drop_first();
  } else {
    const InFlight& next = line.front();
    // Its headers were written long ago: they are fetched while others are handled.
    __builtin_prefetch(next.frame.front().data());
    schedule.replace_first({next.arrives, directions[direction]->to_node + 1, DueKind::arrival,
                            direction, next.sequence});
  }
  arrive(direction, cuts, std::move(frame));
}

// `cuts`: how often the cable had been cut when the frame left.
void World::State::arrive(std::uint32_t index, std::uint32_t cuts, Packet&& frame) {
  last_frame_at = now;
  Direction& direction = *directions[index];
  if (direction.cuts != cuts) {
    // It was on the cable when the cable was cut.
    direction.count_lost_on_the_way();
    trace.emit(
        now, plan.ports[direction.from_port].node, EventKind::frame_dropped,
        {direction.from_port, static_cast<std::int64_t>(frame.size()),
         static_cast<std::int64_t>(frame.id), static_cast<std::int64_t>(DropReason::link_down)});
    return;
  }
  receive(direction.to_port, std::move(frame));
}

void World::State::receive(std::uint32_t port, Packet&& frame) {
  const std::uint32_t node = plan.ports[port].node;
  Machine& machine = machines[node];
  if (is_seen) begin_record(port, false, frame);
  if (machine.is_down) return refuse(port, frame, DropReason::machine_down);
  if (faults.has_partitions() && machine.bridge == nullptr && faults.is_parted(frame, node))
    return refuse(port, frame, DropReason::parted);
  if (machine.bridge != nullptr) {
    // Recorded before it leaves by other ports; whether it will is decided first.
    const DropReason reason = switch_frame(port, std::move(frame));
    if (reason != DropReason::none) machine.facts.drops.count(reason);
    return;
  }
  if (watch != nullptr) watch->on_delivered(now, frame, faults.addresses_of(node));
  const std::uint32_t position = position_of_port[port];
  if (machine.stack == nullptr) {
    end_record(DropReason::none);
    if (position < machine.kernel_ports.size()) machine.kernel_ports[position](std::move(frame));
    return;
  }
  dropped = DropReason::none;
  is_handling = true;
  const EventId cause = trace.set_cause(frame.cause);
  const bool is_passed_on =
      machine.stack->on_frame(machine.clock.read(now), position + 2, std::move(frame));
  trace.set_cause(cause);
  is_handling = false;
  end_record(dropped);
  // A frame that was only passed on gives the machine nothing else to do.
  if (is_passed_on) return take_frames(node);
  serve(node);
}

// The lab itself keeps the frame from the machine it has reached.
void World::State::refuse(std::uint32_t port, const Packet& frame, DropReason reason) {
  const std::uint32_t node = plan.ports[port].node;
  machines[node].facts.drops.count(reason);
  end_record(reason);
  trace.emit(now, node, EventKind::frame_dropped,
             {port, static_cast<std::int64_t>(frame.size()), static_cast<std::int64_t>(frame.id),
              static_cast<std::int64_t>(reason)});
}

DropReason World::State::switch_frame(std::uint32_t port, Packet&& frame) {
  const std::uint32_t node = plan.ports[port].node;
  const std::vector<std::uint32_t>& ports = plan.nodes[node].ports;
  const auto ethernet = ethernet::View::parse(frame.front(), frame.size());
  if (!ethernet) {
    end_record(ethernet.error());
    return ethernet.error();
  }
  link::Bridge::Frame header;
  header.port = position_of_port[port];
  header.destination = ethernet->destination();
  header.source = ethernet->source();
  const link::Bridge::Decision decision = machines[node].bridge->on_frame(now, header);
  end_record(decision.reason);
  // The decision's list is valid until the bridge's next frame, which cannot come before this is
  // done: sending only schedules arrivals.
  for (std::size_t i = 0; i < decision.ports.size(); ++i) {
    const bool is_last = i + 1 == decision.ports.size();
    transmit(ports[decision.ports[i]], is_last ? std::move(frame) : frame.share());
  }
  return decision.reason;
}

// The bytes are copied before the frame is handled; what became of it is known after.
void World::State::begin_record(std::uint32_t port, bool is_sent, const Packet& frame) {
  recorded.packet = frame.id;
  recorded.at = now;
  recorded.port = port;
  recorded.is_sent = is_sent;
  recorded.cause = frame.cause;
  if (options.recorder != nullptr) options.recorder->frame(recorded, frame);
  if (options.observer == nullptr) return;
  bytes.resize(frame.size());
  frame.copy_to(0, bytes);
  recorded.bytes = bytes;
}

void World::State::end_record(DropReason reason) {
  if (!is_seen) return;
  if (options.recorder != nullptr) options.recorder->frame_done(reason);
  if (options.observer == nullptr) return;
  recorded.dropped = reason;
  options.observer->on_frame(recorded);
}

}  // namespace lanyard::lab
