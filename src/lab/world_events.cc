// SPDX-License-Identifier: Apache-2.0
// What is due is handled one by one. In virtual time `now` is when it was due; in real time it is
// what the clock says, since programs have been served by that clock in between, and time never
// goes back for a stack.
#include <algorithm>

#include "lab/observer.hh"
#include "lab/replay/input_log.hh"
#include "lab/world_state.hh"
#include "transport/tcp/state.hh"

namespace lanyard::lab {
namespace {

// Whether a turn at `until` does anything but move the clock.
bool is_due(const World::State& world, Instant until) {
  return !world.is_built || !world.touched.empty() || !world.injected.empty() ||
         world.schedule.next_at() <= until ||
         (world.phase == WorldPhase::running && until >= world.limit);
}

}  // namespace

void World::State::run_until(Instant until) {
  if (inputs != nullptr && is_due(*this, until)) inputs->turn(until);
  const InputLog::Inside inside(inputs.get());
  if (!is_built) {
    now = is_virtual ? Instant::start() : until;
    build();
  }
  if (!is_virtual) now = std::max(now, until);
  if (!touched.empty() || !injected.empty()) serve_touched();
  while (phase != WorldPhase::over && schedule.next_at() <= until) {
    if (schedule.next_at() > limit && phase == WorldPhase::running) break;
    const Due due = schedule.first();
    if (due.kind != DueKind::arrival) schedule.drop_first();
    if (is_virtual) now = due.at;
    handle(due);
    if (!touched.empty() || !injected.empty()) serve_touched();
  }
  // What the timeline repeats for ever is nobody's future.
  const bool is_stuck =
      is_virtual && !options.keeps_running && schedule.size() == timeline.endless();
  if (phase == WorldPhase::running && (until >= limit || is_stuck)) {
    if (is_virtual && limit != Instant::never()) now = std::max(now, limit);
    begin_end();
  }
}

void World::State::handle(const Due& due) {
  switch (due.kind) {
    case DueKind::action:
      timeline.begin(due.index);
      break;
    case DueKind::start:
      start_program(due.index);
      break;
    case DueKind::arrival:
      arrive_next(due.index);
      break;
    case DueKind::overtaking: {
      InFlight arrived = std::move(in_flight[due.index]);
      free_slots.push_back(due.index);
      arrive(arrived.direction, arrived.cuts, std::move(arrived.frame));
      break;
    }
    case DueKind::transmit:
      directions[due.index]->poll(now);
      break;
    case DueKind::check:
      settled[due.index] = judge_counter(facts(), model.checks[due.index]);
      break;
    case DueKind::service:
      on_service(due);
      break;
    case DueKind::quiet:
      look_whether_quiet();
      break;
    case DueKind::stop_timeout:
      on_stop_timeout();
      break;
  }
}

// A machine's turn: its timers, then its tasks, then the frames both made, until it has nothing
// more to do now.
void World::State::serve(std::uint32_t node) {
  Machine& machine = machines[node];
  if (machine.stack == nullptr) return;
  stack::Stack& stack = *machine.stack;
  Tasks& tasks = *machine.tasks;
  const Instant own = machine.clock.read(now);
  Instant next = stack.next_deadline();
  while (true) {
    const bool is_due = next <= own;
    if (is_due) stack.poll(own);
    const bool has_work = tasks.has_ready() || tasks.next_deadline() <= own;
    if (has_work) tasks.run(own);
    take_frames(node);
    if (!is_due && !has_work) break;  // nothing has moved `next`
    next = stack.next_deadline();
    if (!tasks.has_ready() && next > own) break;
  }
  arm(node, machine.clock.when(std::min(next, tasks.next_deadline())));
  if (timeline.waits_for_listeners()) timeline.look_who_listens(node);
}

// A node is armed for one instant only. An entry of the schedule for an earlier one does nothing
// but put the next one there.
void World::State::arm(std::uint32_t node, Instant next) {
  Machine& machine = machines[node];
  if (next == machine.armed_for && next > now) return;
  machine.armed_for = next;
  if (next == Instant::never()) return;
  machine.armed_sequence = schedule.next_sequence();
  if (next < machine.scheduled_for) schedule_service(node);
}

void World::State::schedule_service(std::uint32_t node) {
  Machine& machine = machines[node];
  machine.scheduled_for = machine.armed_for;
  schedule.add({machine.armed_for, node + 1, DueKind::service, 0, machine.armed_sequence});
}

void World::State::on_service(const Due& due) {
  const std::uint32_t node = due.owner - 1;
  Machine& machine = machines[node];
  if (machine.scheduled_for == due.at) machine.scheduled_for = Instant::never();
  if (machine.armed_for == due.at) return serve(node);
  if (machine.armed_for < machine.scheduled_for) schedule_service(node);
}

void World::State::touch(std::uint32_t node) {
  if (machines[node].is_touched) return;
  if (inputs != nullptr && inputs->is_outside()) inputs->add(InputKind::touch, {.whom = node});
  machines[node].is_touched = true;
  touched.push_back(node);
}

void World::State::serve_touched() {
  while (!touched.empty() || !injected.empty()) {
    std::vector<std::uint32_t> nodes;
    std::swap(nodes, touched);
    std::ranges::sort(nodes);
    for (const std::uint32_t node : nodes) {
      machines[node].is_touched = false;
      serve(node);
    }
    std::vector<Injected> frames;
    std::swap(frames, injected);
    for (Injected& each : frames) transmit(each.port, std::move(each.frame));
  }
}

// Without anybody who looks on, only what on_event counts is wanted.
void World::State::hear_events() {
  if (is_seen) return trace.set_sink(this);
  trace.set_sink(this,
                 {EventKind::tcp_retransmit, EventKind::tcp_state, EventKind::packet_dropped});
}

// All that the world's stacks and the world itself say.
void World::State::on_event(const Event& event) {
  NodeFacts& facts = machines[event.node].facts;
  if (event.kind == EventKind::tcp_retransmit) ++facts.tcp_retransmits;
  if (event.kind == EventKind::tcp_state &&
      event.values[2] == static_cast<std::int64_t>(tcp::State::established))
    ++facts.tcp_connections;
  if (event.kind == EventKind::packet_dropped) {
    const auto reason = static_cast<DropReason>(event.values[3]);
    facts.drops.count(reason);
    if (is_handling && dropped == DropReason::none) dropped = reason;
  }
  const auto tell = [this](const Event& told) {
    if (options.recorder != nullptr) options.recorder->on_event(told);
    if (options.observer != nullptr) options.observer->on_event(told);
  };
  if (machines[event.node].clock.is_right()) return tell(event);
  // What a machine says by its own clock is written down by the world's.
  Event told = event;
  told.at = now;
  tell(told);
}

}  // namespace lanyard::lab
