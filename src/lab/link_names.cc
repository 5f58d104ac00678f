// SPDX-License-Identifier: Apache-2.0
// What a link's description names must be there: files of numbers, nodes.
#include <fmt/format.h>

#include <algorithm>

#include "lab/model.hh"
#include "lab/nearest.hh"

namespace lanyard::lab {
namespace {

constexpr std::int64_t table_value_max = 1'000'000;  // 8192 is one deviation

std::optional<UnitProblem> missing(std::string_view file, const Model& model) {
  if (model.numbers.contains(file)) return {};
  return UnitProblem{fmt::format("the lab has no file `{}`", file.substr(0, 60)),
                     fmt::format("add `files: [{}]` to the lab", file.substr(0, 60))};
}

std::optional<UnitProblem> table_problem(const std::string& file, const Model& model) {
  if (auto problem = missing(file, model)) return problem;
  const auto& numbers = model.numbers.find(file)->second;
  if (!numbers.empty() && std::ranges::all_of(numbers, [](std::int64_t each) {
        return each >= -table_value_max && each <= table_value_max;
      }))
    return {};
  return UnitProblem{fmt::format("`{}` is no table of a distribution", file),
                     "it holds whole numbers, as netem's tables do: 8192 is one deviation"};
}

std::optional<UnitProblem> trace_problem(const std::string& file, const Model& model) {
  if (file.empty()) return {};
  if (auto problem = missing(file, model)) return problem;
  const auto& numbers = model.numbers.find(file)->second;
  const bool is_good = !numbers.empty() && numbers.front() >= 0 && numbers.back() > 0 &&
                       std::ranges::is_sorted(numbers) && numbers.back() < 1'000'000'000;
  if (is_good) return {};
  return UnitProblem{
      fmt::format("`{}` is no trace of a link", file),
      "each line is a time in milliseconds at which a packet may go, none earlier than the last"};
}

std::optional<UnitProblem> end_problem(const std::string& name, const Model& model) {
  if (name.empty() || IpPrefix::parse(name) || model.node_called(name)) return {};
  std::vector<std::string> names;
  for (const NodeSpec& node : model.nodes) names.push_back(node.name);
  return UnitProblem{fmt::format("unknown node `{}`", name.substr(0, 60)), suggestion(name, names)};
}

}  // namespace

std::optional<UnitProblem> names_problem(const PacketMatch& match, const Model& model) {
  if (auto problem = end_problem(match.from, model)) return problem;
  return end_problem(match.to, model);
}

std::optional<UnitProblem> names_problem(const LinkChange& change, const Model& model) {
  if (change.jitter && change.jitter->shape == Jitter::Shape::table)
    if (auto problem = table_problem(change.jitter->table, model)) return problem;
  if (change.trace)
    if (auto problem = trace_problem(*change.trace, model)) return problem;
  if (change.drops)
    for (const DropRule& rule : *change.drops)
      if (auto problem = names_problem(rule.match, model)) return problem;
  return {};
}

}  // namespace lanyard::lab
