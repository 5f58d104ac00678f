// SPDX-License-Identifier: Apache-2.0
// Evaluates one expression of %{ }% while reading it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/drill/code.hh"

namespace lanyard::lab::drill {

class Interpreter::Reader {
 public:
  Reader(std::string_view text, const Interpreter& interpreter)
      : text_(text), interpreter_(interpreter) {}

  // a, b, c
  std::vector<Value> all();
  Value expression();
  [[nodiscard]] bool is_at_end();

 private:
  Value disjunction();
  Value conjunction();
  Value negation();
  Value comparison();
  Value binary(std::size_t level);
  Value unary();
  Value power();
  Value primary();
  Value number();
  Value text();
  Value name();
  Value call(const std::string& function);
  [[nodiscard]] std::vector<Value> arguments();
  void skip();
  bool take(std::string_view sign);
  bool take_word(std::string_view word);
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  std::string_view text_;
  const Interpreter& interpreter_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace lanyard::lab::drill
