// SPDX-License-Identifier: Apache-2.0
// When something happens: `5s`, `+2s`, `10s every 5s x3`, `when bob listens on 80 +1s`.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lab/action_text.hh"
#include "lab/nearest.hh"
#include "lab/words.hh"

namespace lanyard::lab {
namespace {

constexpr std::string_view moment_forms =
    "write `5s`, `+2s`, `every 5s x3`, `10s every 5s`, or `when bob listens on 80 +1s`";
constexpr std::string_view event_forms =
    "write `when bob listens on 80`, `when alice prints \"ready\"`, `when alice starts` or `when "
    "alice exits`";

std::unexpected<ActionProblem> wrong(std::size_t offset, std::string what, std::string_view fix) {
  return std::unexpected(ActionProblem{offset, std::move(what), std::string(fix)});
}

// The event's words end before the time, `every` or the end.
std::size_t words_of_event(const Words& words) {
  std::size_t count = 0;
  while (count < words.left() && words.peek(count) != "every" &&
         !words.peek(count).starts_with('+'))
    ++count;
  return count;
}

std::string quoted_scalar(const std::string& text) {
  const bool is_plain = text.find(": ") == std::string::npos &&
                        text.find(" #") == std::string::npos &&
                        text.find('\'') == std::string::npos;
  if (is_plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::expected<Trigger, ActionProblem> ActionReader::read_trigger(std::string_view text,
                                                                 std::size_t offset) const {
  Words words(text);
  Trigger trigger{.subject = std::string(words.take())};
  const std::string_view verb = words.take();
  const auto node = by_name_.find(lower(trigger.subject));
  if (verb == "listens") {
    trigger.kind = Trigger::Kind::listens;
    const auto port = words.take("on") ? parse_count(words.take(), "port", 65535)
                                       : std::unexpected(UnitProblem{});
    if (!port || *port == 0 || !words.is_empty())
      return wrong(offset, fmt::format("bad event `{}`", text.substr(0, 60)), event_forms);
    trigger.port = static_cast<std::uint16_t>(*port);
    if (node == by_name_.end()) return std::unexpected(unknown_node(trigger.subject, offset));
    if (model_.nodes[node->second].kind == NodeKind::kernel_host ||
        model_.nodes[node->second].kind == NodeKind::switching)
      return wrong(offset, fmt::format("nobody sees what {} listens on", trigger.subject),
                   "name a host with a stack of ours, or wait for what its program prints");
    return trigger;
  }
  if (verb == "prints") {
    trigger.kind = Trigger::Kind::prints;
    const std::string_view said = words.take();
    if (said.size() < 3 || !said.starts_with('"') || !said.ends_with('"') || !words.is_empty())
      return wrong(offset, fmt::format("bad event `{}`", text.substr(0, 60)), event_forms);
    trigger.text = std::string(said.substr(1, said.size() - 2));
  } else if ((verb == "exits" || verb == "starts") && words.is_empty()) {
    trigger.kind = verb == "exits" ? Trigger::Kind::exits : Trigger::Kind::starts;
  } else {
    return wrong(offset, fmt::format("bad event `{}`", text.substr(0, 60)), event_forms);
  }
  const bool is_host = node != by_name_.end() && !model_.nodes[node->second].programs.empty();
  if (is_host || std::ranges::find(programs_, trigger.subject) != programs_.end()) return trigger;
  return wrong(offset, fmt::format("unknown program `{}`", trigger.subject.substr(0, 60)),
               suggestion(trigger.subject, programs_));
}

std::expected<void, ActionProblem> ActionReader::read_moment(std::string_view text,
                                                             const Action* previous,
                                                             Action& into) const {
  Words words(text);
  if (words.take("when")) {
    const std::size_t start = words.offset();
    for (std::size_t count = words_of_event(words); count > 0; --count) words.take();
    const auto trigger = read_trigger(text.substr(start, words.offset() - start), start);
    if (!trigger) return std::unexpected(trigger.error());
    into.after = *trigger;
    previous = nullptr;
  }
  bool has_time = into.after.kind != Trigger::Kind::none;
  if (!words.is_empty() && words.peek() != "every") {
    const std::size_t at = words.offset();
    std::string_view time = words.take();
    const bool is_relative = time.starts_with('+');
    if (is_relative) time.remove_prefix(1);
    const auto duration = parse_duration(time, "time");
    if (!duration) return wrong(at, duration.error().what, duration.error().fix);
    into.at = *duration;
    if (is_relative && previous != nullptr) {
      into.at += previous->at;
      into.after = previous->after;
    }
    has_time = true;
  }
  if (words.take("every")) {
    const std::size_t at = words.offset();
    const auto every = parse_duration(words.take(), "time");
    if (!every) return wrong(at, every.error().what, every.error().fix);
    if (*every < Duration::microseconds(1))
      return wrong(at, "that is too often", "write 1us or more, as in `every 5s`");
    into.every = *every;
    into.times = 0;
    if (!has_time) into.at = *every;
    has_time = true;
    if (words.peek().starts_with('x')) {
      const std::size_t times_at = words.offset();
      const auto times = parse_count(words.take().substr(1), "number of times", 1'000'000);
      if (!times || *times == 0)
        return wrong(times_at, "bad number of times", "write it behind an x, as in `every 5s x3`");
      into.times = static_cast<std::uint32_t>(*times);
    }
  }
  if (!has_time || !words.is_empty())
    return wrong(words.is_empty() ? 0 : words.offset(),
                 fmt::format("bad time `{}`", text.substr(0, 60)), moment_forms);
  return {};
}

std::string moment_text(const Action& action) {
  std::string text;
  const Trigger& after = action.after;
  switch (after.kind) {
    case Trigger::Kind::none:
      break;
    case Trigger::Kind::listens:
      text = fmt::format("when {} listens on {}", after.subject, after.port);
      break;
    case Trigger::Kind::prints:
      text = fmt::format("when {} prints \"{}\"", after.subject, after.text);
      break;
    case Trigger::Kind::starts:
      text = fmt::format("when {} starts", after.subject);
      break;
    case Trigger::Kind::exits:
      text = fmt::format("when {} exits", after.subject);
      break;
  }
  if (text.empty())
    text = to_text(action.at);
  else if (action.at > Duration::zero())
    text += " +" + to_text(action.at);
  if (action.every > Duration::zero()) {
    text += " every " + to_text(action.every);
    if (action.times != 0) text += fmt::format(" x{}", action.times);
  }
  return text;
}

std::string timeline_text(std::span<const Action> timeline, const Model& model) {
  if (timeline.empty()) return {};
  std::string text = "at:\n";
  for (const Action& action : timeline)
    text += fmt::format("  - {}: {}\n", quoted_scalar(moment_text(action)),
                        quoted_scalar(text_of(action, model)));
  return text;
}

}  // namespace lanyard::lab
