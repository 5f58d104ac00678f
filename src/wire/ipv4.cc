// SPDX-License-Identifier: Apache-2.0
#include "wire/ipv4.hh"

#include <algorithm>
#include <cstring>

#include "core/check.hh"
#include "wire/ipv4_plain.hh"

namespace lanyard::ipv4 {

// BI-07, BI-09: version, IHL and Total Length are checked against each other and against what has
// come, before anything behind them is read. RFC 791 3.1 [RFC791-3.1-a].
std::expected<View, DropReason> View::parse(Bytes front, std::size_t packet_size) {
  const auto view = parse_quoted(front);
  if (view && view->total_length() > packet_size) {
    return std::unexpected(DropReason::bad_total_length);
  }
  return view;
}

std::expected<View, DropReason> View::parse_quoted(Bytes quoted) {
  // RFC 1122 3.2.1.1 [RFC1122-3.2.1.1-a]: another version is silently discarded.
  if (!quoted.empty() && quoted[0] >> 4 != 4) return std::unexpected(DropReason::bad_version);
  if (quoted.size() < header_size_min) return std::unexpected(DropReason::bad_header_length);
  const View view(quoted);
  if (view.header_size() < header_size_min || view.header_size() > quoted.size()) {
    return std::unexpected(DropReason::bad_header_length);
  }
  if (view.total_length() < view.header_size()) {
    return std::unexpected(DropReason::bad_total_length);
  }
  return view;
}

// BI-07: bytes beyond Total Length are a frame's padding and never delivered.
Bytes View::payload() const {
  const std::size_t size = std::min(front_size_ - header_size(), payload_size());
  return {from_ + header_size(), size};
}

void Header::write(std::uint8_t* to, std::size_t payload_size) const {
  const std::size_t total = size() + payload_size;
  CHECK(options.size() <= options_size_max && total <= 0xffff && offset % 8 == 0);
  to[version_ihl_offset] = static_cast<std::uint8_t>(0x40 | (size() / 4));
  to[traffic_class_offset] = traffic_class;
  store16(to + total_length_offset, static_cast<std::uint16_t>(total));
  store16(to + identification_offset, identification);
  store16(to + fragment_offset,
          static_cast<std::uint16_t>((dont_fragment ? dont_fragment_bit : 0) |
                                     (more_fragments ? more_fragments_bit : 0) | (offset / 8)));
  to[ttl_offset] = ttl;
  to[protocol_offset] = protocol;
  store16(to + checksum_offset, 0);
  store32(to + source_offset, source.v4_number());
  store32(to + destination_offset, destination.v4_number());
  if (!options.empty()) {
    std::memset(to + header_size_min, 0, size() - header_size_min);
    std::memcpy(to + header_size_min, options.data(), options.size());
  }
  store16(to + checksum_offset, checksum({to, size()}));
}

void write_plain(std::uint8_t* to, const Plain& header) {
  const auto first = std::uint32_t{0x4500U | header.traffic_class} << 16 | header.total_length;
  const auto second = std::uint32_t{header.identification} << 16 |
                      (header.may_fragment ? 0U : std::uint32_t{dont_fragment_bit});
  const auto third = std::uint32_t{header.ttl} << 24 | std::uint32_t{header.protocol} << 16;
  std::uint64_t sum = std::uint64_t{first} + second + third + header.source + header.destination;
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  store32(to, first);
  store32(to + identification_offset, second);
  store32(to + ttl_offset, third | (static_cast<std::uint32_t>(~sum) & 0xffff));
  store32(to + source_offset, header.source);
  store32(to + destination_offset, header.destination);
}

void Header::push_onto(Packet& packet) const {
  const std::size_t payload_size = packet.size();
  write(packet.push_front(size()), payload_size);
}

namespace {

// Changes one 16-bit word of the header and its checksum with it.
void change_word(std::uint8_t* header, std::size_t offset, std::uint16_t word) {
  const std::uint16_t old_word = load16(header + offset);
  const std::uint16_t old_checksum = load16(header + checksum_offset);
  store16(header + offset, word);
  store16(header + checksum_offset, checksum_updated(old_checksum, old_word, word));
}

}  // namespace

void complete_header(MutableBytes packet, const IpAddress& source, std::uint16_t identification) {
  std::uint8_t* const header = packet.data();
  store16(header + total_length_offset, static_cast<std::uint16_t>(packet.size()));
  if (load32(header + source_offset) == 0)
    std::ranges::copy(source.wire_bytes(), header + source_offset);
  if (load16(header + identification_offset) == 0)
    store16(header + identification_offset, identification);
  store16(header + checksum_offset, 0);
  const std::size_t size = std::size_t{4} * (header[version_ihl_offset] & 0x0fU);
  store16(header + checksum_offset, checksum(packet.first(size)));
}

void decrement_ttl(std::uint8_t* header) {
  change_word(header, ttl_offset, static_cast<std::uint16_t>(load16(header + ttl_offset) - 0x0100));
}

void set_traffic_class(std::uint8_t* header, std::uint8_t traffic_class) {
  change_word(header, version_ihl_offset,
              static_cast<std::uint16_t>((header[version_ihl_offset] << 8) | traffic_class));
}

}  // namespace lanyard::ipv4
