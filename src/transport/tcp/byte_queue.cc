// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/byte_queue.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/check.hh"

namespace lanyard::tcp {

namespace {

constexpr std::size_t chunk_bytes_max = 65536;
// A slice as small as this is copied rather than keep the block it lies in.
constexpr std::size_t copied_bytes_max = 512;
// Up to here copying costs less than a reference that is counted up, down and followed.
constexpr std::size_t shared_bytes_min = 256;
// A small write gets a block that has room for more of them.
constexpr std::size_t small_block_bytes = 2048;

}  // namespace

bool ByteQueue::fits_last_block(std::size_t size) const {
  return last_block_ != nullptr && last_block_->capacity - last_used_ >= size;
}

// The gap in front is closed if it is as large as what is left, or there is more room from now on.
void ByteQueue::make_space() {
  if (first_ * 2 >= capacity_) {
    std::move(chunks_ + first_, chunks_ + used_, chunks_);
    used_ -= first_;
    first_ = 0;
    return;
  }
  auto more = std::make_unique<Chunk[]>(capacity_ * 4);
  std::move(chunks_ + first_, chunks_ + used_, more.get());
  many_ = std::move(more);
  chunks_ = many_.get();
  capacity_ *= 4;
  used_ -= first_;
  first_ = 0;
}

void ByteQueue::add_chunk(Slice slice) {
  if (used_ == capacity_) make_space();
  Chunk& chunk = chunks_[used_++];
  chunk.start = end_;
  end_ += slice.size();
  chunk.slice = std::move(slice);
}

// The bytes in front are shared and do not change; what follows them is still ours.
void ByteQueue::append_to_last_block(Bytes bytes) {
  std::memcpy(last_block_->data() + last_used_, bytes.data(), bytes.size());
  Chunk& last = chunks_[used_ - 1];
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
    add_chunk(Slice::owning(block, static_cast<std::uint32_t>(size)));
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

void ByteQueue::append(const Packet& packet, std::size_t offset, std::size_t size) {
  const Bytes front = packet.front();
  if (size <= copied_bytes_max && offset + size <= front.size()) {
    // A message by itself, in a block as small as it would be given.
    if (used_ == 0 && size > 0 && packet.front_bytes_kept() <= copied_bytes_max)
      return add_chunk(packet.front_slice(offset, size));
    return append(front.subspan(offset, size));
  }
  if (offset < front.size()) {
    const std::size_t part = std::min(size, front.size() - offset);
    if (part <= copied_bytes_max) {
      append(front.subspan(offset, part));
    } else {
      append(packet.front_slice(offset, part));
    }
    offset += part;
    size -= part;
  }
  std::size_t begin = front.size();
  for (const Slice& slice : packet.slices()) {
    if (size == 0) return;
    const std::size_t end = begin + slice.size();
    if (offset < end) {
      const std::size_t part = std::min(size, end - offset);
      append(slice.part(offset - begin, part));
      offset += part;
      size -= part;
    }
    begin = end;
  }
}

void ByteQueue::pop_front(std::size_t size) {
  CHECK(size <= this->size());
  start_ += size;
  if (start_ == end_ && first_ + 1 == used_ && capacity_ == few_max) {  // a message by itself
    chunks_[first_].slice = Slice();
    first_ = used_ = 0;
    last_block_ = nullptr;
    return;
  }
  while (first_ < used_ && chunks_[first_].start + chunks_[first_].slice.size() <= start_)
    chunks_[first_++].slice = Slice();
  if (first_ < used_) return;
  first_ = used_ = 0;
  last_block_ = nullptr;
  if (capacity_ == few_max) return;
  many_.reset();
  chunks_ = few_.data();
  capacity_ = few_max;
}

// The chunk that holds the byte at `position`.
std::size_t ByteQueue::find(std::uint64_t position) const {
  const Chunk& front = chunks_[first_];
  if (position < front.start + front.slice.size()) return first_;
  const Chunk* const after =
      std::upper_bound(chunks_ + first_, chunks_ + used_, position,
                       [](std::uint64_t value, const Chunk& chunk) { return value < chunk.start; });
  return static_cast<std::size_t>(after - chunks_) - 1;
}

void ByteQueue::copy_to(std::size_t offset, MutableBytes out) const {
  CHECK(!out.empty() && offset + out.size() <= size());
  std::uint64_t position = start_ + offset;
  const Chunk& front = chunks_[first_];
  const auto in_front = static_cast<std::size_t>(position - front.start);
  if (in_front + out.size() <= front.slice.size()) {
    std::memcpy(out.data(), front.slice.bytes().data() + in_front, out.size());
    return;
  }
  for (std::size_t i = find(position); !out.empty(); ++i) {
    const Bytes piece =
        chunks_[i].slice.bytes().subspan(static_cast<std::size_t>(position - chunks_[i].start));
    const std::size_t size = std::min(piece.size(), out.size());
    std::memcpy(out.data(), piece.data(), size);
    out = out.subspan(size);
    position += size;
  }
}

template <typename Take>
void ByteQueue::each_slice(std::size_t offset, std::size_t size, Take take) const {
  std::uint64_t position = start_ + offset;
  for (std::size_t i = find(position); size > 0; ++i) {
    const auto begin = static_cast<std::size_t>(position - chunks_[i].start);
    const std::size_t piece = std::min(chunks_[i].slice.size() - begin, size);
    take(chunks_[i].slice.part(begin, piece));
    size -= piece;
    position += piece;
  }
}

void ByteQueue::share_with(Packet& packet, std::size_t offset, std::size_t size) const {
  CHECK(size > 0 && offset + size <= this->size());
  if (size <= shared_bytes_min && packet.slices().empty()) {
    return copy_to(offset, {packet.push_back(size), size});
  }
  each_slice(offset, size, [&](Slice slice) { packet.append(std::move(slice)); });
}

void ByteQueue::share(std::size_t offset, std::size_t size, std::vector<Slice>& out) const {
  CHECK(size > 0 && offset + size <= this->size());
  each_slice(offset, size, [&](Slice slice) { out.push_back(std::move(slice)); });
}

}  // namespace lanyard::tcp
