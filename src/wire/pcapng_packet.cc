// SPDX-License-Identifier: Apache-2.0
#include "wire/pcapng_packet.hh"

#include <algorithm>
#include <bit>
#include <cstring>

#include "wire/pcapng_format.hh"

namespace lanyard::pcapng {
namespace {

// Little-endian, as Writer::section says. Returns where the next one goes.
template <typename Number>
std::uint8_t* put(std::uint8_t* to, Number value) {
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

std::uint8_t* put(std::uint8_t* to, std::uint32_t first, std::uint32_t second) {
  return put(put(to, first), second);
}

// What an option begins with.
constexpr std::uint32_t option_of(std::uint16_t code, std::uint32_t size) {
  return size << 16 | code;
}

// Zeros up to a whole number of 32 bits behind `size` bytes; the rest is written over.
std::uint8_t* pad(std::uint8_t* to, std::size_t size) {
  put(to, std::uint32_t{0});
  return to + -size % 4;
}

std::uint8_t* put_comment(std::uint8_t* to, std::string_view comment) {
  comment = comment.substr(0, 0xffff);
  to = put(to, option_of(option::comment, static_cast<std::uint32_t>(comment.size())));
  return pad(std::ranges::copy(bytes_of(comment), to).out, comment.size());
}

}  // namespace

std::size_t PacketBlock::finish(const Info& info, std::string_view comment, const Extent& extent) {
  const auto time = static_cast<std::uint64_t>(info.time_ns);
  // The high half first, in any byte order.
  std::uint8_t* to = put(to_ + 8, info.interface, static_cast<std::uint32_t>(time >> 32));
  to = put(to, static_cast<std::uint32_t>(time), static_cast<std::uint32_t>(extent.here));
  to = put(to, static_cast<std::uint32_t>(extent.whole));
  to = pad(to + extent.here, extent.here);
  if (!comment.empty()) to = put_comment(to, comment);
  if (info.direction != Direction::unknown)
    to = put(to, option_of(option::flags, 4), static_cast<std::uint32_t>(info.direction));
  if (info.packet_id != 0) {
    to = put(to, option_of(option::packet_id, 8));
    to = put(to, info.packet_id);
  }
  if (extent.tail_back != 0) {
    to = put(to, option_of(option::custom_not_copied, 8));
    to = put(to, example_enterprise, extent.tail_back);
  }
  const auto size = static_cast<std::uint32_t>(to - to_ + 8);
  put(to, option_of(option::end, 0), size);
  put(to_, block_type::enhanced_packet, size);
  return size;
}

}  // namespace lanyard::pcapng
