// SPDX-License-Identifier: Apache-2.0
// One line of a lab file taken word by word, with the place of each for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lanyard::lab {

// Words between blanks; a comma is a word of its own, and so is a text in double quotes (with its
// quotes).
class Words {
 public:
  explicit Words(std::string_view line);
  [[nodiscard]] bool is_empty() const { return at_ >= words_.size(); }
  [[nodiscard]] std::size_t left() const { return words_.size() - at_; }
  // Empty at the end.
  [[nodiscard]] std::string_view peek(std::size_t ahead = 0) const {
    return at_ + ahead < words_.size() ? words_[at_ + ahead].text : std::string_view{};
  }
  std::string_view take() {
    const std::string_view word = peek();
    if (!is_empty()) ++at_;
    return word;
  }
  bool take(std::string_view word) {
    if (peek() != word || is_empty()) return false;
    ++at_;
    return true;
  }
  // Where the next word stands in the line; its end, at the end.
  [[nodiscard]] std::size_t offset() const {
    return is_empty() ? line_.size() : words_[at_].offset;
  }
  // The line from the next word on.
  [[nodiscard]] std::string_view rest() const { return line_.substr(offset()); }

 private:
  struct Word {
    std::string_view text;
    std::size_t offset = 0;
  };
  std::string_view line_;
  std::vector<Word> words_;
  std::size_t at_ = 0;
};

// "7th", "22nd", "101st"; and 7 of "7th", 0 if it is none.
[[nodiscard]] std::string ordinal(std::uint64_t number);
[[nodiscard]] std::uint64_t number_of_ordinal(std::string_view word);

}  // namespace lanyard::lab
