// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/code.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "lab/drill/code_reader.hh"

namespace lanyard::lab::drill {

namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

// Walks a text, telling what is outside quotes.
struct Quotes {
  char open = '\0';
  bool is_escaped = false;
  bool is_outside(char c) {
    if (is_escaped) {
      is_escaped = false;
      return false;
    }
    if (open != '\0') {
      is_escaped = c == '\\';
      if (c == open) open = '\0';
      return false;
    }
    if (c == '"' || c == '\'') {
      open = c;
      return false;
    }
    return true;
  }
};

bool begins_with_word(std::string_view text, std::string_view word) {
  return text.starts_with(word) && (text.size() == word.size() || !is_word(text[word.size()]));
}

// Where `sign` stands outside quotes and parentheses; npos: nowhere.
std::size_t find_outside(std::string_view text, char sign) {
  Quotes quotes;
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (!quotes.is_outside(c)) continue;
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c == sign && depth == 0) return at;
  }
  return std::string_view::npos;
}

// A statement that opens a block, as `if a == b:`: its condition.
std::optional<std::string_view> condition_of(std::string_view text, std::string_view word) {
  if (!begins_with_word(text, word)) return std::nullopt;
  const std::size_t colon = find_outside(text, ':');
  if (colon == std::string_view::npos) throw CodeError{fmt::format("`{}` needs a colon", word)};
  return text.substr(word.size(), colon - word.size());
}

}  // namespace

// Logical lines: those in parentheses or behind a backslash go on, comments are gone.
std::vector<Interpreter::Line> Interpreter::lines_of(std::string_view text) {
  std::vector<Line> lines;
  std::uint32_t number = 0;
  int depth = 0;
  Quotes quotes;
  Line line{0, 0, {}};
  bool is_comment = false;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const char c = at < text.size() ? text[at] : '\n';
    const bool is_outside = quotes.is_outside(c);
    if (c == '\n') {
      is_comment = false;
      ++number;
      if (!line.text.empty() && line.text.back() == '\\') {
        line.text.back() = ' ';
      } else if (depth <= 0 || at == text.size()) {
        if (!trimmed(line.text).empty()) lines.push_back(line);
        line = {number, 0, {}};
        depth = 0;
        quotes = {};
      }
      continue;
    }
    if (is_outside && c == '#') is_comment = true;
    if (is_comment) continue;
    if (line.text.empty() && (c == ' ' || c == '\t')) {
      ++line.indent;
      continue;
    }
    if (is_outside && (c == '(' || c == '[')) ++depth;
    if (is_outside && (c == ')' || c == ']')) --depth;
    line.text += c;
  }
  return lines;
}

std::vector<Value> Interpreter::evaluate(std::string_view text) {
  return Reader(text, *this).all();
}

void Interpreter::run_assert(std::string_view text) {
  const std::vector<Value> values = evaluate(text);
  if (is_true(values.front())) return;
  std::string said;
  for (std::size_t i = 1; i < values.size(); ++i) said += (i > 1 ? ", " : "") + to_text(values[i]);
  // The names in the condition, with what they are.
  text = text.substr(0, std::min(find_outside(text, ','), text.size()));
  std::string names;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    const std::string_view word = text.substr(at, end - at);
    const bool is_name = end > at && std::isalpha(static_cast<unsigned char>(word.front())) != 0;
    if (is_name && names.find(fmt::format("{} is", word)) == std::string::npos) {
      const auto variable = variables_.find(word);
      const auto found =
          variable != variables_.end() ? std::optional(variable->second) : (*lookup_)(word);
      if (found)
        names += fmt::format("{}{} is {}", names.empty() ? "" : ", ", word, to_text(*found));
    }
    at = std::max(end, at + 1);
  }
  throw CodeError{fmt::format("assert {} does not hold{}{}", trimmed(text),
                              names.empty() ? "" : ": " + names,
                              said.empty() ? "" : " (" + said + ")")};
}

void Interpreter::run_print(std::string_view text) {
  std::string_view inside = trimmed(text);
  if (inside.size() >= 2 && inside.front() == '(' && inside.back() == ')') {
    inside = inside.substr(1, inside.size() - 2);
  }
  std::string line;
  if (!trimmed(inside).empty()) {
    for (const Value& value : evaluate(inside)) line += (line.empty() ? "" : " ") + to_text(value);
  }
  output_.push_back(line);
}

// name = value, name += value; false if this is none.
bool Interpreter::run_assignment(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_word(text[end])) ++end;
  if (end == 0) return false;
  const std::string name(text.substr(0, end));
  std::string_view rest = trimmed(text.substr(end));
  if (rest.starts_with("==")) return false;
  if (rest.starts_with("=")) {
    variables_[name] = evaluate(rest.substr(1)).front();
    return true;
  }
  if (rest.size() < 2 || rest[1] != '=' ||
      std::string_view("+-*|&").find(rest[0]) == std::string_view::npos) {
    return false;
  }
  const auto known = variables_.find(name);
  if (known == variables_.end()) throw CodeError{fmt::format("nothing here is called `{}`", name)};
  known->second = combined(known->second, rest.substr(0, 1), evaluate(rest.substr(2)).front());
  return true;
}

void Interpreter::run_statement(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || text == "pass" || begins_with_word(text, "import")) return;
  if (begins_with_word(text, "assert")) return run_assert(text.substr(6));
  if (begins_with_word(text, "print")) return run_print(text.substr(5));
  if (run_assignment(text)) return;
  constexpr std::array<std::string_view, 9> beyond{"def",  "for",    "while", "class", "try",
                                                   "from", "return", "raise", "with"};
  for (const std::string_view word : beyond) {
    if (!begins_with_word(text, word)) continue;
    throw CodeError{fmt::format("`{}` in code is not supported", word), true};
  }
  (void)evaluate(text);
}

void Interpreter::run_statements(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(find_outside(rest, ';'), rest.size());
    run_statement(rest.substr(0, end));
    rest = rest.substr(std::min(end + 1, rest.size()));
  }
}

// The lines from `at` on that are indented as it is; where the block ends.
std::size_t Interpreter::run_block(const std::vector<Line>& lines, std::size_t at, bool is_live) {
  if (at >= lines.size()) return at;
  const std::size_t indent = lines[at].indent;
  bool is_decided = false;
  while (at < lines.size() && lines[at].indent >= indent) {
    const Line& line = lines[at];
    if (is_live) line_ = line.number;
    std::optional<bool> takes;
    if (const auto condition = condition_of(line.text, "if")) {
      takes = is_live && is_true(evaluate(*condition).front());
      is_decided = *takes;
    } else if (const auto other = condition_of(line.text, "elif")) {
      takes = is_live && !is_decided && is_true(evaluate(*other).front());
      is_decided = is_decided || *takes;
    } else if (begins_with_word(line.text, "else")) {
      takes = is_live && !is_decided;
    }
    ++at;
    if (!takes) {
      if (is_live) run_statements(line.text);
      continue;
    }
    const std::string_view behind =
        trimmed(std::string_view(line.text).substr(find_outside(line.text, ':') + 1));
    if (!behind.empty()) {
      if (*takes) run_statements(std::string(behind));
    } else if (at < lines.size() && lines[at].indent > indent) {
      at = run_block(lines, at, *takes);
    }
  }
  return at;
}

std::optional<Problem> Interpreter::run(std::string_view text, Mark mark, const Lookup& lookup) {
  lookup_ = &lookup;
  line_ = 0;
  try {
    std::vector<Line> lines = lines_of(text);
    // The first line stands behind %{ and says nothing about indentation.
    if (lines.size() > 1 && lines[0].number == 0) {
      const bool opens_block = lines[0].text.back() == ':';
      lines[0].indent = opens_block ? 0 : lines[1].indent;
    }
    for (std::size_t at = 0; at < lines.size();) at = run_block(lines, at, true);
  } catch (const CodeError& error) {
    const auto kind = error.is_unsupported ? Problem::Kind::unsupported : Problem::Kind::failed;
    return Problem{kind, {mark.line + line_, line_ == 0 ? mark.column : 1}, error.what};
  }
  return std::nullopt;
}

}  // namespace lanyard::lab::drill
