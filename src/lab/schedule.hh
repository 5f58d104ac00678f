// SPDX-License-Identifier: Apache-2.0
// What is still to happen in a world, in its total order: (time, node, sequence). A binary heap of
// plain rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "core/time.hh"

namespace lanyard::lab {

enum class DueKind : std::uint8_t {
  action,        // of the timeline; index
  start,         // a program; index
  arrival,       // a frame at a port; index of its slot
  service,       // a node's own deadline
  quiet,         // look whether the lab has come to rest
  stop_timeout,  // programs had time enough to end
};

struct Due {
  Instant at;
  std::uint32_t owner = 0;  // 0: the world, else node + 1
  DueKind kind = DueKind::service;
  std::uint32_t index = 0;
  std::uint64_t sequence = 0;
};

class Schedule {
 public:
  void add(Instant at, std::uint32_t owner, DueKind kind, std::uint32_t index) {
    heap_.push_back({at, owner, kind, index, ++sequence_});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  [[nodiscard]] bool is_empty() const { return heap_.empty(); }
  [[nodiscard]] Instant next_at() const {
    return heap_.empty() ? Instant::never() : heap_.front().at;
  }
  Due take() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Due due = heap_.back();
    heap_.pop_back();
    return due;
  }

 private:
  static bool later(const Due& a, const Due& b) {
    return std::tie(a.at, a.owner, a.sequence) > std::tie(b.at, b.owner, b.sequence);
  }
  std::vector<Due> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace lanyard::lab
