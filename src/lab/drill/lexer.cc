// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/lexer.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace lanyard::lab::drill {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string shown(char c) {
  if (c == '\0') return "the end of the file";
  if (c == '\n') return "the end of the line";
  return std::isprint(static_cast<unsigned char>(c)) != 0 ? fmt::format("`{}`", c)
                                                          : std::string("a byte that is no text");
}

}  // namespace

void Lexer::wrong_at(Mark mark, std::string what) {
  throw Fault{{Problem::Kind::wrong_script, mark, std::move(what)}};
}
void Lexer::unsupported_at(Mark mark, std::string what) {
  throw Fault{{Problem::Kind::unsupported, mark, std::move(what)}};
}

char Lexer::next() {
  if (at_ >= text_.size()) return '\0';
  const char c = text_[at_++];
  if (c == '\n') {
    ++mark_.line;
    mark_.column = 1;
  } else {
    ++mark_.column;
  }
  return c;
}

bool Lexer::skip_comment() {
  if (peek() == '#' || looking_at("//")) {
    while (peek() != '\n' && peek() != '\0') next();
    return true;
  }
  if (!looking_at("/*")) return false;
  const Mark begin = mark_;
  while (!looking_at("*/")) {
    if (at_ >= text_.size()) wrong_at(begin, "this comment has no end");
    next();
  }
  next();
  next();
  return true;
}

void Lexer::skip_blanks() {
  while (at_ < text_.size()) {
    if (is_space(peek())) {
      next();
    } else if (!skip_comment()) {
      return;
    }
  }
}

void Lexer::skip_spaces() {
  while (peek() == ' ' || peek() == '\t' || peek() == '\r') next();
}

bool Lexer::at_end() {
  skip_blanks();
  return at_ >= text_.size();
}

bool Lexer::take(std::string_view wanted) {
  skip_blanks();
  if (!looking_at(wanted)) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) next();
  return true;
}

void Lexer::expect(std::string_view wanted, std::string_view where) {
  if (!take(wanted)) wrong(fmt::format("expected `{}` {}, not {}", wanted, where, shown(peek())));
}

std::string Lexer::word() {
  std::string word;
  if (is_digit(peek())) return word;
  while (is_word(peek())) word += next();
  return word;
}

std::string Lexer::until(std::string_view enders) {
  std::string taken;
  while (peek() != '\0' && enders.find(peek()) == std::string_view::npos) taken += next();
  return taken;
}

std::int64_t Lexer::integer(std::string_view what) {
  skip_blanks();
  const Mark begin = mark_;
  const bool is_negative = peek() == '-';
  if (is_negative) next();
  const int base = looking_at("0x") || looking_at("0X") ? 16 : 10;
  if (base == 16) {
    next();
    next();
  }
  std::uint64_t value = 0;
  std::size_t digits = 0;
  for (int digit = hex_digit(peek()); digit >= 0 && digit < base; digit = hex_digit(peek())) {
    if (++digits > 18) wrong_at(begin, fmt::format("{} is too large a number", what));
    value = value * static_cast<std::uint64_t>(base) + static_cast<std::uint64_t>(digit);
    next();
  }
  if (digits == 0) wrong(fmt::format("expected {}, not {}", what, shown(peek())));
  if (value > INT64_MAX) wrong_at(begin, fmt::format("{} is too large a number", what));
  const auto number = static_cast<std::int64_t>(value);
  return is_negative ? -number : number;
}

std::uint32_t Lexer::unsigned32(std::string_view what) {
  const Mark begin = mark_;
  const std::int64_t value = integer(what);
  if (value < 0 || value > UINT32_MAX) {
    wrong_at(begin, fmt::format("{} is from 0 to 4294967295", what));
  }
  return static_cast<std::uint32_t>(value);
}

Duration Lexer::seconds() {
  const Mark begin = mark_;
  constexpr std::int64_t most_seconds = 1'000'000'000;
  std::int64_t whole = 0, fraction = 0, scale = 1'000'000'000;
  bool has_digits = false;
  for (; is_digit(peek()); has_digits = true) {
    whole = whole * 10 + (next() - '0');
    if (whole > most_seconds) wrong_at(begin, "this time is later than a script may last");
  }
  if (peek() == '.' && is_digit(peek(1))) {
    next();
    for (has_digits = true; is_digit(peek());) {
      const int digit = next() - '0';
      if (scale > 1) fraction += digit * (scale /= 10);
    }
  } else if (has_digits && peek() == '.' && peek(1) != '.') {
    next();  // "1."
  }
  if (!has_digits) wrong(fmt::format("expected a time in seconds, not {}", shown(peek())));
  return Duration::seconds(whole) + Duration::nanoseconds(fraction);
}

char Lexer::escape() {
  const char c = next();
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '0':
      return '\0';
    case 'x': {
      const int high = hex_digit(peek());
      const int low = hex_digit(peek(1));
      if (high < 0 || low < 0) wrong("expected two hex digits behind \\x");
      next();
      next();
      return static_cast<char>(high * 16 + low);
    }
    default:
      return c;
  }
}

std::string Lexer::quoted() {
  const Mark begin = mark_;
  std::string text;
  next();
  while (peek() != '"') {
    if (at_ >= text_.size()) wrong_at(begin, "this text has no closing quote");
    const char c = next();
    text += c == '\\' ? escape() : c;
  }
  next();
  return text;
}

std::string Lexer::up_to(std::string_view ender, std::string_view what) {
  const Mark begin = mark_;
  std::string text;
  while (!looking_at(ender)) {
    if (at_ >= text_.size()) wrong_at(begin, fmt::format("{} has no closing {}", what, ender));
    text += next();
  }
  for (std::size_t i = 0; i < ender.size(); ++i) next();
  return text;
}

std::vector<std::uint8_t> Lexer::hex_bytes() {
  std::vector<std::uint8_t> bytes;
  if (looking_at("0x")) {
    next();
    next();
  }
  while (hex_digit(peek()) >= 0) {
    const int high = hex_digit(next());
    const int low = hex_digit(peek());
    if (low < 0) wrong("expected an even number of hex digits");
    next();
    bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return bytes;
}

std::string Lexer::line_at(std::size_t offset) const {
  const std::size_t break_before = text_.substr(0, offset).rfind('\n');
  const std::size_t begin = break_before == std::string_view::npos ? 0 : break_before + 1;
  const std::size_t end = std::min(text_.find('\n', offset), text_.size());
  std::string line(text_.substr(begin, end - begin));
  while (!line.empty() && is_space(line.back())) line.pop_back();
  const auto first = std::find_if_not(line.begin(), line.end(), is_space);
  line.erase(line.begin(), first);
  return line;
}

}  // namespace lanyard::lab::drill
