// SPDX-License-Identifier: Apache-2.0
// Actions as text and back: `cut r1 -- dc`, `set a -> b loss 5%, delay 200ms`, `partition left --
// right`, `crash bob`, and the moment before them: `5s`, `+2s`, `when bob listens on 80 +1s`,
// `every 5s x3`. The lab file, `lanyard cut ...` and whoever makes up timelines use the same words.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lab/model.hh"

namespace lanyard::lab {

// What is wrong with a line, where in it (from 0), and what would be right.
struct ActionProblem {
  std::size_t offset = 0;
  std::string what, fix;
};

// Knows the model's names; they must not change while it lives.
class ActionReader {
 public:
  // Live: of a lab that is up, which may be parted in ways its timeline does not say.
  explicit ActionReader(const Model& model, bool is_live = false);

  // One line is one action or several: `cut client* -- office` cuts many links. Moments are left
  // as in `Action{}`.
  [[nodiscard]] std::expected<std::vector<Action>, ActionProblem> read(std::string_view line) const;
  // Fills in the moment: at, after, every, times. `+2s` counts from `previous` (from the lab's
  // beginning if there is none).
  [[nodiscard]] std::expected<void, ActionProblem> read_moment(std::string_view text,
                                                               const Action* previous,
                                                               Action& into) const;

  // "a -- b" or "a -> b" taken apart.
  struct Pair {
    std::string_view a, b;
    std::size_t a_offset = 0, b_offset = 0;
    bool is_one_way = false;
  };
  [[nodiscard]] static std::expected<Pair, ActionProblem> pair_of(std::string_view text,
                                                                  std::size_t offset);
  // Nodes by name, by group (`groups:`, `alice*`), or several with commas between.
  [[nodiscard]] std::expected<std::vector<std::uint32_t>, ActionProblem> nodes_of(
      std::string_view text, std::size_t offset) const;

 private:
  struct Line {
    std::string_view verb = {}, rest = {};
    std::size_t offset = 0;  // of the rest
  };
  using Actions = std::expected<std::vector<Action>, ActionProblem>;
  [[nodiscard]] Actions read_link(const Line& line, Action action) const;
  [[nodiscard]] Actions read_set(const Line& line, Action action) const;
  [[nodiscard]] Actions read_partition(const Line& line, Action action) const;
  [[nodiscard]] Actions read_node(const Line& line, Action action) const;
  [[nodiscard]] Actions read_program(const Line& line, Action action) const;
  [[nodiscard]] Actions read_address(const Line& line, Action action) const;
  [[nodiscard]] Actions read_clock(const Line& line, Action action) const;
  [[nodiscard]] Actions read_name(const Line& line, Action action) const;
  [[nodiscard]] Actions on_links(const Pair& pair, const Action& action) const;
  [[nodiscard]] bool is_partition(const Pair& pair) const;
  [[nodiscard]] bool are_apart(const Pair& pair) const;
  [[nodiscard]] std::expected<Trigger, ActionProblem> read_trigger(std::string_view text,
                                                                   std::size_t offset) const;
  [[nodiscard]] ActionProblem unknown_node(std::string_view name, std::size_t offset) const;

  const Model& model_;
  const bool is_live_;
  std::map<std::string, std::uint32_t> by_name_;                              // lower case
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> by_pair_;  // smaller node first
  std::vector<std::string> names_, programs_;
};

[[nodiscard]] std::span<const std::string> action_verbs();
// The line that does it, without its moment: "cut r1 -- dc".
[[nodiscard]] std::string text_of(const Action& action, const Model& model);
// "5s", "when bob listens on 80 +2s every 5s x3"
[[nodiscard]] std::string moment_text(const Action& action);
// The whole section of a lab file: "at:\n  - 5s: cut r1 -- dc\n"; empty if there are none.
[[nodiscard]] std::string timeline_text(std::span<const Action> timeline, const Model& model);

}  // namespace lanyard::lab
