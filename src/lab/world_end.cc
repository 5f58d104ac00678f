// SPDX-License-Identifier: Apache-2.0
// How a lab ends: the programs it waits for have ended -> it waits until no frame moves, so that
// connections are closed
// -> the other programs are asked to end, then killed -> the recorder writes the end.
#include <algorithm>
#include <csignal>

#include "lab/replay/input_log.hh"
#include "lab/world_state.hh"

namespace lanyard::lab {

bool World::State::is_program_alive() const {
  return std::ranges::any_of(rows, [](const ProgramRow& row) {
    return !row.is_service && !row.is_built_in && row.state == ProgramState::running;
  });
}

// Called whenever a program has ended, and at the start.
void World::State::look_for_end() {
  if (phase == WorldPhase::stopping && !is_program_alive())
    return schedule.add(now, 0, DueKind::stop_timeout, 1);
  if (phase != WorldPhase::running || options.keeps_running) return;
  const auto awaited = [](const ProgramRow& row) { return row.is_awaited; };
  // What is to be started by an event is not waited for once nothing is left to bring it about.
  const bool may_happen =
      timeline.scheduled() > 0 || std::ranges::any_of(rows, [this](const ProgramRow& row) {
        const bool will_start =
            row.state == ProgramState::waiting &&
            programs[static_cast<std::size_t>(row.id) - 1].due != Instant::never();
        return !row.is_service && (row.state == ProgramState::running || will_start);
      });
  const auto ended = [&](const ProgramRow& row) {
    return !row.is_awaited || (row.state == ProgramState::waiting && !may_happen) ||
           (row.state != ProgramState::waiting && row.state != ProgramState::running &&
            !timeline.will_start_again(row));
  };
  // A lab without programs runs its timeline; virtual time sees for itself that nothing is left to
  // do.
  if (std::ranges::none_of(rows, awaited)) {
    if (is_virtual || timeline.scheduled() > 0 || limit != Instant::never()) return;
  }
  if (std::ranges::all_of(rows, ended)) begin_end();
}

void World::State::begin_end() {
  if (phase != WorldPhase::running) return;
  phase = WorldPhase::quieting;
  quieting_since = now;
  schedule.add(now + quiet_for, 0, DueKind::quiet, 0);
}

void World::State::look_whether_quiet() {
  if (phase != WorldPhase::quieting) return;
  const bool is_quiet =
      now - last_frame_at >= quiet_for && free_slots.size() == in_flight.size() &&
      std::ranges::none_of(directions, [](const auto& each) { return each->is_waiting(); });
  if (!is_quiet && now - quieting_since < quiet_wait_max)
    return schedule.add(std::max(last_frame_at + quiet_for, now + Duration::milliseconds(1)), 0,
                        DueKind::quiet, 0);
  phase = WorldPhase::stopping;
  if (!is_program_alive()) return finish();
  stop_programs(SIGTERM);
  schedule.add(now + stop_wait_max, 0, DueKind::stop_timeout, 0);
}

void World::State::stop_programs(int number) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].state == ProgramState::running && programs[i].process == nullptr &&
        options.launcher != nullptr)
      options.launcher->signal(rows[i].id, number);
}

void World::State::on_stop_timeout() {
  if (phase != WorldPhase::stopping) return;
  if (!is_program_alive() || was_killed) return finish();
  was_killed = true;
  stop_programs(SIGKILL);
  schedule.add(now + stop_wait_max, 0, DueKind::stop_timeout, 0);
}

void World::State::finish() {
  if (phase == WorldPhase::over) return;
  for (ProgramRow& row : rows)
    if (row.state == ProgramState::running) {
      row.state = ProgramState::stopped;
      row.ended = now;
    }
  phase = WorldPhase::over;
  trace.set_sink(nullptr);
  if (inputs != nullptr) inputs->flush();
  if (options.recorder != nullptr) options.recorder->finish(judge(facts()), now);
  if (on_over) on_over();
}

Facts World::State::facts() const {
  Facts facts;
  facts.model = &model;
  facts.programs = rows;
  facts.output = output;
  facts.now = now;
  facts.is_over = phase == WorldPhase::over;
  facts.watch = watch.get();
  facts.settled = settled;
  for (const Machine& machine : machines) facts.nodes.push_back(machine.facts);
  facts.nodes.resize(model.nodes.size());
  for (std::uint32_t i = 0; 2 * i < directions.size(); ++i) {
    const Direction& a = *directions[2 * i];
    const Direction& b = *directions[2 * i + 1];
    facts.links.push_back({model.link_name(i), a.is_up() && b.is_up(), a.quality(), b.quality(),
                           a.counters(), b.counters()});
    facts.link_traffic.push_back({a.traffic, b.traffic});
  }
  return facts;
}

}  // namespace lanyard::lab
