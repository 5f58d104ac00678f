// SPDX-License-Identifier: Apache-2.0
// DHCP messages (RFC 2131 2, options of RFC 2132), read whole into values.
//
//   +---------------+---------------+---------------+---------------+
//   |     op (1)    |   htype (1)   |   hlen (1)    |   hops (1)    |
//   |                            xid (4)                            |
//   |           secs (2)            |B|         flags (2)           |
//   |        ciaddr (4), yiaddr (4), siaddr (4), giaddr (4)         |
//   |            chaddr (16), sname (64), file (128)                |
//   |     99.130.83.99, then options: code, length, value ...       |
//   +---------------------------------------------------------------+
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hh"
#include "wire/address.hh"

namespace lanyard::dhcp {

inline constexpr Port server_port = 67;
inline constexpr Port client_port = 68;
inline constexpr std::size_t fixed_size = 236;
inline constexpr std::size_t message_size_min = 300;  // what relays of old take

namespace option {
inline constexpr std::uint8_t pad = 0;
inline constexpr std::uint8_t subnet_mask = 1;
inline constexpr std::uint8_t routers = 3;
inline constexpr std::uint8_t name_servers = 6;
inline constexpr std::uint8_t host_name = 12;
inline constexpr std::uint8_t domain_name = 15;
inline constexpr std::uint8_t requested_address = 50;
inline constexpr std::uint8_t lease_time = 51;
inline constexpr std::uint8_t overload = 52;
inline constexpr std::uint8_t message_type = 53;
inline constexpr std::uint8_t server_identifier = 54;
inline constexpr std::uint8_t parameters = 55;
inline constexpr std::uint8_t message = 56;
inline constexpr std::uint8_t renewal_time = 58;
inline constexpr std::uint8_t rebinding_time = 59;
inline constexpr std::uint8_t client_identifier = 61;
inline constexpr std::uint8_t end = 255;
}  // namespace option

enum class Type : std::uint8_t {
  discover = 1,
  offer = 2,
  request = 3,
  decline = 4,
  ack = 5,
  nak = 6,
  release = 7,
  inform = 8
};
// "DHCPDISCOVER"; "BOOTP" for no type.
[[nodiscard]] std::string_view to_text(Type type);

inline constexpr std::uint32_t for_ever_s = 0xffffffff;  // of a lease (RFC 2131 3.3)

// A message as far as we understand it. Addresses that are not said are 0.0.0.0.
struct Message {
  bool is_reply = false;
  std::uint8_t hops = 0;
  std::uint32_t transaction = 0;
  std::uint16_t seconds = 0;
  bool wants_broadcast = false;
  IpAddress client = IpAddress::any(Family::ipv4);  // ciaddr: it has it and answers for it
  IpAddress yours = IpAddress::any(Family::ipv4);   // yiaddr
  IpAddress next = IpAddress::any(Family::ipv4);    // siaddr
  IpAddress relay = IpAddress::any(Family::ipv4);   // giaddr
  MacAddress hardware{};                            // chaddr
  Type type = Type::discover;
  // Options; nothing: not there, or not as its kind must be.
  std::optional<IpAddress> requested{};
  std::optional<IpAddress> server{};
  std::optional<IpAddress> mask{};
  std::optional<std::uint32_t> lease_s{}, renewal_s{}, rebinding_s{};
  std::vector<IpAddress> routers{};
  std::vector<IpAddress> name_servers{};
  std::vector<std::uint8_t> client_identifier{};
  std::vector<std::uint8_t> parameters{};
  std::string host_name{}, domain_name{}, text{};

  friend bool operator==(const Message&, const Message&) = default;
};

// The message, or why it is none: cut short, no Ethernet address, no cookie, an option longer than
// what is left, no message type. Whatever else is wrong with an option makes it absent.
[[nodiscard]] std::expected<Message, std::string_view> parse(Bytes bytes);
[[nodiscard]] std::vector<std::uint8_t> write(const Message& message);

// A relay's change to a message that parsed (RFC 1542 4.1.1).
void set_relay(MutableBytes message, std::uint8_t hops, const IpAddress& relay);

// The options of a message by code, in pieces joined (RFC 3396), from the options field and where
// the overload option leads; in the order in which they first stand. `at` is where the first piece
// stands in the message.
struct Option {
  std::uint8_t code = 0;
  std::size_t at = 0;
  std::vector<std::uint8_t> value{};
};
// The reason for which the message must be dropped, if there is one.
[[nodiscard]] std::expected<std::vector<Option>, std::string_view> options_of(Bytes bytes);

// The prefix length of a mask; nothing if its ones are not all in front, or there are none.
[[nodiscard]] std::optional<std::uint8_t> length_of_mask(const IpAddress& mask);
[[nodiscard]] IpAddress mask_of_length(std::uint8_t length);

}  // namespace lanyard::dhcp
