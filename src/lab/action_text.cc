// SPDX-License-Identifier: Apache-2.0
// Reading actions. Writing them is in action_print.cc, moments in action_moment.cc.
#include "lab/action_text.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/nearest.hh"
#include "lab/words.hh"

namespace lanyard::lab {
namespace {

using Kind = Action::Kind;

std::unexpected<ActionProblem> wrong(std::size_t offset, std::string what, std::string fix) {
  return std::unexpected(ActionProblem{offset, std::move(what), std::move(fix)});
}

std::unexpected<ActionProblem> not_whole(std::string_view line, std::string_view example) {
  return wrong(0, fmt::format("`{}` is not whole", line.substr(0, 60)),
               fmt::format("write `{}`", example));
}

// The verb with what it needs, of those that read a line of their own.
std::string_view example_of(Kind kind) {
  switch (kind) {
    case Kind::cut:
      return "cut r1 -- dc";
    case Kind::set:
      return "set r1 -- dc loss 5%";
    case Kind::partition:
      return "partition left -- right";
    case Kind::crash:
      return "crash bob";
    case Kind::restart:
      return "restart bob";
    case Kind::kill:
      return "kill bob";
    case Kind::pause:
      return "pause bob";
    case Kind::resume:
      return "resume bob";
    case Kind::start:
      return "start bob";
    case Kind::address:
      return "address bob 10.0.1.77/24";
    case Kind::name:
      return "name bob 10.0.1.77";
    case Kind::clock:
    case Kind::step:
      return "clock bob fast 1%";
    case Kind::heal:
    case Kind::heal_all:
    case Kind::join:
      break;
  }
  return "heal r1 -- dc";
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<Kind> kind_of(std::string_view verb) {
  const std::span<const std::string> verbs = action_verbs();
  const auto found = std::ranges::find(verbs, verb);
  if (found == verbs.end()) return {};
  static constexpr Kind kinds[] = {Kind::cut,    Kind::heal,    Kind::set,     Kind::partition,
                                   Kind::crash,  Kind::restart, Kind::kill,    Kind::pause,
                                   Kind::resume, Kind::start,   Kind::address, Kind::name,
                                   Kind::clock};
  return kinds[found - verbs.begin()];
}

}  // namespace

std::span<const std::string> action_verbs() {
  static const std::vector<std::string> verbs = {"cut",     "heal", "set",   "partition", "crash",
                                                 "restart", "kill", "pause", "resume",    "start",
                                                 "address", "name", "clock"};
  return verbs;
}

ActionReader::ActionReader(const Model& model, bool is_live) : model_(model), is_live_(is_live) {
  for (std::uint32_t i = 0; i < model.nodes.size(); ++i) {
    by_name_.emplace(lower(model.nodes[i].name), i);
    names_.push_back(model.nodes[i].name);
    for (const ProgramSpec& program : model.nodes[i].programs) programs_.push_back(program.name);
  }
  for (const GroupSpec& group : model.groups)
    if (!group.name.ends_with('*')) names_.push_back(group.name);
  for (std::uint32_t i = 0; i < model.links.size(); ++i)
    by_pair_.emplace(std::minmax(model.links[i].a.node, model.links[i].b.node), i);
}

std::expected<ActionReader::Pair, ActionProblem> ActionReader::pair_of(std::string_view text,
                                                                       std::size_t offset) {
  const std::size_t both = text.find(" -- ");
  const std::size_t one = text.find(" -> ");
  const std::size_t middle = std::min(both, one);
  if (middle == std::string_view::npos || text.find(" -", middle + 3) != std::string_view::npos)
    return wrong(offset, fmt::format("`{}` is no link", text.substr(0, 70)),
                 "write two nodes and two dashes, as in `alice -- office`");
  const std::string_view a = trim(text.substr(0, middle));
  const std::string_view b = trim(text.substr(middle + 4));
  return Pair{
      .a = a,
      .b = b,
      .a_offset = offset + (a.empty() ? 0 : static_cast<std::size_t>(a.data() - text.data())),
      .b_offset = offset + (b.empty() ? middle : static_cast<std::size_t>(b.data() - text.data())),
      .is_one_way = middle == one};
}

ActionProblem ActionReader::unknown_node(std::string_view name, std::size_t offset) const {
  const std::string all = lower(name) + "*";
  for (const GroupSpec& group : model_.groups)
    if (lower(group.name) == all)
      return {offset, fmt::format("unknown node `{}`", name.substr(0, 70)),
              fmt::format("did you mean `{}*`, all of them?", name)};
  return {offset, fmt::format("unknown node `{}`", name.substr(0, 70)),
          suggestion(std::string(name), names_)};
}

std::expected<std::vector<std::uint32_t>, ActionProblem> ActionReader::nodes_of(
    std::string_view text, std::size_t offset) const {
  std::vector<std::uint32_t> nodes;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view name = trim(text.substr(0, comma));
    const std::string wanted = lower(name);
    if (const auto found = by_name_.find(wanted); found != by_name_.end()) {
      nodes.push_back(found->second);
    } else {
      const auto group = std::ranges::find_if(
          model_.groups, [&](const GroupSpec& each) { return lower(each.name) == wanted; });
      if (group == model_.groups.end()) return std::unexpected(unknown_node(name, offset));
      nodes.insert(nodes.end(), group->nodes.begin(), group->nodes.end());
    }
    if (comma == std::string_view::npos) return nodes;
    offset += comma + 1;
    text.remove_prefix(comma + 1);
    while (text.starts_with(' ')) {
      text.remove_prefix(1);
      ++offset;
    }
  }
}

std::expected<std::vector<Action>, ActionProblem> ActionReader::read(std::string_view line) const {
  const std::string_view whole = trim(line);
  const std::size_t start = line.size() == 0 ? 0 : line.find_first_not_of(" \t");
  const std::size_t space = whole.find_first_of(" \t");
  Line parts{.verb = whole.substr(0, space)};
  const auto kind = kind_of(parts.verb);
  if (!kind) {
    const std::span<const std::string> verbs = action_verbs();
    return wrong(0, fmt::format("unknown action `{}`", parts.verb.substr(0, 60)),
                 suggestion(std::string(parts.verb), verbs));
  }
  if (space != std::string_view::npos) {
    parts.rest = trim(whole.substr(space));
    parts.offset = start + static_cast<std::size_t>(parts.rest.data() - whole.data());
  }
  Action action{.kind = *kind};
  if (parts.rest.empty()) return not_whole(line, example_of(*kind));
  switch (*kind) {
    case Kind::cut:
    case Kind::heal:
      return read_link(parts, action);
    case Kind::set:
      return read_set(parts, action);
    case Kind::partition:
      return read_partition(parts, action);
    case Kind::crash:
    case Kind::restart:
      return read_node(parts, action);
    case Kind::address:
      return read_address(parts, action);
    case Kind::name:
      return read_name(parts, action);
    case Kind::clock:
    case Kind::step:
      return read_clock(parts, action);
    case Kind::kill:
    case Kind::pause:
    case Kind::resume:
    case Kind::start:
    case Kind::join:
    case Kind::heal_all:
      break;
  }
  return read_program(parts, action);
}

// Groups and lists of nodes are apart from links: between them lie partitions.
bool ActionReader::is_partition(const Pair& pair) const {
  for (const std::string_view side : {pair.a, pair.b}) {
    if (side.find(',') != std::string_view::npos) return true;
    for (const GroupSpec& group : model_.groups)
      if (!group.name.ends_with('*') && lower(group.name) == lower(side)) return true;
  }
  return false;
}

// Two single nodes without a link: only a partition can be healed between them.
bool ActionReader::are_apart(const Pair& pair) const {
  const auto a = by_name_.find(lower(pair.a));
  const auto b = by_name_.find(lower(pair.b));
  if (a == by_name_.end() || b == by_name_.end()) return false;
  const auto is_parted = [&](const Action& each) {
    return each.kind == Kind::partition && each.from == std::vector{a->second} &&
           each.to == std::vector{b->second};
  };
  return !by_pair_.contains(std::minmax(a->second, b->second)) &&
         (is_live_ || std::ranges::any_of(model_.timeline, is_parted));
}

ActionReader::Actions ActionReader::read_link(const Line& line, Action action) const {
  if (action.kind == Kind::heal && line.rest == "all") {
    action.kind = Kind::heal_all;
    return std::vector{std::move(action)};
  }
  const auto pair = pair_of(line.rest, line.offset);
  if (!pair) return std::unexpected(pair.error());
  if (is_partition(*pair) || (action.kind == Kind::heal && are_apart(*pair))) {
    if (action.kind == Kind::cut)
      return wrong(pair->a_offset, "groups are not linked, they are parted",
                   fmt::format("write `partition {}`", line.rest.substr(0, 60)));
    action.kind = Kind::join;
    return read_partition(line, action);
  }
  return on_links(*pair, action);
}

ActionReader::Actions ActionReader::on_links(const Pair& pair, const Action& action) const {
  const auto a = nodes_of(pair.a, pair.a_offset);
  if (!a) return std::unexpected(a.error());
  const auto b = nodes_of(pair.b, pair.b_offset);
  if (!b) return std::unexpected(b.error());
  std::vector<Action> actions;
  const bool is_paired = a->size() == b->size();
  for (std::size_t i = 0; i < (is_paired ? a->size() : a->size() * b->size()); ++i) {
    const std::uint32_t from = is_paired ? (*a)[i] : (*a)[i / b->size()];
    const std::uint32_t to = is_paired ? (*b)[i] : (*b)[i % b->size()];
    const auto found = by_pair_.find(std::minmax(from, to));
    if (found == by_pair_.end()) continue;
    Action one = action;
    one.link = found->second;
    const bool is_forward = model_.links[one.link].a.node == from;
    one.a_to_b = !pair.is_one_way || is_forward;
    one.b_to_a = !pair.is_one_way || !is_forward;
    actions.push_back(std::move(one));
  }
  if (!actions.empty()) return actions;
  std::string fix = fmt::format("add `- {} -- {}` to links", pair.a, pair.b);
  std::string at_a;
  for (const LinkSpec& each : model_.links)
    if ((each.a.node == (*a)[0] || each.b.node == (*a)[0]) && at_a.size() < 100)
      at_a += fmt::format("{}`{} -- {}`", at_a.empty() ? "" : ", ", model_.nodes[each.a.node].name,
                          model_.nodes[each.b.node].name);
  if (!at_a.empty()) fix = fmt::format("{} has {}", pair.a, at_a);
  return wrong(pair.a_offset, fmt::format("there is no link between {} and {}", pair.a, pair.b),
               fix);
}

// "r1 -- dc loss 5%, delay 200ms": the pair ends before the first key. A part that does not begin
// with a key goes on with the value before (`drop packet 7, every 100th`).
ActionReader::Actions ActionReader::read_set(const Line& line, Action action) const {
  const std::span<const std::string> keys = link_change_keys();
  const auto is_key = [&](std::string_view word) {
    return std::ranges::find(keys, word) != keys.end();
  };
  Words words(line.rest);
  for (int i = 0; i < 3 && !words.is_empty(); ++i) words.take();
  const std::size_t pair_end = words.offset();
  const auto pair = pair_of(trim(line.rest.substr(0, pair_end)), line.offset);
  if (!pair) return std::unexpected(pair.error());
  std::set<std::string_view> seen;
  while (!words.is_empty()) {
    const std::size_t key_at = words.offset();
    const std::string_view key = words.take();
    if (!is_key(key))
      return wrong(line.offset + key_at,
                   fmt::format("unknown key `{}` in `set`", key.substr(0, 60)),
                   suggestion(std::string(key), keys));
    if (!seen.insert(key).second)
      return wrong(line.offset + key_at, fmt::format("`{}` is here twice", key), "keep one");
    const std::size_t from = words.offset();
    std::size_t end = line.rest.size();
    while (!words.is_empty()) {
      const std::size_t comma = words.offset();
      if (!words.take(",")) {
        words.take();
        continue;
      }
      if (!is_key(words.peek())) continue;
      end = comma;
      break;
    }
    const std::string_view value = trim(line.rest.substr(from, end - from));
    if (auto problem = parse_link_value(key, value, action.change)) {
      // `delay 5ms, los 3%`: what is behind the comma is no value, it is a key misspelt.
      const std::size_t comma = value.find(", ");
      if (key == "drop" || comma == std::string_view::npos)
        return wrong(line.offset + from, problem->what, problem->fix);
      const std::string_view word = Words(value.substr(comma + 2)).take();
      return wrong(line.offset + from + comma + 2,
                   fmt::format("unknown key `{}` in `set`", word.substr(0, 60)),
                   suggestion(std::string(word), keys));
    }
    if (auto problem = names_problem(action.change, model_))
      return wrong(line.offset + from, problem->what, problem->fix);
  }
  if (action.change.is_empty()) return not_whole(line.verb, "set r1 -- dc loss 5%");
  return on_links(*pair, action);
}

ActionReader::Actions ActionReader::read_partition(const Line& line, Action action) const {
  const auto pair = pair_of(line.rest, line.offset);
  if (!pair) return std::unexpected(pair.error());
  auto from = nodes_of(pair->a, pair->a_offset);
  if (!from) return std::unexpected(from.error());
  auto to = nodes_of(pair->b, pair->b_offset);
  if (!to) return std::unexpected(to.error());
  for (const std::uint32_t node : *from)
    if (std::ranges::find(*to, node) != to->end())
      return wrong(pair->b_offset, fmt::format("{} is on both sides", model_.nodes[node].name),
                   "leave it out on one side");
  for (const auto* side : {&*from, &*to})
    for (const std::uint32_t node : *side)
      if (model_.nodes[node].kind == NodeKind::switching)
        return wrong(side == &*from ? pair->a_offset : pair->b_offset,
                     fmt::format("{} is a switch: it has no address", model_.nodes[node].name),
                     "name hosts and routers, or cut its links");
  action.from = std::move(*from);
  action.to = std::move(*to);
  action.b_to_a = !pair->is_one_way;
  return std::vector{std::move(action)};
}

ActionReader::Actions ActionReader::read_node(const Line& line, Action action) const {
  const auto nodes = nodes_of(line.rest, line.offset);
  if (!nodes) return std::unexpected(nodes.error());
  std::vector<Action> actions;
  for (const std::uint32_t node : *nodes) {
    if (model_.nodes[node].kind == NodeKind::kernel_host)
      return wrong(
          line.offset,
          fmt::format("{} has the kernel's stack and cannot be crashed", model_.nodes[node].name),
          "cut its links, or kill its programs");
    actions.push_back(action);
    actions.back().node = node;
  }
  return actions;
}

}  // namespace lanyard::lab
