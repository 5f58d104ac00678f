// SPDX-License-Identifier: Apache-2.0
#include "wire/dns_name.hh"

#include <fmt/format.h>

#include <algorithm>

namespace lanyard::dns {
namespace {

constexpr std::size_t header_size = 12;
// A legal name has at most 127 labels, so an honest chain of pointers is no longer.
constexpr int jumps_max = 127;

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// One character of a text name, with its escapes; moves `at` behind it.
std::optional<char> unescape(std::string_view text, std::size_t& at) {
  if (text[at] != '\\') return text[at++];
  const std::string_view rest = text.substr(at + 1);
  if (rest.empty()) return std::nullopt;
  if (!is_digit(rest[0])) {
    at += 2;
    return rest[0];
  }
  if (rest.size() < 3 || !is_digit(rest[1]) || !is_digit(rest[2])) return std::nullopt;
  const int value = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
  if (value > 255) return std::nullopt;
  at += 4;
  return static_cast<char>(value);
}

}  // namespace

std::optional<Name> Name::parse(std::string_view text) {
  Name name;
  if (text == ".") return name;
  if (text.empty()) return std::nullopt;
  std::string label;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '.') {
      if (!name.append_label(label)) return std::nullopt;
      label.clear();
      ++at;
      continue;
    }
    const std::optional<char> c = unescape(text, at);
    if (!c) return std::nullopt;
    label += *c;
  }
  if (!label.empty() && !name.append_label(label)) return std::nullopt;
  return name;
}

// RFC 1035 4.1.4 [RFC1035-4.1.4-a], BI-83: a pointer goes before the name part it ends, never into
// the header, and there are only so many.
std::expected<Name, Error> Name::read(Bytes message, std::size_t& at) {
  Name name;
  std::size_t from = at;  // what is being read
  std::size_t part = at;  // where the part being read began
  bool has_jumped = false;
  for (int jumps = 0;;) {
    if (from >= message.size()) return std::unexpected(Error{from, "name leaves the message"});
    const std::uint8_t length = message[from];
    if (length == 0) {
      if (!has_jumped) at = from + 1;
      return name;
    }
    if (length >= 0xc0) {
      if (from + 2 > message.size()) return std::unexpected(Error{from, "pointer cut short"});
      const std::size_t target = load16(message.data() + from) & 0x3fffU;
      if (target < header_size) return std::unexpected(Error{from, "pointer into the header"});
      if (target >= part) return std::unexpected(Error{from, "pointer does not go backwards"});
      if (++jumps > jumps_max) return std::unexpected(Error{from, "too many pointers"});
      if (!has_jumped) at = from + 2;
      has_jumped = true;
      from = part = target;
      continue;
    }
    if (length > label_size_max) return std::unexpected(Error{from, "unknown label type"});
    if (from + 1 + length > message.size()) {
      return std::unexpected(Error{from, "label leaves the message"});
    }
    if (!name.append_label(text_of(message.subspan(from + 1, length)))) {
      return std::unexpected(Error{from, "name longer than 255 bytes"});
    }
    from += std::size_t{1} + length;
  }
}

Name Name::parent() const {
  Name name;
  if (!is_root()) name.labels_ = labels_.substr(first_label().size() + 1);
  return name;
}

std::string_view Name::first_label() const {
  if (is_root()) return {};
  return std::string_view(labels_).substr(1, static_cast<std::uint8_t>(labels_[0]));
}

bool Name::is_within(const Name& zone) const {
  Name name = *this;
  while (name.labels_.size() > zone.labels_.size()) name = name.parent();
  return name == zone;
}

Name Name::lower_case() const {
  Name name = *this;
  // Length bytes are below 64, so that none of them looks like a capital letter.
  std::transform(name.labels_.begin(), name.labels_.end(), name.labels_.begin(), lower);
  return name;
}

bool Name::append_label(std::string_view label) {
  if (label.empty() || label.size() > label_size_max) return false;
  if (wire_size() + 1 + label.size() > name_size_max) return false;
  labels_ += static_cast<char>(label.size());
  labels_ += label;
  return true;
}

// RFC 1035 2.3.3: letters are compared without regard to case.
bool operator==(const Name& a, const Name& b) {
  return std::equal(a.labels_.begin(), a.labels_.end(), b.labels_.begin(), b.labels_.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::weak_ordering operator<=>(const Name& a, const Name& b) {
  return a.lower_case().labels_ <=> b.lower_case().labels_;
}

std::string to_text(const Name& name) {
  if (name.is_root()) return ".";
  std::string text;
  for (std::string_view rest = name.labels(); !rest.empty();) {
    const std::size_t size = static_cast<std::uint8_t>(rest[0]);
    if (!text.empty()) text += '.';
    for (const char c : rest.substr(1, size)) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (c == '.' || c == '\\') {
        text += '\\';
        text += c;
      } else if (byte > 0x20 && byte < 0x7f) {
        text += c;
      } else {
        text += fmt::format("\\{:03}", byte);
      }
    }
    rest = rest.substr(1 + size);
  }
  return text;
}

}  // namespace lanyard::dns
