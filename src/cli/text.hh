// SPDX-License-Identifier: Apache-2.0
// What a person reads: colours where the output shows them, tables, numbers with separators.
// Everything here returns text; only the verbs print.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hh"

namespace lanyard::cli {

// What the output can show. A plain default, so that a file or a pipe gets no escapes.
struct Paper {
  bool has_colour = false;
  bool has_utf8 = true;
  std::size_t columns = 100;
};

// The paper behind a descriptor: NO_COLOR, TERM, the locale and the window's width are looked at.
[[nodiscard]] Paper paper_of(int descriptor);

enum class Ink : std::uint8_t { plain, bold, dim, red, green, yellow, blue, magenta, cyan };
[[nodiscard]] std::string paint(const Paper& paper, Ink ink, std::string_view text);

// Columns a UTF-8 text takes, counting each code point as one (we print nothing wider).
[[nodiscard]] std::size_t columns_of(std::string_view text);
// Cut to `columns`, the last one an ellipsis if something was lost.
[[nodiscard]] std::string fit(const Paper& paper, std::string_view text, std::size_t columns);
// Bytes of a program or a packet made safe for a terminal: controls and non-UTF-8 become "\x1b".
[[nodiscard]] std::string printable(std::string_view text);
[[nodiscard]] std::string grouped(std::uint64_t number);    // "88,000"
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);  // "1 byte", "88,000 bytes"
// Seconds with six decimals: "1.020143".
[[nodiscard]] std::string seconds(Instant at);
// "20.143 ms", "812 us": three or four digits that matter.
[[nodiscard]] std::string span_text(Duration duration);
// A word quoted for a shell if it needs it.
[[nodiscard]] std::string shell_quoted(std::string_view word);

// Rows under a heading, columns as wide as they must be; numbers align right.
class Table {
 public:
  explicit Table(std::vector<std::string> heading) : heading_(std::move(heading)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text(const Paper& paper) const;
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }

 private:
  std::vector<std::string> heading_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace lanyard::cli
