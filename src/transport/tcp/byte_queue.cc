// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/byte_queue.hh"

#include <algorithm>
#include <cstring>

#include "core/check.hh"

namespace lanyard::tcp {

namespace {

constexpr std::size_t chunk_bytes_max = 65536;
// A slice as small as this is copied rather than keep the block it lies in.
constexpr std::size_t copied_bytes_max = 512;
// A small write gets a block that has room for more of them.
constexpr std::size_t small_block_bytes = 2048;
constexpr std::size_t chunks_kept_max = 64;

}  // namespace

bool ByteQueue::fits_last_block(std::size_t size) const {
  return last_block_ != nullptr && last_block_->capacity - last_used_ >= size;
}

void ByteQueue::add_chunk(Slice slice) {
  const std::uint64_t start = end_;
  end_ += slice.size();
  chunks_.push_back({start, std::move(slice)});
}

// The bytes in front are shared and do not change; what follows them is still ours.
void ByteQueue::append_to_last_block(Bytes bytes) {
  std::memcpy(last_block_->data() + last_used_, bytes.data(), bytes.size());
  Chunk& last = chunks_.back();
  const auto size = static_cast<std::uint32_t>(last.slice.size());
  const auto more = static_cast<std::uint32_t>(bytes.size());
  last.slice = Slice(last_block_, last_used_ - size, size + more);
  last_used_ += more;
  end_ += more;
}

void ByteQueue::append(Bytes bytes) {
  while (!bytes.empty()) {
    if (fits_last_block(bytes.size())) return append_to_last_block(bytes);
    const std::size_t size = std::min(bytes.size(), chunk_bytes_max);
    Block* const block = allocate_block(std::max(size, std::min(small_block_bytes, size * 8)));
    std::memcpy(block->data(), bytes.data(), size);
    add_chunk(Slice(block, 0, static_cast<std::uint32_t>(size)));
    drop_reference(block);  // the chunk holds it
    last_block_ = block;
    last_used_ = static_cast<std::uint32_t>(size);
    bytes = bytes.subspan(size);
  }
}

void ByteQueue::append(Slice slice) {
  if (slice.size() <= copied_bytes_max) return append(slice.bytes());
  last_block_ = nullptr;
  add_chunk(std::move(slice));
}

void ByteQueue::pop_front(std::size_t size) {
  CHECK(size <= this->size());
  start_ += size;
  while (first_ < chunks_.size() && chunks_[first_].start + chunks_[first_].slice.size() <= start_)
    chunks_[first_++].slice = Slice();
  if (first_ == chunks_.size()) {
    chunks_.clear();
    first_ = 0;
    last_block_ = nullptr;
    if (chunks_.capacity() > chunks_kept_max) chunks_.shrink_to_fit();
  } else if (first_ > chunks_kept_max && first_ * 2 > chunks_.size()) {
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

// The chunk that holds the byte at `position`.
std::size_t ByteQueue::find(std::uint64_t position) const {
  const Chunk& front = chunks_[first_];
  if (position < front.start + front.slice.size()) return first_;
  const auto after = std::upper_bound(
      chunks_.begin() + static_cast<std::ptrdiff_t>(first_), chunks_.end(), position,
      [](std::uint64_t value, const Chunk& chunk) { return value < chunk.start; });
  return static_cast<std::size_t>(after - chunks_.begin()) - 1;
}

void ByteQueue::copy_to(std::size_t offset, MutableBytes out) const {
  CHECK(offset + out.size() <= size());
  if (out.empty()) return;
  std::uint64_t position = start_ + offset;
  for (std::size_t i = find(position); !out.empty(); ++i) {
    const Bytes piece =
        chunks_[i].slice.bytes().subspan(static_cast<std::size_t>(position - chunks_[i].start));
    const std::size_t size = std::min(piece.size(), out.size());
    std::memcpy(out.data(), piece.data(), size);
    out = out.subspan(size);
    position += size;
  }
}

void ByteQueue::share_with(Packet& packet, std::size_t offset, std::size_t size) const {
  CHECK(offset + size <= this->size());
  if (size == 0) return;
  std::uint64_t position = start_ + offset;
  for (std::size_t i = find(position); size > 0; ++i) {
    const auto begin = static_cast<std::size_t>(position - chunks_[i].start);
    const std::size_t piece = std::min(chunks_[i].slice.size() - begin, size);
    packet.append(chunks_[i].slice.part(begin, piece));
    size -= piece;
    position += piece;
  }
}

}  // namespace lanyard::tcp
