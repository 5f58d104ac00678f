// SPDX-License-Identifier: Apache-2.0
#include "lab/search/find.hh"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace lanyard::lab::search {
namespace {

constexpr std::size_t around_max = 200;  // of a line, before and behind the match

bool is_node_in(const Filter& filter, std::uint32_t node) {
  return filter.nodes.empty() || std::ranges::find(filter.nodes, node) != filter.nodes.end();
}

class Finder {
 public:
  Finder(const why::Index& index, const Filter& filter, const re2::RE2& pattern)
      : index_(index), filter_(filter), pattern_(pattern) {}

  std::vector<Match> find() {
    if (is_wanted(Where::tcp)) look_at_streams();
    if (is_wanted(Where::udp) && !filter_.flow) look_at_datagrams();
    if (is_wanted(Where::output) && !filter_.flow) look_at_output();
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Match& a, const Match& b) { return a.at < b.at; });
    if (filter_.limit != 0 && found_.size() > filter_.limit) found_.resize(filter_.limit);
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool is_wanted(Where where) const {
    return !filter_.where || *filter_.where == where;
  }
  [[nodiscard]] bool is_wanted(Instant at) const { return at >= filter_.from && at <= filter_.to; }

  // Calls `take` with each match's place in the text.
  template <typename Take>
  void matches_in(std::string_view text, Take take) const {
    const re2::StringPiece whole(text.data(), text.size());
    std::size_t at = 0;
    re2::StringPiece match;
    while (at <= text.size() &&
           pattern_.Match(whole, at, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
      const auto begin = static_cast<std::size_t>(match.data() - text.data());
      take(begin, match.size());
      at = begin + std::max<std::size_t>(match.size(), 1);
    }
  }

  // The lines a match is in, cut where they are long.
  static void quote(std::string_view text, std::size_t begin, std::size_t size, Match& match) {
    std::size_t from = begin == 0 ? 0 : text.rfind('\n', begin - 1) + 1;
    std::size_t to = std::min(text.find('\n', begin + size), text.size());
    if (from == 0 && begin > 0 && text.rfind('\n', begin - 1) == std::string_view::npos) from = 0;
    from = std::max(from, begin > around_max ? begin - around_max : 0);
    to = std::min(to, begin + size + around_max);
    if (to > from && text[to - 1] == '\r') --to;
    match.line = text.substr(from, to - from);
    match.begin = begin - from;
    match.size = std::min(size, match.line.size() - std::min(match.begin, match.line.size()));
  }

  void look_at_streams() {
    for (std::size_t i = 0; i < index_.flows.all().size(); ++i) {
      if (filter_.flow && *filter_.flow != i) continue;
      const why::Flow& flow = index_.flows.all()[i];
      if (!sees(flow)) continue;
      look_at_side(flow, 0);
      look_at_side(flow, 1);
    }
  }

  [[nodiscard]] bool sees(const why::Flow& flow) const {
    if (filter_.nodes.empty()) return true;
    for (const why::FlowSide& side : flow.sides)
      if (side.node && is_node_in(filter_, *side.node)) return true;
    return passes(index_.packets.journeys()[flow.segments.front().journey]);
  }
  [[nodiscard]] bool passes(const why::Journey& journey) const {
    return std::ranges::any_of(journey.sightings, [&](std::size_t record) {
      return is_node_in(filter_, index_.run.ports[index_.run.packets[record].port].node);
    });
  }

  void look_at_side(const why::Flow& flow, std::uint8_t side) {
    const std::vector<why::Piece> pieces = why::stream_of(flow, side);
    std::string text;
    for (const why::Piece& piece : pieces) text += lanyard::text_of(piece.bytes);
    const std::string who = why::endpoint_name(index_.run, flow.sides[side]) + " -> " +
                            why::endpoint_name(index_.run, flow.sides[1 - side]);
    const auto piece_at = [&](std::size_t offset) -> const why::Piece& {
      const auto behind = std::upper_bound(
          pieces.begin(), pieces.end(), static_cast<std::int64_t>(offset) + 1,
          [](std::int64_t value, const why::Piece& piece) { return value < piece.begin; });
      return *std::prev(behind);
    };
    if (pieces.empty()) return;
    matches_in(text, [&](std::size_t begin, std::size_t size) {
      Match match;
      match.at = piece_at(begin + (size == 0 ? 0 : size - 1)).at;
      if (!is_wanted(match.at)) return;
      const why::Segment& segment = flow.segments[piece_at(begin).segment];
      match.where = Where::tcp;
      match.who = who;
      match.packet = index_.packets.journeys()[segment.journey].sightings.front() + 1;
      match.offset = static_cast<std::int64_t>(begin);
      quote(text, begin, size, match);
      found_.push_back(std::move(match));
    });
  }

  void look_at_datagrams() {
    for (const why::Journey& journey : index_.packets.journeys()) {
      if (journey.headers.layer != why::Layer::udp || !is_wanted(journey.sent_at)) continue;
      if (!filter_.nodes.empty() && !passes(journey)) continue;
      const std::string_view text = lanyard::text_of(journey.headers.payload);
      matches_in(text, [&](std::size_t begin, std::size_t size) {
        Match match;
        match.at = journey.sent_at;
        match.where = Where::udp;
        match.who = to_text(journey.headers.source) + " -> " + to_text(journey.headers.destination);
        match.packet = journey.sightings.front() + 1;
        match.offset = static_cast<std::int64_t>(begin);
        quote(text, begin, size, match);
        found_.push_back(std::move(match));
      });
    }
  }

  void look_at_output() {
    for (const RunEvent& each : index_.run.events) {
      const Event& event = each.event;
      if (event.kind != EventKind::program_output || !is_wanted(event.at)) continue;
      if (!is_node_in(filter_, event.node)) continue;
      std::string who = index_.run.nodes[event.node].name;
      for (const RunProgram& program : index_.run.programs)
        if (program.program == event.values[0]) who = program.name;
      matches_in(event.text, [&](std::size_t begin, std::size_t size) {
        Match match;
        match.at = event.at;
        match.where = Where::output;
        match.who = who;
        match.offset = static_cast<std::int64_t>(begin);
        quote(event.text, begin, size, match);
        found_.push_back(std::move(match));
      });
    }
  }

  const why::Index& index_;
  const Filter& filter_;
  const re2::RE2& pattern_;
  std::vector<Match> found_;
};

}  // namespace

std::expected<std::vector<Match>, std::string> find(const why::Index& index, const Filter& filter) {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // bytes, not characters
  options.set_case_sensitive(!filter.ignores_case);
  options.set_log_errors(false);
  const re2::RE2 pattern("(?m)" + filter.pattern, options);
  if (!pattern.ok()) return std::unexpected(pattern.error());
  return Finder(index, filter, pattern).find();
}

}  // namespace lanyard::lab::search
