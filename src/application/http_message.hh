// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 messages (RFC 9112 in the part a small server and client need): heads, and bodies by
// length, chunks or close. Everything read from the other side is bounded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "socket/process.hh"

namespace lanyard::application {

inline constexpr std::size_t http_head_bytes_max = 32 * 1024;
inline constexpr std::uint64_t http_body_bytes_max = 64 * 1024 * 1024;  // of a body kept in memory

// A start line of three parts and the header fields, names in lower case. A repeated field is
// joined by ", ".
struct HttpHead {
  std::string first, second, third;
  std::map<std::string, std::string, std::less<>> fields;

  // Reads a head without its empty last line; nothing if it is not one.
  [[nodiscard]] static std::optional<HttpHead> parse(std::string_view text);
  [[nodiscard]] std::string_view field(std::string_view name) const;
  [[nodiscard]] bool has_token(std::string_view field_name, std::string_view token) const;
};

// Reads messages off a stream; keeps what came after the last one.
class HttpReader {
 public:
  explicit HttpReader(socket::Socket& socket) : socket_(socket) {}

  enum class Failure : std::uint8_t { closed, malformed, too_large, reset };
  template <typename T>
  using Read = std::expected<T, Failure>;

  // `closed` only if the stream ended before the first byte.
  [[nodiscard]] Read<HttpHead> head();
  // The body that belongs to `head`. `until_close`: a response without a length lasts until the end
  // of the stream. Each piece goes to `take`; returns the number of bytes.
  [[nodiscard]] Read<std::uint64_t> body(const HttpHead& head, bool until_close,
                                         const std::function<void(std::string_view)>& take);

 private:
  Read<std::string> line(std::size_t bytes_max);
  Read<std::uint64_t> exactly(std::uint64_t bytes,
                              const std::function<void(std::string_view)>& take);
  Read<std::uint64_t> chunks(const std::function<void(std::string_view)>& take);
  Read<std::uint64_t> rest(const std::function<void(std::string_view)>& take);
  Read<void> fill();
  socket::Socket& socket_;
  std::string kept_;
};

}  // namespace lanyard::application
