// SPDX-License-Identifier: Apache-2.0
#include "link/join.hh"

#include <algorithm>
#include <cstring>

#include "core/checksum.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/protocol.hh"
#include "wire/pseudo.hh"
#include "wire/tcp.hh"

namespace lanyard::link {
namespace {

constexpr std::size_t packet_bytes_max = 65535;  // what an IP length field can say
constexpr std::size_t network = ethernet::header_size;

bool is_v4(Bytes front) {
  return load16(front.data() + ethernet::type_offset) == static_cast<int>(ethernet::Type::ipv4);
}

// The transport header's place behind a plain IP header that spans the frame; 0 if it is not one.
std::size_t transport_of(Bytes front, std::size_t frame_size) {
  if (front.size() < network + ipv4::header_size_min + tcp::header_size_min) return 0;
  const std::uint8_t* const ip = front.data() + network;
  const std::size_t packet_size = frame_size - network;
  if (is_v4(front)) {
    constexpr std::uint8_t plain = 0x45;  // version 4 and no options
    constexpr std::uint16_t dont_fragment = 0x4000;
    const bool is_plain = ip[ipv4::protocol_offset] == protocol::tcp && ip[0] == plain &&
                          load16(ip + ipv4::total_length_offset) == packet_size &&
                          load16(ip + ipv4::fragment_offset) == dont_fragment &&
                          checksum({ip, ipv4::header_size_min}) == 0;
    return is_plain ? network + ipv4::header_size_min : 0;
  }
  const bool is_v6 = load16(front.data() + ethernet::type_offset) ==
                     static_cast<std::uint16_t>(ethernet::Type::ipv6);
  const bool is_plain =
      is_v6 && front.size() >= network + ipv6::header_size + tcp::header_size_min &&
      ip[0] >> 4 == 6 &&
      load16(ip + ipv6::payload_length_offset) + ipv6::header_size == packet_size &&
      ip[ipv6::next_header_offset] == protocol::tcp;
  return is_plain ? network + ipv6::header_size : 0;
}

PseudoHeader pseudo_of(Bytes front) {
  const std::uint8_t* const ip = front.data() + network;
  if (is_v4(front)) {
    return {IpAddress::from_v4_bytes(ip + ipv4::source_offset),
            IpAddress::from_v4_bytes(ip + ipv4::destination_offset), protocol::tcp};
  }
  return {IpAddress::from_v6_bytes(ip + ipv6::source_offset),
          IpAddress::from_v6_bytes(ip + ipv6::destination_offset), protocol::tcp};
}

bool has_right_checksum(const Packet& frame, std::size_t transport) {
  if (frame.offload.checksum_good || frame.offload.checksum_wanted) return true;
  ChecksumSum sum = pseudo_of(frame.front()).sum(frame.size() - transport);
  sum.add(frame.front().subspan(transport));
  for (const Slice& slice : frame.slices()) sum.add(slice.bytes());
  return sum.finish() == 0;
}

}  // namespace

FrameRun::Layout FrameRun::layout_of(Packet& frame) {
  if (frame.offload.segment_bytes != 0) return {};
  const Bytes front = frame.front();
  const std::size_t transport = transport_of(front, frame.size());
  if (transport == 0 || transport + tcp::header_size_min > front.size()) return {};
  const std::uint8_t* const header = front.data() + transport;
  const std::size_t header_size = std::size_t{4} * (header[tcp::data_offset_offset] >> 4);
  const std::size_t payload = transport + header_size;
  if (header_size < tcp::header_size_min || payload > front.size()) return {};
  const std::size_t bytes = frame.size() - payload;
  const int flags = header[tcp::flags_offset] & ~tcp::flags::psh.bits;
  if (bytes == 0 || flags != tcp::flags::ack.bits || !has_right_checksum(frame, transport)) {
    return {};
  }
  frame.offload.checksum_wanted = false;
  frame.offload.checksum_good = true;
  return {transport, payload, bytes};
}

bool FrameRun::begins(Packet& frame) {
  const Layout layout = layout_of(frame);
  if (layout.payload == 0) return false;
  const std::uint8_t* const header = frame.front().data() + layout.transport;
  if ((header[tcp::flags_offset] & tcp::flags::psh.bits) != 0) return false;
  next_sequence_ = load32(header + tcp::sequence_offset) + static_cast<std::uint32_t>(layout.bytes);
  layout_ = layout;
  segment_bytes_ = layout.bytes;
  joined_ = 0;
  is_ended_ = false;
  frame_ = std::move(frame);
  return true;
}

// All but lengths, identification, checksums, sequence number and PSH.
bool FrameRun::has_same_headers(Bytes theirs) const {
  const std::uint8_t* const a = frame_.front().data();
  const std::uint8_t* const b = theirs.data();
  const auto same = [a, b](std::size_t from, std::size_t to) {
    return std::memcmp(a + from, b + from, to - from) == 0;
  };
  if (is_v4(theirs)) {
    if (!same(0, network + ipv4::total_length_offset) ||
        !same(network + ipv4::fragment_offset, network + ipv4::checksum_offset) ||
        !same(network + ipv4::source_offset, layout_.transport))
      return false;
  } else if (!same(0, network + ipv6::payload_length_offset) ||
             !same(network + ipv6::next_header_offset, layout_.transport)) {
    return false;
  }
  const std::size_t tcp = layout_.transport;
  return same(tcp, tcp + tcp::sequence_offset) &&
         same(tcp + tcp::acknowledgment_offset, tcp + tcp::flags_offset) &&
         same(tcp + tcp::window_offset, tcp + tcp::checksum_offset) &&
         same(tcp + tcp::urgent_pointer_offset, layout_.payload);
}

bool FrameRun::takes(Packet& frame) {
  if (is_ended_ || !frame_ || frame.cause != frame_.cause) return false;
  const Bytes front = frame.front();
  if (front.size() < layout_.payload || frame.size() <= layout_.payload) return false;
  const std::uint8_t* const header = front.data() + layout_.transport;
  if (load32(header + tcp::sequence_offset) != next_sequence_) return false;
  if (!has_same_headers(front)) return false;
  const Layout theirs = layout_of(frame);
  if (theirs.payload != layout_.payload || theirs.bytes > segment_bytes_) return false;
  if (frame_.size() - network + theirs.bytes > packet_bytes_max) return false;
  const bool is_pushed = (header[tcp::flags_offset] & tcp::flags::psh.bits) != 0;
  if (is_pushed) {
    frame_.mutable_front()[layout_.transport + tcp::flags_offset] |= tcp::flags::psh.bits;
  }
  frame_.append_from(frame, layout_.payload, theirs.bytes);
  frame = Packet();
  next_sequence_ += static_cast<std::uint32_t>(theirs.bytes);
  ++joined_;
  is_ended_ = is_pushed || theirs.bytes < segment_bytes_;
  return true;
}

void FrameRun::set_lengths() {
  std::uint8_t* const ip = frame_.mutable_front().data() + network;
  const std::size_t packet_size = frame_.size() - network;
  if (!is_v4(frame_.front())) {
    return store16(ip + ipv6::payload_length_offset,
                   static_cast<std::uint16_t>(packet_size - ipv6::header_size));
  }
  store16(ip + ipv4::total_length_offset, static_cast<std::uint16_t>(packet_size));
  store16(ip + ipv4::checksum_offset, 0);
  store16(ip + ipv4::checksum_offset, checksum({ip, ipv4::header_size_min}));
}

FrameRun::Joined FrameRun::release() {
  if (joined_ > 0) {
    set_lengths();
    frame_.offload.segment_bytes = static_cast<std::uint16_t>(segment_bytes_);
  }
  Joined joined{std::move(frame_), joined_, joined_ * layout_.payload};
  frame_ = Packet();
  layout_ = {};
  return joined;
}

}  // namespace lanyard::link
