// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/look.hh"
#include "cli/run_verbs.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"
#include "lab/search/find.hh"

namespace lanyard::cli {
namespace {

using lab::search::Match;
using lab::search::Where;
using nlohmann::json;

std::string_view name_of(Where where) {
  switch (where) {
    case Where::tcp:
      return "tcp";
    case Where::udp:
      return "udp";
    case Where::output:
      return "output";
  }
  return "";
}

// Nothing: something on the command line is wrong, which was said.
std::optional<lab::search::Filter> filter_of(const LookedAt& at, const GrepOptions& options) {
  lab::search::Filter filter;
  filter.pattern = options.pattern;
  filter.ignores_case = options.ignores_case;
  filter.limit = options.limit;
  for (const std::string& name : options.nodes) {
    const auto node = node_named(at, name);
    if (!node) return std::nullopt;
    filter.nodes.push_back(*node);
  }
  if (!options.flow.empty()) {
    filter.flow = flow_named(at, options.flow);
    if (!filter.flow) return std::nullopt;
  }
  for (const Where where : {Where::tcp, Where::udp, Where::output})
    if (options.layer == name_of(where)) filter.where = where;
  if (!options.from.empty()) {
    const auto from = instant_named("--from", options.from);
    if (!from) return std::nullopt;
    filter.from = *from;
  }
  if (!options.to.empty()) {
    const auto to = instant_named("--to", options.to);
    if (!to) return std::nullopt;
    filter.to = *to;
  }
  return filter;
}

std::string match_line(const Match& match, const Paper& paper) {
  const std::string_view line = match.line;
  const std::string place = match.packet == 0 ? "" : fmt::format(" #{}", match.packet);
  return fmt::format("{}  {}{}: {}{}{}\n", seconds(match.at), paint(paper, Ink::cyan, match.who),
                     place, printable(line.substr(0, match.begin)),
                     paint(paper, Ink::red, printable(line.substr(match.begin, match.size))),
                     printable(line.substr(match.begin + match.size)));
}

json match_json(const Match& match) {
  json row{{"time_ns", match.at.count_ns()},
           {"layer", name_of(match.where)},
           {"who", match.who},
           {"offset", match.offset},
           {"line", printable(match.line)},
           {"match", printable(std::string_view(match.line).substr(match.begin, match.size))}};
  if (match.packet != 0) row["packet"] = match.packet;
  return row;
}

}  // namespace

int grep(const GrepOptions& options) {
  const auto at = look_at(options.run);
  if (at == nullptr) return exit_usage;
  const auto filter = filter_of(*at, options);
  if (!filter) return exit_usage;
  const auto found = lab::search::find(at->index, *filter);
  if (!found.has_value()) {
    fmt::print(stderr, "lanyard: the pattern '{}' is wrong: {}\n", printable(options.pattern),
               found.error());
    return exit_usage;
  }
  if (options.json) {
    json rows = json::array();
    for (const Match& match : *found) rows.push_back(match_json(match));
    fmt::print("{}\n", rows.dump(2));
  } else {
    const Paper paper = paper_of(STDOUT_FILENO);
    for (const Match& match : *found) fmt::print("{}", match_line(match, paper));
  }
  return found->empty() ? exit_failed : exit_ok;
}

}  // namespace lanyard::cli
