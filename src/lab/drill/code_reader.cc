// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/code_reader.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace lanyard::lab::drill {

namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Python's levels, loosest first; the longer sign of a pair first.
constexpr std::array<std::array<std::string_view, 4>, 6> levels{{
    {"|"},
    {"^"},
    {"&"},
    {"<<", ">>"},
    {"+", "-"},
    {"//", "*", "/", "%"},
}};

// The sign at the front of `text`, unless it begins a longer one that means something else.
std::optional<std::string_view> sign_of(std::string_view text, std::size_t level) {
  for (const std::string_view sign : levels[level]) {
    if (sign.empty() || !text.starts_with(sign)) continue;
    if (sign == "*" && text.starts_with("**")) continue;
    return sign;
  }
  return std::nullopt;
}

}  // namespace

void Interpreter::Reader::skip() {
  while (std::isspace(static_cast<unsigned char>(peek())) != 0) ++at_;
}

bool Interpreter::Reader::is_at_end() {
  skip();
  return at_ >= text_.size();
}

bool Interpreter::Reader::take(std::string_view sign) {
  skip();
  if (!text_.substr(at_).starts_with(sign)) return false;
  at_ += sign.size();
  return true;
}

bool Interpreter::Reader::take_word(std::string_view word) {
  skip();
  if (!text_.substr(at_).starts_with(word) || is_word(peek(word.size()))) return false;
  at_ += word.size();
  return true;
}

std::vector<Value> Interpreter::Reader::all() {
  std::vector<Value> values;
  do {
    values.push_back(expression());
  } while (take(","));
  if (!is_at_end()) {
    throw CodeError{fmt::format("`{}` is not understood here", text_.substr(at_))};
  }
  return values;
}

Value Interpreter::Reader::expression() {
  if (++depth_ > code_depth_max) throw CodeError{"this is nested too deeply"};
  Value value = disjunction();
  if (take_word("if")) {
    const Value condition = disjunction();
    if (!take_word("else")) throw CodeError{"expected `else` behind `if`"};
    const Value other = expression();
    if (!is_true(condition)) value = other;
  }
  --depth_;
  return value;
}

Value Interpreter::Reader::disjunction() {
  Value value = conjunction();
  while (take_word("or")) {
    const Value other = conjunction();
    if (!is_true(value)) value = other;
  }
  return value;
}

Value Interpreter::Reader::conjunction() {
  Value value = negation();
  while (take_word("and")) {
    const Value other = negation();
    if (is_true(value)) value = other;
  }
  return value;
}

Value Interpreter::Reader::negation() {
  std::size_t negations = 0;
  while (take_word("not")) ++negations;
  Value value = comparison();
  if (negations == 0) return value;
  return value_of(is_true(value) == (negations % 2 == 0) ? 1 : 0);
}

// a < b <= c holds if each pair does.
Value Interpreter::Reader::comparison() {
  constexpr std::array<std::string_view, 6> signs{"<=", ">=", "==", "!=", "<", ">"};
  Value left = binary(0);
  bool is_comparison = false, holds = true;
  while (true) {
    skip();
    const std::string_view rest = text_.substr(at_);
    const auto sign = std::find_if(signs.begin(), signs.end(),
                                   [&](std::string_view each) { return rest.starts_with(each); });
    if (sign == signs.end()) break;
    at_ += sign->size();
    const Value right = binary(0);
    holds = compared(left, *sign, right) && holds;
    is_comparison = true;
    left = right;
  }
  return is_comparison ? value_of(holds ? 1 : 0) : left;
}

Value Interpreter::Reader::binary(std::size_t level) {
  if (level == levels.size()) return unary();
  Value left = binary(level + 1);
  while (true) {
    skip();
    const auto sign = sign_of(text_.substr(at_), level);
    if (!sign) return left;
    at_ += sign->size();
    left = combined(left, *sign, binary(level + 1));
  }
}

Value Interpreter::Reader::unary() {
  if (++depth_ > code_depth_max) throw CodeError{"this is nested too deeply"};
  Value value;
  if (take("-")) {
    value = negated(unary());
  } else if (take("~")) {
    value = combined(value_of(-1), "-", unary());
  } else {
    (void)take("+");
    value = power();
  }
  --depth_;
  return value;
}

Value Interpreter::Reader::power() {
  Value base = primary();
  if (take("**")) return combined(base, "**", unary());
  return base;
}

Value Interpreter::Reader::primary() {
  skip();
  if (take("(")) {
    Value value = expression();
    while (take(",")) {
      skip();
      if (peek() != ')') value = to_text(value) + ", " + to_text(expression());
    }
    if (!take(")")) throw CodeError{"expected `)`"};
    return value;
  }
  if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) return number();
  if (peek() == '"' || peek() == '\'') return text();
  if (is_word(peek())) return name();
  throw CodeError{at_ >= text_.size()
                      ? std::string("a value is missing at the end")
                      : fmt::format("`{}` is not understood here", text_.substr(at_))};
}

Value Interpreter::Reader::number() {
  const std::size_t begin = at_;
  const bool is_hex = peek() == '0' && (peek(1) | 0x20) == 'x';
  if (is_hex) at_ += 2;
  while (is_digit(peek()) || (!is_hex && peek() == '.') ||
         (is_hex && std::isxdigit(static_cast<unsigned char>(peek())) != 0)) {
    ++at_;
  }
  return parse_number(text_.substr(begin, at_ - begin));
}

Value Interpreter::Reader::text() {
  const char quote = text_[at_++];
  std::string text;
  while (peek() != quote) {
    if (at_ >= text_.size()) throw CodeError{"a text has no closing quote"};
    if (peek() == '\\' && peek(1) != '\0') ++at_;
    text += text_[at_++];
  }
  ++at_;
  return text;
}

Value Interpreter::Reader::name() {
  const std::size_t begin = at_;
  while (is_word(peek())) ++at_;
  const std::string word(text_.substr(begin, at_ - begin));
  if ((word == "f" || word == "r" || word == "b") && (peek() == '"' || peek() == '\'')) {
    return text();  // said for people only
  }
  skip();
  if (peek() == '(') return call(word);
  if (peek() == '[' || peek() == '.') {
    throw CodeError{fmt::format("`{}{}` in code is not supported", word, peek()), true};
  }
  if (word == "True" || word == "False") return value_of(word == "True" ? 1 : 0);
  if (word == "None") return std::string();
  const auto known = interpreter_.variables_.find(word);
  if (known != interpreter_.variables_.end()) return known->second;
  const auto found = (*interpreter_.lookup_)(word);
  if (!found) {
    throw CodeError{fmt::format("nothing here is called `{}`", word), word.starts_with("tcpi_")};
  }
  return *found;
}

std::vector<Value> Interpreter::Reader::arguments() {
  std::vector<Value> values;
  (void)take("(");
  if (take(")")) return values;
  do {
    values.push_back(expression());
  } while (take(","));
  if (!take(")")) throw CodeError{"expected `)`"};
  return values;
}

Value Interpreter::Reader::call(const std::string& function) {
  const std::vector<Value> values = arguments();
  const bool is_max = function == "max";
  if ((is_max || function == "min") && !values.empty()) {
    return *std::max_element(values.begin(), values.end(), [&](const Value& a, const Value& b) {
      return compared(a, is_max ? "<" : ">", b);
    });
  }
  if (values.size() == 1) {
    if (function == "abs")
      return compared(values[0], "<", value_of(0)) ? negated(values[0]) : values[0];
    if (function == "int") {
      const bool is_negative = compared(values[0], "<", value_of(0));
      const Value whole = combined(is_negative ? negated(values[0]) : values[0], "//", value_of(1));
      return is_negative ? negated(whole) : whole;
    }
    if (function == "float") return values[0];
    if (function == "round") {
      return combined(combined(values[0], "+", combined(value_of(1), "/", value_of(2))), "//",
                      value_of(1));
    }
    if (function == "str" || function == "hex" || function == "repr") return to_text(values[0]);
    if (function == "bool") return value_of(is_true(values[0]) ? 1 : 0);
  }
  throw CodeError{fmt::format("the function `{}` in code is not supported", function), true};
}

}  // namespace lanyard::lab::drill
