// SPDX-License-Identifier: Apache-2.0
// `drop`: which frames are lost, said exactly.
#include <fmt/format.h>

#include <optional>

#include "lab/link_change.hh"
#include "lab/words.hh"

namespace lanyard::lab {
namespace {

constexpr std::string_view forms =
    "write `packet 7`, `packets 7-9`, `every 100th`, `first SYN of alice`, `3rd tcp from alice to "
    "bob`, `all icmp`, or `nothing`";
constexpr std::uint64_t number_max = 1'000'000'000'000;

UnitProblem bad(std::string_view text) {
  return {fmt::format("bad drop `{}`", text.substr(0, 80)), std::string(forms)};
}

// "7" or "7-9".
bool read_range(std::string_view word, DropRule& rule) {
  const std::size_t dash = word.find('-');
  const auto first = parse_count(word.substr(0, dash), "number", number_max);
  const auto last = dash == std::string_view::npos
                        ? first
                        : parse_count(word.substr(dash + 1), "number", number_max);
  if (!first || !last || *first == 0 || *last < *first) return false;
  rule.first = *first;
  rule.last = *last;
  return true;
}

bool is_digit(std::string_view word) {
  return !word.empty() && word.front() >= '0' && word.front() <= '9';
}

// Which of those that match; false if the words say nothing of the kind.
bool read_which(Words& words, DropRule& rule) {
  if (words.take("every")) {
    rule.every = number_of_ordinal(words.take());
    return rule.every != 0;
  }
  if (words.take("all")) {
    rule.every = 1;
    return true;
  }
  if (words.take("first")) {
    return is_digit(words.peek()) ? read_range(fmt::format("1-{}", words.take()), rule) : true;
  }
  if (const std::uint64_t number = number_of_ordinal(words.peek()); number != 0) {
    words.take();
    rule.first = rule.last = number;
    return true;
  }
  // "packet 7": the number stands behind the kind.
  return kind_of_packet(words.peek()).has_value() && is_digit(words.peek(1));
}

std::expected<DropRule, UnitProblem> read_rule(Words& words, std::string_view text) {
  DropRule rule;
  if (!read_which(words, rule)) return std::unexpected(bad(text));
  if (const auto kind = kind_of_packet(words.peek())) {
    rule.match.kind = *kind;
    words.take();
    if (is_digit(words.peek()) && !read_range(words.take(), rule))
      return std::unexpected(bad(text));
  }
  if (words.take("of") || words.take("from")) rule.match.from = std::string(words.take());
  if (words.take("to")) rule.match.to = std::string(words.take());
  if (!words.is_empty() && words.peek() != ",") return std::unexpected(bad(text));
  return rule;
}

std::string rule_text(const DropRule& rule) {
  if (rule.every == 1) return "all " + text_of(rule.match);
  if (rule.every != 0) return fmt::format("every {} {}", ordinal(rule.every), text_of(rule.match));
  if (rule.first == rule.last)
    return rule.first == 1 ? "first " + text_of(rule.match)
                           : fmt::format("{} {}", ordinal(rule.first), text_of(rule.match));
  PacketMatch ends = rule.match;
  ends.kind = PacketMatch::Kind::any;
  const std::string_view word = word_of(rule.match.kind);
  return fmt::format("{} {}-{}{}", word, rule.first, rule.last,
                     text_of(ends).substr(word_of(PacketMatch::Kind::any).size()));
}

}  // namespace

std::expected<std::vector<DropRule>, UnitProblem> parse_drops(std::string_view text) {
  std::vector<DropRule> rules;
  Words words(text);
  if (words.left() == 1 && words.peek() == "nothing") return rules;
  do {
    auto rule = read_rule(words, text);
    if (!rule) return std::unexpected(rule.error());
    rules.push_back(std::move(*rule));
  } while (words.take(","));
  return rules;
}

std::string text_of(const std::vector<DropRule>& rules) {
  std::string text;
  for (const DropRule& rule : rules) text += (text.empty() ? "" : ", ") + rule_text(rule);
  return text.empty() ? "nothing" : text;
}

}  // namespace lanyard::lab
