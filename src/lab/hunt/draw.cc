// SPDX-License-Identifier: Apache-2.0
// Swarm testing (Groce et al., "Swarm Testing", 2012): runs that leave kinds out find more than
// runs in which everything happens at once, since one fault can hide another.
#include <algorithm>

#include "lab/hunt/fault.hh"

namespace lanyard::lab::hunt {
namespace {

// From 1 ms to `most`, each power of two as likely as another.
Duration draw_length(Duration most, RandomStream& dice) {
  std::int64_t ceiling = 1'000'000;
  std::vector<std::int64_t> ceilings;
  while (ceiling < most.count_ns()) {
    ceilings.push_back(ceiling);
    ceiling *= 2;
  }
  ceilings.push_back(std::max<std::int64_t>(most.count_ns(), 1'000'000));
  const std::int64_t top = ceilings[dice.below(ceilings.size())];
  const auto ns = static_cast<std::int64_t>(dice.below(static_cast<std::uint64_t>(top)));
  // Whole microseconds: shorter text, and nothing is lost by it.
  return Duration::microseconds(std::max<std::int64_t>(1000, ns / 1000));
}

Duration draw_begin(const Drawing& drawing, RandomStream& dice) {
  // Half of them where something happens: a frame that is not sent cannot be lost.
  if (!drawing.moments.empty() && dice.below(2) == 0) {
    const Duration moment = drawing.moments[dice.below(drawing.moments.size())];
    const auto early_us = static_cast<std::int64_t>(dice.below(2000));
    return Duration::microseconds(std::max<std::int64_t>(0, moment.count_us() - early_us));
  }
  const auto horizon_us =
      static_cast<std::uint64_t>(std::max<std::int64_t>(1, drawing.horizon.count_us()));
  return Duration::microseconds(static_cast<std::int64_t>(dice.below(horizon_us)));
}

// Those that a kind can hit.
std::vector<std::uint32_t> targets_for(const Model& model, const FaultKind& kind) {
  std::vector<std::uint32_t> targets;
  for (std::uint32_t i = 0; i < targets_of(model, kind.target); ++i)
    if (kind.may_hit == nullptr || kind.may_hit(model, i)) targets.push_back(i);
  return targets;
}

void draw_direction(Fault& fault, RandomStream& dice) {
  if (fault.kind->ways == Ways::both) return;
  const std::uint64_t way = dice.below(fault.kind->ways == Ways::one ? 2 : 4);
  if (way > 1) return;
  fault.a_to_b = way == 0;
  fault.b_to_a = way == 1;
}

}  // namespace

std::vector<Fault> draw_faults(const Model& model, const Drawing& drawing, RandomStream& dice) {
  struct Enabled {
    const FaultKind* kind;
    std::vector<std::uint32_t> targets;
  };
  std::vector<Enabled> possible;
  for (const FaultKind* kind : drawing.kinds)
    if (auto targets = targets_for(model, *kind); !targets.empty())
      possible.push_back({kind, std::move(targets)});
  if (possible.empty()) return {};
  std::vector<const Enabled*> enabled;
  for (const Enabled& each : possible)
    if (dice.below(3) == 0) enabled.push_back(&each);
  if (enabled.empty()) enabled.push_back(&possible[dice.below(possible.size())]);
  const auto strength = static_cast<std::uint32_t>(dice.below(4));
  const std::uint64_t count = 1 + dice.below(drawing.count_max);
  std::vector<Fault> faults;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Enabled& one = *enabled[dice.below(enabled.size())];
    Fault fault;
    fault.kind = one.kind;
    fault.target = one.targets[dice.below(one.targets.size())];
    fault.at = draw_begin(drawing, dice);
    fault.lasts = draw_length(drawing.lasts_max, dice);
    fault.amount = fault.kind->draw(dice, strength);
    draw_direction(fault, dice);
    faults.push_back(fault);
  }
  std::ranges::stable_sort(faults, {}, &Fault::at);
  return faults;
}

}  // namespace lanyard::lab::hunt
