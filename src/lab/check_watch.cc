// SPDX-License-Identifier: Apache-2.0
#include "lab/check_watch.hh"

#include <fmt/format.h>

#include <array>

#include "lab/match.hh"
#include "lab/units.hh"
#include "lab/words.hh"

namespace lanyard::lab {
namespace {

using Parsed = std::expected<Check, CheckProblem>;

constexpr std::string_view packet_form =
    "write `no packet from alice to 10.0.9.0/24` or `SYN from alice to bob == 1 within 5s`";

Parsed wrong(std::size_t offset, std::string what, std::string_view fix) {
  return std::unexpected(CheckProblem{offset, std::move(what), std::string(fix)});
}

constexpr std::array<std::pair<std::string_view, Comparison>, 7> signs{
    {{"<", Comparison::less},
     {"<=", Comparison::less_or_equal},
     {"==", Comparison::equal},
     {"=", Comparison::equal},
     {"!=", Comparison::not_equal},
     {">=", Comparison::greater_or_equal},
     {">", Comparison::greater}}};

bool take_sign(Words& words, Comparison& comparison) {
  for (const auto& [word, value] : signs)
    if (words.take(word)) {
      comparison = value;
      return true;
    }
  return false;
}

// "from alice to bob", behind the kind.
std::string take_ends(Words& words, PacketMatch& match) {
  if (words.take("from") || words.take("of")) match.from = std::string(words.take());
  if (words.take("to")) match.to = std::string(words.take());
  return text_of(match);
}

// "== 3 within 5s", either part of which may be missing if it has been said already.
Parsed read_end(Words& words, Check check, bool needs_number, bool is_time) {
  if (needs_number) {
    const std::size_t at = words.offset();
    if (!take_sign(words, check.comparison))
      return wrong(at, "a comparison is missing", "write `== 0`, `>= 3` or `< 200ms` behind it");
    const std::size_t number_at = words.offset();
    if (is_time) {
      const auto duration = parse_duration(words.take(), "time");
      if (!duration) return wrong(number_at, duration.error().what, duration.error().fix);
      check.number = duration->count_ns();
    } else {
      const auto count = parse_count(words.take(), "number", 1'000'000'000'000);
      if (!count) return wrong(number_at, count.error().what, count.error().fix);
      check.number = static_cast<std::int64_t>(*count);
    }
  }
  if (!is_time && words.take("within")) {
    const std::size_t at = words.offset();
    const auto limit = parse_duration(words.take(), "time");
    if (!limit) return wrong(at, limit.error().what, limit.error().fix);
    check.limit = *limit;
  }
  if (!words.is_empty())
    return wrong(words.offset(), fmt::format("`{}` is too much here", words.peek()), packet_form);
  return check;
}

Parsed read_request_time(Words& words) {
  const std::string_view share = words.take().substr(1);
  const auto percent = parse_count(share, "percentile", 100);
  if (!percent || *percent == 0)
    return wrong(0, fmt::format("bad percentile `p{}`", share),
                 "write `p99 of request time to bob < 200ms`");
  for (int i = 0; i < 3; ++i) words.take();
  PacketMatch match;
  Check check;
  check.counter = fmt::format("request time p{}: {}", *percent, take_ends(words, match));
  return read_end(words, check, true, true);
}

Parsed read_progress(Words& words) {
  Check check;
  check.counter = "progress";
  const bool is_whole = words.take("after") && words.take("heal") && (words.take(",") || true) &&
                        words.take("all") && words.take("flows") && words.take("progress") &&
                        words.peek() == "within";
  // "3 s" is "3s" with a blank.
  words.take();
  std::string time(words.take());
  time += words.take();
  const auto limit = parse_duration(time, "time");
  if (!is_whole || !limit || !words.is_empty())
    return wrong(0, "`after heal` is not whole",
                 "write `after heal, all flows progress within 3s`");
  check.limit = *limit;
  return check;
}

}  // namespace

std::optional<Parsed> parse_watched(std::string_view line) {
  Words words(line);
  const std::string_view first = words.peek();
  if (first == "after") return read_progress(words);
  if (first.starts_with('p') && words.peek(1) == "of" && words.peek(2) == "request" &&
      words.peek(3) == "time")
    return read_request_time(words);
  Check check;
  PacketMatch match;
  if (first == "http" && words.peek(1) == "requests") {
    words.take();
    words.take();
    check.counter = "requests: " + take_ends(words, match);
    return read_end(words, check, true, false);
  }
  const bool is_none = first == "no";
  const auto kind = kind_of_packet(words.peek(is_none ? 1 : 0));
  const std::string_view behind = words.peek(is_none ? 2 : 1);
  const bool has_ends = behind == "from" || behind == "to" || behind == "of";
  const bool is_flag = kind && *kind >= PacketMatch::Kind::syn;
  if (!kind || !(is_none || has_ends || is_flag)) return {};
  if (is_none) words.take();
  words.take();
  match.kind = *kind;
  check.counter = "match: " + take_ends(words, match);
  check.comparison = Comparison::equal;
  return read_end(words, check, !is_none, false);
}

}  // namespace lanyard::lab
