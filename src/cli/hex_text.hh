// SPDX-License-Identifier: Apache-2.0
// Hex text as people paste it: "ff:ff ff-ff", "0xffff", whole lines of xxd -p.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lanyard::cli {

// The bytes, or a sentence that says what is wrong and where.
[[nodiscard]] std::expected<std::vector<std::uint8_t>, std::string> parse_hex(
    std::string_view text);

}  // namespace lanyard::cli
