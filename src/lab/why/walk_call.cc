// SPDX-License-Identifier: Apache-2.0
// What a program had waited for when it made a call.
#include <fmt/format.h>

#include <algorithm>

#include "lab/why/walk.hh"

namespace lanyard::lab::why {
namespace {

using socket::CallKind;

constexpr Port dns_port = 53;

bool is_receive(const CallRow& row) {
  return row.kind == CallKind::receive || row.kind == CallKind::receive_from;
}

bool is_send(const CallRow& row) {
  return row.kind == CallKind::send || row.kind == CallKind::send_to;
}

}  // namespace

std::string Walk::program_name(const TaskKey& task) const {
  const RunProgram* only = nullptr;
  for (const RunProgram& each : in_.run.programs) {
    if (each.node != task.node) continue;
    if (task.program == each.program) return each.name;
    only = &each;
  }
  // Calls of unmodified programs do not say whose they are.
  return only != nullptr && task.program == 0 ? only->name : node_name(task.node);
}

// Name look-ups and handshakes end where the program did something else before.
void Walk::leave_phase(const CallRow& row) {
  const bool is_asker = look_up_ && look_up_->first == row.task;
  if (is_asker && look_up_->second != row.socket) {
    look_up_.reset();
    phase_ = Phase::data;
  }
}

// The walk stands at the end of this call.
Step Walk::called(std::size_t call) {
  const CallRow& row = in_.calls.all()[call];
  leave_phase(row);
  if (!row.before) return began(row);
  const CallRow& before = in_.calls.all()[*row.before];
  const bool is_same_socket = before.socket == row.socket;
  if (before.has_waited() && is_same_socket && !row.has_waited()) {
    const Step next = waited(row, before);
    if (next.kind != Step::Kind::none) return next;
  }
  add(before.at, {.cause = Cause::program, .where = program_name(row.task)});
  return {Step::Kind::call, *row.before};
}

Step Walk::waited(const CallRow& row, const CallRow& before) {
  if (before.kind == CallKind::connect && row.flow) {
    const Step up = established(in_.flows.all()[*row.flow], row.side);
    if (up.kind == Step::Kind::none) return {};
    add(in_.run.packets[up.index].at, {.cause = Cause::program, .where = program_name(row.task)});
    phase_ = Phase::handshake;
    return up;
  }
  if (row.kind == CallKind::accept && row.flow) {
    const Step up = established(in_.flows.all()[*row.flow], row.side);
    if (up.kind == Step::Kind::none || in_.run.packets[up.index].at < before.at) return {};
    add(in_.run.packets[up.index].at, {.cause = Cause::program, .where = program_name(row.task)});
    phase_ = Phase::handshake;
    return up;
  }
  if (is_receive(row))
    return row.flow ? waited_for_data(row, before) : waited_for_datagram(row, before);
  if (is_send(row) && is_receive(before)) return waited_to_send_again(row, before);
  if (!is_send(row) || !row.flow) return {};
  // Room in the send buffer comes with an acknowledgment.
  Part part{.cause = Cause::send_buffer, .where = program_name(row.task)};
  const Flow& flow = in_.flows.all()[*row.flow];
  for (std::size_t i = flow.segments.size(); i-- > 0;) {
    const Segment& each = flow.segments[i];
    if (each.side == row.side || each.arrived_at > row.at) continue;
    part.inside = inside(before.at, {Step::Kind::arrival, each.arrival});
    break;
  }
  add(before.at, std::move(part));
  return {Step::Kind::call, *row.before};
}

Step Walk::waited_for_data(const CallRow& row, const CallRow& before) {
  const auto other = static_cast<std::uint8_t>(1 - row.side);
  const Flow& flow = in_.flows.all()[*row.flow];
  // The end of the stream is one past the last byte.
  const std::int64_t end = row.result == 0 ? row.offset + 1 : row.offset;
  const auto found = delivery(*row.flow, other).of(end);
  if (!found) return {};
  const Segment& came = flow.segments[*found];
  if (came.arrived_at < before.at || came.arrived_at > row.at) return {};
  add(came.arrived_at, {.cause = Cause::program, .where = program_name(row.task)});
  if (row.flow && flow.sides[1 - row.side].endpoint.port == dns_port) {
    look_up_ = {row.task, row.socket};
    phase_ = Phase::look_up;
  }
  return {Step::Kind::arrival, came.arrival};
}

Step Walk::waited_for_datagram(const CallRow& row, const CallRow& before) {
  if (row.result < 0 || !row.peer) return {};
  for (std::size_t i = in_.packets.journeys().size(); i-- > 0;) {
    const Journey& each = in_.packets.journeys()[i];
    if (each.sent_at > row.at || !each.arrival) continue;
    if (each.sent_at < before.at && in_.packets.arrived_at(each) < before.at) continue;
    const bool is_it = each.headers.source.address == row.peer->address &&
                       (row.peer->port == 0 || each.headers.source.port == 0 ||
                        each.headers.source.port == row.peer->port) &&
                       in_.packets.owner(each.headers.destination.address) == row.task.node;
    const Instant came = in_.packets.arrived_at(each);
    if (!is_it || came > row.at || came < before.at) continue;
    add(came, {.cause = Cause::program, .where = program_name(row.task)});
    if (row.peer->port == dns_port) {
      look_up_ = {row.task, row.socket};
      phase_ = Phase::look_up;
    }
    return {Step::Kind::arrival, *each.arrival};
  }
  return {};
}

// An answer did not come: what had been sent was lost, or what came back.
Step Walk::waited_to_send_again(const CallRow& row, const CallRow& before) {
  Part part{.cause = Cause::time_out, .where = program_name(row.task)};
  for (const Journey& each : in_.packets.journeys()) {
    if (each.sent_at > row.at) break;
    if (each.sent_at < before.at || !each.dropped || !row.peer) continue;
    const bool is_asked = each.headers.destination.address == row.peer->address &&
                          each.headers.destination.port == row.peer->port;
    const bool is_answer = each.headers.source.address == row.peer->address &&
                           each.headers.source.port == row.peer->port;
    if (!is_asked && !is_answer) continue;
    part.what = fate_of(each);
    part.packet = each.sightings.front() + 1;
    break;
  }
  add(before.at, std::move(part));
  return {Step::Kind::call, *row.before};
}

// A task's first call: a handler begins when its connection was accepted, a program when it was
// started.
Step Walk::began(const CallRow& row) {
  const std::string name = program_name(row.task);
  if (row.task.task > 1) {
    const auto accept = in_.calls.accepting(row.task.node, row.socket);
    if (!accept) return {};
    add(in_.calls.all()[*accept].at, {.cause = Cause::program, .where = name});
    return {Step::Kind::call, *accept};
  }
  for (const RunEvent& each : in_.run.events) {
    const Event& event = each.event;
    if (event.kind != EventKind::program_started || event.node != row.task.node) continue;
    if (row.task.program != 0 && event.values[0] != row.task.program) continue;
    add(event.at, {.cause = Cause::program, .where = name});
    return {};
  }
  return {};
}

}  // namespace lanyard::lab::why
