// SPDX-License-Identifier: Apache-2.0
// Values of the expressions in %{ }%: exact fractions and texts. Python's meanings, without
// floating point, so that a script decides the same everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace lanyard::lab::drill {

// Thrown inside the evaluator only: what went wrong, and whether it is ours.
struct CodeError {
  std::string what;
  bool is_unsupported = false;
};

struct Fraction {
  std::int64_t over = 0;
  std::int64_t under = 1;  // > 0, no common divisor with `over`
  friend bool operator==(const Fraction&, const Fraction&) = default;
};

using Value = std::variant<Fraction, std::string>;

[[nodiscard]] Value value_of(std::int64_t number);
[[nodiscard]] bool is_true(const Value& value);
[[nodiscard]] std::string to_text(const Value& value);
// The integer a value is; CodeError if it is none.
[[nodiscard]] std::int64_t integer_of(const Value& value);
[[nodiscard]] Value parse_number(std::string_view digits);
// + - * / // % ** << >> & | ^
[[nodiscard]] Value combined(const Value& left, std::string_view operation, const Value& right);
[[nodiscard]] Value negated(const Value& value);
// < <= > >= == !=
[[nodiscard]] bool compared(const Value& left, std::string_view operation, const Value& right);

}  // namespace lanyard::lab::drill
