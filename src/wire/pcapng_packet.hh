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

  [[nodiscard]] std::uint8_t* bytes() const { return to_ + bytes_offset; }
  struct Extent {
    std::size_t here = 0, whole = 0;  // bytes of the packet
    std::uint32_t tail_back = 0;      // where the others are (CapturedPacket::tail_back)
  };
  // Writes what stands around the bytes; `comment` takes the place of those in `info`. Returns the
  // size of the block.
  std::size_t finish(const PacketInfo& info, std::string_view comment, const Extent& extent);

 private:
  static constexpr std::size_t bytes_offset = 28;
  void number32(std::uint32_t value);
  void option(std::uint16_t code, std::uint32_t size);
  void pad(std::size_t size);

  std::uint8_t* to_;
  std::uint8_t* at_ = nullptr;
};

}  // namespace lanyard::pcapng
