// SPDX-License-Identifier: Apache-2.0
// A fault has a beginning and an end: something of the lab gets worse, and is as it was before
// afterwards. Faults are written as lines of a lab file's timeline, so that what is run is what the
// file says. The table of kinds (fault_kinds.cc) is the one place that knows what kinds there are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hh"
#include "core/time.hh"
#include "lab/model.hh"

namespace lanyard::lab::hunt {

struct FaultKind;

struct Fault {
  const FaultKind* kind = nullptr;
  std::uint32_t target = 0;  // a link, node or program, as the kind has it
  bool a_to_b = true, b_to_a = true;
  Duration at, lasts;
  std::uint64_t amount = 0;  // in the kind's unit; 0 where it has none
  friend bool operator==(const Fault&, const Fault&) = default;
};

// One line of a timeline: "cut r1 -- dc", or "set r1 -- dc" with the mapping "{ loss: 5% }".
struct Line {
  Duration at;
  std::string action;
  std::string body = {};
};

enum class Target : std::uint8_t { link, node, program };
enum class Ways : std::uint8_t { both, one, any };  // of a link, or from a node and to it

// For kinds without an amount.
[[nodiscard]] inline std::uint64_t no_amount(RandomStream& /*dice*/, std::uint32_t /*strength*/) {
  return 0;
}
[[nodiscard]] inline std::optional<std::uint64_t> none_weaker(std::uint64_t /*amount*/) {
  return {};
}
[[nodiscard]] inline std::string nothing(std::uint64_t /*amount*/) {
  return {};
}

struct FaultKind {
  std::string_view name;     // as `--faults` takes it
  std::string_view purpose;  // a few words
  Target target = Target::link;
  Ways ways = Ways::any;
  bool (*may_hit)(const Model& model, std::uint32_t target) = nullptr;  // null: any of them
  // How bad, drawn: `strength` 0 (mild) to 3 (severe).
  std::uint64_t (*draw)(RandomStream& dice, std::uint32_t strength) = no_amount;
  // A milder amount to try while shrinking; nothing if there is none.
  std::optional<std::uint64_t> (*weaker)(std::uint64_t amount) = none_weaker;
  std::string_view simpler = {};  // a kind to try instead once no milder amount is left
  std::string (*amount_text)(std::uint64_t amount) = nothing;  // "60%"
  void (*write)(const Model& model, const Fault& fault, std::vector<Line>& lines) = nullptr;
};

[[nodiscard]] std::span<const FaultKind> fault_kinds();
[[nodiscard]] std::size_t targets_of(const Model& model, Target target);
[[nodiscard]] const FaultKind* fault_kind(std::string_view name);

// The timeline of all of them, by time.
[[nodiscard]] std::vector<Line> lines_of(const Model& model, std::span<const Fault> faults);
// The same faults of another lab, whose targets have the same names; nothing if one is missing
// there.
[[nodiscard]] std::optional<std::vector<Fault>> moved_to(const Model& other, const Model& model,
                                                         std::span<const Fault> faults);
// "loss 60% of r1 -> dc from 1.2s for 300ms": for a person.
[[nodiscard]] std::string to_text(const Model& model, const Fault& fault);

// What faults are drawn from.
struct Drawing {
  std::vector<const FaultKind*> kinds;  // that may occur
  Duration horizon;                     // all begin before this
  Duration lasts_max;
  std::span<const Duration> moments;  // when something happened in a run without faults; may be
                                      // empty
  std::size_t count_max = 8;
};
// A schedule, swarm-style: a random subset of the kinds, then a few faults of these. By begin.
[[nodiscard]] std::vector<Fault> draw_faults(const Model& model, const Drawing& drawing,
                                             RandomStream& dice);

}  // namespace lanyard::lab::hunt
