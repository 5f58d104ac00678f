// SPDX-License-Identifier: Apache-2.0
#include "lab/check.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/drop.hh"
#include "lab/check_watch.hh"
#include "lab/nearest.hh"
#include "lab/units.hh"

namespace lanyard::lab {
namespace {

struct Word {
  std::string_view text;
  std::size_t offset = 0;
};

constexpr std::string_view forms =
    "write `HOST exits 0`, `HOST prints \"text\"`, `HOST ends before 3s` or `COUNTER > 0`, where "
    "COUNTER is packets, "
    "bytes, drops, tcp retransmits, ...";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '(' || c == ')';
}

// Words between blanks; parentheses count as blanks, so `drops(r1 -- dc)` is `drops r1 -- dc`.
std::vector<Word> split(std::string_view line) {
  std::vector<Word> words;
  std::size_t i = 0;
  while (i < line.size()) {
    while (i < line.size() && is_blank(line[i])) ++i;
    const std::size_t start = i;
    while (i < line.size() && !is_blank(line[i])) ++i;
    if (i > start) words.push_back({line.substr(start, i - start), start});
  }
  return words;
}

std::optional<Comparison> comparison_of(std::string_view word) {
  if (word == "<") return Comparison::less;
  if (word == "<=") return Comparison::less_or_equal;
  if (word == "==" || word == "=") return Comparison::equal;
  if (word == "!=") return Comparison::not_equal;
  if (word == ">=") return Comparison::greater_or_equal;
  if (word == ">") return Comparison::greater;
  return {};
}

std::unexpected<CheckProblem> problem(std::size_t offset, std::string what, std::string fix) {
  return std::unexpected(CheckProblem{offset, std::move(what), std::move(fix)});
}

std::expected<Check, CheckProblem> parse_exits(const std::vector<Word>& words) {
  Check check{.kind = CheckKind::exits, .subject = std::string(words[0].text)};
  if (words.size() != 3)
    return problem(words[1].offset, "`exits` needs one number", "write `alice exits 0`");
  const auto status = parse_count(words[2].text, "exit status", 255);
  if (!status) return problem(words[2].offset, status.error().what, status.error().fix);
  check.number = static_cast<std::int64_t>(*status);
  return check;
}

std::expected<Check, CheckProblem> parse_prints(std::string_view line,
                                                const std::vector<Word>& words) {
  Check check{.kind = CheckKind::prints, .subject = std::string(words[0].text)};
  if (words.size() == 3 && words[2].text == "nothing") {
    check.kind = CheckKind::prints_nothing;
    return check;
  }
  const std::size_t open = line.find('"', words[1].offset);
  const std::size_t close = line.rfind('"');
  if (open == std::string_view::npos || close <= open + 1)
    return problem(words[1].offset, "`prints` needs a text in double quotes, or `nothing`",
                   "write `alice prints \"hello\"`");
  check.text = std::string(line.substr(open + 1, close - open - 1));
  return check;
}

std::expected<Check, CheckProblem> parse_ends(const std::vector<Word>& words) {
  Check check{.kind = CheckKind::ends_before, .subject = std::string(words[0].text)};
  if (words.size() != 4 || words[2].text != "before")
    return problem(words[1].offset, "`ends` needs a time", "write `alice ends before 3s`");
  const auto limit = parse_duration(words[3].text, "time");
  if (!limit) return problem(words[3].offset, limit.error().what, limit.error().fix);
  check.limit = *limit;
  return check;
}

const std::vector<std::string>& plain_counters() {
  static const std::vector<std::string> names = {
      "packets",     "packets arp",     "packets ndp", "packets icmp",
      "packets tcp", "packets udp",     "packets dns", "bytes",
      "drops",       "tcp retransmits", "tcp resets",  "tcp connections"};
  return names;
}

// What is counted of a link: the frames that entered it, and those that it dropped.
const std::vector<std::string>& link_counters() {
  static const std::vector<std::string> names = {
      "packets",     "packets arp", "packets ndp", "packets icmp", "packets tcp",
      "packets udp", "packets dns", "bytes",       "drops",        "tcp resets"};
  return names;
}

const std::vector<std::string>& drop_counters() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> each;
    for (std::size_t i = 1; i < drop_reasons; ++i)
      each.push_back(fmt::format("drops {}", to_text(static_cast<DropReason>(i))));
    return each;
  }();
  return names;
}

bool is_counted_of_links(const std::string& counter) {
  return std::ranges::find(link_counters(), counter) != link_counters().end() ||
         std::ranges::find(drop_counters(), counter) != drop_counters().end();
}

std::string joined(const std::vector<Word>& words, std::size_t first, std::size_t last) {
  std::string text;
  for (std::size_t i = first; i < last; ++i) {
    if (i > first) text += ' ';
    text += words[i].text;
  }
  return text;
}

// Where `--` or `->` of a link stands among the words before `last`; 0: nowhere.
std::size_t link_in(const std::vector<Word>& words, std::size_t last) {
  for (std::size_t i = 1; i + 1 < last; ++i)
    if (words[i].text == "--" || words[i].text == "->") return i;
  return 0;
}

// The longest counter's name that the words [first, last) begin with; how many words it took.
std::size_t take_counter(const std::vector<Word>& words, std::size_t first, std::size_t last,
                         std::string& name) {
  for (std::size_t end = last; end > first; --end) {
    const std::string text = joined(words, first, end);
    for (const auto* list : {&plain_counters(), &drop_counters()})
      for (const std::string& each : *list)
        if (each == text) {
          name = each;
          return end - first;
        }
  }
  return 0;
}

// "within 5s" behind a counter's number, or nothing. "5 s" is "5s" with a blank.
std::optional<CheckProblem> take_limit(const std::vector<Word>& words, std::size_t at,
                                       Check& check) {
  if (words.size() == at) return {};
  if (words.size() < at + 2 || words[at].text != "within")
    return CheckProblem{words[at - 2].offset,
                        fmt::format("`{}` needs one number after it", words[at - 2].text),
                        "write `tcp retransmits > 0` or `tcp retransmits == 0 within 5s`"};
  std::string text;
  for (std::size_t i = at + 1; i < words.size(); ++i) text += words[i].text;
  const auto limit = parse_duration(text, "time");
  if (!limit) return CheckProblem{words[at + 1].offset, limit.error().what, limit.error().fix};
  check.limit = *limit;
  return {};
}

std::expected<Check, CheckProblem> parse_counter(const std::vector<Word>& words, std::size_t sign) {
  Check check{.comparison = *comparison_of(words[sign].text)};
  if (auto what = take_limit(words, sign + 2, check)) return std::unexpected(std::move(*what));
  const Word& last = words[sign + 1];
  const bool is_size = last.text.ends_with("B");
  const auto number = is_size ? parse_size(last.text, "number")
                              : parse_count(last.text, "number", 1'000'000'000'000'000ULL);
  if (!number) return problem(last.offset, number.error().what, number.error().fix);
  check.number = static_cast<std::int64_t>(*number);

  if (const std::size_t middle = link_in(words, sign); middle != 0) {
    std::vector<Word> others(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(sign));
    const auto first = others.begin() + static_cast<std::ptrdiff_t>(middle - 1);
    check.subject = joined(words, middle - 1, middle + 2);
    others.erase(first, first + 3);
    std::erase_if(others, [](const Word& word) { return word.text == "on" || word.text == "at"; });
    check.counter = joined(others, 0, others.size());
    if (is_counted_of_links(check.counter)) return check;
    return problem(words[0].offset, fmt::format("`{}` is not counted of a link", check.counter),
                   suggestion(check.counter, link_counters()));
  }
  std::size_t taken = take_counter(words, 0, sign, check.counter);
  std::size_t rest = taken;
  if (taken == 0 && sign > 1) {
    taken = take_counter(words, 1, sign, check.counter);
    check.subject = std::string(words[0].text);
    rest = 1 + taken;
  }
  if (taken == 0)
    return problem(words[0].offset, fmt::format("unknown counter `{}`", joined(words, 0, sign)),
                   suggestion(joined(words, 0, sign), plain_counters()));
  if (rest < sign && (words[rest].text == "on" || words[rest].text == "at")) ++rest;
  if (rest < sign && check.subject.empty()) {
    check.subject = joined(words, rest, sign);
    rest = sign;
  }
  if (rest < sign)
    return problem(words[rest].offset, fmt::format("`{}` is too much here", words[rest].text),
                   "write `drops (r1 -- dc) == 0` or `alice tcp resets == 0`");
  return check;
}

}  // namespace

std::expected<Check, CheckProblem> parse_check(std::string_view line) {
  if (auto watched = parse_watched(line)) return std::move(*watched);
  const std::vector<Word> words = split(line);
  if (words.size() >= 2) {
    if (words[1].text == "exits") return parse_exits(words);
    if (words[1].text == "prints") return parse_prints(line, words);
    if (words[1].text == "ends") return parse_ends(words);
  }
  for (std::size_t i = 1; i < words.size(); ++i)
    if (comparison_of(words[i].text)) return parse_counter(words, i);
  return problem(words.empty() ? 0 : words[0].offset,
                 fmt::format("`{}` is no check", line.substr(0, 80)), std::string(forms));
}

}  // namespace lanyard::lab
