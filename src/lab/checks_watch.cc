// SPDX-License-Identifier: Apache-2.0
// Judging checks about packets, requests and flows.
#include <fmt/format.h>

#include <algorithm>

#include "lab/checks.hh"

namespace lanyard::lab {
namespace {

std::string_view behind_colon(std::string_view counter) {
  const std::size_t colon = counter.find(": ");
  return colon == std::string_view::npos ? counter : counter.substr(colon + 2);
}

// The smallest time that so many per cent of the requests did not exceed (the nearest rank).
std::int64_t percentile(std::vector<std::int64_t> times, std::uint64_t percent) {
  std::ranges::sort(times);
  const std::size_t rank = (times.size() * percent + 99) / 100;
  return times[std::max<std::size_t>(rank, 1) - 1];
}

void judge_count(const Facts& facts, const CheckSpec& spec, const Watched& seen, Verdict& verdict) {
  const Duration limit = spec.check.limit;
  const bool is_limited = limit > Duration::zero();
  const auto in_time =
      std::ranges::count_if(seen.at, [&](Instant at) { return at.since_start() <= limit; });
  const std::int64_t count = is_limited ? in_time : static_cast<std::int64_t>(seen.count);
  verdict.is_good = compare(count, spec.check.comparison, spec.check.number);
  const bool is_requests = spec.check.counter.starts_with("requests");
  verdict.happened = fmt::format(
      "{} {}{}{}", count,
      is_requests ? "requests" : fmt::format("of `{}`", behind_colon(spec.check.counter)),
      is_limited ? fmt::format(" by {}", to_text(limit)) : "",
      seen.example.empty() ? "" : ", the first " + seen.example);
  verdict.at = seen.at.empty() ? facts.now : seen.at.back();
}

void judge_time(const CheckSpec& spec, const Watched& seen, Verdict& verdict) {
  if (seen.times_ns.empty()) {
    verdict.happened = fmt::format("no request was answered, {} were made", seen.count);
    return;
  }
  const std::string_view counter = spec.check.counter;
  const std::size_t start = std::string_view("request time p").size();
  std::uint64_t percent = 0;
  for (std::size_t i = start; i < counter.size() && counter[i] != ':'; ++i)
    percent = percent * 10 + static_cast<std::uint64_t>(counter[i] - '0');
  const std::int64_t value = percentile(seen.times_ns, percent);
  verdict.is_good = compare(value, spec.check.comparison, spec.check.number);
  verdict.happened =
      fmt::format("it is {} over {} answered requests{}", to_text(Duration::nanoseconds(value)),
                  seen.times_ns.size(),
                  seen.unanswered == 0 ? "" : fmt::format(", {} unanswered", seen.unanswered));
}

}  // namespace

std::optional<Verdict> judge_watched(const Facts& facts, const CheckSpec& spec, std::size_t index) {
  const std::string& counter = spec.check.counter;
  const bool is_progress = counter == "progress";
  if (spec.check.kind != CheckKind::counter || facts.watch == nullptr ||
      (!is_progress && counter.find(": ") == std::string::npos))
    return {};
  Verdict verdict{.text = spec.text, .mark = spec.mark, .at = facts.now};
  const Watched& seen = facts.watch->of(index);
  if (is_progress) {
    const std::string stuck = facts.watch->stuck(spec.check.limit, facts.now);
    verdict.is_good = stuck.empty();
    verdict.happened = stuck.empty() ? fmt::format("{} flows were waiting for a heal, and got on",
                                                   facts.watch->healed_flows())
                                     : stuck;
  } else if (counter.starts_with("request time")) {
    judge_time(spec, seen, verdict);
  } else {
    judge_count(facts, spec, seen, verdict);
  }
  return verdict;
}

}  // namespace lanyard::lab
