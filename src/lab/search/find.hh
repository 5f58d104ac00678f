// SPDX-License-Identifier: Apache-2.0
// A run searched by a regular expression (RE2): through what TCP streams carried, put together
// again, through datagrams, and through what programs printed.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "lab/why/walk.hh"

namespace lanyard::lab::search {

enum class Where : std::uint8_t { tcp, udp, output };

struct Filter {
  std::string pattern{};  // RE2's syntax over bytes; ^ and $ are a line's ends
  bool ignores_case = false;
  std::vector<std::uint32_t> nodes{};  // empty: all; else one of them is an end, or saw it pass
  std::optional<std::size_t> flow{};   // only this conversation
  std::optional<Where> where{};
  Instant from = Instant::start(), to = Instant::never();
  std::size_t limit = 0;  // 0: all
};

struct Match {
  Instant at;  // when all of it was there
  Where where = Where::tcp;
  std::string who;                  // "alice:40000 -> bob:80", "alice"
  std::uint64_t packet = 0;         // that brought its first byte, as a frame of the file from 1
  std::int64_t offset = 0;          // in the stream or datagram, from 0
  std::string line;                 // the line or lines it is in
  std::size_t begin = 0, size = 0;  // of the match in them
};

// The error says what is wrong with the pattern.
[[nodiscard]] std::expected<std::vector<Match>, std::string> find(const why::Index& index,
                                                                  const Filter& filter);

}  // namespace lanyard::lab::search
