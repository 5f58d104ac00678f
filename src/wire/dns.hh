// SPDX-License-Identifier: Apache-2.0
// DNS messages (RFC 1035 4, EDNS0 of RFC 6891), read whole into values and written with
// compression.
//
//     0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
//   +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//   |                      ID                       |
//   |QR|   Opcode  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |
//   |                    QDCOUNT                    |
//   |                    ANCOUNT                    |
//   |                    NSCOUNT                    |
//   |                    ARCOUNT                    |
//   +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/bytes.hh"
#include "wire/address.hh"
#include "wire/dns_name.hh"

namespace lanyard::dns {

inline constexpr Port port = 53;
inline constexpr std::size_t header_size = 12;
inline constexpr std::size_t udp_size_max = 512;  // without EDNS0 (RFC 1035 2.3.4)

// Any other 16-bit value may appear.
enum class Type : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  srv = 33,
  opt = 41,
  any = 255
};
enum class Class : std::uint16_t { internet = 1, any = 255 };
enum class ResponseCode : std::uint8_t {
  no_error = 0,
  format_error = 1,
  server_failure = 2,
  name_error = 3,
  not_implemented = 4,
  refused = 5
};

struct Question {
  Name name{};
  Type type = Type::a;
  Class qclass = Class::internet;
  friend bool operator==(const Question&, const Question&) = default;
};

struct Soa {
  Name primary{};
  Name mailbox{};
  std::uint32_t serial = 0;
  std::uint32_t refresh_s = 0;
  std::uint32_t retry_s = 0;
  std::uint32_t expire_s = 0;
  std::uint32_t minimum_s = 0;
  friend bool operator==(const Soa&, const Soa&) = default;
};
struct Mx {
  std::uint16_t preference = 0;
  Name exchange{};
  friend bool operator==(const Mx&, const Mx&) = default;
};
struct Txt {
  std::vector<std::string> strings{};  // each at most 255 bytes
  friend bool operator==(const Txt&, const Txt&) = default;
};
struct Srv {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  Name target{};
  friend bool operator==(const Srv&, const Srv&) = default;
};
// The data of a type that is not one of ours.
struct Opaque {
  std::vector<std::uint8_t> bytes{};
  friend bool operator==(const Opaque&, const Opaque&) = default;
};

// IpAddress: A and AAAA. Name: NS, CNAME and PTR.
using Data = std::variant<IpAddress, Name, Soa, Mx, Txt, Srv, Opaque>;

struct Record {
  Name name{};
  Type type = Type::a;
  Class rclass = Class::internet;
  std::uint32_t ttl_s = 0;
  Data data{};
  friend bool operator==(const Record&, const Record&) = default;
};

// The OPT record of RFC 6891, which is no record of any name.
struct Edns {
  std::uint16_t udp_size = 1232;
  std::uint8_t version = 0;
  bool dnssec_ok = false;
  std::vector<std::uint8_t> options{};
  friend bool operator==(const Edns&, const Edns&) = default;
};

struct Message {
  std::uint16_t id = 0;
  bool is_response = false;
  std::uint8_t opcode = 0;  // 0: a standard query
  bool is_authoritative = false;
  bool is_truncated = false;
  bool recursion_desired = false;
  bool recursion_available = false;
  bool authentic_data = false;
  bool checking_disabled = false;
  std::uint16_t response_code = 0;  // 12 bits, EDNS0's upper 8 included
  std::vector<Question> questions{};
  std::vector<Record> answers{};
  std::vector<Record> authorities{};
  std::vector<Record> additionals{};  // without OPT
  std::optional<Edns> edns{};
  friend bool operator==(const Message&, const Message&) = default;

  // The whole message or the first thing wrong with it. Bytes behind the last record are ignored.
  [[nodiscard]] static std::expected<Message, Error> parse(Bytes bytes);
  // The message as a wire carries it, names compressed. What does not fit into `size_max` is left
  // out, last first, and TC is set.
  [[nodiscard]] std::vector<std::uint8_t> write(std::size_t size_max = 0xffff) const;
};

// One piece of a message at `at`, which moves behind it.
[[nodiscard]] std::expected<Question, Error> read_question(Bytes message, std::size_t& at);
[[nodiscard]] std::expected<Record, Error> read_record(Bytes message, std::size_t& at);

// "AAAA", "TYPE99"; "No error", "No such name"; "bob.lab A 10.0.0.1".
[[nodiscard]] std::string to_text(Type type);
[[nodiscard]] std::string response_code_text(std::uint16_t code);
[[nodiscard]] std::string to_text(const Data& data);
[[nodiscard]] std::string to_text(const Record& record);

}  // namespace lanyard::dns
