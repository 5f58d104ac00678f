// SPDX-License-Identifier: Apache-2.0
// One line of `check:`: what must be true of a run. parse_check reads it, checks.hh judges it.
//   alice exits 0              alice prints "text"         alice prints nothing
//   tcp retransmits > 0        alice tcp resets == 0       packets arp <= 20        bytes < 5MB
//   drops == 0                 drops (r1 -- dc) > 0        drops queue full == 0    alice ends
//   before 3s                  tcp retransmits (bob) == 0 within 5s
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "core/time.hh"

namespace lanyard::lab {

enum class CheckKind : std::uint8_t { exits, prints, prints_nothing, ends_before, counter };
enum class Comparison : std::uint8_t {
  less,
  less_or_equal,
  equal,
  not_equal,
  greater_or_equal,
  greater
};

struct Check {
  CheckKind kind = CheckKind::counter;
  std::string subject =
      {};  // a host or program; counters: a host, a link "a -- b", or empty for the whole lab
  std::string counter = {};  // "tcp retransmits", "packets arp", "drops queue full", ... (checks.cc
                             // has the table)
  Comparison comparison = Comparison::equal;
  std::int64_t number = 0;  // exits: the status
  std::string text = {};    // prints
  Duration limit = {};      // ends_before; counters: within
};

// What is wrong with a line, where in it (from 0), and what would be right.
struct CheckProblem {
  std::size_t offset = 0;
  std::string what, fix;
};

// Reads the words; whether the subject exists is for the caller to see.
[[nodiscard]] std::expected<Check, CheckProblem> parse_check(std::string_view line);

}  // namespace lanyard::lab
