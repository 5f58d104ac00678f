// SPDX-License-Identifier: Apache-2.0
// `queue`: the disciplines and their numbers. What is left out is what the RFCs say.
#include <fmt/format.h>

#include <array>
#include <variant>

#include "lab/link_change.hh"
#include "lab/words.hh"

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;
using Kind = QueueSpec::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 5> kinds{{{Kind::codel, "codel"},
                                                                  {Kind::fq_codel, "fq-codel"},
                                                                  {Kind::pie, "pie"},
                                                                  {Kind::red, "red"},
                                                                  {Kind::priority, "priority"}}};

constexpr std::string_view forms =
    "write a size as in 64KB, `100 packets`, codel, fq-codel, pie, `red min 30KB max 90KB` or "
    "priority";

// RFC 8289 4.2, 4.3: 5 ms and 100 ms; RFC 8290 5.2: 10240 packets, 1024 flows, a quantum of 1514;
// RFC 8033 5.1: 15 ms.
QueueSpec usual(Kind kind) {
  QueueSpec queue{.kind = kind, .limit_packets = 1000};
  if (kind == Kind::codel || kind == Kind::fq_codel) {
    queue.target = 5_ms;
    queue.interval = 100_ms;
  }
  if (kind == Kind::fq_codel) {
    queue.limit_packets = 10240;
    queue.flows = 1024;
    queue.quantum = 1514;
    queue.marks = true;
  }
  if (kind == Kind::pie) {
    queue.target = 15_ms;
    queue.interval = 15_ms;
  }
  if (kind == Kind::red) {
    queue.limit_packets = 0;
    queue.limit_bytes = 256 * 1024;
    queue.chance = 20'000'000;
  }
  return queue;
}

UnitProblem bad(std::string_view what, std::string_view fix) {
  return {fmt::format("bad queue `{}`", what.substr(0, 80)), std::string(fix)};
}

bool has(Kind kind, std::string_view option) {
  const bool is_codel = kind == Kind::codel || kind == Kind::fq_codel;
  if (option == "target") return is_codel || kind == Kind::pie;
  if (option == "interval") return is_codel;
  if (option == "flows" || option == "quantum") return kind == Kind::fq_codel;
  if (option == "min" || option == "max" || option == "chance") return kind == Kind::red;
  if (option == "ecn" || option == "no-ecn") return kind != Kind::priority;
  return option == "limit";
}

std::string options_of(Kind kind) {
  std::string all;
  for (const std::string_view each :
       {"limit", "target", "interval", "flows", "quantum", "min", "max", "chance", "ecn"})
    if (has(kind, each)) all += fmt::format("{}`{}`", all.empty() ? "" : ", ", each);
  return all;
}

template <typename T, typename U>
std::optional<UnitProblem> put(const std::expected<T, UnitProblem>& value, U& into) {
  if (!value) return value.error();
  into = static_cast<U>(*value);
  return {};
}

std::optional<UnitProblem> read_limit(Words& words, QueueSpec& queue) {
  if (queue.kind == Kind::red) return put(parse_size(words.take(), "limit"), queue.limit_bytes);
  auto problem = put(parse_count(words.take(), "limit", 1'000'000), queue.limit_packets);
  if (!words.take("packets")) words.take("packet");
  return problem;
}

std::optional<UnitProblem> read_option(std::string_view option, Words& words, QueueSpec& queue) {
  if (option == "limit") return read_limit(words, queue);
  if (option == "target") return put(parse_duration(words.take(), option), queue.target);
  if (option == "interval") return put(parse_duration(words.take(), option), queue.interval);
  if (option == "flows") return put(parse_count(words.take(), option, 65536), queue.flows);
  if (option == "quantum") return put(parse_count(words.take(), option, 65535), queue.quantum);
  if (option == "min") return put(parse_size(words.take(), option), queue.min_bytes);
  if (option == "max") return put(parse_size(words.take(), option), queue.max_bytes);
  if (option == "chance") return put(parse_share(words.take(), option), queue.chance);
  queue.marks = option == "ecn";
  return {};
}

// Numbers that would make no queue.
std::optional<UnitProblem> look_at(QueueSpec& queue, std::string_view text) {
  const bool has_time = has(queue.kind, "target");
  if (has_time && (queue.target < 1_us || queue.target > 10_s))
    return bad(text, "a target is from 1us to 10s");
  if (has(queue.kind, "interval") && (queue.interval < queue.target || queue.interval > 10_s))
    return bad(text, "an interval is from the target to 10s");
  if (queue.kind != Kind::red && queue.limit_packets == 0)
    return bad(text, "a limit is at least 1");
  if (queue.kind == Kind::fq_codel && (queue.flows == 0 || queue.quantum == 0))
    return bad(text, "flows and quantum are at least 1");
  if (queue.kind != Kind::red) return {};
  // What is left out stands as the tc-red manual recommends: max a quarter of the limit, min a
  // third of max.
  if (queue.max_bytes == 0) queue.max_bytes = queue.limit_bytes / 4;
  if (queue.min_bytes == 0) queue.min_bytes = queue.max_bytes / 3;
  if (queue.min_bytes == 0 || queue.min_bytes >= queue.max_bytes ||
      queue.max_bytes > queue.limit_bytes || queue.limit_bytes > 1'000'000'000)
    return bad(text, "min is less than max, and max at most the limit (1GB at most)");
  if (queue.chance == 0) return bad(text, "a chance is more than 0%");
  return {};
}

}  // namespace

std::expected<QueueSpec, UnitProblem> parse_queue(std::string_view text) {
  Words words(text);
  if (words.left() == 2 && words.peek(1).starts_with("packet")) {
    QueueSpec queue{.kind = Kind::packets};
    const auto count = parse_count(words.take(), "queue", 1'000'000);
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return std::unexpected(bad(text, "write at least `1 packet`"));
    queue.limit_packets = static_cast<std::uint32_t>(*count);
    return queue;
  }
  const std::string_view name = words.take();
  for (const auto& [kind, word] : kinds) {
    if (name != word) continue;
    QueueSpec queue = usual(kind);
    while (!words.is_empty()) {
      const std::string_view option = words.take();
      if (!has(kind, option))
        return std::unexpected(bad(option, fmt::format("{} has {}", name, options_of(kind))));
      if (auto problem = read_option(option, words, queue)) return std::unexpected(*problem);
    }
    if (auto problem = look_at(queue, text)) return std::unexpected(*problem);
    return queue;
  }
  return std::unexpected(bad(text, forms));
}

std::string text_of(const QueueSpec& queue) {
  if (queue.kind == Kind::packets)
    return fmt::format("{} packet{}", queue.limit_packets, queue.limit_packets == 1 ? "" : "s");
  std::string text;
  for (const auto& [kind, word] : kinds)
    if (kind == queue.kind) text = std::string(word);
  const QueueSpec plain = usual(queue.kind);
  const auto add = [&](std::string_view option, bool is_said, const std::string& value) {
    if (is_said) text += fmt::format(" {} {}", option, value);
  };
  add("target", queue.target != plain.target, to_text(queue.target));
  add("interval", queue.interval != plain.interval, to_text(queue.interval));
  add("flows", queue.flows != plain.flows, fmt::format("{}", queue.flows));
  add("quantum", queue.quantum != plain.quantum, fmt::format("{}", queue.quantum));
  add("min", queue.min_bytes != plain.min_bytes, size_text(queue.min_bytes));
  add("max", queue.max_bytes != plain.max_bytes, size_text(queue.max_bytes));
  add("chance", queue.chance != plain.chance, share_text(queue.chance));
  add("limit", queue.limit_packets != plain.limit_packets, fmt::format("{}", queue.limit_packets));
  add("limit", queue.limit_bytes != plain.limit_bytes, size_text(queue.limit_bytes));
  if (queue.marks != plain.marks) text += queue.marks ? " ecn" : " no-ecn";
  return text;
}

}  // namespace lanyard::lab
