// SPDX-License-Identifier: Apache-2.0
// at: and check:
#include <fmt/format.h>

#include <algorithm>

#include "lab/nearest.hh"
#include "lab/reader.hh"

namespace lanyard::lab {
namespace {

const std::vector<std::string> verbs = {"cut", "heal", "set"};
const std::vector<std::string> set_keys = {"delay", "rate", "loss", "queue"};

}  // namespace

void Reader::read_timeline(const Yaml& section) {
  std::map<std::string, Mark> seen;
  const auto moments = [&](const Yaml& map) {
    for (const auto& [time, value] : map.pairs) {
      if (!is_text(time, "a time")) continue;
      const auto [first, is_new] = seen.emplace(time.text, time.mark);
      if (!is_new)
        problem(time.mark, fmt::format("`{}` is here twice", time.text.substr(0, 60)),
                fmt::format(
                    "the first is at {}:{}; write both as a list: `{}: [cut a -- b, heal c -- d]`",
                    first->second.line, first->second.column, time.text.substr(0, 20)));
      read_moment(time, value);
    }
  };
  if (section.is_mapping()) {
    moments(section);
  } else if (section.is_sequence() && std::ranges::all_of(section.items, &Yaml::is_mapping)) {
    for (const Yaml& item : section.items) moments(item);
  } else {
    problem(section.mark, "`at` is no timeline",
            "write `at:` and a line such as `5s: cut r1 -- dc` for each moment");
  }
  std::ranges::stable_sort(model_.timeline, {}, &Action::at);
}

void Reader::read_moment(const Yaml& time, const Yaml& value) {
  Duration at;
  if (!take(parse_duration(time.text, "time"), time, at)) return;
  const auto one = [&](const Yaml& item) {
    if (item.is_scalar())
      read_action(at, item, nullptr);
    else if (item.is_mapping() && item.pairs.size() == 1)
      read_action(at, item.pairs[0].key, &item.pairs[0].value);
    else
      problem(item.mark, "what happens is not one action", "write `5s: cut r1 -- dc`");
  };
  if (value.is_sequence())
    for (const Yaml& item : value.items) one(item);
  else
    one(value);
}

void Reader::read_action(Duration at, const Yaml& line, const Yaml* body) {
  if (!is_text(line, "an action")) return;
  const std::size_t space = line.text.find(' ');
  const std::string verb = line.text.substr(0, space);
  if (std::ranges::find(verbs, verb) == verbs.end()) {
    problem(line.mark, fmt::format("unknown action `{}`", verb.substr(0, 60)),
            suggestion(verb, verbs));
    return;
  }
  if (space == std::string::npos || (verb == "set") != (body != nullptr)) {
    problem(line.mark, fmt::format("`{}` is not whole", line.text.substr(0, 60)),
            verb == "set" ? "write `set r1 -- dc: { loss: 5% }`"
                          : fmt::format("write `{} r1 -- dc`", verb));
    return;
  }
  Pair pair;
  if (!parse_pair(line, std::string_view(line.text).substr(space + 1), space + 1, pair)) return;
  Action action{.at = at,
                .kind = verb == "cut"    ? Action::Kind::cut
                        : verb == "heal" ? Action::Kind::heal
                                         : Action::Kind::set,
                .mark = line.mark};
  if (body != nullptr && is_map(*body, "what changes", "`set r1 -- dc: { loss: 5% }`"))
    each_key(*body, set_keys, "`set`", [&](const std::string& key, const Yaml& value) {
      if (!is_text(value, fmt::format("`{}`", key))) return;
      LinkChange& change = action.change;
      if (key == "delay")
        take(parse_duration(value.text, key), value, change.delay.emplace());
      else if (key == "rate")
        take(parse_rate(value.text, key), value, change.rate_bits_per_second.emplace());
      else if (key == "loss")
        take(parse_share(value.text, key), value, change.loss_parts_per_billion.emplace());
      else if (key == "queue")
        take(parse_size(value.text, key), value, change.queue_bytes.emplace());
    });
  for (const std::uint32_t id : links_of(line, pair)) {
    action.link = id;
    const bool is_forward =
        lower(model_.nodes[model_.links[id].a.node].name) == lower(pair.a) || pair.a.ends_with('*');
    action.a_to_b = !pair.is_one_way || is_forward;
    action.b_to_a = !pair.is_one_way || !is_forward;
    model_.timeline.push_back(action);
  }
}

void Reader::read_checks(const Yaml& section) {
  if (!section.is_sequence()) {
    problem(section.mark, "`check` is no list",
            "write `check:` and a line such as `- alice exits 0` for each");
    return;
  }
  for (const Yaml& item : section.items) {
    if (!item.is_scalar()) {
      problem(item.mark, "a check is not one line of text",
              "put a check with `: ` in it in single quotes");
      continue;
    }
    auto check = parse_check(item.text);
    if (!check) {
      problem(item.mark_at(check.error().offset), check.error().what, check.error().fix);
      continue;
    }
    CheckSpec spec{std::move(*check), item.text, item.mark};
    check_subject(spec, item);
    model_.checks.push_back(std::move(spec));
  }
}

// The host, program or link that a check is about must be there.
void Reader::check_subject(const CheckSpec& spec, const Yaml& line) {
  const std::string& subject = spec.check.subject;
  if (subject.empty()) return;
  const std::size_t offset = std::min(line.text.find(subject), line.text.size());
  if (subject.find(" -") != std::string::npos) {
    Pair pair;
    if (parse_pair(line, subject, offset, pair)) links_of(line, pair);
    return;
  }
  std::vector<std::string> programs;
  for (const NodeSpec& node : model_.nodes)
    for (const ProgramSpec& program : node.programs) programs.push_back(program.name);
  if (std::ranges::find(programs, subject) != programs.end()) return;
  const auto node = by_name_.find(lower(subject));
  if (spec.check.kind == CheckKind::counter
          ? node != by_name_.end()
          : node != by_name_.end() && !model_.nodes[node->second].programs.empty())
    return;
  if (node != by_name_.end())
    problem(line.mark_at(offset), fmt::format("`{}` runs no program", subject),
            "give it `run:`, or name another host");
  else
    problem(line.mark_at(offset),
            fmt::format("unknown host or program `{}`", subject.substr(0, 70)),
            suggestion(subject, spec.check.kind == CheckKind::counter ? names_ : programs));
}

}  // namespace lanyard::lab
