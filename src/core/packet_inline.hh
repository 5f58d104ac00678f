// SPDX-License-Identifier: Apache-2.0
// What is done to every packet several times on its way through the layers, to be compiled into its
// callers. Part of core/packet.hh.
#pragma once

#include "core/check.hh"
#include "core/packet.hh"

namespace lanyard {

inline Packet::Packet(std::size_t headroom, std::size_t room)
    : block_(allocate_block(headroom + room)),
      head_(static_cast<std::uint32_t>(headroom)),  // a block's capacity is checked
      tail_(head_) {}

inline Packet::Packet(Packet&& other) noexcept
    : offload(other.offload),
      cause(other.cause),
      id(other.id),
      block_(std::exchange(other.block_, nullptr)),
      head_(std::exchange(other.head_, 0)),
      tail_(std::exchange(other.tail_, 0)),
      slices_bytes_(other.slices_bytes_) {
  // Without bytes there are no slices.
  if (slices_bytes_ == 0) return;
  other.slices_bytes_ = 0;
  std::construct_at(&slices_, other.slices_, Slice::Instead());
}

inline Packet::~Packet() {
  if (block_ != nullptr) drop_reference(block_);
  if (slices_bytes_ != 0) drop_slices();
}

inline Packet& Packet::operator=(Packet&& other) noexcept {
  if (this == &other) return *this;
  if (block_ != nullptr) drop_reference(block_);
  offload = other.offload;
  cause = other.cause;
  id = other.id;
  block_ = std::exchange(other.block_, nullptr);
  head_ = std::exchange(other.head_, 0);
  tail_ = std::exchange(other.tail_, 0);
  if (slices_bytes_ != 0) drop_slices();
  slices_bytes_ = std::exchange(other.slices_bytes_, 0);
  if (slices_bytes_ != 0) std::construct_at(&slices_, other.slices_, Slice::Instead());
  return *this;
}

inline MutableBytes Packet::mutable_front() {
  if (block_ != nullptr && block_->references > 1) own_front();
  return block_ == nullptr ? MutableBytes{} : MutableBytes{block_->data() + head_, tail_ - head_};
}

inline Slice Packet::front_slice(std::size_t offset, std::size_t size) const {
  return {block_, head_ + static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(size)};
}

inline std::size_t Packet::front_bytes_kept() const {
  return block_ == nullptr ? 0 : block_->capacity;
}

inline std::uint8_t* Packet::push_front(std::size_t size) {
  if (block_ == nullptr || head_ < size || block_->references > 1) make_front_room(size);
  head_ -= static_cast<std::uint32_t>(size);
  if (offload.checksum_wanted) {
    offload.checksum_start = static_cast<std::uint16_t>(offload.checksum_start + size);
  }
  return block_->data() + head_;
}

inline void Packet::pull_front(std::size_t size) {
  CHECK(size <= tail_ - head_);
  head_ += static_cast<std::uint32_t>(size);
  if (offload.checksum_wanted) pull_wanted_checksum(size);
}

inline std::uint8_t* Packet::push_back(std::size_t size) {
  CHECK(slices_bytes_ == 0);
  if (block_ == nullptr || block_->capacity - tail_ < size || block_->references > 1)
    make_back_room(size);
  std::uint8_t* const opened = block_->data() + tail_;
  tail_ += static_cast<std::uint32_t>(size);
  return opened;
}

}  // namespace lanyard
