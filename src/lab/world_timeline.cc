// SPDX-License-Identifier: Apache-2.0
// When the timeline's actions happen: at their time, again and again, or after an event.
#include <algorithm>

#include "lab/nearest.hh"
#include "lab/world_state.hh"

namespace lanyard::lab {

void Timeline::schedule_all() {
  done_.resize(world_.model.timeline.size());
  for (std::uint32_t i = 0; i < world_.model.timeline.size(); ++i) {
    const Action& action = world_.model.timeline[i];
    if (action.after.kind == Trigger::Kind::none) {
      schedule(i, Instant::start() + action.at);
      continue;
    }
    waiting_.push_back({i, {}});
    if (action.after.kind == Trigger::Kind::listens) ++listeners_;
  }
}

void Timeline::schedule(std::uint32_t index, Instant at) {
  const Action& action = world_.model.timeline[index];
  const bool is_endless = action.every > Duration::zero() && action.times == 0;
  ++(is_endless ? endless_ : scheduled_);
  world_.schedule.add(at, 0, DueKind::action, index);
}

void Timeline::begin(std::uint32_t index) {
  const Action& action = world_.model.timeline[index];
  const bool is_endless = action.every > Duration::zero() && action.times == 0;
  --(is_endless ? endless_ : scheduled_);
  ++done_[index];
  const bool comes_again = is_endless || done_[index] < action.times;
  if (action.every > Duration::zero() && comes_again && world_.phase == WorldPhase::running)
    schedule(index, world_.now + action.every);
  world_.faults.act(action);
  if (scheduled_ == 0) world_.look_for_end();
}

void Timeline::fire(std::size_t waiting) {
  const std::uint32_t index = waiting_[waiting].action;
  const Action& action = world_.model.timeline[index];
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(waiting));
  if (action.after.kind == Trigger::Kind::listens) --listeners_;
  if (world_.phase == WorldPhase::running) schedule(index, world_.now + action.at);
}

void Timeline::happened(Trigger::Kind kind, const ProgramRow& row, std::string_view text) {
  if (waiting_.empty()) return;
  const std::string host = lower(world_.model.nodes[row.node].name);
  for (std::size_t i = 0; i < waiting_.size();) {
    const Trigger& trigger = world_.model.timeline[waiting_[i].action].after;
    const bool is_it = trigger.kind == kind && !row.is_service &&
                       (trigger.subject == row.name || lower(trigger.subject) == host);
    if (is_it && kind == Trigger::Kind::prints) {
      std::string& tail = waiting_[i].tail;
      tail += text;
      if (tail.find(trigger.text) == std::string::npos) {
        if (tail.size() >= trigger.text.size())
          tail.erase(0, tail.size() - trigger.text.size() + 1);
        ++i;
        continue;
      }
    }
    if (is_it)
      fire(i);
    else
      ++i;
  }
}

void Timeline::look_who_listens(std::uint32_t node) {
  std::vector<socket::SocketRow> sockets;
  for (std::size_t i = 0; i < waiting_.size();) {
    const Trigger& trigger = world_.model.timeline[waiting_[i].action].after;
    if (trigger.kind != Trigger::Kind::listens ||
        lower(trigger.subject) != lower(world_.model.nodes[node].name)) {
      ++i;
      continue;
    }
    if (sockets.empty()) sockets = world_.machines[node].sockets->rows();
    const bool listens = std::ranges::any_of(sockets, [&](const socket::SocketRow& row) {
      return row.local.port == trigger.port && (row.state == "LISTEN" || row.state == "UNCONN");
    });
    if (listens)
      fire(i);
    else
      ++i;
  }
}

bool Timeline::will_start_again(const ProgramRow& row) const {
  if (!row.was_told_to_end || scheduled_ == 0) return false;
  for (std::size_t i = 0; i < world_.model.timeline.size(); ++i) {
    const Action& action = world_.model.timeline[i];
    const bool is_it = (action.kind == Action::Kind::restart && action.node == row.node) ||
                       (action.kind == Action::Kind::start &&
                        (action.program == row.name ||
                         lower(action.program) == lower(world_.model.nodes[row.node].name)));
    if (is_it && action.after.kind == Trigger::Kind::none && done_[i] < action.times) return true;
  }
  return false;
}

}  // namespace lanyard::lab
