// SPDX-License-Identifier: Apache-2.0
// Quantities as people write them in a lab file: a number and a unit, exact (no floating point).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "core/time.hh"

namespace lanyard::lab {

// What is wrong with a quantity and what would be right: {"bad delay `20`", "write a number and
// ..."}.
struct UnitProblem {
  std::string what, fix;
};

// `name` is what the quantity is, for the message: "delay".
// "20ms": ns us ms s min h d; "0" needs no unit. Never negative.
[[nodiscard]] std::expected<Duration, UnitProblem> parse_duration(std::string_view text,
                                                                  std::string_view name);
// "50Mbit" (or 50Mbit/s, 50Mbps): bits a second; bit kbit Mbit Gbit Tbit, in steps of 1000. Never
// 0.
[[nodiscard]] std::expected<std::uint64_t, UnitProblem> parse_rate(std::string_view text,
                                                                   std::string_view name);
// "64KB": bytes; B KB MB GB in steps of 1000, KiB MiB GiB of 1024.
[[nodiscard]] std::expected<std::uint64_t, UnitProblem> parse_size(std::string_view text,
                                                                   std::string_view name);
// "1%", "0.25%": parts of a thousand million.
[[nodiscard]] std::expected<std::uint64_t, UnitProblem> parse_share(std::string_view text,
                                                                    std::string_view name);
// A whole number without a unit, at most `max`.
[[nodiscard]] std::expected<std::uint64_t, UnitProblem> parse_count(std::string_view text,
                                                                    std::string_view name,
                                                                    std::uint64_t max);

// "50Mbit", "64KB", "1%": the shortest exact form.
[[nodiscard]] std::string rate_text(std::uint64_t bits_per_second);
[[nodiscard]] std::string size_text(std::uint64_t bytes);
[[nodiscard]] std::string share_text(std::uint64_t parts_per_billion);

}  // namespace lanyard::lab
