// SPDX-License-Identifier: Apache-2.0
// One enhanced packet block, written where it is to stand: for a writer of millions of them.
//
//   PacketBlock block(room);                  // room_around + the bytes + what the comment takes
//   copy the bytes to block.bytes()
//   size = block.finish(...)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/pcapng.hh"

namespace lanyard::pcapng {

class PacketBlock {
 public:
  // What a block needs besides its bytes and its comment.
  static constexpr std::size_t room_around = 88;

  explicit PacketBlock(std::uint8_t* to) : to_(to) {}

  // What is said about a packet besides its bytes.
  struct Info {
    std::uint32_t interface = 0;  // as Writer::interface returned it
    std::int64_t time_ns = 0;     // since 1970, not negative
    Direction direction = Direction::unknown;
    std::uint64_t packet_id = 0;  // 0: none
  };
  [[nodiscard]] std::uint8_t* bytes() const { return to_ + bytes_offset; }
  struct Extent {
    std::size_t here = 0, whole = 0;  // bytes of the packet
    std::uint32_t tail_back = 0;      // where the others are (CapturedPacket::tail_back)
  };
  // Writes what stands around the bytes; again, with another comment, if need be. Returns the size
  // of the block.
  std::size_t finish(const Info& info, std::string_view comment, const Extent& extent);

 private:
  static constexpr std::size_t bytes_offset = 28;
  std::uint8_t* to_;
};

}  // namespace lanyard::pcapng
