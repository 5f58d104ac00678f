// SPDX-License-Identifier: Apache-2.0
// What may happen to links.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/hunt/fault_parts.hh"
#include "lab/link_change.hh"
#include "lab/units.hh"

namespace lanyard::lab::hunt {
namespace {

using Amounts = std::array<std::uint64_t, 4>;  // by strength

constexpr std::uint64_t percent = 10'000'000;  // of a share
constexpr std::uint64_t millisecond = 1'000'000;

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

// What a link has of a key by itself, as a lab file says it.
std::string own_value(const LinkQuality& quality, std::string_view key) {
  for (const auto& [name, value] : link_values(change_to(quality)))
    if (name == key) return value;
  if (key == "rate") return "unlimited";
  if (key == "queue") return size_text(quality.queue_bytes);
  if (key == "black-hole") return "off";
  return key == "delay" || key == "jitter" ? "0s" : "0%";
}

// One key of a link while the fault lasts, and each direction's own value afterwards.
void write_set(const Model& model, const Fault& fault, std::string_view key,
               const std::string& value, std::vector<Line>& lines) {
  const LinkSpec& link = model.links[fault.target];
  const auto set = [&](Duration at, bool a_to_b, bool b_to_a, const std::string& to) {
    lines.push_back({at, "set " + ends_of(model, fault.target, a_to_b, b_to_a),
                     fmt::format("{{ {}: {} }}", key, to)});
  };
  set(fault.at, fault.a_to_b, fault.b_to_a, value);
  const Duration end = fault.at + fault.lasts;
  const std::string a = own_value(link.a_to_b, key), b = own_value(link.b_to_a, key);
  if (fault.a_to_b && fault.b_to_a && a == b) return set(end, true, true, a);
  if (fault.a_to_b) set(end, true, false, a);
  if (fault.b_to_a) set(end, false, true, b);
}

std::string duration_text(std::uint64_t amount) {
  return lanyard::to_text(Duration::nanoseconds(static_cast<std::int64_t>(amount)));
}

std::uint64_t draw_share(RandomStream& dice, const Amounts& most_percent, std::uint32_t strength) {
  return (1 + dice.below(most_percent.at(strength))) * percent;
}
std::optional<std::uint64_t> weaker_share(std::uint64_t amount) {
  return halved(amount, percent / 10);
}
std::uint64_t draw_some(RandomStream& dice, std::uint32_t strength) {
  return draw_share(dice, {5, 20, 60, 100}, strength);
}
// Not every frame: a link whose every frame is broken is a cut one.
std::uint64_t draw_few(RandomStream& dice, std::uint32_t strength) {
  return draw_share(dice, {2, 5, 20, 50}, strength);
}

std::uint64_t draw_delay(RandomStream& dice, std::uint32_t strength) {
  constexpr Amounts most_ms{20, 100, 500, 3000};
  return (1 + dice.below(most_ms.at(strength))) * millisecond;
}
std::uint64_t draw_jitter(RandomStream& dice, std::uint32_t strength) {
  constexpr Amounts most_ms{5, 30, 150, 1000};
  return (1 + dice.below(most_ms.at(strength))) * millisecond;
}
std::optional<std::uint64_t> weaker_time(std::uint64_t amount) {
  return halved(amount, millisecond);
}

std::uint64_t draw_rate(RandomStream& dice, std::uint32_t strength) {
  constexpr Amounts least_kbit{1000, 256, 64, 16};
  return (least_kbit.at(strength) + dice.below(1000)) * 1000;
}
// Milder is faster; 10 Mbit a second is no fault any more.
std::optional<std::uint64_t> faster(std::uint64_t amount) {
  if (amount * 2 > 10'000'000) return {};
  return amount * 2;
}

std::uint64_t draw_queue(RandomStream& dice, std::uint32_t strength) {
  constexpr Amounts frames{16, 8, 3, 1};
  return frames.at(strength) * 1514 + dice.below(1514);
}
std::optional<std::uint64_t> longer_queue(std::uint64_t amount) {
  if (amount * 2 > 65536) return {};
  return amount * 2;
}

// The largest packet that gets through.
std::uint64_t draw_packet_bytes(RandomStream& dice, std::uint32_t strength) {
  constexpr Amounts least{1280, 1000, 576, 256};
  return least.at(strength) + dice.below(1499 - least.at(strength));
}
std::optional<std::uint64_t> larger_packets(std::uint64_t amount) {
  if (amount + 16 >= 1500) return {};
  return (amount + 1500) / 2;
}
// IPv6 needs 1280.
std::uint64_t draw_mtu(RandomStream& dice, std::uint32_t /*strength*/) {
  return 1280 + dice.below(219);
}
std::string bytes_text(std::uint64_t amount) {
  return fmt::format("{} bytes", amount);
}
bool has_usual_mtu(const Model& model, std::uint32_t link) {
  return model.links[link].mtu == 1500;
}
void write_mtu(const Model& model, const Fault& fault, std::vector<Line>& lines) {
  const std::string set = "set " + ends_of(model, fault.target, true, true);
  lines.push_back({fault.at, set, fmt::format("{{ mtu: {} }}", fault.amount)});
  lines.push_back(
      {fault.at + fault.lasts, set, fmt::format("{{ mtu: {} }}", model.links[fault.target].mtu)});
}

// A share of the frames, by the key of the same name.
constexpr FaultKind fate(std::string_view name, std::string_view purpose,
                         void (*write)(const Model&, const Fault&, std::vector<Line>&)) {
  return {.name = name,
          .purpose = purpose,
          .draw = draw_few,
          .weaker = weaker_share,
          .amount_text = share_text,
          .write = write};
}

const std::array kinds{
    FaultKind{
        .name = "cut", .purpose = "a link carries nothing", .ways = Ways::both, .write = write_cut},
    FaultKind{.name = "cut-one-way",
              .purpose = "a link carries nothing one way",
              .ways = Ways::one,
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
              .draw = draw_some,
              .weaker = weaker_share,
              .amount_text = share_text,
              .write =
                  [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
                    write_set(model, fault, "loss", share_text(fault.amount), lines);
                  }},
    FaultKind{.name = "burst-loss",
              .purpose = "frames are lost in bursts of four on average",
              .draw = draw_some,
              .weaker = weaker_share,
              .amount_text = share_text,
              .write =
                  [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
                    write_set(model, fault, "loss",
                              fmt::format("gilbert p {} r 25%", share_text(fault.amount)), lines);
                  }},
    FaultKind{.name = "delay",
              .purpose = "what a link carries comes late",
              .draw = draw_delay,
              .weaker = weaker_time,
              .amount_text = duration_text,
              .write =
                  [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
                    write_set(model, fault, "delay", duration_text(fault.amount), lines);
                  }},
    FaultKind{.name = "jitter",
              .purpose = "each frame comes late by another time",
              .draw = draw_jitter,
              .weaker = weaker_time,
              .amount_text = duration_text,
              .write =
                  [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
                    write_set(model, fault, "jitter", duration_text(fault.amount), lines);
                  }},
    FaultKind{.name = "rate",
              .purpose = "a link has little capacity",
              .draw = draw_rate,
              .weaker = faster,
              .amount_text = rate_text,
              .write =
                  [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
                    write_set(model, fault, "rate", rate_text(fault.amount), lines);
                  }},
    FaultKind{.name = "queue",
              .purpose = "a link's queue is short",
              .draw = draw_queue,
              .weaker = longer_queue,
              .amount_text = size_text,
              .write =
                  [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
                    write_set(model, fault, "queue", size_text(fault.amount), lines);
                  }},
    fate("duplicate", "frames come twice",
         [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
           write_set(model, fault, "duplicate", share_text(fault.amount), lines);
         }),
    fate("reorder", "frames overtake others",
         [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
           write_set(model, fault, "reorder", share_text(fault.amount), lines);
         }),
    fate("corrupt", "a bit of a frame is turned over",
         [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
           write_set(model, fault, "corrupt", share_text(fault.amount), lines);
         }),
    fate("truncate", "frames lose their end",
         [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
           write_set(model, fault, "truncate", share_text(fault.amount), lines);
         }),
    FaultKind{.name = "black-hole",
              .purpose = "larger packets vanish, and nobody is told",
              .draw = draw_packet_bytes,
              .weaker = larger_packets,
              .amount_text = bytes_text,
              .write =
                  [](const Model& model, const Fault& fault, std::vector<Line>& lines) {
                    write_set(model, fault, "black-hole", fmt::format("{}", fault.amount), lines);
                  }},
    FaultKind{.name = "mtu",
              .purpose = "a link takes shorter packets only",
              .ways = Ways::both,
              .may_hit = has_usual_mtu,
              .draw = draw_mtu,
              .weaker = larger_packets,
              .amount_text = bytes_text,
              .write = write_mtu},
};

}  // namespace

std::span<const FaultKind> link_fault_kinds() {
  return kinds;
}

}  // namespace lanyard::lab::hunt
