// SPDX-License-Identifier: Apache-2.0
// The options of neighbour discovery (RFC 4861 4.6, RFC 8106 DNS, RFC 3971 nonce).
//
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |     Type      |    Length     |              ...              ~   length in 8-byte units,
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+   type and length included
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.hh"
#include "wire/address.hh"

namespace lanyard::ndp {

namespace option {
inline constexpr std::uint8_t source_link_address = 1;
inline constexpr std::uint8_t target_link_address = 2;
inline constexpr std::uint8_t prefix_information = 3;
inline constexpr std::uint8_t redirected_header = 4;
inline constexpr std::uint8_t mtu = 5;
inline constexpr std::uint8_t nonce = 14;
inline constexpr std::uint8_t dns_servers = 25;
}  // namespace option

struct PrefixInformation {
  IpPrefix prefix{};
  bool is_on_link = false;
  bool is_autonomous = false;
  std::uint32_t valid_lifetime_s = 0;      // 2^32 - 1: for ever
  std::uint32_t preferred_lifetime_s = 0;  // may exceed the valid one: RFC 4862 5.5.3 c) ignores it
  friend bool operator==(const PrefixInformation&, const PrefixInformation&) = default;
};

struct DnsServers {
  std::uint32_t lifetime_s = 0;
  std::vector<IpAddress> addresses{};
  friend bool operator==(const DnsServers&, const DnsServers&) = default;
};

// The options of one message, by meaning. Unknown options are skipped, and those whose own length
// is wrong; of a single-valued option that comes twice the first counts.
struct Options {
  std::optional<MacAddress> source_link_address{};
  std::optional<MacAddress> target_link_address{};
  std::vector<PrefixInformation> prefixes{};
  std::optional<std::uint32_t> mtu{};
  std::optional<std::array<std::uint8_t, 6>> nonce{};
  std::optional<DnsServers> dns_servers{};
  Bytes redirected_header{};  // the quoted packet; points into the message

  // Nothing when an option has length zero or leads past the end: then the message is discarded.
  [[nodiscard]] static std::optional<Options> parse(Bytes bytes);
  [[nodiscard]] std::size_t size() const;
  void write(std::uint8_t* to) const;  // size() bytes
};

// One option as it stands.
struct RawOption {
  std::uint8_t type = 0;
  std::size_t offset = 0;  // in the options
  Bytes bytes{};           // all of it; a multiple of 8
};

class OptionReader {
 public:
  explicit OptionReader(Bytes options) : options_(options) {}
  [[nodiscard]] std::optional<RawOption> next();
  [[nodiscard]] bool is_malformed() const { return is_malformed_; }
  [[nodiscard]] std::size_t offset() const { return at_; }

 private:
  Bytes options_;
  std::size_t at_ = 0;
  bool is_malformed_ = false;
};

}  // namespace lanyard::ndp
