// SPDX-License-Identifier: Apache-2.0
#include "lab/units.hh"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <utility>

namespace lanyard::lab {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr Unit durations[] = {{"ns", 1},
                              {"us", 1'000},
                              {"ms", 1'000'000},
                              {"s", 1'000'000'000},
                              {"min", 60'000'000'000},
                              {"h", 3'600'000'000'000},
                              {"d", 86'400'000'000'000}};
constexpr Unit rates[] = {{"bit", 1},
                          {"kbit", 1'000},
                          {"Mbit", 1'000'000},
                          {"Gbit", 1'000'000'000},
                          {"Tbit", 1'000'000'000'000},
                          {"bps", 1},
                          {"kbps", 1'000},
                          {"Mbps", 1'000'000},
                          {"Gbps", 1'000'000'000},
                          {"Tbps", 1'000'000'000'000}};
constexpr Unit sizes[] = {{"B", 1},           {"KB", 1'000},         {"kB", 1'000},
                          {"MB", 1'000'000},  {"GB", 1'000'000'000}, {"KiB", 1'024},
                          {"MiB", 1'048'576}, {"GiB", 1'073'741'824}};
constexpr Unit shares[] = {{"%", 10'000'000}};

// A decimal number in two whole parts: "1.25" is {125, 100}.
struct Number {
  std::uint64_t digits = 0;
  std::uint64_t scale = 1;
};

constexpr std::uint64_t digits_limit = 1'000'000'000'000'000'000ULL;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the number off the front of `text`; at most 18 digits.
std::optional<Number> take_number(std::string_view& text) {
  Number number;
  bool is_fraction = false;
  std::size_t i = 0;
  std::size_t seen = 0;
  for (; i < text.size() && (is_digit(text[i]) || (text[i] == '.' && !is_fraction)); ++i) {
    if (text[i] == '.') {
      is_fraction = true;
      continue;
    }
    if (number.digits >= digits_limit / 10 || number.scale >= digits_limit / 10) return {};
    number.digits = number.digits * 10 + static_cast<std::uint64_t>(text[i] - '0');
    if (is_fraction) number.scale *= 10;
    ++seen;
  }
  if (seen == 0) return {};
  text.remove_prefix(i);
  return number;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<std::uint64_t> factor_of(std::string_view unit, std::span<const Unit> units) {
  for (const Unit& each : units)
    if (each.name == unit) return each.factor;
  return {};
}

// digits * factor / scale when that is a whole number below `max`.
std::optional<std::uint64_t> multiply(const Number& number, std::uint64_t factor,
                                      std::uint64_t max) {
  const auto common = [](std::uint64_t a, std::uint64_t b) {
    while (b != 0) a = std::exchange(b, a % b);
    return a;
  };
  // Shorten first, so that the product fits where the result does.
  const std::uint64_t by_factor = common(factor, number.scale);
  const std::uint64_t scale = number.scale / by_factor;
  const std::uint64_t left = factor / by_factor;
  if (number.digits % scale != 0) return {};
  const std::uint64_t digits = number.digits / scale;
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(digits, left, &product) || product > max) return {};
  return product;
}

struct Kind {
  std::span<const Unit> units;
  std::string_view fix;
  std::string_view step;  // "a nanosecond"
  bool is_rate = false;
  std::uint64_t max = std::numeric_limits<std::int64_t>::max();
};

constexpr Kind duration_kind{.units = durations,
                             .fix = "write a number and ns, us, ms, s, min, h or d, as in 20ms",
                             .step = "a nanosecond",
                             .max = 100ULL * 365 * 86'400'000'000'000};
constexpr Kind rate_kind{.units = rates,
                         .fix = "write a number and bit, kbit, Mbit or Gbit, as in 50Mbit",
                         .step = "a bit a second",
                         .is_rate = true,
                         .max = 1'000'000'000'000'000ULL};
constexpr Kind size_kind{.units = sizes,
                         .fix = "write a number and B, KB, MB, GB, KiB, MiB or GiB, as in 64KB",
                         .step = "a byte",
                         .max = 1'000'000'000'000'000ULL};
constexpr Kind share_kind{.units = shares,
                          .fix = "write a percentage from 0% to 100%, as in 1% or 0.25%",
                          .step = "a part in a thousand million",
                          .max = 1'000'000'000};

UnitProblem problem(std::string_view text, std::string_view name, std::string why,
                    std::string_view fix) {
  return {fmt::format("bad {} `{}`{}", name, text, why), std::string(fix)};
}

std::expected<std::uint64_t, UnitProblem> parse(std::string_view text, std::string_view name,
                                                const Kind& kind) {
  std::string_view rest = trim(text);
  const std::optional<Number> number = take_number(rest);
  if (!number) {
    const bool is_negative = !rest.empty() && rest.front() == '-';
    return std::unexpected(problem(text, name, is_negative ? ": it is negative" : "", kind.fix));
  }
  rest = trim(rest);
  if (rest.empty() && number->digits == 0 && !kind.is_rate) return 0;
  if (kind.is_rate && rest.ends_with("/s")) rest.remove_suffix(2);
  if (rest.empty()) return std::unexpected(problem(text, name, ": it has no unit", kind.fix));
  const std::optional<std::uint64_t> factor = factor_of(rest, kind.units);
  if (!factor)
    return std::unexpected(problem(text, name, fmt::format(": `{}` is no unit", rest), kind.fix));
  const std::optional<std::uint64_t> value = multiply(*number, *factor, kind.max);
  if (!value)
    return std::unexpected(
        problem(text, name, fmt::format(": too large, or finer than {}", kind.step), kind.fix));
  if (kind.is_rate && *value == 0)
    return std::unexpected(
        problem(text, name, ": nothing would ever arrive", "leave `rate` out, or cut the link"));
  return *value;
}

// The largest unit that divides `value`, as "50Mbit".
std::string shortest(std::uint64_t value, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& each : units)
    if (value != 0 && value % each.factor == 0 && each.factor > best->factor) best = &each;
  return fmt::format("{}{}", value / best->factor, best->name);
}

}  // namespace

std::expected<Duration, UnitProblem> parse_duration(std::string_view text, std::string_view name) {
  const auto value = parse(text, name, duration_kind);
  if (!value) return std::unexpected(value.error());
  return Duration::nanoseconds(static_cast<std::int64_t>(*value));
}

std::expected<std::uint64_t, UnitProblem> parse_rate(std::string_view text, std::string_view name) {
  return parse(text, name, rate_kind);
}

std::expected<std::uint64_t, UnitProblem> parse_size(std::string_view text, std::string_view name) {
  return parse(text, name, size_kind);
}

std::expected<std::uint64_t, UnitProblem> parse_share(std::string_view text,
                                                      std::string_view name) {
  return parse(text, name, share_kind);
}

std::expected<std::uint64_t, UnitProblem> parse_count(std::string_view text, std::string_view name,
                                                      std::uint64_t max) {
  std::string_view rest = trim(text);
  const std::optional<Number> number = take_number(rest);
  if (!number || !rest.empty() || number->scale != 1 || number->digits > max)
    return std::unexpected(
        problem(text, name, "", fmt::format("write a whole number from 0 to {}", max)));
  return number->digits;
}

std::string rate_text(std::uint64_t bits_per_second) {
  return shortest(bits_per_second, std::span(rates).first(5));
}

std::string size_text(std::uint64_t bytes) {
  if (bytes != 0 && bytes % 1024 == 0 && bytes % 1000 != 0)
    return shortest(bytes, std::span(sizes).last(3));
  constexpr Unit tens[] = {{"B", 1}, {"KB", 1'000}, {"MB", 1'000'000}, {"GB", 1'000'000'000}};
  return shortest(bytes, tens);
}

std::string share_text(std::uint64_t parts_per_billion) {
  const std::uint64_t whole = parts_per_billion / 10'000'000;
  std::uint64_t part = parts_per_billion % 10'000'000;
  if (part == 0) return fmt::format("{}%", whole);
  std::string digits = fmt::format("{:07}", part);
  while (digits.back() == '0') digits.pop_back();
  return fmt::format("{}.{}%", whole, digits);
}

}  // namespace lanyard::lab
