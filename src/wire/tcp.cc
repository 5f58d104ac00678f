// SPDX-License-Identifier: Apache-2.0
#include "wire/tcp.hh"

#include <algorithm>
#include <array>
#include <string_view>

#include "wire/protocol.hh"
#include "wire/tcp_plain.hh"

namespace lanyard::tcp {

// BI-49: a data offset below 5, or a header longer than the segment, is dropped.
std::expected<View, DropReason> View::parse(Bytes front, std::size_t segment_size) {
  if (front.size() < header_size_min || segment_size < header_size_min) {
    return std::unexpected(DropReason::bad_tcp_header);
  }
  const View view(front.first(std::min(front.size(), segment_size)), segment_size);
  if (view.header_size() < header_size_min || view.header_size() > view.front_size_) {
    return std::unexpected(DropReason::bad_tcp_header);
  }
  return view;
}

void Header::write(std::uint8_t* to) const {
  store16(to + source_port_offset, source_port);
  store16(to + destination_port_offset, destination_port);
  store32(to + sequence_offset, sequence.value());
  store32(to + acknowledgment_offset, acknowledgment.value());
  to[data_offset_offset] = static_cast<std::uint8_t>(size() / 4 << 4);
  to[flags_offset] = flags.bits;
  store16(to + window_offset, window);
  store16(to + checksum_offset, 0);
  store16(to + urgent_pointer_offset, urgent_pointer);
  options.write(to + header_size_min);
}

// RFC 9293 3.1 [MUST-2]: every segment carries its checksum, pseudo-header included.
void Header::push_onto(Packet& packet, const IpAddress& source, const IpAddress& destination,
                       ChecksumBy by) const {
  write(packet.push_front(size()));
  put_checksum({source, destination, protocol::tcp}, packet, checksum_offset, by);
}

void PlainHeader::push_onto(Packet& packet, const IpAddress& source, const IpAddress& destination,
                            ChecksumBy by) const {
  const std::size_t size = header_size_min + (timestamps ? timestamps_alone_size : 0);
  std::uint8_t* const to = packet.push_front(size);
  store16(to + source_port_offset, source_port);
  store16(to + destination_port_offset, destination_port);
  store32(to + sequence_offset, sequence.value());
  store32(to + acknowledgment_offset, acknowledgment.value());
  to[data_offset_offset] = static_cast<std::uint8_t>(size / 4 << 4);
  to[flags_offset] = flags.bits;
  store16(to + window_offset, window);
  store32(to + checksum_offset, 0);
  if (timestamps) {
    store32(to + header_size_min, timestamps_alone);
    store32(to + header_size_min + 4, timestamps->value);
    store32(to + header_size_min + 8, timestamps->echo);
  }
  put_checksum({source, destination, protocol::tcp}, packet, checksum_offset, by);
}

std::string to_text(Flags flags) {
  static constexpr std::array<std::string_view, 8> names{"FIN", "SYN", "RST", "PSH",
                                                         "ACK", "URG", "ECE", "CWR"};
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((flags.bits >> i & 1) == 0) continue;
    if (!text.empty()) text += ", ";
    text += names[i];
  }
  return text.empty() ? "<none>" : text;
}

}  // namespace lanyard::tcp
