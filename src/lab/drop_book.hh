// SPDX-License-Identifier: Apache-2.0
// Drops counted by reason. Most nodes and directions of a big lab never drop anything: the counters
// are made for the first.
#pragma once

#include <cstdint>
#include <memory>

#include "core/drop.hh"

namespace lanyard::lab {

class DropBook {
 public:
  DropBook() = default;
  DropBook(DropBook&&) = default;
  DropBook& operator=(DropBook&&) = default;
  DropBook(const DropBook& other)
      : counters_(other.counters_ ? std::make_unique<DropCounters>(*other.counters_) : nullptr) {}
  DropBook& operator=(const DropBook& other) { return *this = DropBook(other); }
  ~DropBook() = default;

  void count(DropReason reason) {
    if (counters_ == nullptr) counters_ = std::make_unique<DropCounters>();
    ++(*counters_)[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t operator[](std::size_t reason) const {
    return counters_ == nullptr ? 0 : (*counters_)[reason];
  }

 private:
  std::unique_ptr<DropCounters> counters_;
};

}  // namespace lanyard::lab
