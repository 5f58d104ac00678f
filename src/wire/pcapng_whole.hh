// SPDX-License-Identifier: Apache-2.0
// Packets whose end stands with an earlier packet of the file (CapturedPacket::tail_back), put
// together again. The file may come from anyone.
#pragma once

#include <deque>
#include <expected>
#include <string_view>
#include <vector>

#include "wire/pcapng.hh"

namespace lanyard::pcapng {

// Give it every packet of a file in turn; the bytes of the file stay where they are meanwhile.
class WholePackets {
 public:
  // A file that says it holds more than this many times its size, and this much, is not believed.
  static constexpr std::size_t growth_max = 64, growth_free = std::size_t{256} << 20;

  explicit WholePackets(std::size_t file_size) : left_(file_size * growth_max + growth_free) {}

  // All of the packet's bytes, in the file or here; or what is wrong. A packet cut short by its
  // capture is what it is.
  [[nodiscard]] std::expected<Bytes, std::string_view> add(const CapturedPacket& packet);

 private:
  [[nodiscard]] std::uint8_t* room(std::size_t size);

  std::vector<Bytes> packets_;
  std::deque<std::vector<std::uint8_t>> pieces_;
  std::size_t used_ = 0;  // of the last piece
  std::size_t left_;
};

}  // namespace lanyard::pcapng
