// SPDX-License-Identifier: Apache-2.0
#include "cli/journal.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/lab_page.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;
using Kind = JournalLine::Kind;

constexpr std::size_t answer_bytes_max = 256 * 1024;
constexpr std::array<std::string_view, 5> kinds{"output", "errors", "ended", "failed", "note"};

Ink ink_of(Kind kind) {
  switch (kind) {
    case Kind::output:
      return Ink::plain;
    case Kind::errors:
      return Ink::yellow;
    case Kind::ended:
      return Ink::dim;
    case Kind::failed:
    case Kind::note:
      break;
  }
  return Ink::red;
}

bool is_of(const JournalLine& line, const std::string& host) {
  return line.program == host || line.program.starts_with(host + ".");
}

}  // namespace

void Journal::add(JournalLine line) {
  line.number = ++last_;
  if (on_line_) on_line_(line);
  if (bytes_max_ == 0) return;
  bytes_ += line.text.size();
  lines_.push_back(std::move(line));
  while (bytes_ > bytes_max_) {
    bytes_ -= lines_.front().text.size();
    lines_.pop_front();
  }
}

void Journal::take(const lab::ProgramRow& program, const lab::ProgramOutput& output) {
  std::string& held = held_[{program.name, output.descriptor}];
  held += output.text;
  const Kind kind = output.descriptor == 2 ? Kind::errors : Kind::output;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = held.find('\n', begin)) != std::string::npos; begin = end + 1)
    add({.kind = kind,
         .at = output.at,
         .program = program.name,
         .text = held.substr(begin, end - begin)});
  held.erase(0, begin);
}

void Journal::end(const lab::ProgramRow& program) {
  for (const int descriptor : {1, 2}) {
    const auto held = held_.extract({program.name, descriptor});
    if (held.empty() || held.mapped().empty()) continue;
    add({.kind = descriptor == 2 ? Kind::errors : Kind::output,
         .at = program.ended,
         .program = program.name,
         .text = held.mapped()});
  }
  if (program.is_service) return;
  const bool is_wrong = program.state == lab::ProgramState::not_started ||
                        program.state == lab::ProgramState::killed ||
                        (program.state == lab::ProgramState::exited && program.status != 0);
  add({.kind = is_wrong ? Kind::failed : Kind::ended,
       .at = program.ended,
       .program = program.name,
       .text = state_text(program)});
}

void Journal::note(Instant at, std::string_view text) {
  add({.kind = Kind::note, .at = at, .program = {}, .text = std::string(text)});
}

json Journal::since(std::uint32_t after, const std::string& host) const {
  json rows = json::array();
  std::uint32_t last = after;
  std::size_t bytes = 0;
  for (const JournalLine& line : lines_) {
    if (line.number <= after) continue;
    if (bytes > answer_bytes_max) break;
    last = line.number;
    if (!host.empty() && !is_of(line, host)) continue;
    bytes += line.text.size();
    rows.push_back({{"number", line.number},
                    {"time_ns", line.at.count_ns()},
                    {"program", line.program},
                    {"kind", kinds.at(static_cast<std::size_t>(line.kind))},
                    {"text", line.text}});
  }
  const std::uint32_t first = lines_.empty() ? last_ + 1 : lines_.front().number;
  const std::uint32_t lost = first > after + 1 ? first - after - 1 : 0;
  return {{"rows", rows}, {"last", last}, {"lost", lost}};
}

void print_line(const JournalLine& line, const Paper& paper) {
  if (line.kind == Kind::note) {
    fmt::print(stderr, "lanyard: {}\n", printable(line.text));
    return;
  }
  std::string_view text = line.text;
  if (text.ends_with('\r')) text.remove_suffix(1);
  fmt::print("{} {} {}\n", paint(paper, Ink::bold, line.program), paper.has_utf8 ? "│" : "|",
             paint(paper, ink_of(line.kind), printable(text)));
  std::fflush(stdout);
}

std::optional<JournalLine> line_of(const json& row) {
  if (!row.is_object()) return std::nullopt;
  JournalLine line;
  const std::string kind = row.value("kind", "");
  const auto* const found = std::ranges::find(kinds, kind);
  if (found == kinds.end()) return std::nullopt;
  line.kind = static_cast<Kind>(found - kinds.begin());
  line.number = row.value("number", 0U);
  line.at = Instant::at_ns(row.value("time_ns", std::int64_t{0}));
  line.program = row.value("program", "");
  line.text = row.value("text", "");
  return line;
}

}  // namespace lanyard::cli
