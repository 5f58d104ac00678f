// SPDX-License-Identifier: Apache-2.0
// "did you mean ...?": the known word nearest to a misspelt one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lanyard::lab {

// The nearest of `known`, if it is near enough to be what was meant; otherwise empty. Ties go to
// the first.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string> known);
// "did you mean `delay`?", or "known are a, b and c" when nothing is near; at most twelve are
// listed.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string> known);

// ASCII letters in lower case, as names are compared (RFC 4343).
[[nodiscard]] std::string lower(std::string_view text);

}  // namespace lanyard::lab
