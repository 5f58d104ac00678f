// SPDX-License-Identifier: Apache-2.0
// Where the program wants a stream cut (MSG_EOR): no segment holds both sides of such a place. Few
// streams have any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "wire/sequence.hh"

namespace lanyard::tcp {

class Records {
 public:
  void add(SequenceNumber end) {
    if (!ends_) ends_ = std::make_unique<std::vector<SequenceNumber>>();
    ends_->push_back(end);
  }
  // Of so many octets from here on, those before the first end.
  [[nodiscard]] std::uint32_t left(SequenceNumber from, std::uint32_t size) const {
    if (!ends_) return size;
    const auto next = std::find_if(ends_->begin(), ends_->end(),
                                   [&](SequenceNumber end) { return after(end, from); });
    return next == ends_->end() ? size : std::min(size, static_cast<std::uint32_t>(*next - from));
  }
  void acknowledge(SequenceNumber una) {
    if (!ends_) return;
    std::erase_if(*ends_, [&](SequenceNumber end) { return before_or_at(end, una); });
    if (ends_->empty()) ends_.reset();
  }
  void clear() { ends_.reset(); }
  [[nodiscard]] bool is_empty() const { return !ends_; }

 private:
  std::unique_ptr<std::vector<SequenceNumber>> ends_;  // ascending
};

}  // namespace lanyard::tcp
