// SPDX-License-Identifier: Apache-2.0
// Command lines as `run:` writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanyard::lab {

// The words of a command line as a shell would split them: blanks separate, quotes and backslashes
// join. Nothing if it asks for more than words (a pipe, `;`, a variable ...) or a quote is not
// closed.
[[nodiscard]] std::optional<std::vector<std::string>> words_of(std::string_view command);

// The other way: one line that words_of and a shell split into these words.
[[nodiscard]] std::string line_of(const std::vector<std::string>& words);

}  // namespace lanyard::lab
