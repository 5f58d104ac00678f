// SPDX-License-Identifier: Apache-2.0
// Time as arguments: an Instant is nanoseconds since the world began, a Duration a difference of
// two. There is no now(); whoever drives a stack says what time it is, so real time and virtual
// time are the same code.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>

namespace lanyard {

class Duration {
 public:
  constexpr Duration() = default;
  [[nodiscard]] static constexpr Duration nanoseconds(std::int64_t n) { return Duration(n); }
  [[nodiscard]] static constexpr Duration microseconds(std::int64_t n) {
    return Duration(n * 1'000);
  }
  [[nodiscard]] static constexpr Duration milliseconds(std::int64_t n) {
    return Duration(n * 1'000'000);
  }
  [[nodiscard]] static constexpr Duration seconds(std::int64_t n) {
    return Duration(n * 1'000'000'000);
  }
  [[nodiscard]] static constexpr Duration zero() { return Duration(0); }
  [[nodiscard]] static constexpr Duration infinite() {
    return Duration(std::numeric_limits<std::int64_t>::max());
  }

  [[nodiscard]] constexpr std::int64_t count_ns() const { return ns_; }
  [[nodiscard]] constexpr std::int64_t count_us() const { return ns_ / 1'000; }
  [[nodiscard]] constexpr std::int64_t count_ms() const { return ns_ / 1'000'000; }

  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return Duration(a.ns_ + b.ns_); }
  friend constexpr Duration operator-(Duration a, Duration b) { return Duration(a.ns_ - b.ns_); }
  friend constexpr Duration operator*(Duration a, std::int64_t n) { return Duration(a.ns_ * n); }
  friend constexpr Duration operator/(Duration a, std::int64_t n) { return Duration(a.ns_ / n); }
  friend constexpr std::int64_t operator/(Duration a, Duration b) { return a.ns_ / b.ns_; }
  constexpr Duration& operator+=(Duration b) { return *this = *this + b; }
  constexpr Duration& operator-=(Duration b) { return *this = *this - b; }

 private:
  constexpr explicit Duration(std::int64_t ns) : ns_(ns) {}
  std::int64_t ns_ = 0;
};

class Instant {
 public:
  constexpr Instant() = default;
  [[nodiscard]] static constexpr Instant at_ns(std::int64_t ns) { return Instant(ns); }
  [[nodiscard]] static constexpr Instant start() { return Instant(0); }
  [[nodiscard]] static constexpr Instant never() {
    return Instant(std::numeric_limits<std::int64_t>::max());
  }

  [[nodiscard]] constexpr std::int64_t count_ns() const { return ns_; }
  [[nodiscard]] constexpr Duration since_start() const { return Duration::nanoseconds(ns_); }

  friend constexpr auto operator<=>(Instant, Instant) = default;
  // Later than never is never; an infinite wait never ends.
  friend constexpr Instant operator+(Instant a, Duration d) {
    std::int64_t sum = 0;
    return __builtin_add_overflow(a.ns_, d.count_ns(), &sum) ? never() : Instant(sum);
  }
  friend constexpr Instant operator-(Instant a, Duration d) {
    return Instant(a.ns_ - d.count_ns());
  }
  friend constexpr Duration operator-(Instant a, Instant b) {
    return Duration::nanoseconds(a.ns_ - b.ns_);
  }
  constexpr Instant& operator+=(Duration d) { return *this = *this + d; }

 private:
  constexpr explicit Instant(std::int64_t ns) : ns_(ns) {}
  std::int64_t ns_ = 0;
};

// "1.5ms", "2s", "never": the shortest exact form a person reads.
[[nodiscard]] std::string to_text(Duration duration);
// Seconds since the world began with the digits that matter: "0.020143s".
[[nodiscard]] std::string to_text(Instant instant);

namespace literals {
constexpr Duration operator""_ns(unsigned long long n) {
  return Duration::nanoseconds(static_cast<std::int64_t>(n));
}
constexpr Duration operator""_us(unsigned long long n) {
  return Duration::microseconds(static_cast<std::int64_t>(n));
}
constexpr Duration operator""_ms(unsigned long long n) {
  return Duration::milliseconds(static_cast<std::int64_t>(n));
}
constexpr Duration operator""_s(unsigned long long n) {
  return Duration::seconds(static_cast<std::int64_t>(n));
}
}  // namespace literals

}  // namespace lanyard
