// SPDX-License-Identifier: Apache-2.0
// System calls: name(arguments) = result. Arguments are numbers, texts, names, `...`, lists in
// brackets, structures in braces, calls such as htons(80), and any of them joined by `|`.
#include <fmt/format.h>

#include <cctype>

#include "lab/drill/parser.hh"

namespace lanyard::lab::drill {

namespace {

Expression parse_expression(Lexer& lexer, std::size_t depth);

bool is_number(const Lexer& lexer) {
  const char c = lexer.peek() == '-' ? lexer.peek(1) : lexer.peek();
  return c >= '0' && c <= '9';
}

std::vector<Expression> parse_items(Lexer& lexer, std::string_view closing, std::size_t depth) {
  std::vector<Expression> items;
  if (lexer.take(closing)) return items;
  do {
    items.push_back(parse_expression(lexer, depth + 1));
  } while (lexer.take(","));
  lexer.expect(closing, "at the end of this list");
  return items;
}

// name=value, name(3)=value, or a value alone.
Expression parse_field(Lexer& lexer, std::size_t depth) {
  lexer.skip_blanks();
  Lexer ahead = lexer;
  const std::string name = ahead.word();
  ahead.skip_blanks();
  if (!name.empty() && ahead.peek() == '(') {
    ahead.up_to(")", "this parenthesis");
    ahead.skip_blanks();
  }
  if (name.empty() || ahead.peek() != '=') return parse_expression(lexer, depth);
  lexer = ahead;
  lexer.next();
  Expression value = parse_expression(lexer, depth);
  value.field = name;
  return value;
}

Expression parse_structure(Lexer& lexer, std::size_t depth) {
  Expression structure;
  structure.kind = Expression::Kind::structure;
  if (lexer.take("}")) return structure;
  do {
    structure.items.push_back(parse_field(lexer, depth + 1));
  } while (lexer.take(","));
  lexer.expect("}", "at the end of this structure");
  return structure;
}

Expression parse_name(Lexer& lexer, std::size_t depth) {
  Expression expression;
  expression.text = lexer.word();
  lexer.skip_spaces();
  if (lexer.peek() == '(') {
    lexer.next();
    expression.kind = Expression::Kind::call;
    expression.items = parse_items(lexer, ")", depth);
  } else {
    expression.kind = Expression::Kind::word;
  }
  return expression;
}

Expression parse_one(Lexer& lexer, std::size_t depth) {
  lexer.skip_blanks();
  if (depth > expression_depth_max) lexer.wrong("this is nested too deeply");
  const Mark mark = lexer.mark();
  Expression expression;
  if (lexer.take("...")) {
    expression.kind = Expression::Kind::ellipsis;
  } else if (lexer.take("[")) {
    expression.kind = Expression::Kind::list;
    expression.items = parse_items(lexer, "]", depth);
  } else if (lexer.take("{")) {
    expression = parse_structure(lexer, depth);
  } else if (lexer.take("(")) {
    expression = parse_expression(lexer, depth + 1);
    lexer.expect(")", "behind this");
  } else if (lexer.peek() == '"') {
    expression.kind = Expression::Kind::text;
    expression.text = lexer.quoted();
  } else if (is_number(lexer)) {
    expression.kind = Expression::Kind::number;
    expression.number = lexer.integer("a number");
  } else if (lexer.peek() == '&') {
    lexer.next();  // &name: as written in C
    expression = parse_one(lexer, depth + 1);
  } else {
    expression = parse_name(lexer, depth);
    if (expression.text.empty()) {
      lexer.wrong("expected a number, a name, a \"text\", [..], {..} or ...");
    }
  }
  expression.mark = mark;
  return expression;
}

Expression parse_expression(Lexer& lexer, std::size_t depth) {
  Expression first = parse_one(lexer, depth);
  lexer.skip_spaces();
  if (lexer.peek() != '|') return first;
  Expression either;
  either.kind = Expression::Kind::either;
  either.mark = first.mark;
  either.items.push_back(std::move(first));
  while (lexer.take("|")) either.items.push_back(parse_one(lexer, depth + 1));
  return either;
}

// -1 EAGAIN (Resource temporarily unavailable); 0x2 (flags O_RDWR): what is in parentheses is said
// for people.
void parse_result(Lexer& lexer, CallEvent& call) {
  call.result = parse_expression(lexer, 0);
  lexer.skip_spaces();
  if (lexer.peek() == 'E') call.error = lexer.word();
  lexer.skip_spaces();
  if (lexer.peek() == '(') lexer.up_to(")", "this remark");
}

}  // namespace

CallEvent parse_call(Lexer& lexer) {
  CallEvent call;
  call.name = lexer.word();
  lexer.expect("(", "behind the name of a system call");
  call.arguments = parse_items(lexer, ")", 0);
  lexer.expect("=", "and the result of the call");
  parse_result(lexer, call);
  return call;
}

}  // namespace lanyard::lab::drill
