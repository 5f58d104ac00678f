// SPDX-License-Identifier: Apache-2.0
#include "lab/words.hh"

#include <fmt/format.h>

namespace lanyard::lab {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// The end of the word that begins at `start`.
std::size_t end_of_word(std::string_view line, std::size_t start) {
  if (line[start] == ',') return start + 1;
  if (line[start] == '"') {
    const std::size_t close = line.find('"', start + 1);
    return close == std::string_view::npos ? line.size() : close + 1;
  }
  std::size_t end = start;
  while (end < line.size() && !is_blank(line[end]) && line[end] != ',') ++end;
  return end;
}

}  // namespace

Words::Words(std::string_view line) : line_(line) {
  std::size_t at = 0;
  while (at < line.size()) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    const std::size_t end = end_of_word(line, at);
    words_.push_back({line.substr(at, end - at), at});
    at = end;
  }
}

std::string ordinal(std::uint64_t number) {
  const std::uint64_t last = number % 10;
  const bool is_teen = number % 100 / 10 == 1;
  const std::string_view ending = is_teen || last == 0 || last > 3 ? "th"
                                  : last == 1                      ? "st"
                                  : last == 2                      ? "nd"
                                                                   : "rd";
  return fmt::format("{}{}", number, ending);
}

std::uint64_t number_of_ordinal(std::string_view word) {
  constexpr std::uint64_t max = 1'000'000'000'000;
  std::uint64_t number = 0;
  std::size_t digits = 0;
  for (; digits < word.size() && word[digits] >= '0' && word[digits] <= '9'; ++digits) {
    number = number * 10 + static_cast<std::uint64_t>(word[digits] - '0');
    if (number > max) return 0;
  }
  const std::string_view ending = word.substr(digits);
  const bool is_one = ending == "st" || ending == "nd" || ending == "rd" || ending == "th";
  return digits > 0 && is_one ? number : 0;
}

}  // namespace lanyard::lab
