// SPDX-License-Identifier: Apache-2.0
#include "core/slice.hh"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/check.hh"

namespace lanyard {

Slice Slice::copy_of(Bytes bytes) {
  Slice slice;
  if (bytes.empty()) return slice;
  slice.block_ = allocate_block(bytes.size());
  slice.size_ = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(slice.block_->data(), bytes.data(), bytes.size());
  return slice;
}

Slice Slice::part(std::size_t offset, std::size_t size) const {
  CHECK(offset <= size_ && size <= size_ - offset);
  if (size == 0) return {};
  return Slice(block_, offset_ + static_cast<std::uint32_t>(offset),
               static_cast<std::uint32_t>(size));
}

SliceList::SliceList(const SliceList& other)
    : few_(other.few_),
      few_used_(other.few_used_),
      many_(other.many_ == nullptr ? nullptr : std::make_unique<std::vector<Slice>>(*other.many_)) {
}

void SliceList::append(Slice slice) {
  if (many_ != nullptr) {
    if (!many_->back().lengthen(slice)) many_->push_back(std::move(slice));
  } else if (few_used_ > 0 && few_[few_used_ - 1].lengthen(slice)) {
    return;
  } else if (few_used_ < few_max) {
    few_[few_used_++] = std::move(slice);
  } else {
    many_ = std::make_unique<std::vector<Slice>>();
    many_->reserve(4 * few_max);
    std::move(few_.begin(), few_.end(), std::back_inserter(*many_));
    few_used_ = 0;
    many_->push_back(std::move(slice));
  }
}

void SliceList::drop_last() {
  if (many_ == nullptr) {
    few_[--few_used_] = Slice();
    return;
  }
  many_->pop_back();
  if (many_->empty()) many_.reset();
}

void SliceList::set_last(Slice slice) {
  (many_ == nullptr ? few_[few_used_ - 1] : many_->back()) = std::move(slice);
}

}  // namespace lanyard
