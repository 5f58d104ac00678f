// SPDX-License-Identifier: Apache-2.0
#include "wire/ndp.hh"

#include <cstring>
#include <optional>
#include <utility>

#include "wire/protocol.hh"
#include "wire/pseudo.hh"

namespace lanyard::ndp {
namespace {

// The bytes before the options, which are also the shortest legal message (RFC 4861 6.1, 7.1, 8.1).
constexpr std::size_t fixed_size(Type type) {
  switch (type) {
    case Type::router_solicitation:
      return 8;
    case Type::router_advertisement:
      return 16;
    case Type::neighbour_solicitation:
    case Type::neighbour_advertisement:
      return 24;
    case Type::redirect:
      return 40;
  }
  return 0;
}

constexpr bool has_target(Type type) {
  return type == Type::neighbour_solicitation || type == Type::neighbour_advertisement ||
         type == Type::redirect;
}

// RFC 4861 7.1.1 [RFC4861-7.1.1-a], 7.1.2 [RFC4861-7.1.2-a]: a target is never a group. 8.1
// [RFC4861-8.1-a]: a redirect's target is a link-local router or the destination itself, which is
// no group either.
bool has_good_addresses(const View& view) {
  if (!has_target(view.type())) return true;
  const IpAddress target = view.target();
  if (target.is_v4() || target.is_multicast()) return false;
  if (view.type() != Type::redirect) return true;
  const IpAddress destination = view.destination();
  return !destination.is_v4() && !destination.is_multicast() &&
         (target.is_link_local() || target == destination);
}

}  // namespace

// BI-38, BI-39: length, code and options; one bad option spoils the message.
std::expected<View, DropReason> View::parse(Bytes message) {
  const auto bad = std::unexpected(DropReason::bad_ndp);
  if (message.size() < 8 || !is_ndp(message[0]) || message[1] != 0) return bad;
  View view(message.data());
  const std::size_t fixed = fixed_size(view.type());
  if (message.size() < fixed || !has_good_addresses(view)) return bad;
  std::optional<Options> options = Options::parse(message.subspan(fixed));
  if (!options) return bad;
  view.options_ = *std::move(options);
  return view;
}

// BI-39: hop limit 254 came through a router, and the source tells who may speak.
bool is_acceptable(const View& view, const IpAddress& source, const IpAddress& destination,
                   std::uint8_t received_hop_limit) {
  if (received_hop_limit != hop_limit) return false;
  const bool has_source_address = view.options().source_link_address.has_value();
  switch (view.type()) {
    case Type::router_solicitation:  // RFC 4861 6.1.1
      return !source.is_unspecified() || !has_source_address;
    case Type::router_advertisement:  // RFC 4861 6.1.2 [RFC4861-6.1.2-a]
    case Type::redirect:              // RFC 4861 8.1 [RFC4861-8.1-a]
      return source.is_link_local();
    case Type::neighbour_solicitation:  // RFC 4861 7.1.1 [RFC4861-7.1.1-a]
      return !source.is_unspecified() ||
             (destination == solicited_node(view.target()) && !has_source_address);
    case Type::neighbour_advertisement:  // RFC 4861 7.1.2 [RFC4861-7.1.2-a]
      return !destination.is_multicast() || !view.is_solicited();
  }
  return false;
}

std::size_t Message::size() const {
  return fixed_size(type) + options.size();
}

namespace {

void write_router_advertisement(const Message& message, std::uint8_t* to) {
  to[4] = message.current_hop_limit;
  to[5] = static_cast<std::uint8_t>((message.is_managed ? 0x80 : 0) |
                                    (message.has_other_configuration ? 0x40 : 0));
  store16(to + 6, message.router_lifetime_s);
  store32(to + 8, message.reachable_time_ms);
  store32(to + 12, message.retrans_timer_ms);
}

void write_fixed(const Message& message, std::uint8_t* to) {
  std::memset(to, 0, fixed_size(message.type));
  to[0] = static_cast<std::uint8_t>(message.type);
  if (message.type == Type::router_advertisement) write_router_advertisement(message, to);
  if (has_target(message.type)) std::memcpy(to + 8, message.target.bytes().data(), 16);
  if (message.type == Type::redirect) {
    std::memcpy(to + 24, message.destination.bytes().data(), 16);
  }
  if (message.type == Type::neighbour_advertisement) {
    to[4] = static_cast<std::uint8_t>((message.is_router ? 0x80 : 0) |
                                      (message.is_solicited ? 0x40 : 0) |
                                      (message.is_override ? 0x20 : 0));
  }
}

}  // namespace

void Message::push_onto(Packet& packet, const IpAddress& source, const IpAddress& to) const {
  std::uint8_t* start = packet.push_front(size());
  write_fixed(*this, start);
  options.write(start + fixed_size(type));
  put_checksum({source, to, protocol::icmpv6}, packet, 2, ChecksumBy::us);
}

}  // namespace lanyard::ndp
