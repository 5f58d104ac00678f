// SPDX-License-Identifier: Apache-2.0
#include "cli/hex_text.hh"

#include <fmt/format.h>

#include "cli/text.hh"

namespace lanyard::cli {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_separator(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ':' || c == '-' || c == ',';
}

}  // namespace

std::expected<std::vector<std::uint8_t>, std::string> parse_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  int high = -1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_separator(text[i])) continue;
    const bool is_prefix = text[i] == '0' && high < 0 && i + 1 < text.size() &&
                           (text[i + 1] == 'x' || text[i + 1] == 'X');
    if (is_prefix) {
      ++i;
      continue;
    }
    const int digit = digit_of(text[i]);
    if (digit < 0) {
      return std::unexpected(fmt::format("'{}' at character {} is not a hex digit",
                                         printable(text.substr(i, 1)), i + 1));
    }
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high * 16 + digit));
      high = -1;
    }
  }
  if (high >= 0) return std::unexpected("an odd number of hex digits: the last byte is half there");
  if (bytes.empty()) return std::unexpected("no bytes");
  return bytes;
}

}  // namespace lanyard::cli
