// SPDX-License-Identifier: Apache-2.0
// Reading actions on programs, addresses and names.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "lab/action_text.hh"
#include "lab/nearest.hh"
#include "lab/node_clock.hh"
#include "lab/units.hh"
#include "lab/words.hh"

namespace lanyard::lab {
namespace {

using Kind = Action::Kind;

std::unexpected<ActionProblem> wrong(std::size_t offset, std::string what, std::string fix) {
  return std::unexpected(ActionProblem{offset, std::move(what), std::move(fix)});
}

}  // namespace

ActionReader::Actions ActionReader::read_program(const Line& line, Action action) const {
  Words words(line.rest);
  const std::string_view name = words.take();
  if (std::ranges::find(programs_, name) == programs_.end()) {
    const auto node = by_name_.find(lower(name));
    if (node == by_name_.end())
      return wrong(line.offset, fmt::format("unknown program `{}`", name.substr(0, 70)),
                   suggestion(std::string(name), programs_));
    if (model_.nodes[node->second].programs.empty())
      return wrong(line.offset, fmt::format("`{}` runs no program", name),
                   "give it `run:`, or name another");
  }
  action.program = std::string(name);
  if (action.kind == Kind::kill) {
    action.signal = SIGKILL;
    if (words.take("SIGTERM")) action.signal = SIGTERM;
    if (words.take("SIGINT")) action.signal = SIGINT;
    if (words.take("SIGHUP")) action.signal = SIGHUP;
    words.take("SIGKILL");
  }
  if (!words.is_empty())
    return wrong(line.offset + words.offset(), fmt::format("`{}` is too much here", words.peek()),
                 action.kind == Kind::kill ? "write `kill bob` or `kill bob SIGTERM`"
                                           : fmt::format("write `{} bob`", line.verb));
  return std::vector{std::move(action)};
}

// "bob 10.0.2.7/24", both families with a comma between.
ActionReader::Actions ActionReader::read_address(const Line& line, Action action) const {
  Words words(line.rest);
  const auto nodes = nodes_of(words.take(), line.offset);
  if (!nodes) return std::unexpected(nodes.error());
  const NodeSpec& node = model_.nodes[nodes->front()];
  if (nodes->size() != 1 || (node.kind != NodeKind::host && node.kind != NodeKind::router))
    return wrong(line.offset, fmt::format("the addresses of {} cannot be changed", node.name),
                 "name one host or router with a stack of ours");
  action.node = nodes->front();
  do {
    const std::size_t at = words.offset();
    const std::string_view word = words.take();
    const auto prefix = IpPrefix::parse(word);
    if (!prefix || word.find('/') == std::string_view::npos)
      return wrong(line.offset + at, fmt::format("bad address `{}`", word.substr(0, 60)),
                   "write an address and its prefix length, as in 10.0.1.5/24 or fd00::5/64");
    action.addresses.push_back(*prefix);
  } while (words.take(","));
  if (!words.is_empty())
    return wrong(line.offset + words.offset(), fmt::format("`{}` is too much here", words.peek()),
                 "write `address bob 10.0.1.5/24`");
  return std::vector{std::move(action)};
}

// "bob fast 1%", "bob slow 200ppm", "bob right", "bob ahead 5s".
ActionReader::Actions ActionReader::read_clock(const Line& line, Action action) const {
  constexpr std::string_view forms =
      "write `clock bob fast 1%`, `clock bob slow 200ppm`, `clock bob ahead 5s` or `clock bob "
      "right`";
  Words words(line.rest);
  const auto nodes = nodes_of(words.take(), line.offset);
  if (!nodes) return std::unexpected(nodes.error());
  const NodeSpec& node = model_.nodes[nodes->front()];
  if (nodes->size() != 1 || (node.kind != NodeKind::host && node.kind != NodeKind::router))
    return wrong(line.offset, fmt::format("{} has no clock of its own", node.name),
                 "name one host or router with a stack of ours");
  if (is_live_)
    return wrong(0, "clocks go wrong in virtual time only",
                 "unmodified programs read the clock of this machine; leave it out");
  action.node = nodes->front();
  const std::size_t at = words.offset();
  if (words.take("ahead")) {
    const std::string_view text = words.take();
    const auto step = parse_duration(text, "step");
    if (!step || *step == Duration::zero() || *step > clock_step_max || !words.is_empty())
      return wrong(line.offset + at, fmt::format("bad step in `{}`", line.rest.substr(0, 60)),
                   "write `clock bob ahead 5s`; at most 366 days");
    action.kind = Action::Kind::step;
    action.clock_step = *step;
    return std::vector{std::move(action)};
  }
  const bool is_slow = words.take("slow");
  if (!is_slow && !words.take("fast")) {
    if (words.take("right") && words.is_empty()) return std::vector{std::move(action)};
    return wrong(line.offset + at, "that is no way for a clock to go", std::string(forms));
  }
  std::string_view amount = words.take();
  const bool is_ppm = amount.ends_with("ppm");
  if (is_ppm) amount.remove_suffix(3);
  const auto parts =
      is_ppm ? parse_count(amount, "clock rate", 1'000'000) : parse_share(amount, "clock rate");
  const std::int64_t most = is_slow ? clock_slow_max : clock_fast_max;
  const std::int64_t value =
      parts ? static_cast<std::int64_t>(*parts) * (is_ppm ? 1000 : 1) : most + 1;
  if (value == 0 || value > most || !words.is_empty())
    return wrong(line.offset + at, fmt::format("bad clock rate in `{}`", line.rest.substr(0, 60)),
                 fmt::format("{}; at most fast 100% or slow 90%", forms));
  action.clock_parts = is_slow ? -value : value;
  return std::vector{std::move(action)};
}

// "bob 10.0.2.7, fd00::7": what the lab's name servers say from now on.
ActionReader::Actions ActionReader::read_name(const Line& line, Action action) const {
  Words words(line.rest);
  action.program = std::string(words.take());
  if (words.take("nothing")) return std::vector{std::move(action)};
  do {
    const std::size_t at = words.offset();
    const std::string_view word = words.take();
    const auto address = IpAddress::parse(word);
    if (!address)
      return wrong(line.offset + at, fmt::format("bad address `{}`", word.substr(0, 60)),
                   "write `name bob 10.0.1.5`, or `name bob nothing`");
    action.addresses.push_back({*address, address->is_v4() ? std::uint8_t{32} : std::uint8_t{128}});
  } while (words.take(","));
  if (!words.is_empty())
    return wrong(line.offset + words.offset(), fmt::format("`{}` is too much here", words.peek()),
                 "write `name bob 10.0.1.5`");
  return std::vector{std::move(action)};
}

}  // namespace lanyard::lab
