// SPDX-License-Identifier: Apache-2.0
#include "core/time.hh"

#include <array>

#include <fmt/format.h>

namespace lanyard {
namespace {

struct Unit {
  std::uint64_t ns;
  int digits;  // decimal places that are nanoseconds
  const char* name;
};
constexpr std::array units = {Unit{1'000'000'000, 9, "s"}, Unit{1'000'000, 6, "ms"},
                              Unit{1'000, 3, "us"}, Unit{1, 0, "ns"}};

std::uint64_t magnitude(std::int64_t n) {
  return n < 0 ? ~static_cast<std::uint64_t>(n) + 1 : static_cast<std::uint64_t>(n);
}

// `ns` as a decimal number of `unit`, exact, without trailing zeros.
std::string decimal(bool is_negative, std::uint64_t ns, const Unit& unit) {
  std::string text = fmt::format("{}{}", is_negative ? "-" : "", ns / unit.ns);
  if (ns % unit.ns != 0) {
    text += fmt::format(".{:0{}}", ns % unit.ns, unit.digits);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + unit.name;
}

}  // namespace

std::string to_text(Duration duration) {
  if (duration == Duration::infinite()) return "never";
  if (duration == Duration::zero()) return "0s";
  const std::uint64_t ns = magnitude(duration.count_ns());
  for (const Unit& unit : units) {
    if (ns >= unit.ns) return decimal(duration.count_ns() < 0, ns, unit);
  }
  return "0s";
}

std::string to_text(Instant instant) {
  if (instant == Instant::never()) return "never";
  return decimal(instant.count_ns() < 0, magnitude(instant.count_ns()), units[0]);
}

}  // namespace lanyard
