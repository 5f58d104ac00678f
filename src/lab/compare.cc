// SPDX-License-Identifier: Apache-2.0
#include "lab/compare.hh"

#include <algorithm>

#include "lab/replay/input.hh"

namespace lanyard::lab {
namespace {

using What = RunDifference::What;

// Whether one of the two may end before the other.
bool may_end(const RunFile& first, bool is_in_first) {
  return first.is_cut_short && !(is_in_first && first.is_virtual);
}

template <typename T>
std::size_t first_unequal(const T& a, const T& b) {
  const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(at - a.begin());
}

std::string_view difference_of(const RunFile& first, const RunPacket& a, const RunFile& second,
                               const RunPacket& b) {
  if (a.at != b.at) return "time";
  if (a.port != b.port) return "port";
  if (a.is_sent != b.is_sent) return "direction";
  if (a.packet != b.packet) return "packet number";
  if (a.comment != b.comment) return "drop";
  if (a.size != b.size) return "size";
  if (!std::ranges::equal(first.frame(a), second.frame(b))) return "bytes";
  // The row that says it follows the packet.
  const bool is_cause_cut_off = first.is_cut_short && a.cause == 0;
  return a.cause != b.cause && !is_cause_cut_off ? "cause" : "";
}

std::string_view difference_of(const Event& a, const Event& b) {
  if (a.at != b.at) return "time";
  if (a.node != b.node) return "node";
  if (a.kind != b.kind) return "kind";
  if (a.values != b.values) return "values";
  if (a.text != b.text) return "text";
  if (a.id != b.id) return "number";
  return a.cause != b.cause ? "cause" : "";
}

// The first frame that differs, if one does.
std::optional<RunDifference> first_frame(const RunFile& first, const RunFile& second) {
  const std::size_t both = std::min(first.packets.size(), second.packets.size());
  for (std::size_t i = 0; i < both; ++i) {
    const RunPacket& a = first.packets[i];
    const RunPacket& b = second.packets[i];
    const std::string_view detail = difference_of(first, a, second, b);
    if (detail.empty()) continue;
    const RunPacket& earlier = b.at < a.at ? b : a;
    const RunFile& its = b.at < a.at ? second : first;
    return RunDifference{
        .what = What::frame,
        .index = i,
        .at = earlier.at,
        .node = its.ports[earlier.port].node,
        .detail = detail,
        .offset = detail == "bytes" ? first_unequal(first.frame(a), second.frame(b)) : 0};
  }
  if (first.packets.size() == second.packets.size()) return std::nullopt;
  const bool is_in_first = first.packets.size() > both;
  if (may_end(first, is_in_first)) return std::nullopt;
  const RunFile& longer = is_in_first ? first : second;
  return RunDifference{.what = What::frame,
                       .index = both,
                       .at = longer.packets[both].at,
                       .node = longer.ports[longer.packets[both].port].node,
                       .is_in_first = is_in_first,
                       .is_in_second = !is_in_first};
}

std::optional<RunDifference> first_event(const RunFile& first, const RunFile& second) {
  const std::size_t both = std::min(first.events.size(), second.events.size());
  for (std::size_t i = 0; i < both; ++i) {
    const Event& a = first.events[i].event;
    const Event& b = second.events[i].event;
    const std::string_view detail = difference_of(a, b);
    if (detail.empty()) continue;
    const Event& earlier = b.at < a.at ? b : a;
    return RunDifference{
        .what = What::event, .index = i, .at = earlier.at, .node = earlier.node, .detail = detail};
  }
  if (first.events.size() == second.events.size()) return std::nullopt;
  const bool is_in_first = first.events.size() > both;
  if (may_end(first, is_in_first)) return std::nullopt;
  const Event& event = (is_in_first ? first : second).events[both].event;
  return RunDifference{.what = What::event,
                       .index = both,
                       .at = event.at,
                       .node = event.node,
                       .is_in_first = is_in_first,
                       .is_in_second = !is_in_first};
}

// The row that comes next, and when; nothing behind the last, or where they cannot be read.
std::optional<Input> next_input(InputReader& reader) {
  auto input = reader.next();
  return input ? std::move(*input) : std::nullopt;
}

// Calls say what came of them, so a program that would have been answered otherwise shows here.
std::optional<RunDifference> first_input(const RunFile& first, const RunFile& second) {
  InputReader a(first), b(second);
  for (std::size_t i = 0;; ++i) {
    const auto one = next_input(a), other = next_input(b);
    if (!one && !other) return std::nullopt;
    if (one && other && std::ranges::equal(a.row(), b.row())) continue;
    if ((!one || !other) && may_end(first, one.has_value())) return std::nullopt;
    const bool is_first_earlier = one && (!other || one->at <= other->at);
    return RunDifference{.what = What::input,
                         .index = i,
                         .at = is_first_earlier ? one->at : other->at,
                         .is_in_first = one.has_value(),
                         .is_in_second = other.has_value(),
                         .detail = one && other ? "input" : ""};
  }
}

std::string_view lab_difference(const RunFile& first, const RunFile& second) {
  if (first.lab_text != second.lab_text) return "lab text";
  if (first.seed != second.seed) return "seed";
  if (first.is_virtual != second.is_virtual) return "kind of time";
  const auto same_name = [](const RunNode& a, const RunNode& b) { return a.name == b.name; };
  if (!std::ranges::equal(first.nodes, second.nodes, same_name)) return "nodes";
  const auto same_port = [](const RunPort& a, const RunPort& b) {
    return a.node == b.node && a.name == b.name && a.addresses == b.addresses && a.mac == b.mac;
  };
  if (!std::ranges::equal(first.ports, second.ports, same_port)) return "ports";
  return first.lab_file != second.lab_file ? "name of the lab file" : "";
}

std::optional<RunDifference> first_program(const RunFile& first, const RunFile& second) {
  const auto same = [](const RunProgram& a, const RunProgram& b) {
    return a.program == b.program && a.node == b.node && a.command == b.command;
  };
  const auto [a, b] = std::ranges::mismatch(first.programs, second.programs, same);
  if (a == first.programs.end() && b == second.programs.end()) return std::nullopt;
  const bool is_in_first = a != first.programs.end();
  const bool is_one_shorter = !is_in_first || b == second.programs.end();
  if (is_one_shorter && first.is_cut_short) return std::nullopt;
  return RunDifference{.what = What::program,
                       .index = static_cast<std::size_t>(a - first.programs.begin()),
                       .node = is_in_first ? a->node : b->node,
                       .is_in_first = is_in_first,
                       .is_in_second = b != second.programs.end()};
}

std::optional<RunDifference> first_verdict(const RunFile& first, const RunFile& second) {
  const auto same = [](const Verdict& a, const Verdict& b) {
    return a.text == b.text && a.is_good == b.is_good && a.happened == b.happened;
  };
  const auto [a, b] = std::ranges::mismatch(first.verdicts, second.verdicts, same);
  if (a == first.verdicts.end() && b == second.verdicts.end()) return std::nullopt;
  return RunDifference{.what = What::verdict,
                       .index = static_cast<std::size_t>(a - first.verdicts.begin()),
                       .is_in_first = a != first.verdicts.end(),
                       .is_in_second = b != second.verdicts.end(),
                       .detail = "outcome"};
}

std::optional<RunDifference> in_words(const RunFile& first, const RunFile& second) {
  if (const std::string_view detail = lab_difference(first, second); !detail.empty())
    return RunDifference{.what = What::lab, .detail = detail};
  const auto frame = first_frame(first, second);
  const auto event = first_event(first, second);
  const auto input = first_input(first, second);
  // What differs first in time; of one instant, the event says more, then the frame.
  if (input && (!event || input->at < event->at) && (!frame || input->at < frame->at)) return input;
  if (frame && (!event || frame->at < event->at)) return frame;
  if (event) return event;
  if (const auto program = first_program(first, second)) return program;
  if (first.is_cut_short) return std::nullopt;
  if (const auto verdict = first_verdict(first, second)) return verdict;
  if (first.ended_at == second.ended_at) return std::nullopt;
  return RunDifference{.what = What::lab, .detail = "end"};
}

}  // namespace

std::optional<RunDifference> first_difference(const RunFile& first, const RunFile& second) {
  if (first.bytes == second.bytes) return std::nullopt;
  auto in_words_of_both = in_words(first, second);
  if (!in_words_of_both && first.is_cut_short) return std::nullopt;
  RunDifference difference = in_words_of_both.value_or(RunDifference{});
  if (difference.detail != "bytes") difference.offset = first_unequal(first.bytes, second.bytes);
  return difference;
}

}  // namespace lanyard::lab
