// SPDX-License-Identifier: Apache-2.0
// DHCPv6 messages between clients and servers (RFC 8415 8, 21), read whole into values.
//
//   +---------------+-----------------------------------------------+
//   |  msg-type (1) |              transaction-id (3)               |
//   +---------------+-----------------------------------------------+
//   |  option-code (2)              |  option-len (2)               |
//   |  option-data: for an IA_NA the IAID, T1 and T2 (4 each), then options again
//   +---------------------------------------------------------------+
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hh"
#include "wire/address.hh"

namespace lanyard::dhcp6 {

inline constexpr Port client_port = 546;
inline constexpr Port server_port = 547;
inline constexpr std::size_t addresses_max = 16;   // of one IA: more are passed over
inline constexpr std::size_t duid_size_max = 130;  // RFC 8415 11.1

// ff02::1:2, where servers and relays listen.
[[nodiscard]] IpAddress all_servers();

namespace option {
inline constexpr std::uint16_t client_identifier = 1;
inline constexpr std::uint16_t server_identifier = 2;
inline constexpr std::uint16_t ia_na = 3;
inline constexpr std::uint16_t ia_address = 5;
inline constexpr std::uint16_t requested = 6;
inline constexpr std::uint16_t preference = 7;
inline constexpr std::uint16_t elapsed_time = 8;
inline constexpr std::uint16_t status = 13;
inline constexpr std::uint16_t name_servers = 23;
}  // namespace option

enum class Type : std::uint8_t {
  solicit = 1,
  advertise = 2,
  request = 3,
  confirm = 4,
  renew = 5,
  rebind = 6,
  reply = 7,
  release = 8,
  decline = 9,
  information_request = 11
};
[[nodiscard]] std::string_view to_text(Type type);

// RFC 8415 21.13. Any other value may appear.
enum class Status : std::uint16_t {
  success = 0,
  unspecified = 1,
  no_addresses = 2,
  no_binding = 3,
  not_on_link = 4,
  use_multicast = 5
};

using Duid = std::vector<std::uint8_t>;
// RFC 8415 11.4: of a link-layer address.
[[nodiscard]] Duid duid_of(const MacAddress& mac);

inline constexpr std::uint32_t for_ever_s = 0xffffffff;

struct IaAddress {
  IpAddress address{};
  std::uint32_t preferred_s = 0, valid_s = 0;
  friend bool operator==(const IaAddress&, const IaAddress&) = default;
};

// An identity association for addresses.
struct Ia {
  std::uint32_t id = 0;
  std::uint32_t t1_s = 0, t2_s = 0;
  std::vector<IaAddress> addresses{};
  Status status = Status::success;
  friend bool operator==(const Ia&, const Ia&) = default;
};

struct Message {
  Type type = Type::solicit;
  std::uint32_t transaction = 0;  // 24 bits
  Duid client{}, server{};        // empty: not there
  std::optional<Ia> ia{};         // the first
  std::vector<std::uint16_t> requested{};
  std::uint8_t preference = 0;
  std::optional<std::uint16_t> elapsed{};  // hundredths of a second
  Status status = Status::success;
  std::vector<IpAddress> name_servers{};

  friend bool operator==(const Message&, const Message&) = default;
};

// The message, or why it is none: cut short, a type not between clients and servers, an option (in
// an IA too) that leads outside, a DUID or an IA of an impossible length.
[[nodiscard]] std::expected<Message, std::string_view> parse(Bytes bytes);
[[nodiscard]] std::vector<std::uint8_t> write(const Message& message);

}  // namespace lanyard::dhcp6
