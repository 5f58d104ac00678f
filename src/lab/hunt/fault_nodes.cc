// SPDX-License-Identifier: Apache-2.0
// What may happen to machines and programs.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/hunt/fault_parts.hh"
#include "lab/plan.hh"

namespace lanyard::lab::hunt {
namespace {

const std::string& name_of(const Model& model, const Fault& fault) {
  return model.nodes[fault.target].name;
}

// What begins with the fault, and what ends it.
void write_both(const Fault& fault, std::string begins, std::string ends,
                std::vector<Line>& lines) {
  lines.push_back({fault.at, std::move(begins)});
  lines.push_back({fault.at + fault.lasts, std::move(ends)});
}

void write_crash(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  const std::string& name = name_of(model, fault);
  write_both(fault, "crash " + name, "restart " + name, lines);
}

void write_kill(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  const std::string& name = program_at(model, fault.target).name;
  write_both(fault, "kill " + name, "start " + name, lines);
}

void write_pause(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  const std::string& name = program_at(model, fault.target).name;
  write_both(fault, "pause " + name, "resume " + name, lines);
}

// In parts of a million, from a bad crystal on.
std::uint64_t draw_rate(RandomStream& dice, std::uint32_t strength) {
  static constexpr std::array<std::uint64_t, 4> most{1'000, 20'000, 100'000, 500'000};
  return std::max<std::uint64_t>(100, dice.below(most[strength] + 1));
}
std::optional<std::uint64_t> weaker_rate(std::uint64_t parts) {
  if (parts <= 100) return {};
  return std::max<std::uint64_t>(100, parts / 2);
}
std::string rate_text_of(std::uint64_t parts) {
  return fmt::format("{}ppm", parts);
}
void write_clock(const Model& model, const Fault& fault, std::string_view way,
                 std::vector<Line>& lines) {
  const std::string& name = name_of(model, fault);
  write_both(fault, fmt::format("clock {} {} {}", name, way, rate_text_of(fault.amount)),
             fmt::format("clock {} right", name), lines);
}

bool is_machine(const Model& model, std::uint32_t node) {
  return model.nodes[node].kind == NodeKind::host || model.nodes[node].kind == NodeKind::router;
}

// One machine from all others: what it only passes on goes through.
bool has_others(const Model& model, std::uint32_t node) {
  std::size_t machines = 0;
  for (std::uint32_t i = 0; i < model.nodes.size(); ++i) machines += is_machine(model, i) ? 1 : 0;
  return is_machine(model, node) && machines > 1;
}
void write_partition(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  std::vector<std::string_view> others;
  for (std::uint32_t i = 0; i < model.nodes.size(); ++i)
    if (i != fault.target && is_machine(model, i)) others.push_back(model.nodes[i].name);
  const std::string& name = name_of(model, fault);
  const std::string rest = fmt::format("{}", fmt::join(others, ","));
  const std::string sides = fault.a_to_b && fault.b_to_a ? fmt::format("{} -- {}", name, rest)
                            : fault.a_to_b               ? fmt::format("{} -> {}", name, rest)
                                                         : fmt::format("{} -> {}", rest, name);
  write_both(fault, "partition " + sides, "heal " + sides, lines);
}

// The first IPv4 address of a host's first port, as the plan gives it.
std::optional<IpPrefix> address_of(const Model& model, std::uint32_t node) {
  const auto plan = make_plan(model);
  if (!plan || plan->nodes[node].ports.empty()) return {};
  for (const IpPrefix& each : plan->ports[plan->nodes[node].ports.front()].addresses)
    if (each.address.is_v4()) return each;
  return {};
}
bool is_host(const Model& model, std::uint32_t node) {
  return model.nodes[node].kind == NodeKind::host;
}
// One that the plan gives to nobody: it begins with the lowest.
std::uint64_t draw_address(RandomStream& dice, std::uint32_t /*strength*/) {
  return 200 + dice.below(50);
}
void write_address(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  const auto own = address_of(model, fault.target);
  if (!own || own->length > 24) return;  // a network too small for another address
  const std::string text = to_text(own->address);
  const std::string start = "address " + name_of(model, fault) + " ";
  write_both(fault,
             fmt::format("{}{}{}/{}", start, text.substr(0, text.rfind('.') + 1), fault.amount,
                         own->length),
             start + to_text(*own), lines);
}

constexpr FaultKind clock_kind(std::string_view name, std::string_view purpose,
                               void (*write)(const Model&, const Fault&, std::vector<Line>&)) {
  return {.name = name,
          .purpose = purpose,
          .target = Target::node,
          .ways = Ways::both,
          .may_hit = is_machine,
          .draw = draw_rate,
          .weaker = weaker_rate,
          .amount_text = rate_text_of,
          .write = write};
}

const std::array kinds{
    FaultKind{.name = "crash",
              .purpose = "a host, router or switch is gone, and comes back without its memory",
              .target = Target::node,
              .ways = Ways::both,
              .write = write_crash},
    FaultKind{.name = "kill",
              .purpose = "a program is killed, and started again",
              .target = Target::program,
              .ways = Ways::both,
              .write = write_kill},
    FaultKind{.name = "pause",
              .purpose = "a program stands still",
              .target = Target::program,
              .ways = Ways::both,
              .write = write_pause},
    clock_kind("clock-fast", "the clock of a host or router gains, up to a half",
               [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
                 write_clock(model, fault, "fast", lines);
               }),
    clock_kind("clock-slow", "the clock of a host or router loses, up to a half",
               [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
                 write_clock(model, fault, "slow", lines);
               }),
    FaultKind{.name = "address",
              .purpose = "a host has another address",
              .target = Target::node,
              .ways = Ways::both,
              .may_hit = is_host,
              .draw = draw_address,
              .amount_text = [](std::uint64_t amount) { return fmt::format(".{}", amount); },
              .write = write_address},
    FaultKind{.name = "partition",
              .purpose = "nothing passes between a host or router and all others",
              .target = Target::node,
              .ways = Ways::both,
              .may_hit = has_others,
              .write = write_partition},
    FaultKind{.name = "partition-one-way",
              .purpose = "the same in one direction",
              .target = Target::node,
              .ways = Ways::one,
              .may_hit = has_others,
              .write = write_partition},
};

}  // namespace

std::span<const FaultKind> node_fault_kinds() {
  return kinds;
}

}  // namespace lanyard::lab::hunt
