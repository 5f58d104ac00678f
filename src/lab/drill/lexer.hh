// SPDX-License-Identifier: Apache-2.0
// The characters of a script: blanks and comments (// # /* */) passed over, words, numbers and
// texts taken, every place known. Which of them may stand where is the parser's business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hh"
#include "lab/drill/script.hh"

namespace lanyard::lab::drill {

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  void skip_blanks();           // and comments
  void skip_spaces();           // on this line
  [[nodiscard]] bool at_end();  // behind blanks and comments
  [[nodiscard]] Mark mark() const { return mark_; }
  [[nodiscard]] std::size_t offset() const { return at_; }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool looking_at(std::string_view wanted) const {
    return text_.substr(at_).starts_with(wanted);
  }
  // Takes `wanted` if it comes next, blanks before it passed over.
  bool take(std::string_view wanted);
  void expect(std::string_view wanted, std::string_view where);
  char next();

  // [A-Za-z_][A-Za-z0-9_]*; empty if there is none.
  std::string word();
  // Letters, digits and a few signs up to a blank: an option's value, an address.
  std::string until(std::string_view enders);
  // Decimal or 0x, with a sign.
  std::int64_t integer(std::string_view what);
  std::uint32_t unsigned32(std::string_view what);
  // Seconds with a fraction, exact to the nanosecond.
  Duration seconds();
  // Between double quotes, with C's escapes.
  std::string quoted();
  // Everything up to `ender`, which is taken too.
  std::string up_to(std::string_view ender, std::string_view what);
  std::vector<std::uint8_t> hex_bytes();
  // The line a place is in, without the blanks around it.
  [[nodiscard]] std::string line_at(std::size_t offset) const;

  [[noreturn]] void wrong(std::string what) const { wrong_at(mark_, std::move(what)); }
  [[noreturn]] static void wrong_at(Mark mark, std::string what);
  [[noreturn]] static void unsupported_at(Mark mark, std::string what);

 private:
  bool skip_comment();
  char escape();
  std::string_view text_;
  std::size_t at_ = 0;
  Mark mark_{1, 1};
};

}  // namespace lanyard::lab::drill
