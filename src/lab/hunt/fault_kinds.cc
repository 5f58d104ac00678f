// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/hunt/fault.hh"
#include "lab/units.hh"

namespace lanyard::lab::hunt {
namespace {

std::string ends_of(const Model& model, std::uint32_t link, bool a_to_b, bool b_to_a) {
  const std::string& a = model.nodes[model.links[link].a.node].name;
  const std::string& b = model.nodes[model.links[link].b.node].name;
  if (a_to_b && b_to_a) return fmt::format("{} -- {}", a, b);
  return a_to_b ? fmt::format("{} -> {}", a, b) : fmt::format("{} -> {}", b, a);
}

std::uint64_t no_amount(RandomStream& /*dice*/, std::uint32_t /*strength*/) {
  return 0;
}
std::optional<std::uint64_t> none_weaker(std::uint64_t /*amount*/) {
  return {};
}
std::optional<std::uint64_t> halved(std::uint64_t amount, std::uint64_t least) {
  if (amount / 2 < least) return {};
  return amount / 2;
}

void write_cut(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  const std::string ends = ends_of(model, fault.target, fault.a_to_b, fault.b_to_a);
  lines.push_back({fault.at, "cut " + ends});
  lines.push_back({fault.at + fault.lasts, "heal " + ends});
}

// Cut and healed `amount` times in the time it lasts, cut half of it.
void write_flap(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  const std::string ends = ends_of(model, fault.target, fault.a_to_b, fault.b_to_a);
  const auto times = static_cast<std::int64_t>(std::max<std::uint64_t>(1, fault.amount));
  const Duration half = fault.lasts / (2 * times);
  for (std::int64_t i = 0; i < times; ++i) {
    lines.push_back({fault.at + half * (2 * i), "cut " + ends});
    lines.push_back({fault.at + half * (2 * i + 1), "heal " + ends});
  }
}

// The value of a link while the fault lasts, and each direction's own afterwards.
template <typename Own>
void write_set(const Model& model, const Fault& fault, const std::string& value, Own own,
               std::vector<Line>& lines) {
  const LinkSpec& link = model.links[fault.target];
  lines.push_back({fault.at, "set " + ends_of(model, fault.target, fault.a_to_b, fault.b_to_a),
                   fmt::format("{{ {} }}", value)});
  const Instant end = Instant::start() + fault.at + fault.lasts;
  const std::string a = own(link.a_to_b), b = own(link.b_to_a);
  const auto restore = [&](bool a_to_b, bool b_to_a, const std::string& to) {
    lines.push_back({end.since_start(), "set " + ends_of(model, fault.target, a_to_b, b_to_a),
                     fmt::format("{{ {} }}", to)});
  };
  if (fault.a_to_b && fault.b_to_a && a == b) return restore(true, true, a);
  if (fault.a_to_b) restore(true, false, a);
  if (fault.b_to_a) restore(false, true, b);
}

std::uint64_t draw_loss(RandomStream& dice, std::uint32_t strength) {
  constexpr std::array<std::uint64_t, 4> most{5, 20, 60, 100};
  return (1 + dice.below(most.at(strength))) * 10'000'000;
}
void write_loss(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  write_set(
      model, fault, "loss: " + share_text(fault.amount),
      [](const LinkQuality& q) { return "loss: " + share_text(q.loss_parts_per_billion); }, lines);
}

std::uint64_t draw_delay(RandomStream& dice, std::uint32_t strength) {
  constexpr std::array<std::uint64_t, 4> most_ms{20, 100, 500, 3000};
  return (1 + dice.below(most_ms.at(strength))) * 1'000'000;
}
std::string delay_text(Duration delay) {
  return "delay: " + to_text(delay);
}
void write_delay(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  write_set(
      model, fault, delay_text(Duration::nanoseconds(static_cast<std::int64_t>(fault.amount))),
      [](const LinkQuality& q) { return delay_text(q.delay); }, lines);
}

std::uint64_t draw_rate(RandomStream& dice, std::uint32_t strength) {
  constexpr std::array<std::uint64_t, 4> least_kbit{1000, 256, 64, 16};
  return (least_kbit.at(strength) + dice.below(1000)) * 1000;
}
// A link without a rate gets one so high that it makes no difference.
std::string rate_or_none(std::uint64_t bits_per_second) {
  constexpr std::uint64_t as_good_as_none = 1'000'000'000'000;
  return "rate: " + rate_text(bits_per_second == 0 ? as_good_as_none : bits_per_second);
}
void write_rate(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  write_set(
      model, fault, rate_or_none(fault.amount),
      [](const LinkQuality& q) { return rate_or_none(q.rate_bits_per_second); }, lines);
}
// Milder is faster; 10 Mbit a second is no fault any more.
std::optional<std::uint64_t> faster(std::uint64_t amount) {
  if (amount * 2 > 10'000'000) return {};
  return amount * 2;
}

std::uint64_t draw_queue(RandomStream& dice, std::uint32_t strength) {
  constexpr std::array<std::uint64_t, 4> frames{16, 8, 3, 1};
  return frames.at(strength) * 1514 + dice.below(1514);
}
void write_queue(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  write_set(
      model, fault, "queue: " + size_text(fault.amount),
      [](const LinkQuality& q) { return "queue: " + size_text(q.queue_bytes); }, lines);
}
std::optional<std::uint64_t> longer_queue(std::uint64_t amount) {
  if (amount * 2 > 65536) return {};
  return amount * 2;
}

std::string nothing(std::uint64_t /*amount*/) {
  return {};
}
std::string duration_text(std::uint64_t amount) {
  return lanyard::to_text(Duration::nanoseconds(static_cast<std::int64_t>(amount)));
}

const std::array kinds{
    FaultKind{.name = "cut",
              .purpose = "a link carries nothing",
              .draw = no_amount,
              .weaker = none_weaker,
              .amount_text = nothing,
              .write = write_cut},
    FaultKind{.name = "cut-one-way",
              .purpose = "a link carries nothing one way",
              .draw = no_amount,
              .weaker = none_weaker,
              .amount_text = nothing,
              .write = write_cut},
    FaultKind{.name = "flap",
              .purpose = "a link is cut and healed again and again",
              .draw = [](RandomStream& dice,
                         std::uint32_t strength) { return 2 + dice.below(2 + 4ULL * strength); },
              .weaker = [](std::uint64_t amount) { return halved(amount, 1); },
              .simpler = "cut",
              .amount_text = [](std::uint64_t amount) { return fmt::format("{} times", amount); },
              .write = write_flap},
    FaultKind{.name = "loss",
              .purpose = "frames are lost at random",
              .draw = draw_loss,
              .weaker = [](std::uint64_t amount) { return halved(amount, 1'000'000); },
              .amount_text = share_text,
              .write = write_loss},
    FaultKind{.name = "delay",
              .purpose = "what a link carries comes late",
              .draw = draw_delay,
              .weaker = [](std::uint64_t amount) { return halved(amount, 1'000'000); },
              .amount_text = duration_text,
              .write = write_delay},
    FaultKind{.name = "rate",
              .purpose = "a link has little capacity",
              .draw = draw_rate,
              .weaker = faster,
              .amount_text = rate_text,
              .write = write_rate},
    FaultKind{.name = "queue",
              .purpose = "a link's queue is short",
              .draw = draw_queue,
              .weaker = longer_queue,
              .amount_text = size_text,
              .write = write_queue},
};

}  // namespace

std::span<const FaultKind> fault_kinds() {
  return kinds;
}

const FaultKind* fault_kind(std::string_view name) {
  const auto found = std::ranges::find(kinds, name, &FaultKind::name);
  return found == kinds.end() ? nullptr : &*found;
}

std::vector<Line> lines_of(const Model& model, std::span<const Fault> faults) {
  std::vector<Line> lines;
  for (const Fault& fault : faults) fault.kind->write(model, fault, lines);
  std::ranges::stable_sort(lines, {}, &Line::at);
  return lines;
}

std::string to_text(const Model& model, const Fault& fault) {
  std::string target;
  if (fault.kind->target == Target::link)
    target = ends_of(model, fault.target, fault.a_to_b, fault.b_to_a);
  else if (fault.kind->target == Target::node)
    target = model.nodes[fault.target].name;
  const std::string amount = fault.kind->amount_text(fault.amount);
  return fmt::format("{}{}{} of {} from {} for {}", fault.kind->name, amount.empty() ? "" : " ",
                     amount, target, lanyard::to_text(fault.at), lanyard::to_text(fault.lasts));
}

}  // namespace lanyard::lab::hunt
