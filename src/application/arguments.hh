// SPDX-License-Identifier: Apache-2.0
// The command line of a built-in program, read against what the program accepts; anything else is
// an error in words.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lanyard::application {

// What a program accepts: options with a value ("-c 3"), options without ("--udp"), how many plain
// words.
struct Accepted {
  std::set<std::string, std::less<>> with_value;
  std::set<std::string, std::less<>> without_value;
  std::size_t words_min = 0;
  std::size_t words_max = 0;
};

class Arguments {
 public:
  // `arguments` does not hold the program's own name.
  Arguments(std::span<const std::string> arguments, const Accepted& accepted);

  // What is wrong, empty if nothing. Reading a number may set it too, so look after that.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
  [[nodiscard]] bool has(std::string_view option) const { return options_.contains(option); }
  [[nodiscard]] std::optional<std::string> value(std::string_view option) const;
  // A whole number within [least, most], or `otherwise` if the option was not given.
  [[nodiscard]] std::uint64_t number(std::string_view option, std::uint64_t otherwise,
                                     std::uint64_t least, std::uint64_t most);
  // The same for a plain word.
  [[nodiscard]] std::uint64_t word_number(std::size_t index, std::uint64_t otherwise,
                                          std::uint64_t least, std::uint64_t most);

 private:
  std::uint64_t checked(std::string_view what, std::string_view text, std::uint64_t least,
                        std::uint64_t most);
  std::map<std::string, std::string, std::less<>> options_;
  std::vector<std::string> words_;
  std::string problem_;
};

}  // namespace lanyard::application
