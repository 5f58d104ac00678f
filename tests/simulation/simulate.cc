// SPDX-License-Identifier: Apache-2.0
#include "simulate.hh"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "core/pool_count.hh"
#include "lab/lab_file.hh"
#include "lab/recorder.hh"
#include "lab/world.hh"
#include "scenario.hh"
#include "senders.hh"
#include "talk.hh"
#include "transport/tcp/tcp.hh"
#include "watch.hh"

namespace lanyard::simulation {
namespace {

using lab::ProgramRow;
using lab::ProgramState;

// After the last program: longer than TIME-WAIT, FIN-WAIT-2 of an orphan, and an orphan's retries.
constexpr Duration settles = Duration::seconds(900);

class Run {
 public:
  Run(lab::Model& model, const lab::Plan& plan, lab::Recorder* recorder)
      : model_(model), allowed_(allowed(model.text)), watch_(model, plan, allowed_) {
    book_->may_duplicate = allowed_.duplicates;
    book_->may_break = allowed_.breaks;
    model_.programs = talking_programs(book_);
    lab::WorldOptions options;
    options.observer = &watch_;
    options.recorder = recorder;
    options.keeps_running = true;
    options.on_ended = [this](const ProgramRow&) { has_one_ended_ = true; };
    world_ = std::make_unique<lab::World>(model_, plan, std::move(options));
    senders_ = std::make_unique<Senders>(*world_);
  }

  Report run() {
    world_->run_until(Instant::start());
    const Instant end =
        Instant::start() + Duration::milliseconds(is_any_lost() ? ended_without_peer_ms : ended_ms);
    while (!have_all_ended() && step(end)) look_for_stuck();
    judge_programs();
    const std::size_t count = world_->programs().size();
    for (std::size_t i = 0; i < count; ++i)
      if (!world_->programs()[i].is_service) world_->signal(world_->programs()[i].id, SIGKILL);
    const Instant settled = world_->now() + settles;
    while (step(settled)) {
    }
    judge_rest();
    report_.problems.insert(report_.problems.end(), watch_.problems().begin(),
                            watch_.problems().end());
    report_.problems.insert(report_.problems.end(), book_->problems.begin(), book_->problems.end());
    report_.frames = watch_.frames();
    report_.connections = book_->connections;
    report_.bytes = book_->bytes_read;
    report_.datagrams = book_->datagrams_read;
    report_.finished = book_->streams_finished;
    return std::move(report_);
  }

 private:
  static Allowed allowed(const std::string& text) {
    const auto says = [&](std::string_view word) { return text.find(word) != std::string::npos; };
    return {.duplicates = says("duplicate:"),
            .breaks = says("corrupt:") || says("truncate:"),
            .crashes = says("crash "),
            .moves = says("address ")};
  }

  // More crashes than restarts: a host is gone for good.
  [[nodiscard]] bool is_any_lost() const {
    return std::ranges::count(model_.timeline, lab::Action::Kind::crash, &lab::Action::kind) >
           std::ranges::count(model_.timeline, lab::Action::Kind::restart, &lab::Action::kind);
  }

  // A machine that crashes and comes back starts its programs again, so those that have ended may
  // run once more: not before the last fault is over.
  bool have_all_ended() {
    if (!std::exchange(has_one_ended_, false)) return false;
    has_one_ended_ = world_->now() < Instant::start() + Duration::milliseconds(healed_ms);
    return !has_one_ended_ && std::ranges::none_of(world_->programs(), [](const ProgramRow& row) {
      return row.is_awaited &&
             (row.state == ProgramState::running || row.state == ProgramState::waiting);
    });
  }

  bool step(Instant end) {
    const Instant next = world_->next_deadline();
    if (next > end) return false;
    world_->run_until(next);
    if (auto problem = senders_->look(watch_.take_senders());
        !problem.empty() && report_.problems.size() < 20)
      report_.problems.push_back(std::move(problem));
    return true;
  }

  // Now and then: whoever has something to send has a timer.
  void look_for_stuck() {
    if (++steps_ % 512 != 0) return;
    for (std::uint32_t node = 0; node < model_.nodes.size(); ++node) {
      stack::Stack* stack = world_->stack(node);
      if (stack == nullptr || stack->next_deadline() != Instant::never()) continue;
      for (const tcp::Row& row : stack->tcp().rows())
        if (row.listener == tcp::ListenerId::none && row.send_queue > 0)
          report_.problems.push_back(fmt::format("bytes to send and no timer at {}, {}",
                                                 model_.nodes[node].name, to_text(world_->now())));
    }
  }

  void judge_programs() {
    for (const ProgramRow& row : world_->programs()) {
      if (row.is_service || !row.is_awaited) continue;
      // Who waits for an answer to an address that is gone waits as long as it likes.
      if (allowed_.moves && !row.name.starts_with("late")) continue;
      const bool has_ended =
          row.state != ProgramState::running && row.state != ProgramState::waiting;
      if (!has_ended && !is_forgotten(row))
        report_.problems.push_back(fmt::format("`{}` has not ended at {}, {} after the last fault",
                                               row.command, model_.nodes[row.node].name,
                                               to_text(world_->now())));
      else if (has_ended && row.name.starts_with("late") && (row.signal != 0 || row.status != 0) &&
               !is_excused(row))
        report_.problems.push_back(
            fmt::format("`{}` failed though nothing was broken any more at {}, {}: {}", row.command,
                        model_.nodes[row.node].name, to_text(row.ended), said_by(row)));
    }
  }

  // ARP has no checksum: a neighbour's address that was broken on the way is believed until its
  // time is up. And an echo is sent once: a queue that was full has it for good.
  [[nodiscard]] bool is_excused(const ProgramRow& row) const {
    return (allowed_.breaks && watch_.is_anyone_misled()) ||
           (watch_.is_echo_crowded_out() && row.command.starts_with("ping "));
  }

  // Who has sent all it had, and has had it acknowledged, to a machine that crashed then: nothing
  // ever comes, and it may wait. `talk` asks whether its peer is alive.
  [[nodiscard]] bool is_forgotten(const ProgramRow& row) const {
    if (!allowed_.crashes || row.name.starts_with("late") || row.command.starts_with("talk "))
      return false;
    stack::Stack* const stack = world_->stack(row.node);
    return stack != nullptr && std::ranges::none_of(stack->tcp().rows(), [](const tcp::Row& each) {
             return each.listener == tcp::ListenerId::none && each.send_queue > 0;
           });
  }

  std::string said_by(const ProgramRow& row) const {
    std::string text = fmt::format("exit {}", row.status);
    for (const lab::ProgramOutput& output : world_->output())
      if (output.program == row.id) text += " " + output.text;
    return text;
  }

  // Nothing is left of any conversation, and nobody waits for anything.
  void judge_rest() {
    for (std::uint32_t node = 0; node < model_.nodes.size(); ++node) {
      if (world_->stack(node) == nullptr) continue;
      if (const Instant next = world_->stack(node)->next_deadline(); next != Instant::never())
        report_.problems.push_back(
            fmt::format("a timer is left at {}, for {}", model_.nodes[node].name, to_text(next)));
      for (const tcp::Row& row : world_->stack(node)->tcp().rows())
        if (row.listener == tcp::ListenerId::none)
          report_.problems.push_back(fmt::format("a connection is left at {}: {} {} - {}",
                                                 model_.nodes[node].name, to_text(row.state),
                                                 to_text(row.local), to_text(row.remote)));
    }
  }

  lab::Model& model_;
  const Allowed allowed_;
  Watch watch_;
  std::shared_ptr<Book> book_ = std::make_shared<Book>();
  std::unique_ptr<lab::World> world_;
  std::unique_ptr<Senders> senders_;
  bool has_one_ended_ = true;
  std::uint64_t steps_ = 0;
  Report report_;
};

}  // namespace

Report simulate(const std::string& text, const std::string& run_file) {
  auto lab = lab::parse_lab(text, "simulation.yaml");
  if (!lab) return {{"the lab is refused: " + lab::to_text(lab.error().front())}};
  const auto plan = lab::make_plan(lab->model);
  if (!plan) return {{"the lab cannot be planned: " + plan.error().front().what}};
  std::unique_ptr<lab::Recorder> recorder;
  if (!run_file.empty()) {
    auto opened = lab::Recorder::open({.path = run_file});
    if (!opened) return {{"the run cannot be kept: " + opened.error()}};
    recorder = std::move(*opened);
  }
  const std::int64_t blocks_before = blocks_in_use();
  Report report = Run(lab->model, *plan, recorder.get()).run();
  if (const std::int64_t left = blocks_in_use() - blocks_before; left != 0)
    report.problems.push_back(fmt::format("packets are left behind: {} blocks", left));
  return report;
}

std::string rule_of(const std::string& problem) {
  std::string rule;
  for (const char c : problem.substr(0, problem.find(" at ")))
    if (c < '0' || c > '9') rule += c;
  return rule.substr(0, rule.find(": "));
}

}  // namespace lanyard::simulation
