// SPDX-License-Identifier: Apache-2.0
// What is still to happen in a world, in its total order: (time, node, sequence). A heap of plain
// rows, four children to a row: half as deep as a binary one, and the children of a row lie side by
// side.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/time.hh"

namespace lanyard::lab {

enum class DueKind : std::uint8_t {
  action,        // of the timeline; index
  start,         // a program; index
  arrival,       // the next frame of a direction; index of the direction
  overtaking,    // a frame that came before one that was sent earlier; index of its slot
  transmit,      // a queue's next frame; index of its direction
  check,         // a counter's time is up; index
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
    add({at, owner, kind, index, next_sequence()});
  }
  // For what is added only later, once it is the next of its own: its place in the order is taken
  // now.
  [[nodiscard]] std::uint64_t next_sequence() { return ++sequence_; }
  void add(const Due& due) {
    rows_.emplace_back();
    move_up(rows_.size() - 1, {due.at, std::uint64_t{due.owner} << sequence_bits | due.sequence,
                               due.index, due.kind});
  }
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] Instant next_at() const {
    return rows_.empty() ? Instant::never() : rows_.front().at;
  }
  Due take() {
    const Row first = rows_.front();
    const Row last = rows_.back();
    rows_.pop_back();
    if (!rows_.empty()) fill(last);
    return {first.at, static_cast<std::uint32_t>(first.order >> sequence_bits), first.kind,
            first.index, first.order & ((std::uint64_t{1} << sequence_bits) - 1)};
  }

 private:
  // 2^20 nodes (lab_nodes_max is less), and 17 million million events.
  static constexpr int sequence_bits = 44;
  static constexpr std::size_t children = 4;
  struct Row {
    Instant at;
    std::uint64_t order = 0;  // owner, then sequence
    std::uint32_t index = 0;
    DueKind kind = DueKind::service;
  };

  // Both as one number: what comes first is found without a branch that nobody can foretell.
  __extension__ using Rank = unsigned __int128;
  static Rank rank_of(const Row& row) {
    return Rank{static_cast<std::uint64_t>(row.at.count_ns())} << 64 | row.order;
  }
  static bool is_before(const Row& a, const Row& b) { return rank_of(a) < rank_of(b); }
  void move_up(std::size_t hole, const Row& row) {
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / children;
      if (!is_before(row, rows_[parent])) break;
      rows_[hole] = rows_[parent];
      hole = parent;
    }
    rows_[hole] = row;
  }
  // The first row is gone: the earliest child moves up, all the way down, and `row`, which was a
  // late one, finds its place from there.
  void fill(const Row& row) {
    std::size_t hole = 0;
    const std::size_t size = rows_.size();
    std::size_t child = 1;
    for (; child + children <= size; child = hole * children + 1) {
      const std::size_t left = child + is_before(rows_[child + 1], rows_[child]);
      const std::size_t right = child + 2 + is_before(rows_[child + 3], rows_[child + 2]);
      const std::size_t first = is_before(rows_[right], rows_[left]) ? right : left;
      rows_[hole] = rows_[first];
      hole = first;
    }
    for (; child < size; child = hole * children + 1) {
      std::size_t first = child;
      const std::size_t end = std::min(child + children, size);
      for (std::size_t each = child + 1; each < end; ++each)
        if (is_before(rows_[each], rows_[first])) first = each;
      rows_[hole] = rows_[first];
      hole = first;
    }
    move_up(hole, row);
  }

  std::vector<Row> rows_;
  std::uint64_t sequence_ = 0;
};

}  // namespace lanyard::lab
