// SPDX-License-Identifier: Apache-2.0
// The congestion controls there are, by the names that TCP_CONGESTION has for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace lanyard::congestion {

class Control;

enum class Kind : std::uint8_t { cubic, reno };

[[nodiscard]] std::string_view to_text(Kind kind);
[[nodiscard]] std::optional<Kind> kind_of(std::string_view name);
// `syn_was_lost`: RFC 6928 2, RFC 5681 3.1: start with one segment.
[[nodiscard]] std::unique_ptr<Control> make(Kind kind, std::uint32_t segment_bytes,
                                            bool syn_was_lost);

}  // namespace lanyard::congestion
