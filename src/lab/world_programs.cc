// SPDX-License-Identifier: Apache-2.0
// The book of programs: from the lab file, from `exec`, and the lab's own name servers.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "application/programs.hh"
#include "lab/command.hh"
#include "lab/replay/input_log.hh"
#include "lab/world_state.hh"

namespace lanyard::lab {

ProgramId World::State::add_program(std::uint32_t node, ProgramRow row, Launch launch,
                                    ProgramObserver* observer) {
  const auto id = static_cast<ProgramId>(rows.size() + 1);
  row.id = id;
  row.node = node;
  launch.program = id;
  rows.push_back(std::move(row));
  RunningProgram program;
  program.launch = std::move(launch);
  program.observer = observer;
  programs.push_back(std::move(program));
  return id;
}

void World::State::start_program(std::uint32_t index) {
  if (phase == WorldPhase::stopping || phase == WorldPhase::over ||
      rows[index].state != ProgramState::waiting || machines[rows[index].node].is_down)
    return;
  ProgramRow& row = rows[index];
  row.state = ProgramState::running;
  row.is_paused = false;
  row.started = now;
  if (!row.is_service) {
    if (options.recorder != nullptr && !programs[index].was_started) options.recorder->program(row);
    programs[index].was_started = true;
    trace.emit(now, row.node, EventKind::program_started, {static_cast<std::int64_t>(row.id)},
               row.command);
    timeline.happened(Trigger::Kind::starts, row);
  }
  if (row.is_built_in) {
    if (!start_built_in(index)) fail_program(index, "no such program is built into Lanyard");
  } else {
    start_launched(index);
  }
}

bool World::State::start_built_in(std::uint32_t index) {
  const std::uint32_t node = rows[index].node;
  std::vector<std::string> words =
      words_of(rows[index].command).value_or(std::vector<std::string>{});
  socket::Program body = programs[index].body;
  if (!body && !words.empty()) {
    const auto own = model.programs.find(words[0]);
    if (own != model.programs.end()) body = own->second;
  }
  if (!body) {
    const application::ProgramInfo* info =
        words.empty() ? nullptr : application::find_program(words[0]);
    if (info == nullptr) return false;
    body = info->run;
  } else if (rows[index].is_service) {
    words.erase(words.begin());  // "dns": `serve` stands for its name, then comes the address
  }
  const ProgramId id = rows[index].id;
  const std::string stream = fmt::format("program {} {}", model.nodes[node].name, rows[index].name);
  if (programs[index].process != nullptr) faults.retire(std::move(programs[index].process));
  programs[index].process = std::make_unique<BuiltIn>(
      machines[node], plan.nodes[node].names, seed.branch(stream).stream(),
      BuiltIn::Callbacks{
          [this, id](int descriptor, std::string_view text) {
            on_program_output(id, descriptor, text);
          },
          [this, id](int status, int signal) { on_program_exited(id, status, signal); }});
  programs[index].process->set_number(static_cast<std::uint32_t>(id));
  programs[index].process->start(std::move(body), std::move(words));
  touch(node);
  return true;
}

void World::State::start_launched(std::uint32_t index) {
  const std::uint32_t node = rows[index].node;
  if (!machines[node].problem.empty()) return fail_program(index, machines[node].problem);
  if (options.launcher == nullptr)
    return fail_program(
        index,
        fmt::format("{}: `{}` is not built into Lanyard, and there is nothing to launch it with",
                    model.nodes[node].name, rows[index].command));
  machines[node].launch_host->sockets = machines[node].sockets.get();
  const auto started =
      options.launcher->start(*machines[node].launch_host, programs[index].launch, *this);
  if (inputs != nullptr)
    inputs->add(InputKind::launched, {.whom = static_cast<std::uint32_t>(rows[index].id),
                                      .text = started ? std::string_view() : started.error()});
  if (!started) fail_program(index, started.error());
}

void World::State::fail_program(std::uint32_t index, std::string problem) {
  rows[index].state = ProgramState::not_started;
  rows[index].problem = std::move(problem);
  rows[index].ended = now;
  if (options.on_ended) options.on_ended(rows[index]);
  if (programs[index].observer != nullptr)
    programs[index].observer->on_program_exited(rows[index].id, 127, 0);
  look_for_end();
}

void World::State::signal(ProgramId program, int signal) {
  const std::size_t index = static_cast<std::size_t>(program) - 1;
  if (index >= rows.size() || rows[index].state != ProgramState::running) return;
  if (signal == SIGSTOP || signal == SIGCONT) rows[index].is_paused = signal == SIGSTOP;
  if (programs[index].process != nullptr) {
    if (signal == SIGSTOP)
      programs[index].process->pause();
    else if (signal == SIGCONT)
      programs[index].process->resume();
    else
      programs[index].process->kill(signal);
    touch(rows[index].node);
  } else if (options.launcher != nullptr) {
    options.launcher->signal(program, signal);
  }
}

void World::State::on_program_output(ProgramId program, int descriptor, std::string_view text) {
  if (inputs != nullptr && inputs->is_outside())
    inputs->add(
        InputKind::output,
        {.whom = static_cast<std::uint32_t>(program), .numbers = {descriptor}, .text = text});
  const InputLog::Inside inside(inputs.get());
  const std::size_t index = static_cast<std::size_t>(program) - 1;
  if (phase == WorldPhase::over || index >= rows.size() || rows[index].is_service) return;
  ProgramOutput out{program, descriptor, now, std::string(text)};
  trace.emit(now, rows[index].node, EventKind::program_output,
             {static_cast<std::int64_t>(program), descriptor}, text);
  if (options.on_output) options.on_output(rows[index], out);
  if (descriptor == 1) timeline.happened(Trigger::Kind::prints, rows[index], text);
  if (programs[index].observer != nullptr)
    programs[index].observer->on_program_output(program, descriptor, text);
  if (output_bytes + text.size() > output_bytes_max) return;
  output_bytes += text.size();
  output.push_back(std::move(out));
}

void World::State::on_program_exited(ProgramId program, int status, int signal) {
  if (inputs != nullptr && inputs->is_outside())
    inputs->add(InputKind::exited,
                {.whom = static_cast<std::uint32_t>(program), .numbers = {status, signal}});
  const InputLog::Inside inside(inputs.get());
  const std::size_t index = static_cast<std::size_t>(program) - 1;
  if (phase == WorldPhase::over || index >= rows.size() ||
      rows[index].state != ProgramState::running)
    return;
  ProgramRow& row = rows[index];
  row.status = status;
  row.signal = signal;
  row.ended = now;
  // What the lab itself ended has not failed.
  row.state = phase == WorldPhase::stopping ? ProgramState::stopped
              : signal != 0                 ? ProgramState::killed
                                            : ProgramState::exited;
  if (!row.is_service) {
    trace.emit(now, row.node, EventKind::program_exited,
               {static_cast<std::int64_t>(program), status, signal});
    if (options.on_ended) options.on_ended(row);
    timeline.happened(Trigger::Kind::exits, row);
  }
  if (programs[index].observer != nullptr)
    programs[index].observer->on_program_exited(program, status, signal);
  if (row.is_live) programs[index].launch.environment.clear();  // nobody starts it again
  if (programs[index].starts_when_ended) {
    programs[index].starts_when_ended = false;
    faults.start_again(static_cast<std::uint32_t>(index));
  }
  look_for_end();
}

}  // namespace lanyard::lab
