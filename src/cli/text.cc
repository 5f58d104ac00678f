// SPDX-License-Identifier: Apache-2.0
#include "cli/text.hh"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace lanyard::cli {
namespace {

constexpr std::size_t columns_min = 60;
constexpr std::size_t columns_max = 160;

bool says_utf8(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return false;
  std::string text(value);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text.find("utf-8") != std::string::npos || text.find("utf8") != std::string::npos;
}

// LC_ALL overrules LC_CTYPE, which overrules LANG (locale(7)). None set is the C locale, but
// nearly every terminal of today shows UTF-8; only a locale that says otherwise turns it off.
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return says_utf8(name);
  }
  return true;
}

std::size_t width_of(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  const long asked = columns == nullptr ? 0 : std::strtol(columns, nullptr, 10);
  return asked > 0 ? static_cast<std::size_t>(asked) : Paper{}.columns;
}

std::string_view escape_of(Ink ink) {
  switch (ink) {
    case Ink::plain:
      return "";
    case Ink::bold:
      return "\x1b[1m";
    case Ink::dim:
      return "\x1b[2m";
    case Ink::red:
      return "\x1b[31m";
    case Ink::green:
      return "\x1b[32m";
    case Ink::yellow:
      return "\x1b[33m";
    case Ink::blue:
      return "\x1b[34m";
    case Ink::magenta:
      return "\x1b[35m";
    case Ink::cyan:
      return "\x1b[36m";
  }
  return "";
}

// The length of the well-formed UTF-8 sequence at the start of `text`, 0 if it is not one.
std::size_t sequence_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80                     ? 1
                             : first >= 0xc2 && first < 0xe0  ? 2
                             : first >= 0xe0 && first < 0xf0  ? 3
                             : first >= 0xf0 && first <= 0xf4 ? 4
                                                              : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  const auto second = length > 1 ? static_cast<unsigned char>(text[1]) : 0;
  // C1 controls, overlong forms and surrogates.
  if (first == 0xc2 && second < 0xa0) return 0;
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90)) return 0;
  return length;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789,.+-") == std::string_view::npos &&
         text != "-";
}

}  // namespace

Paper paper_of(int descriptor) {
  Paper paper;
  paper.has_utf8 = locale_is_utf8();
  paper.columns = std::clamp(width_of(descriptor), columns_min, columns_max);
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  paper.has_colour = isatty(descriptor) == 1 && (no_color == nullptr || *no_color == '\0') &&
                     term != nullptr && std::string_view(term) != "dumb";
  return paper;
}

std::string paint(const Paper& paper, Ink ink, std::string_view text) {
  if (!paper.has_colour || ink == Ink::plain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(ink), text);
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string fit(const Paper& paper, std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  const std::string_view ellipsis = paper.has_utf8 ? "…" : "~";
  if (columns == 0) return {};
  std::string cut;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < text.size() && taken + 1 < columns;) {
    const std::size_t length = std::max<std::size_t>(sequence_length(text.substr(i)), 1);
    cut += text.substr(i, length);
    i += length;
    ++taken;
  }
  return cut + std::string(ellipsis);
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = sequence_length(text.substr(i));
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += ' ';
    } else if (length == 0 || c < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", c);
    } else {
      out += text.substr(i, length);
    }
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4) {
    digits.insert(digits.size() - from_end, 1, ',');
  }
  return digits;
}

std::string bytes_text(std::uint64_t bytes) {
  return bytes == 1 ? "1 byte" : grouped(bytes) + " bytes";
}

std::string seconds(Instant at) {
  const std::int64_t us = at.since_start().count_us();
  return fmt::format("{}.{:06}", us / 1'000'000, us % 1'000'000);
}

std::string span_text(Duration duration) {
  const std::int64_t ns = duration.count_ns();
  if (ns < 0) return "-" + span_text(Duration::nanoseconds(-ns));
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return fmt::format("{}.{:03} us", ns / 1'000, ns % 1'000);
  if (ns < 1'000'000'000) return fmt::format("{}.{:03} ms", ns / 1'000'000, ns / 1'000 % 1'000);
  return fmt::format("{}.{:03} s", ns / 1'000'000'000, ns / 1'000'000 % 1'000);
}

std::string shell_quoted(std::string_view word) {
  constexpr std::string_view safe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(safe) == std::string_view::npos) {
    return std::string(word);
  }
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string Table::text(const Paper& paper) const {
  std::vector<std::size_t> widths;
  for (const std::string& cell : heading_) widths.push_back(columns_of(cell));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string gap(widths[i] - columns_of(cells[i]), ' ');
      if (i != 0) out += "  ";
      out += is_number(cells[i]) ? gap + cells[i] : cells[i] + gap;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
  };
  std::string out = paint(paper, Ink::bold, line(heading_)) + "\n";
  for (const auto& row : rows_) out += line(row) + "\n";
  return out;
}

}  // namespace lanyard::cli
