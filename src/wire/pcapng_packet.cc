// SPDX-License-Identifier: Apache-2.0
#include "wire/pcapng_packet.hh"

#include <algorithm>
#include <bit>
#include <cstring>

#include "wire/pcapng_format.hh"

namespace lanyard::pcapng {
namespace {

// Little-endian, as Writer::section says.
void store_little(std::uint8_t* to, std::uint32_t value) {
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace

void PacketBlock::number32(std::uint32_t value) {
  store_little(at_, value);
  at_ += 4;
}

void PacketBlock::option(std::uint16_t code, std::uint32_t size) {
  number32(size << 16 | code);
}

// Zeros up to a whole number of 32 bits behind `size` bytes.
void PacketBlock::pad(std::size_t size) {
  for (; size % 4 != 0; ++size) *at_++ = 0;
}

std::size_t PacketBlock::finish(const PacketInfo& info, std::string_view comment,
                                const Extent& extent) {
  at_ = to_ + 8;
  number32(info.interface);
  // The high half first, in any byte order.
  number32(static_cast<std::uint32_t>(static_cast<std::uint64_t>(info.time_ns) >> 32));
  number32(static_cast<std::uint32_t>(info.time_ns));
  number32(static_cast<std::uint32_t>(extent.here));
  number32(static_cast<std::uint32_t>(extent.whole));
  at_ += extent.here;
  pad(extent.here);
  if (!comment.empty()) {
    comment = comment.substr(0, 0xffff);
    option(option::comment, static_cast<std::uint32_t>(comment.size()));
    at_ = std::ranges::copy(bytes_of(comment), at_).out;
    pad(comment.size());
  }
  if (info.direction != Direction::unknown) {
    option(option::flags, 4);
    number32(static_cast<std::uint32_t>(info.direction));
  }
  if (info.packet_id) {
    option(option::packet_id, 8);
    number32(static_cast<std::uint32_t>(*info.packet_id));
    number32(static_cast<std::uint32_t>(*info.packet_id >> 32));
  }
  if (extent.tail_back != 0) {
    option(option::custom_not_copied, 8);
    number32(example_enterprise);
    number32(extent.tail_back);
  }
  option(option::end, 0);
  const auto size = static_cast<std::uint32_t>(at_ - to_ + 4);
  number32(size);
  at_ = to_;
  number32(block_type::enhanced_packet);
  number32(size);
  return size;
}

}  // namespace lanyard::pcapng
