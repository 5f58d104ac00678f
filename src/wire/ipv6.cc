// SPDX-License-Identifier: Apache-2.0
#include "wire/ipv6.hh"

#include <algorithm>
#include <cstring>

#include "core/check.hh"

namespace lanyard::ipv6 {

// RFC 8200 3 [RFC8200-3-a]: another version or a payload that has not come is dropped.
std::expected<View, DropReason> View::parse(Bytes front, std::size_t packet_size) {
  const auto view = parse_quoted(front);
  if (view && header_size + view->payload_length() > packet_size) {
    return std::unexpected(DropReason::bad_total_length);
  }
  return view;
}

std::expected<View, DropReason> View::parse_quoted(Bytes quoted) {
  if (!quoted.empty() && quoted[0] >> 4 != 6) return std::unexpected(DropReason::bad_version);
  if (quoted.size() < header_size) return std::unexpected(DropReason::bad_header_length);
  const View view(quoted);
  // RFC 4291 2.5.5.2 [RFC4291-2.5-a], BI-34: inside, the mapped form means IPv4; from a wire it is
  // an attempt to pass for it.
  if (view.source().is_v4()) return std::unexpected(DropReason::martian_source);
  if (view.destination().is_v4()) return std::unexpected(DropReason::martian_destination);
  return view;
}

Bytes View::packet() const {
  return {from_, std::min(front_size_, header_size + payload_length())};
}

namespace {

void write_first_word(std::uint8_t* header, std::uint8_t traffic_class, std::uint32_t flow_label) {
  store32(header + first_word_offset,
          (std::uint32_t{6} << 28) | (std::uint32_t{traffic_class} << 20) | (flow_label & 0xfffff));
}

}  // namespace

void Header::write(std::uint8_t* to, std::size_t payload_size) const {
  CHECK(payload_size <= 0xffff);
  write_first_word(to, traffic_class, flow_label);
  store16(to + payload_length_offset, static_cast<std::uint16_t>(payload_size));
  to[next_header_offset] = next_header;
  to[hop_limit_offset] = hop_limit;
  std::memcpy(to + source_offset, source.bytes().data(), 16);
  std::memcpy(to + destination_offset, destination.bytes().data(), 16);
}

void Header::push_onto(Packet& packet) const {
  const std::size_t payload_size = packet.size();
  write(packet.push_front(header_size), payload_size);
}

void decrement_hop_limit(std::uint8_t* header) {
  --header[hop_limit_offset];
}

void set_traffic_class(std::uint8_t* header, std::uint8_t traffic_class) {
  write_first_word(header, traffic_class, load32(header + first_word_offset) & 0xfffff);
}

}  // namespace lanyard::ipv6
