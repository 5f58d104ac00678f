// SPDX-License-Identifier: Apache-2.0
// TCP sequence numbers: 32 bits that wrap (RFC 9293 3.4). They have no order of their own, only
// one seen from each other, so there is no `<`: say before() or after().
#pragma once

#include <cstdint>

namespace lanyard::tcp {

class SequenceNumber {
 public:
  constexpr SequenceNumber() = default;
  constexpr explicit SequenceNumber(std::uint32_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }

  friend constexpr bool operator==(SequenceNumber, SequenceNumber) = default;
  friend constexpr SequenceNumber operator+(SequenceNumber a, std::uint32_t n) {
    return SequenceNumber(a.value_ + n);
  }
  friend constexpr SequenceNumber operator-(SequenceNumber a, std::uint32_t n) {
    return SequenceNumber(a.value_ - n);
  }
  constexpr SequenceNumber& operator+=(std::uint32_t n) { return *this = *this + n; }
  constexpr SequenceNumber& operator++() { return *this += 1; }
  // How far `a` lies after `b`, modulo 2^32: negative when it lies before.
  friend constexpr std::int32_t operator-(SequenceNumber a, SequenceNumber b) {
    return static_cast<std::int32_t>(a.value_ - b.value_);
  }

 private:
  std::uint32_t value_ = 0;
};

// Is `a` before `b`, seen half way round the circle at most?
[[nodiscard]] constexpr bool before(SequenceNumber a, SequenceNumber b) {
  return a - b < 0;
}
[[nodiscard]] constexpr bool after(SequenceNumber a, SequenceNumber b) {
  return before(b, a);
}
[[nodiscard]] constexpr bool before_or_at(SequenceNumber a, SequenceNumber b) {
  return !before(b, a);
}
[[nodiscard]] constexpr bool after_or_at(SequenceNumber a, SequenceNumber b) {
  return !before(a, b);
}
// Does `x` lie in [start, start + size)?
[[nodiscard]] constexpr bool is_within(SequenceNumber x, SequenceNumber start, std::uint32_t size) {
  return x.value() - start.value() < size;
}

}  // namespace lanyard::tcp
