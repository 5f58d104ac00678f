// SPDX-License-Identifier: Apache-2.0
// `lanyard why`: where the time went, as a sum, as a chart over time, and part by part.
#include "lab/why/why.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/again.hh"
#include "cli/run_verbs.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

using lab::why::Answer;
using lab::why::Cause;
using lab::why::Part;
using lab::why::Phase;
using nlohmann::json;

constexpr std::size_t parts_shown = 40;

Ink ink_of(Cause cause) {
  switch (cause) {
    case Cause::lost_packet:
    case Cause::time_out:
      return Ink::red;
    case Cause::queue:
    case Cause::delayed_ack:
    case Cause::nagle:
      return Ink::yellow;
    case Cause::congestion_window:
    case Cause::receiver_window:
    case Cause::send_buffer:
      return Ink::magenta;
    case Cause::propagation:
    case Cause::transmission:
    case Cause::extra_delay:
      return Ink::blue;
    case Cause::program:
      return Ink::green;
    case Cause::neighbour:
      return Ink::cyan;
    case Cause::host:
    case Cause::before:
      break;
  }
  return Ink::dim;
}

// Exact to the nanosecond, with the digits in threes: "1.020 143 200 s".
std::string exact(Duration duration) {
  const std::int64_t ns = duration.count_ns();
  return fmt::format("{}.{:03} {:03} {:03}", ns / 1'000'000'000, ns / 1'000'000 % 1000,
                     ns / 1000 % 1000, ns % 1000);
}

std::string share_of(Duration part, Duration whole) {
  if (whole.count_ns() == 0) return "";
  const std::int64_t tenths = part.count_ns() * 1000 / whole.count_ns();
  return fmt::format("{}.{} %", tenths / 10, tenths % 10);
}

// A sum over parts with the same cause, phase and place.
struct Sum {
  Cause cause = Cause::before;
  Phase phase = Phase::data;
  std::string where;
  Duration length;
  std::size_t parts = 0;
};

std::vector<Sum> sums_of(const std::vector<Part>& parts) {
  std::vector<Sum> sums;
  for (const Part& part : parts) {
    auto found = std::find_if(sums.begin(), sums.end(), [&](const Sum& sum) {
      return sum.cause == part.cause && sum.phase == part.phase && sum.where == part.where;
    });
    if (found == sums.end())
      found = sums.insert(sums.end(), Sum{part.cause, part.phase, part.where, {}, 0});
    found->length += part.length();
    ++found->parts;
  }
  std::stable_sort(sums.begin(), sums.end(),
                   [](const Sum& a, const Sum& b) { return a.length > b.length; });
  return sums;
}

// Of all waits with this cause and place: what they were spent on.
std::vector<Sum> inside_of(const std::vector<Part>& parts, const Sum& sum) {
  std::vector<Part> all;
  for (const Part& part : parts)
    if (part.cause == sum.cause && part.phase == sum.phase && part.where == sum.where)
      all.insert(all.end(), part.inside.begin(), part.inside.end());
  return sums_of(all);
}

std::string place_of(const Sum& sum) {
  std::string text = sum.where;
  if (sum.phase != Phase::data)
    text += fmt::format("{}({})", text.empty() ? "" : " ", to_text(sum.phase));
  return text;
}

std::string sums_text(const Answer& answer, const Paper& paper) {
  const Duration whole = answer.to - answer.from;
  std::string text;
  for (const Sum& sum : sums_of(answer.parts)) {
    const std::string name =
        paint(paper, ink_of(sum.cause), fmt::format("{:<18}", to_text(sum.cause)));
    text += fmt::format("  {:>16} s {:>8}  {} {}\n", exact(sum.length), share_of(sum.length, whole),
                        name, place_of(sum));
    for (const Sum& inner : inside_of(answer.parts, sum))
      text += fmt::format("  {:>16}   {:>8}    of which {} {} {}\n", "", "", exact(inner.length),
                          to_text(inner.cause), place_of(inner));
  }
  text += fmt::format("  {:>16} s           the whole\n", exact(whole));
  return text;
}

// One line of the chart: each part as wide as it is long; what is narrower than a column shows
// where it is the longest of its column.
template <typename Name>
std::string chart_line(const Answer& answer, std::size_t columns, const Paper& paper, Name name) {
  const std::int64_t whole = (answer.to - answer.from).count_ns();
  const auto column_of = [&](Instant at) {
    const auto wide = static_cast<std::int64_t>(columns);
    // In two steps, so that a run of days does not overflow.
    const std::int64_t since = (at - answer.from).count_ns();
    return static_cast<std::size_t>(since / (whole / wide + 1));
  };
  struct Cell {
    std::string name;
    Ink ink = Ink::plain;
    std::int64_t longest = 0;
  };
  std::vector<Cell> cells(columns);
  for (const Part& part : answer.parts) {
    const auto [text, ink] = name(part);
    for (std::size_t i = column_of(part.from); i <= column_of(part.to) && i < columns; ++i) {
      if (part.length().count_ns() <= cells[i].longest) continue;
      cells[i] = {text, ink, part.length().count_ns()};
    }
  }
  std::string line;
  for (std::size_t i = 0; i < columns;) {
    std::size_t end = i;
    while (end < columns && cells[end].name == cells[i].name) ++end;
    const std::size_t room = end - i;
    const std::string bar = paper.has_utf8 ? "▏" : "|";
    std::string label = room > 2 ? cells[i].name.substr(0, room - 1) : "";
    label.resize(room - 1, ' ');
    line += paint(paper, cells[i].ink, bar + label);
    i = end;
  }
  return line;
}

std::string chart_text(const Answer& answer, const Paper& paper) {
  const std::size_t columns = std::min<std::size_t>(paper.columns, 100) - 4;
  const bool has_phases = std::any_of(answer.parts.begin(), answer.parts.end(),
                                      [](const Part& p) { return p.phase != Phase::data; });
  std::string text;
  using Named = std::pair<std::string, Ink>;
  if (has_phases) {
    text += "  " + chart_line(answer, columns, paper, [](const Part& part) {
              return Named{to_text(part.phase), Ink::bold};
            });
    text += "\n";
  }
  text += "  " + chart_line(answer, columns, paper, [](const Part& part) {
            return Named{to_text(part.cause), ink_of(part.cause)};
          });
  text += "\n  " + chart_line(answer, columns, paper, [](const Part& part) {
            return Named{part.where, Ink::dim};
          });
  const std::string begin = seconds(answer.from) + " s";
  const std::string end = seconds(answer.to) + " s";
  const std::size_t gap =
      columns > begin.size() + end.size() ? columns - begin.size() - end.size() : 1;
  return text + fmt::format("\n  {}{}{}\n", begin, std::string(gap, ' '), end);
}

std::string part_line(const Part& part, const Paper& paper) {
  const std::string name =
      paint(paper, ink_of(part.cause), fmt::format("{:<18}", to_text(part.cause)));
  std::string line = fmt::format("  {}  {:>11}  {} {}", seconds(part.from),
                                 span_text(part.length()), name, part.where);
  if (part.phase != Phase::data) line += fmt::format(" ({})", to_text(part.phase));
  if (!part.what.empty()) line += fmt::format(": {}", printable(part.what));
  return line + "\n";
}

std::string parts_text(const Answer& answer, bool shows_all, const Paper& paper) {
  // The longest ones, in the order of time.
  std::vector<std::size_t> shown(answer.parts.size());
  for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = i;
  if (!shows_all && shown.size() > parts_shown) {
    std::stable_sort(shown.begin(), shown.end(), [&](std::size_t a, std::size_t b) {
      return answer.parts[a].length() > answer.parts[b].length();
    });
    shown.resize(parts_shown);
    std::sort(shown.begin(), shown.end());
  }
  std::string text;
  for (const std::size_t i : shown) {
    text += part_line(answer.parts[i], paper);
    if (!shows_all) continue;
    for (const Part& each : answer.parts[i].inside) text += "    " + part_line(each, paper);
  }
  const std::size_t left = answer.parts.size() - shown.size();
  if (left > 0) text += fmt::format("  and {} shorter parts; --all shows them\n", grouped(left));
  return text;
}

json part_json(const Part& part) {
  json row{{"from_ns", part.from.count_ns()}, {"to_ns", part.to.count_ns()},
           {"ns", part.length().count_ns()},  {"cause", to_text(part.cause)},
           {"phase", to_text(part.phase)},    {"where", part.where}};
  if (!part.what.empty()) row["what"] = printable(part.what);
  if (part.packet != 0) row["packet"] = part.packet;
  if (part.inside.empty()) return row;
  row["inside"] = json::array();
  for (const Part& each : part.inside) row["inside"].push_back(part_json(each));
  return row;
}

json answer_json(const Answer& answer) {
  json page{{"subject", printable(answer.subject)},
            {"outcome", printable(answer.outcome)},
            {"from_ns", answer.from.count_ns()},
            {"to_ns", answer.to.count_ns()},
            {"ns", (answer.to - answer.from).count_ns()},
            {"sums", json::array()},
            {"parts", json::array()}};
  for (const Sum& sum : sums_of(answer.parts))
    page["sums"].push_back({{"cause", to_text(sum.cause)},
                            {"phase", to_text(sum.phase)},
                            {"where", sum.where},
                            {"ns", sum.length.count_ns()},
                            {"parts", sum.parts}});
  for (const Part& part : answer.parts) page["parts"].push_back(part_json(part));
  return page;
}

void print_answer(const Answer& answer, bool shows_all, const Paper& paper) {
  fmt::print("{}", paint(paper, Ink::bold, printable(answer.subject)));
  fmt::print(": {}", span_text(answer.to - answer.from));
  if (!answer.outcome.empty()) fmt::print(" ({})", printable(answer.outcome));
  if (answer.parts.empty()) {
    fmt::print(": no time passed\n");
    return;
  }
  fmt::print("\n\n{}\n{}\n{}", chart_text(answer, paper), sums_text(answer, paper),
             parts_text(answer, shows_all, paper));
}

void print_subjects(const lab::why::Index& index, const WhyOptions& options) {
  const auto subjects = lab::why::subjects_of(index);
  if (options.json) {
    json rows = json::array();
    for (const auto& each : subjects)
      rows.push_back({{"what", each.name}, {"text", printable(each.text)}});
    fmt::print("{}\n", rows.dump(2));
    return;
  }
  Table table({"WHAT", ""});
  for (const auto& each : subjects) table.add({each.name, printable(each.text)});
  fmt::print("{}", table.text(paper_of(STDOUT_FILENO)));
}

}  // namespace

int why(const WhyOptions& options) {
  const auto run = open_run(options.run, true);
  if (!run.has_value()) return exit_usage;
  const lab::why::Index index(*run);
  std::string what;
  for (const std::string& word : options.what) what += (what.empty() ? "" : " ") + word;
  if (what.empty()) {
    print_subjects(index, options);
    return exit_ok;
  }
  const auto answer = lab::why::explain(index, what);
  if (!answer.has_value()) {
    fmt::print(stderr, "lanyard: {}: {}; `lanyard why {}` lists what can be asked\n",
               printable(options.run), printable(answer.error()), shell_quoted(options.run));
    return exit_usage;
  }
  if (options.json)
    fmt::print("{}\n", answer_json(*answer).dump(2));
  else
    print_answer(*answer, options.shows_all, paper_of(STDOUT_FILENO));
  return exit_ok;
}

}  // namespace lanyard::cli
