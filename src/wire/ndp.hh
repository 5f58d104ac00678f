// SPDX-License-Identifier: Apache-2.0
// Neighbour discovery (RFC 4861 4): five ICMPv6 messages, each with options (wire/ndp_options.hh).
//
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |     Type      |     Code 0    |          Checksum             |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  RA: Cur Hop Limit |M|O| Router Lifetime;  NA: |R|S|O|        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  RS: options;  RA: Reachable Time, Retrans Timer, options     |
//   |  NS, NA: Target Address, options                              |
//   |  Redirect: Target Address, Destination Address, options       |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <expected>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"
#include "wire/ndp_options.hh"

namespace lanyard::ndp {

// The ICMPv6 types. All messages travel with this hop limit, which no router lets through.
enum class Type : std::uint8_t {
  router_solicitation = 133,
  router_advertisement = 134,
  neighbour_solicitation = 135,
  neighbour_advertisement = 136,
  redirect = 137,
};
inline constexpr std::uint8_t hop_limit = 255;
[[nodiscard]] constexpr bool is_ndp(std::uint8_t icmp_type) {
  return icmp_type >= 133 && icmp_type <= 137;
}

// A message of one of the five types, code 0, long enough for its fixed part, whose options are
// all in bounds with no length zero, and whose target (NS, NA) is no group.
class View {
 public:
  // `message` is the whole ICMPv6 message. Error: bad_ndp. The checksum is not looked at.
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes message);

  [[nodiscard]] Type type() const { return static_cast<Type>(from_[0]); }
  [[nodiscard]] const Options& options() const { return options_; }

  // Neighbour solicitation, advertisement and redirect.
  [[nodiscard]] IpAddress target() const { return IpAddress::from_v6_bytes(from_ + 8); }
  // Redirect.
  [[nodiscard]] IpAddress destination() const { return IpAddress::from_v6_bytes(from_ + 24); }
  // Neighbour advertisement.
  [[nodiscard]] bool is_router() const { return (from_[4] & 0x80) != 0; }
  [[nodiscard]] bool is_solicited() const { return (from_[4] & 0x40) != 0; }
  [[nodiscard]] bool is_override() const { return (from_[4] & 0x20) != 0; }
  // Router advertisement.
  [[nodiscard]] std::uint8_t current_hop_limit() const { return from_[4]; }
  [[nodiscard]] bool is_managed() const { return (from_[5] & 0x80) != 0; }
  [[nodiscard]] bool has_other_configuration() const { return (from_[5] & 0x40) != 0; }
  [[nodiscard]] std::uint16_t router_lifetime_s() const { return load16(from_ + 6); }
  [[nodiscard]] std::uint32_t reachable_time_ms() const { return load32(from_ + 8); }
  [[nodiscard]] std::uint32_t retrans_timer_ms() const { return load32(from_ + 12); }

 private:
  explicit View(const std::uint8_t* from) : from_(from) {}
  const std::uint8_t* from_;
  Options options_;
};

// The checks of RFC 4861 6.1, 7.1 and 8.1 that need the IP header besides the message: hop limit
// 255, link-local sources, what :: may ask, S clear to a group.
[[nodiscard]] bool is_acceptable(const View& view, const IpAddress& source,
                                 const IpAddress& destination, std::uint8_t received_hop_limit);

// What is sent: only the fields of its type count.
struct Message {
  Type type = Type::neighbour_solicitation;
  IpAddress target{};
  IpAddress destination{};             // redirect
  bool is_router = false;              // neighbour advertisement
  bool is_solicited = false;           // neighbour advertisement
  bool is_override = false;            // neighbour advertisement
  std::uint8_t current_hop_limit = 0;  // router advertisement, from here on
  bool is_managed = false;
  bool has_other_configuration = false;
  std::uint16_t router_lifetime_s = 0;
  std::uint32_t reachable_time_ms = 0;
  std::uint32_t retrans_timer_ms = 0;
  Options options{};

  [[nodiscard]] std::size_t size() const;
  // Pushes the whole ICMPv6 message, checksum included, onto an empty packet.
  void push_onto(Packet& packet, const IpAddress& source, const IpAddress& to) const;
};

}  // namespace lanyard::ndp
