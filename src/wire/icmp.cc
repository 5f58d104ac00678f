// SPDX-License-Identifier: Apache-2.0
#include "wire/icmp.hh"

#include <algorithm>

#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/protocol.hh"

namespace lanyard::icmp {

bool is_error(Family family, std::uint8_t type) {
  // RFC 4443 2.1: the high bit tells errors from informational messages.
  if (family == Family::ipv6) return type < 128;
  return type == v4::destination_unreachable || type == v4::source_quench || type == v4::redirect ||
         type == v4::time_exceeded || type == v4::parameter_problem;
}

// BI-29, BI-30: a message shorter than its header is dropped; the IP length, checked before, says
// where it ends.
std::expected<View, DropReason> View::parse(Bytes front, std::size_t message_size) {
  if (front.size() < header_size || message_size < header_size) {
    return std::unexpected(DropReason::bad_icmp);
  }
  return View(front.first(std::min(front.size(), message_size)), message_size);
}

namespace {

// RFC 792: eight bytes of the quoted transport are promised; with fewer there are no ports to see.
constexpr std::size_t transport_size_min = 8;

std::optional<Quote> parse_quote_v4(Bytes body) {
  const auto view = ipv4::View::parse_quoted(body);
  if (!view) return std::nullopt;
  Quote quote{.source = view->source(),
              .destination = view->destination(),
              .protocol = view->protocol(),
              .transport = {},
              .is_later_fragment = view->offset() != 0,
              .ttl = view->ttl()};
  if (quote.is_later_fragment) return quote;
  quote.transport = view->payload();
  if (quote.transport.size() < transport_size_min) return std::nullopt;
  return quote;
}

std::optional<Quote> parse_quote_v6(Bytes body) {
  const auto view = ipv6::View::parse_quoted(body);
  if (!view) return std::nullopt;
  const ipv6::UpperLayer upper = ipv6::find_upper_layer(*view);
  if (!upper.is_found) return std::nullopt;
  Quote quote{.source = view->source(),
              .destination = view->destination(),
              .protocol = upper.protocol,
              .transport = {},
              .is_later_fragment = upper.is_later_fragment,
              .ttl = view->hop_limit()};
  if (quote.is_later_fragment) return quote;
  quote.transport = view->packet().subspan(upper.offset);
  if (quote.transport.size() < transport_size_min) return std::nullopt;
  return quote;
}

}  // namespace

// BI-31: an error that quotes too little, or a header that is none, is about nothing.
std::optional<Quote> parse_quote(Bytes body, Family family) {
  return family == Family::ipv4 ? parse_quote_v4(body) : parse_quote_v6(body);
}

void Header::write(std::uint8_t* to) const {
  to[type_offset] = type;
  to[code_offset] = code;
  store16(to + checksum_offset, 0);
  store32(to + rest_offset, rest);
}

void Header::push_onto_v4(Packet& packet) const {
  std::uint8_t* to = packet.push_front(header_size);
  write(to);
  ChecksumSum sum;
  add_packet(sum, packet, packet.size());
  store16(to + checksum_offset, sum.finish());
}

// RFC 4443 2.3: the checksum covers the IPv6 pseudo-header.
void Header::push_onto_v6(Packet& packet, const IpAddress& source,
                          const IpAddress& destination) const {
  write(packet.push_front(header_size));
  put_checksum({source, destination, protocol::icmpv6}, packet, checksum_offset, ChecksumBy::us);
}

bool has_good_checksum(Family family, const IpAddress& source, const IpAddress& destination,
                       const Packet& packet, std::size_t size) {
  if (family == Family::ipv6) {
    return lanyard::has_good_checksum({source, destination, protocol::icmpv6}, packet, size);
  }
  if (size > packet.size()) return false;
  ChecksumSum sum;
  add_packet(sum, packet, size);
  return sum.finish() == 0;
}

}  // namespace lanyard::icmp
