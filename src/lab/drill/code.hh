// SPDX-License-Identifier: Apache-2.0
// Runs what stands in %{ }%: the part of Python that such scripts use. Statements: assert, print,
// assignments, if/elif/else, pass. Anything else is named and refused.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/drill/code_value.hh"
#include "lab/drill/script.hh"

namespace lanyard::lab::drill {

inline constexpr std::size_t code_depth_max = 64;

class Interpreter {
 public:
  // What a name that the script did not assign means (tcpi_cwnd, TCP_CA_Open); nothing: unknown.
  using Lookup = std::function<std::optional<Value>(std::string_view name)>;

  // Runs one block, whose first line is at `mark`; the first problem ends it.
  std::optional<Problem> run(std::string_view text, Mark mark, const Lookup& lookup);
  // What it printed, a line each.
  [[nodiscard]] const std::vector<std::string>& output() const { return output_; }

 private:
  struct Line {
    std::uint32_t number;
    std::size_t indent;
    std::string text;
  };
  class Reader;  // evaluates one expression
  static std::vector<Line> lines_of(std::string_view text);
  std::size_t run_block(const std::vector<Line>& lines, std::size_t at, bool is_live);
  void run_statements(const std::string& text);
  void run_statement(std::string_view text);
  bool run_assignment(std::string_view text);
  void run_assert(std::string_view text);
  void run_print(std::string_view text);
  [[nodiscard]] std::vector<Value> evaluate(std::string_view text);
  std::map<std::string, Value, std::less<>> variables_;
  std::vector<std::string> output_;
  const Lookup* lookup_ = nullptr;
  std::uint32_t line_ = 0;
};

}  // namespace lanyard::lab::drill
