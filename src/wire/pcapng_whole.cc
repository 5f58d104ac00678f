// SPDX-License-Identifier: Apache-2.0
#include "wire/pcapng_whole.hh"

#include <algorithm>

namespace lanyard::pcapng {
namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20;

}  // namespace

std::uint8_t* WholePackets::room(std::size_t size) {
  if (pieces_.empty() || pieces_.back().size() - used_ < size) {
    pieces_.emplace_back(std::max(size, piece_bytes));
    used_ = 0;
  }
  used_ += size;
  return pieces_.back().data() + used_ - size;
}

std::expected<Bytes, std::string_view> WholePackets::add(const CapturedPacket& packet) {
  packets_.push_back(packet.bytes);
  const std::size_t back = packet.tail_back, last = packets_.size() - 1;
  if (back == 0) return packet.bytes;
  if (back > last) return std::unexpected("the end of a packet that is not there");
  const Bytes other = packets_[last - back];
  const std::size_t size = packet.original_size;
  if (size < packet.bytes.size() || size - packet.bytes.size() > other.size())
    return std::unexpected("the end of a packet that is shorter");
  if (size > left_) return std::unexpected("packets that would be much larger than their file");
  left_ -= size;
  std::uint8_t* to = room(size);
  std::ranges::copy(other.last(size - packet.bytes.size()),
                    std::ranges::copy(packet.bytes, to).out);
  return packets_.back() = Bytes(to, size);
}

}  // namespace lanyard::pcapng
