// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/parser.hh"

#include <fmt/format.h>

#include <cctype>

namespace lanyard::lab::drill {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string replaced(std::string_view text, const Defines& defines) {
  if (defines.empty()) return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
      ++end;
    }
    if (end == at) {
      out += text[at++];
      continue;
    }
    const std::string word(text.substr(at, end - at));
    const auto found = defines.find(word);
    out += found == defines.end() ? word : found->second;
    at = end;
  }
  return out;
}

bool begins_time(const Lexer& lexer) {
  const char c = lexer.peek();
  return c == '+' || c == '*' || is_digit(c) || (c == '.' && is_digit(lexer.peek(1)));
}

When parse_when(Lexer& lexer) {
  When when;
  const Mark begin = lexer.mark();
  if (lexer.peek() == '*') {
    lexer.next();
    when.kind = When::Kind::any;
    return when;
  }
  when.kind = When::Kind::absolute;
  if (lexer.peek() == '+') {
    lexer.next();
    lexer.skip_spaces();
    when.kind = When::Kind::relative;
  }
  when.at = lexer.seconds();
  lexer.skip_spaces();
  if (lexer.looking_at("...")) {
    lexer.take("...");
    lexer.skip_spaces();
    if (lexer.peek() == '+') lexer.next();
    when.end = lexer.seconds();
    return when;
  }
  if (lexer.peek() == '~') {
    lexer.next();
    if (lexer.peek() == '+') lexer.next();
    when.until = lexer.seconds();
    if (*when.until < when.at) Lexer::wrong_at(begin, "this range ends before it begins");
  }
  return when;
}

void parse_option(Lexer& lexer, Script& script) {
  ScriptOption option;
  option.mark = lexer.mark();
  lexer.take("--");
  option.name = lexer.until("= \t\r\n");
  if (lexer.peek() == '=') {
    lexer.next();
    option.value = lexer.peek() == '"' ? lexer.quoted() : lexer.until(" \t\r\n");
  }
  if (option.name.empty()) Lexer::wrong_at(option.mark, "an option has no name");
  script.options.push_back(std::move(option));
}

bool begins_call(const Lexer& lexer) {
  return std::isalpha(static_cast<unsigned char>(lexer.peek())) != 0 || lexer.peek() == '_';
}

// Time is behind us: what happens then.
void parse_what(Lexer& lexer, Event& event) {
  lexer.skip_blanks();
  const Mark mark = lexer.mark();
  if (lexer.looking_at("%{")) {
    lexer.take("%{");
    event.what = CodeEvent{lexer.up_to("}%", "this code")};
  } else if (lexer.peek() == '`') {
    lexer.next();
    event.what = CommandEvent{lexer.up_to("`", "this command")};
  } else if (lexer.peek() == '<' || lexer.peek() == '>') {
    event.what = parse_packet(lexer);
  } else if (begins_call(lexer)) {
    event.what = parse_call(lexer);
  } else {
    Lexer::wrong_at(mark, "expected a packet (< or >), a system call, %{ code }% or a `command`");
  }
  const auto* call = std::get_if<CallEvent>(&event.what);
  if (event.when.end && call == nullptr) {
    Lexer::wrong_at(event.mark, "only a system call has a time when it returns (`...`)");
  }
}

void parse_event(Lexer& lexer, Script& script) {
  Event event;
  event.mark = lexer.mark();
  event.source = lexer.line_at(lexer.offset());
  const bool is_timed = begins_time(lexer);
  if (is_timed) event.when = parse_when(lexer);
  const char c = lexer.peek();
  if (!is_timed && c != '`' && !lexer.looking_at("%{")) {
    lexer.wrong("expected a time, as 0.100, +.1 or *");
  }
  parse_what(lexer, event);
  const bool is_command = std::holds_alternative<CommandEvent>(event.what);
  if (is_command && !is_timed && script.events.empty()) {
    script.commands.push_back(std::move(event));
    return;
  }
  script.events.push_back(std::move(event));
  if (script.events.size() > script_events_max) {
    lexer.wrong(fmt::format("a script has at most {} events", script_events_max));
  }
}

}  // namespace

std::expected<Script, Problem> parse_script(std::string_view text, const std::string& file,
                                            const Defines& defines) {
  Script script;
  script.file = file;
  if (text.size() > script_bytes_max) {
    return std::unexpected(Problem{Problem::Kind::wrong_script,
                                   {1, 1},
                                   fmt::format("a script is at most {} bytes", script_bytes_max)});
  }
  const std::string whole = replaced(text, defines);
  Lexer lexer(whole);
  try {
    while (!lexer.at_end()) {
      if (lexer.looking_at("--")) {
        parse_option(lexer, script);
      } else {
        parse_event(lexer, script);
      }
    }
  } catch (const Fault& error) {
    return std::unexpected(error.problem);
  }
  if (script.events.empty() && script.commands.empty()) {
    return std::unexpected(Problem{Problem::Kind::wrong_script,
                                   {1, 1},
                                   "there is nothing to play: neither an event nor a `command`"});
  }
  return script;
}

}  // namespace lanyard::lab::drill
