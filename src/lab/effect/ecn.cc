// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/ecn.hh"

#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"

namespace lanyard::lab {
namespace {

constexpr std::uint8_t ecn_mask = 3;
constexpr std::uint8_t congestion_experienced = 3;

// Where the IP header begins, 0 if there is none.
std::size_t ip_offset(const Packet& frame, ethernet::Type& type) {
  const auto view = ethernet::View::parse(frame.front(), frame.size());
  if (!view) return 0;
  type = view->type();
  const bool is_v4 = type == ethernet::Type::ipv4 && view->payload().size() >= 20;
  const bool is_v6 = type == ethernet::Type::ipv6 && view->payload().size() >= 40;
  return is_v4 || is_v6 ? view->header_size() : 0;
}

std::uint8_t class_at(const std::uint8_t* header, ethernet::Type type) {
  if (type == ethernet::Type::ipv4) return header[ipv4::traffic_class_offset];
  return static_cast<std::uint8_t>(header[0] << 4U | header[1] >> 4U);
}

}  // namespace

std::uint8_t traffic_class_of(const Packet& frame, bool& is_ip) {
  ethernet::Type type{};
  const std::size_t offset = ip_offset(frame, type);
  is_ip = offset != 0;
  return is_ip ? class_at(frame.front().data() + offset, type) : std::uint8_t{0};
}

bool mark_congestion(Packet& frame) {
  ethernet::Type type{};
  const std::size_t offset = ip_offset(frame, type);
  if (offset == 0) return false;
  const std::uint8_t now = class_at(frame.front().data() + offset, type);
  if ((now & ecn_mask) == 0) return false;  // RFC 3168 5: not ECN-capable
  std::uint8_t* header = frame.mutable_front().data() + offset;
  const auto marked = static_cast<std::uint8_t>(now | congestion_experienced);
  if (type == ethernet::Type::ipv4)
    ipv4::set_traffic_class(header, marked);
  else
    ipv6::set_traffic_class(header, marked);
  return true;
}

}  // namespace lanyard::lab
