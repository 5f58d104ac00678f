// SPDX-License-Identifier: Apache-2.0
// What a lab's programs say, line by line: printed by `run` and `up` as it comes, and kept by a lab
// that is up for `lanyard logs`.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/text.hh"
#include "lab/world.hh"

namespace lanyard::cli {

struct JournalLine {
  // What was printed, how a program ended, and what an unmodified program was refused.
  enum class Kind : std::uint8_t { output, errors, ended, failed, note };
  Kind kind = Kind::output;
  std::uint32_t number = 0;  // from 1
  Instant at;
  std::string program;  // empty: a note
  std::string text;
};

class Journal {
 public:
  using OnLine = std::function<void(const JournalLine&)>;
  // Keeps the latest lines, at most so many bytes of them; 0: none.
  Journal(std::size_t bytes_max, OnLine on_line)
      : bytes_max_(bytes_max), on_line_(std::move(on_line)) {}

  void take(const lab::ProgramRow& program, const lab::ProgramOutput& output);
  void end(const lab::ProgramRow& program);
  void note(Instant at, std::string_view text);
  // The lines kept after number `after`, as many as one answer carries; of one host's programs if
  // `host` is not empty ("alice", "alice.2" are alice's). {"rows":[...],"last":N}; "lost" counts
  // lines that are kept no more.
  [[nodiscard]] nlohmann::json since(std::uint32_t after, const std::string& host) const;

 private:
  void add(JournalLine line);
  std::size_t bytes_max_ = 0, bytes_ = 0;
  OnLine on_line_;
  std::uint32_t last_ = 0;
  std::deque<JournalLine> lines_;
  std::map<std::pair<std::string, int>, std::string> held_;  // without their line's end yet
};

// One line as a person reads it, "alice | text" on standard output; a note on standard error.
void print_line(const JournalLine& line, const Paper& paper);
// A row of Journal::since; nothing if it is none.
[[nodiscard]] std::optional<JournalLine> line_of(const nlohmann::json& row);

}  // namespace lanyard::cli
