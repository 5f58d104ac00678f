// SPDX-License-Identifier: Apache-2.0
// The options of an IPv4 header (RFC 791 3.1), read so that no length they claim can lead outside.
//
//   +--------+--------+--------+-- ... --+      type: 1 bit copied | 2 bits class | 5 bits number
//   |  type  | length |      data        |      length counts type and length byte too;
//   +--------+--------+--------+-- ... --+      types 0 and 1 are one byte long
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/bytes.hh"

namespace lanyard::ipv4 {

namespace option {
inline constexpr std::uint8_t end_of_list = 0;
inline constexpr std::uint8_t no_operation = 1;
inline constexpr std::uint8_t record_route = 7;
inline constexpr std::uint8_t timestamp = 68;
inline constexpr std::uint8_t security = 130;
inline constexpr std::uint8_t loose_source_route = 131;
inline constexpr std::uint8_t stream_identifier = 136;
inline constexpr std::uint8_t strict_source_route = 137;
inline constexpr std::uint8_t router_alert = 148;
}  // namespace option

struct Option {
  std::uint8_t type = 0;
  std::size_t offset = 0;  // in the options
  Bytes bytes{};           // all of it: type, length, data
  Bytes data{};            // without type and length

  // RFC 791: the option goes into every fragment.
  [[nodiscard]] bool is_copied() const { return (type & 0x80) != 0; }
};

// Walks options one by one up to End of Option List (not returned) or the first that is malformed.
class OptionReader {
 public:
  explicit OptionReader(Bytes options) : options_(options) {}
  // The next option, No Operations included; nothing at the end or at a malformed one.
  [[nodiscard]] std::optional<Option> next();
  [[nodiscard]] bool is_malformed() const { return is_malformed_; }
  // Where it stands in the options; after a malformed option: where that begins.
  [[nodiscard]] std::size_t offset() const { return at_; }

 private:
  Bytes options_;
  std::size_t at_ = 0;
  bool is_malformed_ = false;
};

// What the layer above must know about a header's options.
struct OptionFacts {
  bool is_malformed = false;
  std::size_t malformed_offset = 0;  // in the options: for a Parameter Problem's pointer
  unsigned source_routes = 0;        // LSRR and SSRR found; their content is checked when wanted
  bool has_router_alert = false;
};
[[nodiscard]] OptionFacts examine_options(Bytes options);

// A source route's place in itself (RFC 791 3.1, RFC 1122 3.2.1.8).
struct SourceRoute {
  bool is_strict = false;
  std::size_t pointer = 0;  // 4 is the first address; beyond the length: the route has ended
  Bytes addresses{};        // whole addresses only
};
// The route an LSRR or SSRR option carries; nothing if its length or pointer is impossible.
[[nodiscard]] std::optional<SourceRoute> source_route_of(const Option& option);

// The options that a fragment after the first carries.
struct FragmentOptions {
  std::array<std::uint8_t, 40> bytes{};
  std::size_t size = 0;
};
[[nodiscard]] FragmentOptions options_of_later_fragments(Bytes options);

}  // namespace lanyard::ipv4
