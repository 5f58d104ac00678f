// SPDX-License-Identifier: Apache-2.0
// Addresses as text: RFC 4291 2.2 is read, RFC 5952 is written.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "wire/address.hh"

namespace lanyard {
namespace {

// A number written with only digits of `base` and no more than `digits_max` of them.
std::optional<unsigned> number(std::string_view text, int base, std::size_t digits_max,
                               unsigned max) {
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

// Cuts the text before the first `separator` off `rest` and returns it; all of it if there is none.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return part;
}

// Four decimal numbers, no leading zeros (they would be read as octal elsewhere).
bool parse_v4(std::string_view text, std::uint8_t* four) {
  for (int i = 0; i < 4; ++i) {
    const bool is_last = i == 3;
    if (is_last != (text.find('.') == std::string_view::npos)) return false;
    const std::string_view part = cut(text, '.');
    const std::optional<unsigned> value = number(part, 10, 3, 255);
    if (!value || (part.size() > 1 && part[0] == '0')) return false;
    four[i] = static_cast<std::uint8_t>(*value);
  }
  return true;
}

// Colon-separated groups into `to`, at most `room` bytes; a last group may be a dotted IPv4
// address. Returns the bytes written.
std::optional<std::size_t> parse_groups(std::string_view text, std::uint8_t* to, std::size_t room) {
  std::size_t size = 0;
  bool more = !text.empty();
  while (more) {
    more = text.find(':') != std::string_view::npos;
    const std::string_view part = cut(text, ':');
    if (!more && part.find('.') != std::string_view::npos) {
      if (size + 4 > room || !parse_v4(part, to + size)) return std::nullopt;
      return size + 4;
    }
    const std::optional<unsigned> value = number(part, 16, 4, 0xffff);
    if (!value || size + 2 > room) return std::nullopt;
    store16(to + size, static_cast<std::uint16_t>(*value));
    size += 2;
  }
  return size;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto size = parse_groups(text, bytes.data(), 16);
    if (size != 16U) return std::nullopt;
    return IpAddress::from_v6_bytes(bytes.data());
  }
  // Before "::" a dotted part cannot stand: it would not be last.
  const std::string_view before = text.substr(0, gap);
  if (before.find('.') != std::string_view::npos) return std::nullopt;
  const auto front = parse_groups(before, bytes.data(), 14);
  if (!front) return std::nullopt;
  std::array<std::uint8_t, 16> tail{};
  const auto back = parse_groups(text.substr(gap + 2), tail.data(), 14 - *front);
  if (!back) return std::nullopt;
  std::copy_n(tail.data(), *back, bytes.data() + 16 - *back);
  return IpAddress::from_v6_bytes(bytes.data());
}

// RFC 5952 4.2: the first longest run of two or more zero groups becomes "::".
struct ZeroRun {
  std::size_t start = 8;
  std::size_t length = 0;
};

ZeroRun longest_zero_run(const std::array<std::uint16_t, 8>& groups) {
  ZeroRun best;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i >= 2 && end - i > best.length) best = {i, end - i};
    i = end + 1;
  }
  return best;
}

std::string v6_text(const IpAddress& address) {
  std::array<std::uint16_t, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = load16(address.bytes().data() + 2 * i);
  const ZeroRun run = longest_zero_run(groups);
  std::string text;
  for (std::size_t i = 0; i < 8;) {
    if (i == run.start) {
      text += "::";
      i += run.length;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text += fmt::format("{:x}", groups[i++]);
  }
  return text;
}

}  // namespace

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  MacAddress address;
  for (std::size_t i = 0; i < 6; ++i) {
    const std::optional<unsigned> value = number(text.substr(3 * i, 2), 16, 2, 255);
    if (!value || (i < 5 && text[3 * i + 2] != ':' && text[3 * i + 2] != '-')) return std::nullopt;
    address.bytes[i] = static_cast<std::uint8_t>(*value);
  }
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  std::array<std::uint8_t, 4> four{};
  if (!parse_v4(text, four.data())) return std::nullopt;
  return from_v4_bytes(four.data());
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto length = number(text.substr(slash + 1), 10, 3, address->is_v4() ? 32 : 128);
  if (!length) return std::nullopt;
  return IpPrefix{*address, static_cast<std::uint8_t>(*length)};
}

std::string to_text(const MacAddress& address) {
  const auto& b = address.bytes;
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4],
                     b[5]);
}

std::string to_text(const IpAddress& address) {
  if (address.is_v6()) return v6_text(address);
  const std::uint8_t* four = address.bytes().data() + 12;
  return fmt::format("{}.{}.{}.{}", four[0], four[1], four[2], four[3]);
}

std::string to_text(const IpPrefix& prefix) {
  return fmt::format("{}/{}", to_text(prefix.address), prefix.length);
}

std::string to_text(const Endpoint& endpoint) {
  const std::string address = to_text(endpoint.address);
  return endpoint.address.is_v4() ? fmt::format("{}:{}", address, endpoint.port)
                                  : fmt::format("[{}]:{}", address, endpoint.port);
}

}  // namespace lanyard
