// SPDX-License-Identifier: Apache-2.0
// at: and check:
#include <fmt/format.h>

#include <algorithm>

#include "core/drop.hh"
#include "lab/nearest.hh"
#include "lab/reader.hh"
#include "lab/watch.hh"
#include "lab/words.hh"

namespace lanyard::lab {

void Reader::read_timeline(const Yaml& section) {
  const ActionReader actions(model_);
  std::map<std::string, Mark> seen;
  const auto moments = [&](const Yaml& map, bool may_repeat) {
    for (const auto& [time, value] : map.pairs) {
      if (!is_text(time, "a time")) continue;
      const auto [first, is_new] = seen.emplace(time.text, time.mark);
      if (!is_new && !may_repeat && !time.text.starts_with('+'))
        problem(time.mark, fmt::format("`{}` is here twice", time.text.substr(0, 60)),
                fmt::format(
                    "the first is at {}:{}; write both as a list: `{}: [cut a -- b, heal c -- d]`",
                    first->second.line, first->second.column, time.text.substr(0, 20)));
      read_moment(actions, time, value);
    }
  };
  if (section.is_mapping()) {
    moments(section, false);
  } else if (section.is_sequence() && std::ranges::all_of(section.items, &Yaml::is_mapping)) {
    for (const Yaml& item : section.items) moments(item, true);
  } else {
    problem(section.mark, "`at` is no timeline",
            "write `at:` and a line such as `5s: cut r1 -- dc` for each moment");
  }
  std::ranges::stable_sort(model_.timeline, {}, &Action::at);
}

// `at: when bob listens on 80` of a program is an action of the timeline.
void Reader::start_by_events() {
  const ActionReader actions(model_);
  for (const NodeSpec& node : model_.nodes)
    for (const ProgramSpec& program : node.programs) {
      if (program.when.empty()) continue;
      Action start{.kind = Action::Kind::start, .program = program.name, .mark = program.when_mark};
      if (const auto read = actions.read_moment(program.when, nullptr, start); !read) {
        problem(program.when_mark, read.error().what, read.error().fix);
      } else if (start.every > Duration::zero()) {
        problem(program.when_mark, "a program of `run` is started once",
                "leave `every` out, or start it again under `at:` of the lab");
      } else if (start.after.subject == program.name) {
        problem(program.when_mark, fmt::format("{} waits for itself", program.name),
                "name another program");
      } else {
        model_.timeline.push_back(std::move(start));
      }
    }
}

void Reader::read_moment(const ActionReader& actions, const Yaml& time, const Yaml& value) {
  const Action* previous = last_action_ ? &*last_action_ : nullptr;
  Action moment{.mark = time.mark};
  if (const auto read = actions.read_moment(time.text, previous, moment); !read) {
    problem(time.mark_at(read.error().offset), read.error().what, read.error().fix);
    return;
  }
  last_action_ = moment;
  const auto one = [&](const Yaml& item) {
    if (item.is_scalar())
      read_action(actions, moment, item, nullptr);
    else if (item.is_mapping() && item.pairs.size() == 1)
      read_action(actions, moment, item.pairs[0].key, &item.pairs[0].value);
    else
      problem(item.mark, "what happens is not one action", "write `5s: cut r1 -- dc`");
  };
  if (value.is_sequence())
    for (const Yaml& item : value.items) one(item);
  else
    one(value);
}

// `flap` is a cut and a heal, again and again.
void Reader::read_action(const ActionReader& actions, const Action& moment, const Yaml& line,
                         const Yaml* body) {
  if (!is_text(line, "an action")) return;
  if (body == nullptr && line.text.starts_with("flap ")) return read_flap(actions, moment, line);
  if (body != nullptr && !line.text.starts_with("set ")) {
    problem(line.mark, fmt::format("`{}` has nothing behind it", line.text.substr(0, 60)),
            "only `set r1 -- dc:` has keys");
    return;
  }
  LinkChange change;
  if (body != nullptr) {
    const std::size_t errors = errors_;
    read_change(*body, link_change_keys(), "`set`", "`set r1 -- dc: { loss: 5% }`", change);
    if (errors_ != errors) return;
  }
  // A body's values are in `change` already; the line then needs none.
  auto read = actions.read(body == nullptr ? line.text : line.text + " delay 0");
  if (!read) {
    problem(line.mark_at(read.error().offset), read.error().what, read.error().fix);
    return;
  }
  for (Action& action : *read) {
    if (body != nullptr) action.change = change;
    action.at = moment.at;
    action.after = moment.after;
    action.every = moment.every;
    action.times = moment.times;
    action.mark = line.mark;
    model_.timeline.push_back(std::move(action));
  }
}

void Reader::read_flap(const ActionReader& actions, const Action& moment, const Yaml& line) {
  constexpr std::string_view form = "write `flap r1 -- dc down 100ms up 900ms x5`";
  const std::size_t down_at = line.text.rfind(" down ");
  Words words(std::string_view(line.text).substr(std::min(down_at, line.text.size())));
  Duration down, up;
  std::uint64_t times = 0;
  const bool is_whole =
      words.take("down") && words.left() >= 3 && words.peek(1) == "up" && words.left() <= 4;
  if (!is_whole || moment.every > Duration::zero()) {
    problem(line.mark, fmt::format("`{}` is not whole", line.text.substr(0, 60)),
            std::string(form));
    return;
  }
  const bool is_good = take(parse_duration(words.take(), "down"), line, down) && words.take("up") &&
                       take(parse_duration(words.take(), "up"), line, up);
  if (!is_good) return;
  if (words.peek().starts_with('x') &&
      !take(parse_count(words.take().substr(1), "number of times", 1'000'000), line, times))
    return;
  if (!words.is_empty() || down + up < Duration::microseconds(1)) {
    problem(line.mark, fmt::format("`{}` is not whole", line.text.substr(0, 60)),
            std::string(form));
    return;
  }
  Action each = moment;
  each.every = down + up;
  each.times = static_cast<std::uint32_t>(times);
  Yaml part = line;
  const std::string pair = line.text.substr(5, down_at - 5);
  part.text = "cut " + pair;
  const std::size_t errors = errors_;
  read_action(actions, each, part, nullptr);
  if (errors_ != errors) return;
  each.at += down;
  part.text = "heal " + pair;
  read_action(actions, each, part, nullptr);
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
  if (auto wrong = names_problem(match_of_counter(spec.check.counter), model_))
    return problem(line.mark, wrong->what, wrong->fix);
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
  std::vector<std::string> known = names_;
  std::string_view what = "host or program";
  if (spec.check.kind == CheckKind::counter) {
    what = "host";
    if (spec.check.counter == "drops") {
      what = "reason of a drop, or host,";
      for (std::size_t i = 1; i < drop_reasons; ++i)
        known.emplace_back(to_text(static_cast<DropReason>(i)));
    }
  } else {
    for (const std::string& program : programs)
      if (!by_name_.contains(lower(program))) known.push_back(program);
  }
  if (node != by_name_.end())
    problem(line.mark_at(offset), fmt::format("`{}` runs no program", subject),
            "give it `run:`, or name another host");
  else
    problem(line.mark_at(offset), fmt::format("unknown {} `{}`", what, subject.substr(0, 70)),
            suggestion(subject, known));
}

}  // namespace lanyard::lab
