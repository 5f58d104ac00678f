// SPDX-License-Identifier: Apache-2.0
#include "core/packet.hh"

#include <algorithm>
#include <cstring>

#include "core/check.hh"
#include "core/checksum.hh"

namespace lanyard {
namespace {

// Headroom given when a header did not fit: enough for all headers that usually follow.
constexpr std::size_t fresh_headroom = 64;

std::uint32_t narrow(std::size_t size) {
  CHECK(size <= UINT32_MAX);
  return static_cast<std::uint32_t>(size);
}

}  // namespace

Packet Packet::copy_of(Bytes bytes, std::size_t headroom) {
  Packet packet(headroom, bytes.size());
  packet.append(bytes);
  return packet;
}

// Moves the front into a block of its own with at least this much space around it.
void Packet::make_room(std::size_t headroom, std::size_t room) {
  const Bytes old = front();
  Block* block = allocate_block(headroom + old.size() + room);
  if (!old.empty()) std::memcpy(block->data() + headroom, old.data(), old.size());
  const std::size_t size = old.size();
  if (block_ != nullptr) drop_reference(block_);
  block_ = block;
  head_ = narrow(headroom);
  tail_ = narrow(headroom + size);
}

void Packet::drop_slices() {
  slices_bytes_ = 0;
  std::destroy_at(&slices_);
}

// Slices taken out of the front share its block, and their bytes may not change any more.
void Packet::own_front() {
  make_room(head_, block_->capacity - tail_);
}

template <typename Take>
void Packet::each_slice(std::size_t offset, std::size_t size, Take take) const {
  CHECK(offset <= this->size() && size <= this->size() - offset);
  const std::size_t front_size = tail_ - head_;
  if (offset < front_size && size > 0) {
    const std::size_t taken = std::min(size, front_size - offset);
    take(front_slice(offset, taken));
    offset += taken;
    size -= taken;
  }
  std::size_t begin = front_size;
  for (const Slice& slice : slices()) {
    if (size == 0) return;
    const std::size_t end = begin + slice.size();
    if (offset < end) {
      const std::size_t taken = std::min(size, end - offset);
      take(slice.part(offset - begin, taken));
      offset += taken;
      size -= taken;
    }
    begin = end;
  }
}

void Packet::slices_of(std::size_t offset, std::size_t size, std::vector<Slice>& out) const {
  each_slice(offset, size, [&](Slice&& slice) { out.push_back(std::move(slice)); });
}

void Packet::append_from(const Packet& other, std::size_t offset, std::size_t size) {
  other.each_slice(offset, size, [this](Slice&& slice) { append(std::move(slice)); });
}

void Packet::make_front_room(std::size_t size) {
  make_room(size + fresh_headroom, block_ == nullptr ? 0 : block_->capacity - tail_);
}

void Packet::pull_wanted_checksum(std::size_t size) {
  if (size <= offload.checksum_start) {
    offload.checksum_start = static_cast<std::uint16_t>(offload.checksum_start - size);
  } else {
    offload.checksum_wanted = false;
    offload.checksum_good = true;
  }
}

void Packet::make_back_room(std::size_t size) {
  make_room(block_ == nullptr ? fresh_headroom : head_, size);
}

void Packet::append(Bytes bytes) {
  if (bytes.empty()) return;
  if (slices().empty()) {
    std::memcpy(push_back(bytes.size()), bytes.data(), bytes.size());
  } else {
    append(Slice::copy_of(bytes));
  }
}

void Packet::append(Slice slice) {
  if (slice.size() == 0) return;
  if (block_ == nullptr) make_room(fresh_headroom, 0);
  if (slices_bytes_ == 0) std::construct_at(&slices_);
  slices_bytes_ += static_cast<std::uint32_t>(slice.size());
  slices_.append(std::move(slice));
}

void Packet::truncate(std::size_t size) {
  CHECK(size <= this->size());
  std::size_t extra = this->size() - size;
  while (extra > 0 && slices_bytes_ > 0) {
    const Slice& last = slices().back();
    const std::size_t dropped = std::min(extra, last.size());
    extra -= dropped;
    if (dropped == slices_bytes_) {
      drop_slices();
      break;
    }
    slices_bytes_ -= static_cast<std::uint32_t>(dropped);
    if (dropped == last.size()) {
      slices_.drop_last();
    } else {
      slices_.set_last(last.part(0, last.size() - dropped));
    }
  }
  tail_ -= static_cast<std::uint32_t>(extra);
}

Bytes Packet::linear() {
  if (slices_bytes_ == 0) return front();
  if (block_->references > 1 || block_->capacity - tail_ < slices_bytes_) {
    make_room(head_, slices_bytes_);
  }
  for (const Slice& slice : slices()) {
    std::memcpy(block_->data() + tail_, slice.bytes().data(), slice.size());
    tail_ += static_cast<std::uint32_t>(slice.size());
  }
  drop_slices();
  return front();
}

void Packet::copy_to(std::size_t offset, MutableBytes out) const {
  CHECK(offset <= size() && out.size() <= size() - offset);
  std::size_t done = 0;
  const auto copy_from = [&](Bytes piece) {
    if (offset >= piece.size()) {
      offset -= piece.size();
      return;
    }
    const std::size_t taken = std::min(out.size() - done, piece.size() - offset);
    if (taken > 0) std::memcpy(out.data() + done, piece.data() + offset, taken);
    done += taken;
    offset = 0;
  };
  copy_from(front());
  for (const Slice& slice : slices()) copy_from(slice.bytes());
}

Packet Packet::share() const {
  Packet other;
  if (block_ != nullptr) {
    other = Packet(head_, block_->capacity - head_);
    if (const Bytes bytes = front(); !bytes.empty()) {
      std::memcpy(other.push_back(bytes.size()), bytes.data(), bytes.size());
    }
  }
  if (slices_bytes_ != 0) std::construct_at(&other.slices_, slices_);
  other.slices_bytes_ = slices_bytes_;
  other.offload = offload;
  other.cause = cause;
  other.id = id;
  return other;
}

namespace {

// By itself, so that packets without a wanted checksum, nearly all, set up nothing for it.
[[gnu::noinline]] void finish_wanted_checksum(Packet& packet) {
  packet.offload.checksum_wanted = false;
  packet.offload.checksum_good = true;
  const std::size_t start = packet.offload.checksum_start;
  const std::size_t field = start + packet.offload.checksum_offset;
  const MutableBytes front = packet.mutable_front();
  if (field + 2 > front.size()) return;  // the packet was cut short before its checksum field
  ChecksumSum sum;
  sum.add(Bytes(front).subspan(start));
  for (const Slice& slice : packet.slices()) sum.add(slice.bytes());
  std::uint16_t value = sum.finish();
  // RFC 768, RFC 8200 8.1: a computed UDP checksum of zero is sent as all ones. The field tells UDP
  // from TCP and ICMPv6 by its place.
  constexpr std::uint16_t udp_checksum_offset = 6;
  if (value == 0 && packet.offload.checksum_offset == udp_checksum_offset) value = 0xffff;
  store16(front.data() + field, value);
}

}  // namespace

void finish_checksum(Packet& packet) {
  if (packet.offload.checksum_wanted) finish_wanted_checksum(packet);
}

}  // namespace lanyard
