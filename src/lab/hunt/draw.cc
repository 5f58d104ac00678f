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

std::size_t targets_of(const Model& model, const FaultKind& kind) {
  return kind.target == Target::link ? model.links.size() : model.nodes.size();
}

void draw_direction(Fault& fault, RandomStream& dice) {
  const std::uint64_t way = dice.below(fault.kind->name == "cut-one-way" ? 2 : 4);
  if (fault.kind->name == "cut" || way > 1) return;
  fault.a_to_b = way == 0;
  fault.b_to_a = way == 1;
}

}  // namespace

std::vector<Fault> draw_faults(const Model& model, const Drawing& drawing, RandomStream& dice) {
  std::vector<const FaultKind*> enabled;
  for (const FaultKind* kind : drawing.kinds)
    if (targets_of(model, *kind) > 0 && dice.below(3) == 0) enabled.push_back(kind);
  if (enabled.empty() && !drawing.kinds.empty())
    enabled.push_back(drawing.kinds[dice.below(drawing.kinds.size())]);
  std::erase_if(enabled, [&](const FaultKind* kind) { return targets_of(model, *kind) == 0; });
  if (enabled.empty()) return {};
  const auto strength = static_cast<std::uint32_t>(dice.below(4));
  const std::uint64_t count = 1 + dice.below(drawing.count_max);
  std::vector<Fault> faults;
  for (std::uint64_t i = 0; i < count; ++i) {
    Fault fault;
    fault.kind = enabled[dice.below(enabled.size())];
    fault.target = static_cast<std::uint32_t>(dice.below(targets_of(model, *fault.kind)));
    fault.at = draw_begin(drawing, dice);
    fault.lasts = draw_length(drawing.lasts_max, dice);
    fault.amount = fault.kind->draw(dice, strength);
    if (fault.kind->target == Target::link) draw_direction(fault, dice);
    faults.push_back(fault);
  }
  std::ranges::stable_sort(faults, {}, &Fault::at);
  return faults;
}

}  // namespace lanyard::lab::hunt
