// SPDX-License-Identifier: Apache-2.0
// When the timeline's actions happen: at their time, again and again, or after an event.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/world.hh"

namespace lanyard::lab {

class Timeline {
 public:
  explicit Timeline(World::State& world) : world_(world) {}
  void schedule_all();
  void begin(std::uint32_t index);  // an action of the model's is due
  // A program began, ended, or printed `text`.
  void happened(Trigger::Kind kind, const ProgramRow& row, std::string_view text = {});
  // A machine had its turn: it may listen where it did not before.
  void look_who_listens(std::uint32_t node);
  [[nodiscard]] bool waits_for_listeners() const { return listeners_ != 0; }
  // It was told to end, and to start again later: the lab is to wait for that.
  [[nodiscard]] bool will_start_again(const ProgramRow& row) const;
  // In the schedule: actions that will come to an end, and those repeated for ever.
  [[nodiscard]] std::size_t scheduled() const { return scheduled_; }
  [[nodiscard]] std::size_t endless() const { return endless_; }

 private:
  struct Waiting {
    std::uint32_t action = 0;
    std::string tail;  // prints: the end of what was printed, shorter than the text
  };
  void schedule(std::uint32_t index, Instant at);
  void fire(std::size_t waiting);
  World::State& world_;
  std::vector<Waiting> waiting_;     // for their trigger
  std::vector<std::uint32_t> done_;  // how often each action has happened
  std::size_t scheduled_ = 0, endless_ = 0;
  std::size_t listeners_ = 0;  // of waiting_, those that wait for a listener
};

}  // namespace lanyard::lab
