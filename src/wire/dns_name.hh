// SPDX-License-Identifier: Apache-2.0
// Domain names (RFC 1035 3.1, 4.1.4): labels of 1..63 bytes, at most 255 bytes on the wire, equal
// whatever the case of their letters.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hh"

namespace lanyard::dns {

inline constexpr std::size_t label_size_max = 63;
inline constexpr std::size_t name_size_max = 255;

// Why a message could not be read, and where.
struct Error {
  std::size_t offset = 0;
  std::string_view reason{};
};

class Name {
 public:
  Name() = default;  // the root
  // "bob.lab", "bob.lab.", "."; \. and \\ and \DDD as in RFC 1035 5.1. Nothing for an empty text,
  // an empty label or one too long.
  [[nodiscard]] static std::optional<Name> parse(std::string_view text);
  // A name of a message: `at` moves behind it. Compression is followed safely.
  [[nodiscard]] static std::expected<Name, Error> read(Bytes message, std::size_t& at);

  // The labels, each with its length byte, without the root's zero.
  [[nodiscard]] std::string_view labels() const { return labels_; }
  [[nodiscard]] bool is_root() const { return labels_.empty(); }
  [[nodiscard]] std::size_t wire_size() const { return labels_.size() + 1; }
  // The name without its first label; the root's parent is the root.
  [[nodiscard]] Name parent() const;
  // The first label.
  [[nodiscard]] std::string_view first_label() const;
  // Is this name `zone` or below it?
  [[nodiscard]] bool is_within(const Name& zone) const;
  // This name with its letters in lower case.
  [[nodiscard]] Name lower_case() const;
  // False when the name would grow too long; then it is unchanged.
  bool append_label(std::string_view label);

  friend bool operator==(const Name& a, const Name& b);
  friend std::weak_ordering operator<=>(const Name& a, const Name& b);

 private:
  std::string labels_;
};

// "bob.lab", "." for the root; no dot at the end.
[[nodiscard]] std::string to_text(const Name& name);

}  // namespace lanyard::dns
