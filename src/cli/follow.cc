// SPDX-License-Identifier: Apache-2.0
// `lanyard follow`: both streams of a conversation as the programs got them; and the list of
// conversations.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/look.hh"
#include "cli/run_verbs.hh"
#include "cli/text.hh"
#include "cli/tree.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

using lab::why::Flow;
using lab::why::Piece;
using nlohmann::json;

// What one side said until the other spoke.
struct Turn {
  std::size_t side = 0;
  Instant at;
  std::uint64_t packet = 0;
  std::string bytes;
};

std::vector<Turn> turns_of(const LookedAt& at, const Flow& flow) {
  std::vector<std::pair<Piece, std::size_t>> pieces;
  for (const std::size_t side : {std::size_t{0}, std::size_t{1}})
    for (const Piece& piece : lab::why::stream_of(flow, static_cast<std::uint8_t>(side)))
      pieces.emplace_back(piece, side);
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const auto& a, const auto& b) { return a.first.at < b.first.at; });
  std::vector<Turn> turns;
  for (const auto& [piece, side] : pieces) {
    if (turns.empty() || turns.back().side != side) {
      const lab::why::Segment& segment = flow.segments[piece.segment];
      const auto& journey = at.index.packets.journeys()[segment.journey];
      turns.push_back({side, piece.at, journey.sightings.front() + 1, {}});
    }
    turns.back().bytes += text_of(piece.bytes);
  }
  return turns;
}

bool is_readable(std::string_view text) {
  const auto odd = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') ||
           c == '\x7f';
  });
  return odd * 20 <= static_cast<std::ptrdiff_t>(text.size());
}

std::string lines_of_text(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines += "    " + printable(line) + "\n";
  }
  return lines;
}

void print_turn(const LookedAt& at, const Flow& flow, const Turn& turn, bool as_hex,
                const Paper& paper) {
  const std::string_view arrow = paper.has_utf8 ? "→" : "->";
  const std::string title =
      fmt::format("{} {} {}", lab::why::endpoint_name(at.run, flow.sides[turn.side]), arrow,
                  lab::why::endpoint_name(at.run, flow.sides[1 - turn.side]));
  fmt::print("{}  {}, {}, packet {}\n", seconds(turn.at),
             paint(paper, turn.side == 0 ? Ink::cyan : Ink::green, title),
             bytes_text(turn.bytes.size()), turn.packet);
  const bool is_text = !as_hex && is_readable(turn.bytes);
  fmt::print("{}", is_text ? lines_of_text(turn.bytes) : hex_dump(bytes_of(turn.bytes)));
}

// How a conversation stands at the end of the run.
std::string_view end_of(const Flow& flow) {
  bool has_reset = false;
  bool is_up = false;
  std::array<bool, 2> is_closed{};
  for (const lab::why::Segment& each : flow.segments) {
    if (each.arrived_at == Instant::never()) continue;
    has_reset = has_reset || each.flags.rst();
    is_up = is_up || each.acked >= 1;
    if (each.flags.fin()) is_closed[each.side] = true;
  }
  if (has_reset) return is_up ? "reset" : "refused";
  if (is_closed[0] && is_closed[1]) return "closed";
  if (is_closed[0] || is_closed[1]) return "half closed";
  return is_up ? "open" : "no answer";
}

struct Row {
  std::size_t segments = 0, again = 0, lost = 0;
  std::array<std::uint64_t, 2> bytes{};
  Instant last;
};

Row row_of(const Flow& flow) {
  Row row;
  for (const lab::why::Segment& each : flow.segments) {
    ++row.segments;
    if (each.repeats) ++row.again;
    if (each.arrived_at == Instant::never()) ++row.lost;
    if (!each.repeats) row.bytes[each.side] += each.payload.size();
    row.last = std::max(row.last, each.sent_at);
  }
  return row;
}

}  // namespace

int follow(const FollowOptions& options) {
  const auto at = look_at(options.run);
  if (at == nullptr) return exit_usage;
  const auto number = flow_named(*at, options.flow);
  if (!number) return exit_usage;
  const Flow& flow = at->index.flows.all()[*number];
  const std::vector<Turn> turns = turns_of(*at, flow);
  if (options.json) {
    json rows = json::array();
    for (const Turn& turn : turns)
      rows.push_back({{"from", lab::why::endpoint_name(at->run, flow.sides[turn.side])},
                      {"time_ns", turn.at.count_ns()},
                      {"packet", turn.packet},
                      {"bytes", turn.bytes.size()},
                      {"text", printable(turn.bytes)}});
    fmt::print("{}\n", rows.dump(2));
    return exit_ok;
  }
  const Paper paper = paper_of(STDOUT_FILENO);
  for (const Turn& turn : turns) print_turn(*at, flow, turn, options.as_hex, paper);
  return exit_ok;
}

int conversations(const ConversationsOptions& options) {
  const auto at = look_at(options.run);
  if (at == nullptr) return exit_usage;
  json rows = json::array();
  Table table({"", "CONVERSATION", "BEGAN", "LASTED", "SEGMENTS", "BYTES", "BYTES BACK", "AGAIN",
               "LOST", "END"});
  for (std::size_t i = 0; i < at->index.flows.all().size(); ++i) {
    const Flow& flow = at->index.flows.all()[i];
    const Row row = row_of(flow);
    const std::string name = lab::why::flow_name(at->run, flow);
    table.add({fmt::format("{}", i + 1), name, seconds(flow.began()),
               span_text(row.last - flow.began()), grouped(row.segments), grouped(row.bytes[0]),
               grouped(row.bytes[1]), grouped(row.again), grouped(row.lost),
               std::string(end_of(flow))});
    rows.push_back({{"number", i + 1},
                    {"name", name},
                    {"client", to_text(flow.sides[0].endpoint)},
                    {"server", to_text(flow.sides[1].endpoint)},
                    {"began_ns", flow.began().count_ns()},
                    {"ns", (row.last - flow.began()).count_ns()},
                    {"segments", row.segments},
                    {"bytes", row.bytes[0]},
                    {"bytes_back", row.bytes[1]},
                    {"sent_again", row.again},
                    {"lost", row.lost},
                    {"end", end_of(flow)}});
  }
  if (options.json)
    fmt::print("{}\n", rows.dump(2));
  else
    fmt::print("{}", table.text(paper_of(STDOUT_FILENO)));
  return exit_ok;
}

}  // namespace lanyard::cli
