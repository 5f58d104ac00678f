// SPDX-License-Identifier: Apache-2.0
#include "link/segment.hh"

#include <algorithm>
#include <cstring>
#include <optional>

#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"
#include "wire/vlan.hh"

namespace lanyard::link {
namespace {

// Where the headers of a super-segment are, and what pieces need of them.
struct Layout {
  std::size_t ip = 0;         // where the IP header begins
  std::size_t transport = 0;  // where the transport header begins
  std::size_t payload = 0;
  PseudoHeader pseudo;
};

struct NetworkStart {
  std::size_t offset = 0;
  ethernet::Type type{};
};

// Looks past the Ethernet header and its VLAN tags.
std::optional<NetworkStart> find_network(Bytes front, std::size_t frame_size) {
  const auto frame = ethernet::View::parse(front, frame_size);
  if (!frame) return std::nullopt;
  NetworkStart start{frame->header_size(), frame->type()};
  while (vlan::is_tag(start.type)) {
    const auto tag = vlan::View::parse(front.subspan(start.offset), start.type);
    if (!tag) return std::nullopt;
    start = {start.offset + vlan::tag_size, tag->type()};
  }
  return start;
}

bool find_ipv4(Layout& layout, Bytes packet, std::size_t packet_size) {
  const auto view = ipv4::View::parse(packet, packet_size);
  if (!view || view->is_fragment()) return false;
  layout.transport = layout.ip + view->header_size();
  layout.pseudo = {view->source(), view->destination(), view->protocol()};
  return true;
}

bool find_ipv6(Layout& layout, Bytes packet, std::size_t packet_size) {
  const auto view = ipv6::View::parse(packet, packet_size);
  if (!view) return false;
  const ipv6::UpperLayer upper = ipv6::find_upper_layer(*view);
  if (!upper.is_found || upper.is_later_fragment) return false;
  layout.transport = layout.ip + upper.offset;
  layout.pseudo = {view->source(), view->destination(), upper.protocol};
  return true;
}

// The size of the transport header; nothing if it is not wholly in `front`.
std::optional<std::size_t> transport_header_size(std::uint8_t protocol, Bytes front,
                                                 std::size_t size) {
  if (protocol == protocol::udp && front.size() >= udp::header_size) return udp::header_size;
  if (protocol != protocol::tcp) return std::nullopt;
  const auto view = tcp::View::parse(front, size);
  if (!view) return std::nullopt;
  return view->header_size();
}

std::optional<Layout> layout_of(const Packet& frame) {
  const Bytes front = frame.front();
  const auto network = find_network(front, frame.size());
  if (!network || network->offset > front.size()) return std::nullopt;
  Layout layout;
  layout.ip = network->offset;
  const Bytes packet = front.subspan(layout.ip);
  const std::size_t packet_size = frame.size() - layout.ip;
  const bool is_found =
      (network->type == ethernet::Type::ipv4 && find_ipv4(layout, packet, packet_size)) ||
      (network->type == ethernet::Type::ipv6 && find_ipv6(layout, packet, packet_size));
  if (!is_found || layout.transport > front.size()) return std::nullopt;
  const auto header = transport_header_size(layout.pseudo.protocol, front.subspan(layout.transport),
                                            frame.size() - layout.transport);
  if (!header) return std::nullopt;
  layout.payload = layout.transport + *header;
  return layout;
}

// Which part of the payload a piece carries.
struct Part {
  std::size_t number;
  std::size_t offset;
  std::size_t size;
  bool is_last;
};

// RFC 9293 3.1: the urgent pointer counts from the segment's own sequence number.
void shift_urgent_pointer(std::uint8_t* header, std::size_t offset) {
  constexpr std::uint8_t urg = tcp::flags::urg.bits;
  if ((header[tcp::flags_offset] & urg) == 0) return;
  const std::uint16_t pointer = load16(header + tcp::urgent_pointer_offset);
  const bool is_past = pointer <= offset;
  if (is_past) header[tcp::flags_offset] &= static_cast<std::uint8_t>(~urg);
  store16(header + tcp::urgent_pointer_offset,
          is_past ? std::uint16_t{0} : static_cast<std::uint16_t>(pointer - offset));
}

// FIN and PSH belong to the last byte; CWR answers once (RFC 3168 6.1.2), so the first piece has
// it.
void adapt_tcp(std::uint8_t* header, const Part& part) {
  const std::uint32_t sequence = load32(header + tcp::sequence_offset);
  store32(header + tcp::sequence_offset, sequence + static_cast<std::uint32_t>(part.offset));
  std::uint8_t cleared = 0;
  if (!part.is_last) cleared |= (tcp::flags::fin | tcp::flags::psh).bits;
  if (part.number > 0) cleared |= tcp::flags::cwr.bits;
  header[tcp::flags_offset] &= static_cast<std::uint8_t>(~cleared);
  if (part.offset > 0) shift_urgent_pointer(header, part.offset);
}

void adapt_ip(std::uint8_t* header, std::size_t size, const Part& part, Family family) {
  if (family == Family::ipv6) {
    store16(header + ipv6::payload_length_offset,
            static_cast<std::uint16_t>(size - ipv6::header_size));
    return;
  }
  store16(header + ipv4::total_length_offset, static_cast<std::uint16_t>(size));
  // RFC 6864 4.1 [RFC6864-4-a]: of an atomic datagram it says nothing, and stays.
  if ((load16(header + ipv4::fragment_offset) & ipv4::dont_fragment_bit) == 0) {
    const std::uint16_t identification = load16(header + ipv4::identification_offset);
    store16(header + ipv4::identification_offset,
            static_cast<std::uint16_t>(identification + part.number));
  }
  store16(header + ipv4::checksum_offset, 0);
  const std::size_t header_size = std::size_t{4} * (header[0] & 0x0fU);
  store16(header + ipv4::checksum_offset, checksum(Bytes(header, header_size)));
}

Packet cut_piece(const Packet& frame, const Layout& layout, const Part& part, ChecksumBy by) {
  constexpr std::size_t headroom = 64;
  const Bytes headers = frame.front().first(layout.payload);
  Packet piece(headroom + layout.transport, layout.payload - layout.transport);
  piece.append(headers.subspan(layout.transport));
  std::uint8_t* transport = piece.mutable_front().data();
  const bool is_tcp = layout.pseudo.protocol == protocol::tcp;
  if (is_tcp) {
    adapt_tcp(transport, part);
  } else {
    store16(transport + udp::length_offset,
            static_cast<std::uint16_t>(udp::header_size + part.size));
  }
  piece.append_from(frame, layout.payload + part.offset, part.size);
  put_checksum(layout.pseudo, piece, is_tcp ? tcp::checksum_offset : udp::checksum_offset, by);
  piece.offload.checksum_good = by == ChecksumBy::us;

  std::memcpy(piece.push_front(layout.transport), headers.data(), layout.transport);
  adapt_ip(piece.mutable_front().data() + layout.ip, piece.size() - layout.ip, part,
           layout.pseudo.source.family());
  piece.cause = frame.cause;
  piece.id = frame.id;
  return piece;
}

// The payload of an IP packet ends where its header says, before any padding of the frame.
std::size_t payload_end(const Packet& frame, const Layout& layout) {
  const std::uint8_t* ip = frame.front().data() + layout.ip;
  const bool is_v4 = layout.pseudo.source.is_v4();
  return layout.ip + (is_v4 ? load16(ip + ipv4::total_length_offset)
                            : ipv6::header_size + load16(ip + ipv6::payload_length_offset));
}

std::vector<Packet> alone(Packet frame, ChecksumBy by) {
  frame.offload.segment_bytes = 0;
  if (by == ChecksumBy::us) finish_checksum(frame);
  std::vector<Packet> frames;
  frames.push_back(std::move(frame));
  return frames;
}

}  // namespace

Pieces pieces_of(const Packet& frame) {
  const std::size_t size = frame.offload.segment_bytes;
  const auto layout = size == 0 ? std::nullopt : layout_of(frame);
  if (!layout) return {};
  const std::size_t end = payload_end(frame, *layout);
  const std::size_t payload = end > layout->payload ? end - layout->payload : 0;
  return {std::max<std::size_t>((payload + size - 1) / size, 1), layout->payload};
}

std::vector<Packet> segment(Packet frame, ChecksumBy by) {
  const std::size_t size = frame.offload.segment_bytes;
  if (size == 0) return alone(std::move(frame), by);
  const auto layout = layout_of(frame);
  if (!layout) return {};
  const std::size_t end = payload_end(frame, *layout);
  if (end < layout->payload || end > frame.size()) return {};
  const std::size_t payload = end - layout->payload;
  if (payload <= size) return alone(std::move(frame), by);

  std::vector<Packet> frames;
  frames.reserve((payload + size - 1) / size);
  for (std::size_t offset = 0; offset < payload; offset += size) {
    const std::size_t part = std::min(size, payload - offset);
    frames.push_back(
        cut_piece(frame, *layout, {frames.size(), offset, part, offset + part == payload}, by));
  }
  return frames;
}

}  // namespace lanyard::link
