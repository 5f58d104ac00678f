// SPDX-License-Identifier: Apache-2.0
// Shared bytes: a slice of a pooled block (core/pool.hh), and the few slices of one packet. A
// slice's bytes never change while somebody refers to them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/bytes.hh"
#include "core/check.hh"
#include "core/pool.hh"

namespace lanyard {

// A counted reference to bytes that nobody changes any more.
class Slice {
 public:
  Slice() = default;
  // A fresh slice holding a copy of `bytes`.
  [[nodiscard]] static Slice copy_of(Bytes bytes);
  // The `size` bytes at `offset` of a block; shares it.
  Slice(Block* block, std::uint32_t offset, std::uint32_t size)
      : block_(block), offset_(offset), size_(size) {
    CHECK(std::uint64_t{offset} + size <= block->capacity);
    add_reference(block_);
  }
  // The first `size` bytes of a block that nobody else refers to: this is its reference now.
  [[nodiscard]] static Slice owning(Block* block, std::uint32_t size) {
    Slice slice;
    slice.block_ = block;
    slice.size_ = size;
    return slice;
  }
  Slice(const Slice& other) : block_(other.block_), offset_(other.offset_), size_(other.size_) {
    if (block_ != nullptr) add_reference(block_);
  }
  Slice(Slice&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        offset_(other.offset_),
        size_(std::exchange(other.size_, 0)) {}
  // What `other` was; that one is gone, and must not be destroyed.
  struct Instead {};
  Slice(const Slice& other, Instead) noexcept
      : block_(other.block_), offset_(other.offset_), size_(other.size_) {}
  Slice& operator=(const Slice& other) { return *this = Slice(other); }
  Slice& operator=(Slice&& other) noexcept {
    Block* before = std::exchange(block_, std::exchange(other.block_, nullptr));
    offset_ = other.offset_;
    size_ = std::exchange(other.size_, 0);
    if (before != nullptr) drop_reference(before);
    return *this;
  }
  ~Slice() {
    if (block_ != nullptr) drop_reference(block_);
  }

  [[nodiscard]] Bytes bytes() const {
    return block_ == nullptr ? Bytes{} : Bytes{block_->data() + offset_, size_};
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  // The part [offset, offset + size) of this slice; shares the block.
  [[nodiscard]] Slice part(std::size_t offset, std::size_t size) const;
  // Which bytes these are: the use of their block (Block::use), and where in it they lie. Slices
  // that say the same hold the same.
  struct Origin {
    std::uint64_t use = 0;
    std::uint32_t offset = 0, size = 0;
    bool operator==(const Origin&) const = default;
  };
  [[nodiscard]] Origin origin() const {
    return block_ == nullptr ? Origin{} : Origin{block_->use, offset_, size_};
  }
  // Takes in what lies right behind this slice in its block; false if `next` does not.
  bool lengthen(const Slice& next) {
    if (block_ != next.block_ || offset_ + size_ != next.offset_) return false;
    size_ += next.size_;
    return true;
  }

 private:
  Block* block_ = nullptr;
  std::uint32_t offset_ = 0, size_ = 0;
};

// The slices of one packet; the usual two need no allocation.
class SliceList {
 public:
  SliceList() = default;
  SliceList(const SliceList& other);
  SliceList& operator=(const SliceList&) = delete;
  // In the place of `other`, which is gone and must not be destroyed.
  SliceList(SliceList& other, Slice::Instead instead) noexcept
      : few_{Slice(other.few_[0], instead), Slice(other.few_[1], instead)},
        few_used_(other.few_used_),
        many_(other.many_.release()) {}
  ~SliceList() = default;

  [[nodiscard]] std::span<const Slice> view() const {
    if (many_ != nullptr) return *many_;
    return {few_.data(), few_used_};
  }
  // One that goes on where the last one ends makes that longer.
  void append(Slice slice);
  void drop_last();
  // Replaces the last one.
  void set_last(Slice slice);

 private:
  static constexpr std::size_t few_max = 2;
  std::array<Slice, few_max> few_;
  std::uint32_t few_used_ = 0;
  std::unique_ptr<std::vector<Slice>> many_;  // all of them, once there are more than a few
};

}  // namespace lanyard
