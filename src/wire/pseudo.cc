// SPDX-License-Identifier: Apache-2.0
#include "wire/pseudo.hh"

#include <algorithm>

#include "wire/protocol.hh"

namespace lanyard {

std::uint16_t PseudoHeader::folded_v6() const {
  ChecksumSum sum;
  sum.add(source.bytes());
  sum.add(destination.bytes());
  return sum.folded();
}

void add_packet(ChecksumSum& sum, const Packet& packet, std::size_t size) {
  const Bytes front = packet.front();
  const std::size_t in_front = std::min(front.size(), size);
  sum.add(front.first(in_front));
  size -= in_front;
  if (size == 0) return;
  for (const Slice& slice : packet.slices()) {
    const std::size_t part = std::min(slice.size(), size);
    sum.add(slice.bytes().first(part));
    size -= part;
  }
}

namespace {

std::uint16_t checksum_of_scattered(const PseudoHeader& pseudo, const Packet& packet,
                                    std::size_t size) {
  ChecksumSum sum = pseudo.sum(size);
  add_packet(sum, packet, size);
  return sum.finish();
}

// In one piece with whoever asks: of short messages the calls would be a third of the work.
[[gnu::always_inline]] inline std::uint16_t checksum_of(const PseudoHeader& pseudo, Bytes message) {
  ChecksumSum sum = pseudo.sum(message.size());
  sum.add(message);
  return sum.finish();
}

}  // namespace

std::uint16_t transport_checksum(const PseudoHeader& pseudo, const Packet& packet,
                                 std::size_t size) {
  const Bytes front = packet.front();
  if (size > front.size()) return checksum_of_scattered(pseudo, packet, size);
  return checksum_of(pseudo, front.first(size));
}

std::uint16_t transport_checksum(const PseudoHeader& pseudo, Bytes message) {
  return checksum_of(pseudo, message);
}

// A checksum still wanted was never computed: the packet has not left memory, where nothing damages
// it.
bool has_good_checksum(const PseudoHeader& pseudo, const Packet& packet, std::size_t size) {
  if (packet.offload.checksum_good || packet.offload.checksum_wanted) return true;
  return size <= packet.size() && transport_checksum(pseudo, packet, size) == 0;
}

void put_checksum(const PseudoHeader& pseudo, Packet& packet, std::size_t offset, ChecksumBy by) {
  std::uint8_t* field = packet.mutable_front().data() + offset;
  if (by == ChecksumBy::device) {
    store16(field, pseudo.sum(packet.size()).folded());
    packet.offload.checksum_wanted = true;
    packet.offload.checksum_start = 0;
    packet.offload.checksum_offset = static_cast<std::uint16_t>(offset);
    return;
  }
  store16(field, 0);
  const std::uint16_t checksum = transport_checksum(pseudo, packet, packet.size());
  // RFC 768 [RFC1122-4.1.3.4-b], RFC 8200 8.1: UDP sends a zero as its other form; it means none.
  const bool is_udp = pseudo.protocol == protocol::udp;
  store16(field, checksum == 0 && is_udp ? std::uint16_t{0xffff} : checksum);
  if (packet.offload.checksum_wanted) packet.offload.checksum_wanted = false;
}

}  // namespace lanyard
