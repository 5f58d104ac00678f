// SPDX-License-Identifier: Apache-2.0
#include "lab/nearest.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace lanyard::lab {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Damerau's distance with neighbours swapped counting once, letters compared without case. Words
// are short names, and longer ones are not looked at.
constexpr std::size_t word_max = 64;

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool is_same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (is_same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

std::string_view nearest(std::string_view word, std::span<const std::string> known) {
  if (word.empty() || word.size() > word_max) return {};
  std::string_view best;
  std::size_t best_distance = 1 + std::max<std::size_t>(1, word.size() / 3);
  for (const std::string& each : known) {
    if (each.size() > word_max || each.size() + best_distance < word.size() ||
        word.size() + best_distance < each.size())
      continue;
    const std::size_t far = distance(word, each);
    // Where every letter differs, nothing is near: `x` is no misspelt `a`.
    if (far < best_distance && far < std::max(word.size(), each.size())) {
      best_distance = far;
      best = each;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string> known) {
  if (const std::string_view near = nearest(word, known); !near.empty())
    return fmt::format("did you mean `{}`?", near);
  if (known.empty()) return "there are none";
  constexpr std::size_t listed_max = 12;
  const std::size_t listed = std::min(listed_max, known.size());
  std::string text = known.size() == 1 ? "known is " : "known are ";
  for (std::size_t i = 0; i < listed; ++i) {
    if (i > 0) text += i + 1 == known.size() ? " and " : ", ";
    text += known[i];
  }
  if (listed < known.size()) text += fmt::format(" and {} more", known.size() - listed);
  return text;
}

}  // namespace lanyard::lab
