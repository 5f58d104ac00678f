// SPDX-License-Identifier: Apache-2.0
#include "lab/world.hh"

#include <fmt/format.h>

#include <csignal>

#include "lab/action_text.hh"
#include "lab/command.hh"
#include "lab/replay/input_log.hh"
#include "lab/world_state.hh"

namespace lanyard::lab {
namespace {

// What was done to a lab is kept as the line that does it again.
void keep(InputLog& inputs, const Action& action, const Model& model) {
  const std::string line = text_of(action, model);
  const auto read = ActionReader(model, true).read(line);
  Action plain = action;
  plain.at = {}, plain.after = {}, plain.every = {}, plain.times = 1, plain.mark = {};
  const bool is_the_same = read && read->size() == 1 && read->front() == plain;
  inputs.add(is_the_same ? InputKind::act : InputKind::lost,
             {.text = is_the_same ? line : "an action that no line says exactly: " + line});
}

// A machine that nobody has looked at before is made by the look.
void look_at(World::State& world, std::uint32_t node) {
  const auto& stack = world.machines[node].stack;
  if (stack.is_made() || stack == nullptr) return;
  InputLog* const inputs = world.inputs.get();
  if (inputs != nullptr && inputs->is_outside()) inputs->add(InputKind::look, {.whom = node});
  const InputLog::Inside inside(inputs);
  (void)stack.get();
}

}  // namespace

World::World(const Model& model, const Plan& plan, WorldOptions options)
    : state_(std::make_unique<State>(model, plan, std::move(options))) {}

World::~World() {
  stop();
}

void World::run_until(Instant now) {
  state_->run_until(now);
}

Instant World::next_deadline() const {
  if (!state_->is_built || !state_->touched.empty() || !state_->injected.empty())
    return Instant::start();
  if (state_->phase == WorldPhase::over) return Instant::never();
  const Instant next = state_->schedule.next_at();
  return state_->phase == WorldPhase::running ? std::min(next, state_->limit) : next;
}

void World::run() {
  while (!is_over()) {
    const Instant next = next_deadline();
    if (next == Instant::never()) return;
    run_until(next);
  }
}

bool World::is_over() const {
  return state_->phase == WorldPhase::over;
}

void World::set_on_over(std::function<void()> call) {
  state_->on_over = std::move(call);
}

void World::end() {
  InputLog* const inputs = state_->inputs.get();
  if (inputs != nullptr) inputs->add(InputKind::end, {});
  const InputLog::Inside inside(inputs);
  if (!state_->is_built) return state_->finish();
  state_->begin_end();
}

void World::stop() {
  if (is_over()) return;
  InputLog* const inputs = state_->inputs.get();
  if (inputs != nullptr) inputs->add(InputKind::stop, {});
  const InputLog::Inside inside(inputs);
  state_->stop_programs(SIGKILL);
  state_->finish();
}

Instant World::now() const {
  return state_->now;
}

void World::save() {
  if (state_->options.recorder == nullptr || !state_->is_built || is_over()) return;
  // It parts the file into blocks, so a replay has to do it at the same moment.
  if (InputLog* const inputs = state_->inputs.get(); inputs != nullptr) {
    inputs->add(InputKind::saved, {});
    inputs->flush();
  }
  state_->options.recorder->flush();
}

bool World::is_saved() const {
  return (state_->options.recorder == nullptr || state_->options.recorder->is_flushed()) &&
         (state_->inputs == nullptr || state_->inputs->is_empty());
}

void World::cut(std::uint32_t link) {
  act({.kind = Action::Kind::cut, .link = link});
}

void World::heal(std::uint32_t link) {
  act({.kind = Action::Kind::heal, .link = link});
}

void World::change(std::uint32_t link, const LinkChange& change, bool a_to_b, bool b_to_a) {
  act({.kind = Action::Kind::set,
       .link = link,
       .change = change,
       .a_to_b = a_to_b,
       .b_to_a = b_to_a});
}

void World::act(const Action& action) {
  InputLog* const inputs = state_->inputs.get();
  if (inputs != nullptr) keep(*inputs, action, state_->model);
  const InputLog::Inside inside(inputs);
  state_->faults.act(action);
}

ProgramId World::start(std::uint32_t node, Launch launch, ProgramObserver* observer) {
  ProgramRow row;
  row.command = launch.command.size() == 1 ? launch.command[0] : line_of(launch.command);
  row.name = state_->model.nodes[node].name;
  row.is_live = true;
  // With descriptors of its own it is a program of the machine's: `exec alice -- echo hello` means
  // the echo everybody knows.
  const bool has_descriptors = launch.standard_input >= 0 || launch.standard_output >= 0;
  InputLog* const inputs = state_->inputs.get();
  if (inputs != nullptr) inputs->start(node, launch, has_descriptors);
  const InputLog::Inside inside(inputs);
  row.is_built_in = state_->machines[node].stack != nullptr && !has_descriptors &&
                    is_built_in(state_->model, row.command);
  const ProgramId id = state_->add_program(node, std::move(row), std::move(launch), observer);
  const auto index = static_cast<std::uint32_t>(id) - 1;
  state_->start_program(index);
  // Whoever asked waits for its end, and nothing would ever start it.
  if (state_->rows[index].state == ProgramState::waiting) {
    const std::string down = why_down(node);
    state_->fail_program(index, down.empty() ? "the lab is ending" : down);
  }
  return id;
}

void World::touch(std::uint32_t node) {
  state_->touch(node);
}

void World::signal(ProgramId program, int signal) {
  InputLog* const inputs = state_->inputs.get();
  if (inputs != nullptr)
    inputs->add(InputKind::signal,
                {.whom = static_cast<std::uint32_t>(program), .numbers = {signal}});
  const InputLog::Inside inside(inputs);
  state_->signal(program, signal);
}

const Model& World::model() const {
  return state_->model;
}

const Plan& World::plan() const {
  return state_->plan;
}

std::vector<LinkRow> World::links() const {
  return state_->facts().links;
}

std::span<const ProgramRow> World::programs() const {
  return state_->rows;
}

std::span<const ProgramOutput> World::output() const {
  return state_->output;
}

std::string World::why_down(std::uint32_t node) const {
  if (!state_->machines[node].is_down) return "";
  return fmt::format("{0} has crashed: `lanyard act restart {0}` brings it back",
                     state_->model.nodes[node].name);
}

stack::Stack* World::stack(std::uint32_t node) {
  if (node >= state_->machines.size()) return nullptr;
  look_at(*state_, node);
  return state_->machines[node].stack.get();
}

socket::Sockets* World::sockets(std::uint32_t node) {
  if (node >= state_->machines.size()) return nullptr;
  look_at(*state_, node);
  return state_->machines[node].sockets.get();
}

socket::Sockets* World::sockets_of_boot(std::uint32_t node, std::uint32_t boot) {
  if (node >= state_->machines.size()) return nullptr;
  if (socket::Sockets* const retired = state_->faults.retired(node, boot)) return retired;
  return state_->machines[node].boots == boot ? sockets(node) : nullptr;
}

std::vector<Verdict> World::verdicts() const {
  return judge(state_->facts());
}

}  // namespace lanyard::lab
