// SPDX-License-Identifier: Apache-2.0
// A run of a stream's bytes held as shared slices: what is queued to be sent or read. Small writes
// are gathered into one block, so that a stream of single bytes does not hold a block for each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/bytes.hh"
#include "core/packet.hh"

namespace lanyard::tcp {

// A queue comes with the first message of a conversation and goes when that is folded or over.
class ByteQueue : public Pooled {
 public:
  ByteQueue() = default;
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end_ - start_); }
  [[nodiscard]] bool is_empty() const { return end_ == start_; }

  // Copies `bytes` behind the last one.
  void append(Bytes bytes);
  // Shares the slice, or copies it if it is small.
  void append(Slice slice);
  // The bytes [offset, offset + size) of a packet, in the same way.
  void append(const Packet& packet, std::size_t offset, std::size_t size);
  void pop_front(std::size_t size);
  // Copies [offset, offset + out.size()), which must be queued.
  void copy_to(std::size_t offset, MutableBytes out) const;
  // Appends [offset, offset + size), which must be queued, to a packet: shared, or copied into its
  // front if that is cheaper.
  void share_with(Packet& packet, std::size_t offset, std::size_t size) const;
  // Appends [offset, offset + size), which must be queued, to `out`: shared.
  void share(std::size_t offset, std::size_t size, std::vector<Slice>& out) const;

 private:
  struct Chunk {
    std::uint64_t start = 0;  // counted as start_ is
    Slice slice;
  };
  [[nodiscard]] std::size_t find(std::uint64_t position) const;
  template <typename Take>
  void each_slice(std::size_t offset, std::size_t size, Take take) const;
  void add_chunk(Slice slice);
  bool fits_last_block(std::size_t size) const;
  void append_to_last_block(Bytes bytes);

  void make_space();

  static constexpr std::size_t few_max = 2;
  std::array<Chunk, few_max> few_{};
  std::unique_ptr<Chunk[]> many_;  // instead, when there are more
  Chunk* chunks_ = few_.data();    // [first_, used_) of capacity_
  std::size_t capacity_ = few_max;
  std::size_t first_ = 0;
  std::size_t used_ = 0;
  std::uint64_t start_ = 0;  // of all bytes that were ever queued
  std::uint64_t end_ = 0;
  Block* last_block_ = nullptr;  // of the last chunk if its rest is ours to fill
  std::uint32_t last_used_ = 0;
};

}  // namespace lanyard::tcp
