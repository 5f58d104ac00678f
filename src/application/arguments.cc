// SPDX-License-Identifier: Apache-2.0
#include "application/arguments.hh"

#include <charconv>

#include <fmt/format.h>

namespace lanyard::application {

Arguments::Arguments(std::span<const std::string> arguments, const Accepted& accepted) {
  for (std::size_t i = 0; i < arguments.size() && problem_.empty(); ++i) {
    const std::string& argument = arguments[i];
    if (accepted.without_value.contains(argument)) {
      options_[argument] = "";
    } else if (accepted.with_value.contains(argument)) {
      if (i + 1 == arguments.size()) {
        problem_ = fmt::format("{} needs a value", argument);
      } else {
        options_[argument] = arguments[++i];
      }
    } else if (argument.size() > 1 && argument.starts_with('-')) {
      problem_ = fmt::format("unknown option {}", argument);
    } else {
      words_.push_back(argument);
    }
  }
  if (!problem_.empty()) return;
  if (words_.size() < accepted.words_min) problem_ = "too few words";
  if (words_.size() > accepted.words_max) {
    problem_ = fmt::format("'{}' is one word too many", words_[accepted.words_max]);
  }
}

std::optional<std::string> Arguments::value(std::string_view option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t Arguments::number(std::string_view option, std::uint64_t otherwise,
                                std::uint64_t least, std::uint64_t most) {
  const auto text = value(option);
  return text ? checked(option, *text, least, most) : otherwise;
}

std::uint64_t Arguments::word_number(std::size_t index, std::uint64_t otherwise,
                                     std::uint64_t least, std::uint64_t most) {
  return index < words_.size() ? checked("the number", words_[index], least, most) : otherwise;
}

std::uint64_t Arguments::checked(std::string_view what, std::string_view text, std::uint64_t least,
                                 std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    problem_ =
        fmt::format("{} must be a whole number from {} to {}, not '{}'", what, least, most, text);
    return least;
  }
  return number;
}

}  // namespace lanyard::application
