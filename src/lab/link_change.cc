// SPDX-License-Identifier: Apache-2.0
// One row for each key of a link: how its value is read, and how it is written back.
#include "lab/link_change.hh"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "lab/words.hh"

namespace lanyard::lab {
namespace {

using Problem = std::optional<UnitProblem>;

// Reads a quantity into `into`; what is wrong comes out.
template <typename T, typename U>
Problem put(const std::expected<T, UnitProblem>& value, U& into) {
  if (!value) return value.error();
  into = static_cast<U>(*value);
  return {};
}

Problem bad(std::string_view key, std::string_view text, std::string_view fix) {
  return UnitProblem{fmt::format("bad {} `{}`", key, text.substr(0, 80)), std::string(fix)};
}

// Options behind the first value: "correlation 25%".
Problem take_correlation(Words& words, Share& into) {
  if (!words.take("correlation")) return {};
  if (auto problem = put(parse_share(words.take(), "correlation"), into)) return problem;
  if (into == whole_share)
    return UnitProblem{"a correlation of 100%: nothing would ever change", "write less, as in 25%"};
  return {};
}

Problem read_fate(std::string_view key, Words& words, Fate& into) {
  if (auto problem = put(parse_share(words.take(), key), into.share)) return problem;
  return take_correlation(words, into.correlation);
}

std::string fate_text(const Fate& fate) {
  std::string text = share_text(fate.share);
  if (fate.correlation != 0) text += " correlation " + share_text(fate.correlation);
  return text;
}

Problem read_plain_fate(std::string_view key, std::string_view text, Fate& into) {
  Words words(text);
  if (auto problem = read_fate(key, words, into)) return problem;
  if (words.is_empty()) return {};
  return bad(key, text, fmt::format("write `{0}: 1%` or `{0}: 1% correlation 25%`", key));
}

constexpr std::array<std::pair<Jitter::Shape, std::string_view>, 4> shapes{
    {{Jitter::Shape::uniform, "uniform"},
     {Jitter::Shape::normal, "normal"},
     {Jitter::Shape::pareto, "pareto"},
     {Jitter::Shape::paretonormal, "paretonormal"}}};

bool take_shape(Words& words, Jitter& jitter) {
  for (const auto& [shape, word] : shapes)
    if (words.take(word)) {
      jitter.shape = shape;
      return true;
    }
  if (!words.take("table") || words.is_empty()) return false;
  jitter.shape = Jitter::Shape::table;
  jitter.table = std::string(words.take());
  return true;
}

Problem read_jitter(std::string_view text, LinkChange& into) {
  Words words(text);
  Jitter jitter;
  if (auto problem = put(parse_duration(words.take(), "jitter"), jitter.amount)) return problem;
  const bool has_shape = take_shape(words, jitter);
  if (auto problem = take_correlation(words, jitter.correlation)) return problem;
  if (words.peek() == "in" && words.peek(1) == "order") {
    words.take();
    words.take();
    jitter.in_order = true;
  }
  if (!words.is_empty())
    return bad(has_shape ? "end of jitter" : "distribution", words.rest(),
               "write uniform, normal, pareto, paretonormal or `table FILE`, then `correlation "
               "25%`, then `in order`");
  if (jitter.amount > Duration::seconds(3600)) return bad("jitter", text, "write an hour at most");
  into.jitter = std::move(jitter);
  return {};
}

std::string jitter_text(const Jitter& jitter) {
  std::string text = to_text(jitter.amount);
  for (const auto& [shape, word] : shapes)
    if (jitter.shape == shape && shape != Jitter::Shape::uniform) text += fmt::format(" {}", word);
  if (jitter.shape == Jitter::Shape::table) text += " table " + jitter.table;
  if (jitter.correlation != 0) text += " correlation " + share_text(jitter.correlation);
  if (jitter.in_order) text += " in order";
  return text;
}

struct NamedShare {
  std::string_view name;
  Share* share;
};

// "p 1% r 10%": any of them, in any order.
Problem read_named(Words& words, std::initializer_list<NamedShare> shares, std::string_view fix) {
  while (!words.is_empty()) {
    Share* into = nullptr;
    const std::string_view name = words.take();
    for (const NamedShare& each : shares)
      if (each.name == name) into = each.share;
    if (into == nullptr) return bad("word", name, fix);
    if (auto problem = put(parse_share(words.take(), name), *into)) return problem;
  }
  return {};
}

Problem read_gilbert(Words& words, LossModel& model) {
  constexpr std::string_view fix = "write `gilbert p 1% r 10%`, and `bad 100% good 0%` if need be";
  model.kind = LossModel::Kind::gilbert_elliott;
  bool has_r = false;
  for (std::size_t i = 0; i < words.left(); ++i) has_r = has_r || words.peek(i) == "r";
  if (auto problem = read_named(
          words, {{"p", &model.p}, {"r", &model.r}, {"bad", &model.bad}, {"good", &model.good}},
          fix))
    return problem;
  if (!has_r) model.r = whole_share - model.p;
  if (model.p == 0 || model.r == 0) return bad("loss", "gilbert", fix);
  return {};
}

Problem read_states(Words& words, LossModel& model) {
  constexpr std::string_view fix = "write `states p13 1% p31 90% p32 5% p23 50% p14 0.1%`";
  model.kind = LossModel::Kind::four_state;
  bool has_p31 = false;
  for (std::size_t i = 0; i < words.left(); ++i) has_p31 = has_p31 || words.peek(i) == "p31";
  if (auto problem = read_named(words,
                                {{"p13", &model.p13},
                                 {"p31", &model.p31},
                                 {"p32", &model.p32},
                                 {"p23", &model.p23},
                                 {"p14", &model.p14}},
                                fix))
    return problem;
  if (!has_p31) model.p31 = whole_share - model.p13;
  const auto is_too_much = [](Share a, Share b) { return a > whole_share - b; };
  if (is_too_much(model.p13, model.p14) || is_too_much(model.p31, model.p32))
    return UnitProblem{"more than 100% of the ways out of a state",
                       "p13 and p14 together, and p31 and p32 together, are at most 100%"};
  if (model.p13 == 0 && model.p14 == 0) return bad("loss", "states", fix);
  return {};
}

Problem read_loss(std::string_view text, LinkChange& into) {
  Words words(text);
  LossModel model;
  Problem problem;
  if (words.take("gilbert")) {
    problem = read_gilbert(words, model);
  } else if (words.take("states")) {
    problem = read_states(words, model);
  } else {
    problem = read_fate("loss", words, model.fate);
    if (!problem && !words.is_empty())
      problem =
          bad("loss", text,
              "write `1%`, `1% correlation 25%`, `gilbert p 1% r 10%` or `states p13 1% ...`");
    if (!problem && model.fate.correlation == 0) {
      into.loss_parts_per_billion = model.fate.share;
      return {};
    }
    model.kind = LossModel::Kind::correlated;
  }
  if (!problem) into.loss_model = model;
  return problem;
}

std::string loss_text(const LossModel& model) {
  switch (model.kind) {
    case LossModel::Kind::none:
      return "0%";
    case LossModel::Kind::correlated:
      return fate_text(model.fate);
    case LossModel::Kind::gilbert_elliott:
      return fmt::format("gilbert p {} r {} bad {} good {}", share_text(model.p),
                         share_text(model.r), share_text(model.bad), share_text(model.good));
    case LossModel::Kind::four_state:
      return fmt::format("states p13 {} p31 {} p32 {} p23 {} p14 {}", share_text(model.p13),
                         share_text(model.p31), share_text(model.p32), share_text(model.p23),
                         share_text(model.p14));
  }
  return {};
}

Problem read_truncate(std::string_view text, LinkChange& into) {
  Words words(text);
  Truncation truncation;
  if (auto problem = read_fate("truncate", words, truncation.fate)) return problem;
  if (words.take("to")) {
    if (auto problem = put(parse_size(words.take(), "truncate"), truncation.bytes)) return problem;
    if (truncation.bytes < 14)
      return bad("truncate", text, "a frame has at least its header of 14B");
  }
  if (!words.is_empty()) return bad("truncate", text, "write `1%` or `1% to 100B`");
  into.truncate = truncation;
  return {};
}

Problem read_reorder(std::string_view text, LinkChange& into) {
  Words words(text);
  Reordering reordering;
  if (auto problem = read_fate("reorder", words, reordering.fate)) return problem;
  if (words.take("gap"))
    if (auto problem = put(parse_count(words.take(), "gap", 1'000'000), reordering.gap))
      return problem;
  if (!words.is_empty() || reordering.gap == 0)
    return bad("reorder", text, "write `25%`, `25% correlation 50%` or `100% gap 5`");
  into.reorder = reordering;
  return {};
}

Problem read_bucket(std::string_view text, LinkChange& into) {
  constexpr std::string_view fix = "write `bucket: 1Mbit burst 10KB`, or `none`";
  Words words(text);
  TokenBucketSpec bucket;
  if (words.peek() == "none" && words.left() == 1) {
    into.bucket = bucket;
    return {};
  }
  if (auto problem = put(parse_rate(words.take(), "bucket"), bucket.rate_bits_per_second))
    return problem;
  if (!words.take("burst")) return bad("bucket", text, fix);
  if (auto problem = put(parse_size(words.take(), "burst"), bucket.burst_bytes)) return problem;
  if (!words.is_empty()) return bad("bucket", text, fix);
  if (bucket.burst_bytes < 1514) return bad("burst", text, "a whole frame must fit: 1514B or more");
  if (bucket.burst_bytes > 1'000'000'000) return bad("burst", text, "write 1GB at most");
  into.bucket = bucket;
  return {};
}

Problem read_rate(std::string_view text, LinkChange& into) {
  Words words(text);
  if (words.take("trace")) {
    if (words.left() != 1) return bad("rate", text, "write `trace FILE`, as in `trace lte.trace`");
    into.trace = std::string(words.take());
    return {};
  }
  if (text == "unlimited") {
    into.rate_bits_per_second = 0;
    return {};
  }
  return put(parse_rate(text, "rate"), into.rate_bits_per_second.emplace());
}

Problem read_black_hole(std::string_view text, LinkChange& into) {
  std::uint64_t bytes = 0;
  if (text != "off") {
    if (auto problem = put(parse_count(text, "black-hole", 65535), bytes)) return problem;
    if (bytes < 68) return bad("black-hole", text, "write 68 or more, as in 1400, or `off`");
  }
  into.black_hole = static_cast<std::uint32_t>(bytes);
  return {};
}

// RFC 8200 5: every link that carries IPv6 has at least 1280.
Problem read_mtu(std::string_view text, LinkChange& into) {
  std::uint64_t mtu = 0;
  if (auto problem = put(parse_count(text, "mtu", 65535), mtu)) return problem;
  if (mtu < 1280)
    return UnitProblem{fmt::format("mtu {} is too small", mtu), "IPv6 needs at least 1280"};
  into.mtu = static_cast<std::uint32_t>(mtu);
  return {};
}

Problem read_queue(std::string_view text, LinkChange& into) {
  const bool is_size = !text.empty() && text.front() >= '0' && text.front() <= '9' &&
                       text.find("packet") == std::string_view::npos;
  const bool is_word = !text.empty() && ((text.front() >= 'a' && text.front() <= 'z') ||
                                         (text.front() >= 'A' && text.front() <= 'Z'));
  if (is_size || !(is_word || text.find("packet") != std::string_view::npos))
    return put(parse_size(text, "queue"), into.queue_bytes.emplace());
  const auto queue = parse_queue(text);
  if (!queue) return queue.error();
  into.queue = *queue;
  return {};
}

Problem read_drops(std::string_view text, LinkChange& into) {
  auto rules = parse_drops(text);
  if (!rules) return rules.error();
  into.drops = std::move(*rules);
  return {};
}

}  // namespace

std::span<const std::string> link_change_keys() {
  static const std::vector<std::string> keys = {
      "delay",     "jitter",  "rate",     "bucket",  "queue",      "loss", "drop",
      "duplicate", "corrupt", "truncate", "reorder", "black-hole", "mtu"};
  return keys;
}

std::optional<UnitProblem> parse_link_value(std::string_view key, std::string_view text,
                                            LinkChange& into) {
  if (key == "delay") return put(parse_duration(text, key), into.delay.emplace());
  if (key == "jitter") return read_jitter(text, into);
  if (key == "rate") return read_rate(text, into);
  if (key == "bucket") return read_bucket(text, into);
  if (key == "queue") return read_queue(text, into);
  if (key == "loss") return read_loss(text, into);
  if (key == "drop") return read_drops(text, into);
  if (key == "duplicate") return read_plain_fate(key, text, into.duplicate.emplace());
  if (key == "corrupt") return read_plain_fate(key, text, into.corrupt.emplace());
  if (key == "truncate") return read_truncate(text, into);
  if (key == "reorder") return read_reorder(text, into);
  if (key == "black-hole") return read_black_hole(text, into);
  return read_mtu(text, into);
}

std::vector<std::pair<std::string, std::string>> link_values(const LinkChange& change) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto add = [&](std::string_view key, const auto& value, auto text) {
    if (value) all.emplace_back(key, text(*value));
  };
  add("delay", change.delay, [](Duration delay) { return to_text(delay); });
  add("jitter", change.jitter, jitter_text);
  add("rate", change.rate_bits_per_second,
      [](std::uint64_t rate) { return rate == 0 ? "unlimited" : rate_text(rate); });
  add("rate", change.trace, [](const std::string& file) { return "trace " + file; });
  add("bucket", change.bucket, [](const TokenBucketSpec& bucket) {
    return bucket.rate_bits_per_second == 0
               ? std::string("none")
               : fmt::format("{} burst {}", rate_text(bucket.rate_bits_per_second),
                             size_text(bucket.burst_bytes));
  });
  add("queue", change.queue_bytes, size_text);
  add("queue", change.queue, [](const QueueSpec& queue) { return text_of(queue); });
  add("loss", change.loss_parts_per_billion, share_text);
  add("loss", change.loss_model, loss_text);
  add("drop", change.drops, [](const std::vector<DropRule>& rules) { return text_of(rules); });
  add("duplicate", change.duplicate, fate_text);
  add("corrupt", change.corrupt, fate_text);
  add("truncate", change.truncate, [](const Truncation& truncation) {
    return truncation.bytes == 0
               ? fate_text(truncation.fate)
               : fmt::format("{} to {}", fate_text(truncation.fate), size_text(truncation.bytes));
  });
  add("reorder", change.reorder, [](const Reordering& reordering) {
    return reordering.gap == 1
               ? fate_text(reordering.fate)
               : fmt::format("{} gap {}", fate_text(reordering.fate), reordering.gap);
  });
  add("black-hole", change.black_hole, [](std::uint32_t bytes) {
    return bytes == 0 ? std::string("off") : fmt::format("{}", bytes);
  });
  add("mtu", change.mtu, [](std::uint32_t mtu) { return fmt::format("{}", mtu); });
  return all;
}

std::string text_of(const LinkChange& change) {
  std::string text;
  for (const auto& [key, value] : link_values(change))
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value);
  return text;
}

}  // namespace lanyard::lab
