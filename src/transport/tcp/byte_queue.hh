// SPDX-License-Identifier: Apache-2.0
// A run of a stream's bytes held as shared slices: what is queued to be sent or read. Small writes
// are gathered into one block, so that a stream of single bytes does not hold a block for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bytes.hh"
#include "core/packet.hh"

namespace lanyard::tcp {

class ByteQueue {
 public:
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end_ - start_); }
  [[nodiscard]] bool is_empty() const { return end_ == start_; }

  // Copies `bytes` behind the last one.
  void append(Bytes bytes);
  // Shares the slice, or copies it if it is small.
  void append(Slice slice);
  void pop_front(std::size_t size);
  // Copies [offset, offset + out.size()), which must be queued.
  void copy_to(std::size_t offset, MutableBytes out) const;
  // Appends [offset, offset + size), which must be queued, to a packet without copying.
  void share_with(Packet& packet, std::size_t offset, std::size_t size) const;

 private:
  struct Chunk {
    std::uint64_t start;  // counted as start_ is
    Slice slice;
  };
  [[nodiscard]] std::size_t find(std::uint64_t position) const;
  void add_chunk(Slice slice);
  bool fits_last_block(std::size_t size) const;
  void append_to_last_block(Bytes bytes);

  std::vector<Chunk> chunks_;  // those before first_ are gone
  std::size_t first_ = 0;
  std::uint64_t start_ = 0;  // of all bytes that were ever queued
  std::uint64_t end_ = 0;
  Block* last_block_ = nullptr;  // of the last chunk if its rest is ours to fill
  std::uint32_t last_used_ = 0;
};

}  // namespace lanyard::tcp
