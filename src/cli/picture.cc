// SPDX-License-Identifier: Apache-2.0
#include "cli/picture.hh"

#include <fmt/format.h>

#include <algorithm>

namespace lanyard::cli {
namespace {

struct Glyphs {
  std::string_view lifeline, dash, dots, crossing, right, left, lost, remark;
};
constexpr Glyphs utf8_glyphs{"│", "─", "┄", "┼", "▶", "◀", "✗", "●"};
constexpr Glyphs ascii_glyphs{"|", "-", ".", "+", ">", "<", "X", "*"};

// Where things stand on a line.
struct Layout {
  std::size_t number = 0;  // columns of the frame's number
  std::size_t time = 0;    // columns of number and time, with the gap behind them
  std::size_t first = 0;   // column of the first lifeline
  std::size_t gap = 0;     // from one lifeline to the next
  std::size_t end = 0;     // the column behind the last lifeline
  std::size_t detail = 0;  // columns left for details

  [[nodiscard]] std::size_t column(std::size_t lifeline) const { return first + lifeline * gap; }
};

constexpr std::size_t detail_min = 34;
constexpr std::size_t detail_max = 72;
constexpr std::size_t gap_min = 4;
constexpr std::size_t gap_with_title = 13;  // "◀── SYN,ACK ─"
constexpr std::size_t gap_max = 20;

// Columns between lifelines: details whole if titles then still fit into arrows, else shorter
// details, and at last arrows without titles.
std::size_t choose_gap(std::size_t room, std::size_t gaps, std::size_t longest_detail) {
  const auto gap_beside = [&](std::size_t detail) {
    return room > detail ? std::min((room - detail) / gaps, gap_max) : 0;
  };
  const std::size_t roomy = gap_beside(std::clamp(longest_detail, detail_min, detail_max));
  if (roomy >= gap_with_title) return roomy;
  const std::size_t tight = gap_beside(detail_min);
  return std::max(std::min(tight, gap_with_title), gap_min);
}

Layout lay_out(const Picture& picture, const Paper& paper) {
  Layout layout;
  Instant last;
  std::uint64_t number = 0;
  std::size_t longest_detail = 0;
  for (const Row& row : picture.rows) {
    if (!row.is_note) longest_detail = std::max(longest_detail, columns_of(row.detail));
    last = std::max(last, row.at);
    number = std::max(number, row.number);
  }
  layout.number = std::max<std::size_t>(fmt::formatted_size("{}", number), 2) + 1;
  layout.time = layout.number + 2 + std::max<std::size_t>(seconds(last).size(), 8) + 2;
  const std::size_t gaps = picture.lifelines.size() < 2 ? 1 : picture.lifelines.size() - 1;
  const std::size_t half_name =
      picture.lifelines.empty() ? 0 : columns_of(picture.lifelines.front()) / 2;
  layout.first = layout.time + std::min<std::size_t>(half_name, 8);
  const std::size_t taken = layout.first + 4;
  const std::size_t room = paper.columns > taken ? paper.columns - taken : 0;
  layout.gap = choose_gap(room, gaps, longest_detail);
  layout.end = layout.column(picture.lifelines.empty() ? 0 : picture.lifelines.size() - 1) + 1;
  const std::size_t detail_at = layout.end + 3;
  layout.detail = paper.columns > detail_at ? paper.columns - detail_at : detail_min;
  return layout;
}

// One line of cells, each a glyph of one column.
class Line {
 public:
  explicit Line(std::size_t columns) : cells_(columns, " ") {}
  void put(std::size_t column, std::string_view glyph) {
    if (column < cells_.size()) cells_[column] = glyph;
  }
  void put_text(std::size_t column, std::string_view ascii) {
    for (std::size_t i = 0; i < ascii.size(); ++i) put(column + i, ascii.substr(i, 1));
  }
  // Cells [from, to) as text.
  [[nodiscard]] std::string text(std::size_t from, std::size_t to) const {
    std::string out;
    for (std::size_t i = from; i < std::min(to, cells_.size()); ++i) out += cells_[i];
    return out;
  }
  [[nodiscard]] std::size_t size() const { return cells_.size(); }

 private:
  std::vector<std::string> cells_;
};

// Names above their lifelines; those that would touch the one before go a line higher.
std::string heading(const Picture& picture, const Layout& layout, const Paper& paper) {
  std::vector<std::size_t> used;  // per level: the first free column
  std::vector<std::vector<std::pair<std::size_t, std::string>>> levels;
  for (std::size_t i = 0; i < picture.lifelines.size(); ++i) {
    const std::string name = fit(paper, picture.lifelines[i], 24);
    const std::size_t half = columns_of(name) / 2;
    const std::size_t start = layout.column(i) > half ? layout.column(i) - half : 0;
    std::size_t level = 0;
    while (level < used.size() && used[level] > start) ++level;
    if (level == used.size()) {
      used.push_back(0);
      levels.emplace_back();
    }
    used[level] = start + columns_of(name) + 1;
    levels[level].emplace_back(start, name);
  }
  std::string out;
  for (std::size_t level = levels.size(); level-- > 0;) {
    std::string line;
    if (level == 0) {
      line = fmt::format("{:>{}}{:>{}}", "no.", layout.number, "time",
                         layout.time - layout.number - 2);
    }
    for (const auto& [start, name] : levels[level]) {
      line += std::string(start - std::min(start, columns_of(line)), ' ') + name;
    }
    out += paint(paper, Ink::bold, line) + "\n";
  }
  return out;
}

// The columns an arrow covers, from tail to head.
struct Shaft {
  std::size_t tail = 0, head = 0;
  [[nodiscard]] std::size_t low() const { return std::min(tail, head); }
  [[nodiscard]] std::size_t high() const { return std::max(tail, head); }
};

void draw_shaft(Line& line, const Shaft& shaft, const Layout& layout, const Picture& picture,
                const Row& row, const Glyphs& glyphs) {
  for (std::size_t c = shaft.low() + 1; c < shaft.high(); ++c)
    line.put(c, row.is_folded ? glyphs.dots : glyphs.dash);
  for (std::size_t i = 0; i < picture.lifelines.size(); ++i) {
    const std::size_t column = layout.column(i);
    if (column > shaft.low() && column < shaft.high()) line.put(column, glyphs.crossing);
  }
  const bool goes_right = shaft.head > shaft.tail;
  if (row.lost_at_half.has_value()) {
    line.put(shaft.head, glyphs.lost);
  } else {
    line.put(goes_right ? shaft.head - 1 : shaft.head + 1, goes_right ? glyphs.right : glyphs.left);
  }
}

// The title in the first gap the arrow covers, if there is room for it there.
bool put_title(Line& line, const Shaft& shaft, const Layout& layout, const Row& row) {
  const std::size_t room = std::min(layout.gap, shaft.high() - shaft.low());
  if (row.title.empty() || row.title.size() + 4 > room) return false;
  const std::string text = " " + row.title + " ";
  const bool goes_right = shaft.head > shaft.tail;
  const std::size_t start = goes_right ? shaft.tail : shaft.tail - room;
  line.put_text(start + (room - text.size() + 1) / 2 + (goes_right ? 0 : 1), text);
  return true;
}

Shaft shaft_of(const Row& row, const Layout& layout) {
  Shaft shaft{layout.column(row.from), layout.column(row.to)};
  if (!row.lost_at_half.has_value()) return shaft;
  const std::size_t half = *row.lost_at_half;
  shaft.head = layout.first + half * layout.gap / 2;
  // Lost at the very node that sent it: the arrow still shows which way it was going.
  if (shaft.head == shaft.tail) {
    if (row.to >= row.from) shaft.head = shaft.tail + 2;
    if (row.to < row.from) shaft.head = shaft.tail - 2;
  }
  return shaft;
}

std::string margin(const Row& row, const Layout& layout) {
  const std::string number = row.number == 0 ? "" : fmt::format("{}", row.number);
  return fmt::format("{:>{}}{:>{}}  ", number, layout.number, seconds(row.at),
                     layout.time - layout.number - 2);
}

std::string arrow_line(const Picture& picture, const Row& row, const Layout& layout,
                       const Paper& paper, const Glyphs& glyphs) {
  Line line(layout.end);
  for (std::size_t i = 0; i < picture.lifelines.size(); ++i) {
    line.put(layout.column(i), glyphs.lifeline);
  }
  const Shaft shaft = shaft_of(row, layout);
  bool has_title = false;
  if (shaft.tail == shaft.head) {
    line.put(shaft.tail, glyphs.remark);
  } else {
    draw_shaft(line, shaft, layout, picture, row, glyphs);
    has_title = put_title(line, shaft, layout, row);
  }
  std::string detail = row.detail;
  if (!has_title && !row.title.empty()) {
    detail = row.title + (detail.empty() ? "" : "  ") + detail;
  }
  const std::size_t high = std::min(shaft.high() + 1, line.size());
  std::string out = margin(row, layout);
  out += line.text(layout.time, shaft.low());
  out += paint(paper, row.ink, line.text(shaft.low(), high));
  out += line.text(high, line.size());
  out += "   " + paint(paper, row.ink, fit(paper, detail, layout.detail));
  return out;
}

std::string note_line(const Row& row, const Layout& layout, const Paper& paper) {
  const std::string_view mark = paper.has_utf8 ? "· " : ". ";
  const std::size_t room = paper.columns - std::min(paper.columns, layout.time + 2);
  const std::string text = std::string(mark) + fit(paper, row.detail, room);
  return margin(row, layout) + paint(paper, row.ink, text);
}

}  // namespace

std::string draw(const Picture& picture, const Paper& paper) {
  const Layout layout = lay_out(picture, paper);
  const Glyphs& glyphs = paper.has_utf8 ? utf8_glyphs : ascii_glyphs;
  std::string out = heading(picture, layout, paper);
  for (const Row& row : picture.rows) {
    std::string line = row.is_note ? note_line(row, layout, paper)
                                   : arrow_line(picture, row, layout, paper, glyphs);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace lanyard::cli
