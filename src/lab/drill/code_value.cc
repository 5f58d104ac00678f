// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/code_value.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace lanyard::lab::drill {

namespace {

std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) throw CodeError{"a number grows past 64 bits"};
  return result;
}
std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) throw CodeError{"a number grows past 64 bits"};
  return result;
}

Fraction reduced(std::int64_t over, std::int64_t under) {
  if (under == 0) throw CodeError{"division by zero"};
  if (under < 0) {
    over = product(over, -1);
    under = product(under, -1);
  }
  if (over == INT64_MIN) throw CodeError{"a number grows past 64 bits"};
  const std::int64_t divisor = std::gcd(over, under);
  return {over / divisor, under / divisor};
}

std::int64_t floor_of(const Fraction& f) {
  const std::int64_t quotient = f.over / f.under;
  return f.over % f.under != 0 && f.over < 0 ? quotient - 1 : quotient;
}

Fraction power(const Fraction& base, const Fraction& exponent) {
  if (exponent.under != 1 || exponent.over < 0 || exponent.over > 64) {
    throw CodeError{"** takes an exponent from 0 to 64"};
  }
  Fraction result{1, 1};
  for (std::int64_t i = 0; i < exponent.over; ++i) {
    result = reduced(product(result.over, base.over), product(result.under, base.under));
  }
  return result;
}

std::int64_t bits(std::int64_t a, std::string_view operation, std::int64_t b) {
  if (operation == "&") return a & b;
  if (operation == "|") return a | b;
  if (operation == "^") return a ^ b;
  if (b < 0 || b > 62) throw CodeError{"a shift is from 0 to 62"};
  if (operation == "<<") return product(a, std::int64_t{1} << b);
  return a >> b;
}

Fraction combined_fractions(const Fraction& a, std::string_view operation, const Fraction& b) {
  const std::int64_t under = product(a.under, b.under);
  if (operation == "+") {
    return reduced(sum(product(a.over, b.under), product(b.over, a.under)), under);
  }
  if (operation == "-") {
    return reduced(sum(product(a.over, b.under), product(product(b.over, -1), a.under)), under);
  }
  if (operation == "*") return reduced(product(a.over, b.over), under);
  const auto quotient = [&] { return reduced(product(a.over, b.under), product(a.under, b.over)); };
  if (operation == "/") return quotient();
  if (operation == "//") return {floor_of(quotient()), 1};
  if (operation == "%") {
    const Fraction times{floor_of(quotient()), 1};
    return combined_fractions(a, "-", combined_fractions(b, "*", times));
  }
  if (operation == "**") return power(a, b);
  return {bits(integer_of(Value(a)), operation, integer_of(Value(b))), 1};
}

}  // namespace

Value value_of(std::int64_t number) {
  return Fraction{number, 1};
}

bool is_true(const Value& value) {
  if (const auto* fraction = std::get_if<Fraction>(&value)) return fraction->over != 0;
  return !std::get<std::string>(value).empty();
}

std::string to_text(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const Fraction f = std::get<Fraction>(value);
  if (f.under == 1) return fmt::format("{}", f.over);
  // Six digits behind the point, as a person reads them.
  const bool is_negative = f.over < 0;
  const std::int64_t over = std::abs(f.over);
  std::int64_t rest = over % f.under;
  std::string digits;
  for (int i = 0; i < 6 && rest != 0 && rest < INT64_MAX / 10; ++i) {
    rest *= 10;
    digits += static_cast<char>('0' + rest / f.under);
    rest %= f.under;
  }
  return fmt::format("{}{}.{}", is_negative ? "-" : "", over / f.under,
                     digits.empty() ? "0" : digits);
}

std::int64_t integer_of(const Value& value) {
  const auto* fraction = std::get_if<Fraction>(&value);
  if (fraction == nullptr) throw CodeError{"a number is wanted here, not a text"};
  if (fraction->under != 1) throw CodeError{"a whole number is wanted here"};
  return fraction->over;
}

Value parse_number(std::string_view digits) {
  std::int64_t over = 0, under = 1;
  const bool is_hex = digits.starts_with("0x") || digits.starts_with("0X");
  if (is_hex) {
    for (const char c : digits.substr(2)) {
      const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
      over = sum(product(over, 16), digit);
    }
    return Fraction{over, 1};
  }
  bool behind_point = false;
  for (const char c : digits) {
    if (c == '.') {
      behind_point = true;
      continue;
    }
    over = sum(product(over, 10), c - '0');
    if (behind_point) under = product(under, 10);
  }
  return reduced(over, under);
}

Value combined(const Value& left, std::string_view operation, const Value& right) {
  const auto* a = std::get_if<Fraction>(&left);
  const auto* b = std::get_if<Fraction>(&right);
  if (a != nullptr && b != nullptr) return combined_fractions(*a, operation, *b);
  // Texts are joined, and filled in: what they say is for people only.
  if (operation == "+" || (operation == "%" && a == nullptr)) {
    return to_text(left) + (operation == "%" ? " " : "") + to_text(right);
  }
  throw CodeError{fmt::format("`{}` does not take a text", operation)};
}

Value negated(const Value& value) {
  return combined(value_of(0), "-", value);
}

bool compared(const Value& left, std::string_view operation, const Value& right) {
  const auto* a = std::get_if<Fraction>(&left);
  const auto* b = std::get_if<Fraction>(&right);
  int order = 0;
  if (a != nullptr && b != nullptr) {
    const std::int64_t x = product(a->over, b->under), y = product(b->over, a->under);
    order = x < y ? -1 : (x > y ? 1 : 0);
  } else if (a == nullptr && b == nullptr) {
    order = std::get<std::string>(left).compare(std::get<std::string>(right));
  } else if (operation == "==" || operation == "!=") {
    return operation == "!=";
  } else {
    throw CodeError{"a text and a number have no order"};
  }
  if (operation == "<") return order < 0;
  if (operation == "<=") return order <= 0;
  if (operation == ">") return order > 0;
  if (operation == ">=") return order >= 0;
  return (order == 0) == (operation == "==");
}

}  // namespace lanyard::lab::drill
