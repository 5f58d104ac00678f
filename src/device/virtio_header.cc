// SPDX-License-Identifier: Apache-2.0
#include "device/virtio_header.hh"

#include "wire/ethernet.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"
#include "wire/vlan.hh"

namespace lanyard::device {
namespace {

ethernet::Type network_type(Bytes front) {
  std::size_t at = ethernet::type_offset;
  auto type = static_cast<ethernet::Type>(0);
  for (; at + 2 <= front.size(); at += vlan::tag_size) {
    type = static_cast<ethernet::Type>(load16(front.data() + at));
    if (!vlan::is_tag(type)) break;
  }
  return type;
}

// What kind of super-segment this is; virtio::gso_none for none.
std::uint8_t gso_type_of(const Packet& frame, std::size_t header_size) {
  const Offload& offload = frame.offload;
  if (offload.segment_bytes == 0 || frame.size() <= header_size + offload.segment_bytes) {
    return virtio::gso_none;
  }
  if (offload.checksum_offset == udp::checksum_offset) return virtio::gso_udp;
  const Bytes front = frame.front();
  const std::uint8_t flags = front[offload.checksum_start + tcp::flags_offset];
  const std::uint8_t type =
      network_type(front) == ethernet::Type::ipv6 ? virtio::gso_tcp_v6 : virtio::gso_tcp_v4;
  const bool is_cwr = (flags & tcp::flags::cwr.bits) != 0;
  return static_cast<std::uint8_t>(type | (is_cwr ? virtio::gso_ecn : 0));
}

// All headers of a frame whose transport checksum is left to be done.
std::size_t header_size_of(const Packet& frame) {
  const std::size_t start = frame.offload.checksum_start;
  const Bytes front = frame.front();
  if (frame.offload.checksum_offset == udp::checksum_offset) return start + udp::header_size;
  if (start + tcp::header_size_min > front.size()) return front.size();
  return start + std::size_t{4} * (front[start + tcp::data_offset_offset] >> 4);
}

}  // namespace

VirtioHeader virtio_header_of(const Packet& frame) {
  VirtioHeader header{};
  const Offload& offload = frame.offload;
  if (!offload.checksum_wanted) {
    if (offload.checksum_good) header.flags = virtio::flag_checksum_good;
    return header;
  }
  header.flags = virtio::flag_checksum_wanted;
  header.checksum_start = offload.checksum_start;
  header.checksum_offset = offload.checksum_offset;
  const std::size_t header_size = header_size_of(frame);
  header.header_size = static_cast<std::uint16_t>(header_size);
  header.gso_type = gso_type_of(frame, header_size);
  if (header.gso_type != virtio::gso_none) header.gso_size = offload.segment_bytes;
  return header;
}

std::optional<Offload> offload_of(const VirtioHeader& header, const Packet& frame) {
  Offload offload;
  if ((header.flags & virtio::flag_checksum_wanted) != 0) {
    const std::size_t field = std::size_t{header.checksum_start} + header.checksum_offset;
    if (field + 2 > frame.front().size()) return std::nullopt;
    offload.checksum_wanted = true;
    offload.checksum_start = header.checksum_start;
    offload.checksum_offset = header.checksum_offset;
  }
  offload.checksum_good = (header.flags & virtio::flag_checksum_good) != 0;
  switch (header.gso_type & ~virtio::gso_ecn) {
    case virtio::gso_none:
      return offload;
    case virtio::gso_tcp_v4:
    case virtio::gso_tcp_v6:
    case virtio::gso_udp:
      if (header.gso_size == 0) return std::nullopt;
      offload.segment_bytes = header.gso_size;
      return offload;
    default:
      return std::nullopt;
  }
}

}  // namespace lanyard::device
