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
#include "lab/due.hh"

namespace lanyard::lab {

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
    move_up(rows_.size() - 1, row_of(due));
  }
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] Instant next_at() const {
    return rows_.empty() ? Instant::never() : rows_.front().at;
  }
  // What is next: to be taken away, or another put in its place, before anything is added.
  [[nodiscard]] Due first() const {
    const Row& row = rows_.front();
    return {row.at, static_cast<std::uint32_t>(row.order >> sequence_bits), row.kind, row.index,
            row.order & ((std::uint64_t{1} << sequence_bits) - 1)};
  }
  void drop_first() {
    const Row last = rows_.back();
    rows_.pop_back();
    if (!rows_.empty()) fill(last);
  }
  // A little later than the first usually: its place is looked for from the top.
  void replace_first(const Due& due) { move_down(row_of(due)); }

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

  static Row row_of(const Due& due) {
    return {due.at, std::uint64_t{due.owner} << sequence_bits | due.sequence, due.index, due.kind};
  }
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
  // The earliest of the children that begin at `child`, of which there is one at least.
  [[nodiscard]] std::size_t earliest(std::size_t child) const {
    if (child + children <= rows_.size()) {
      const std::size_t left = child + is_before(rows_[child + 1], rows_[child]);
      const std::size_t right = child + 2 + is_before(rows_[child + 3], rows_[child + 2]);
      return is_before(rows_[right], rows_[left]) ? right : left;
    }
    std::size_t first = child;
    for (std::size_t each = child + 1; each < rows_.size(); ++each)
      if (is_before(rows_[each], rows_[first])) first = each;
    return first;
  }
  // The first row is gone: the earliest child moves up, all the way down, and `row`, which was a
  // late one, finds its place from there.
  void fill(const Row& row) {
    std::size_t hole = 0;
    for (std::size_t child = 1; child < rows_.size(); child = hole * children + 1) {
      const std::size_t first = earliest(child);
      rows_[hole] = rows_[first];
      hole = first;
    }
    move_up(hole, row);
  }
  void move_down(const Row& row) {
    std::size_t hole = 0;
    for (std::size_t child = 1; child < rows_.size(); child = hole * children + 1) {
      const std::size_t first = earliest(child);
      if (!is_before(rows_[first], row)) break;
      rows_[hole] = rows_[first];
      hole = first;
    }
    rows_[hole] = row;
  }

  std::vector<Row> rows_;
  std::uint64_t sequence_ = 0;
};

}  // namespace lanyard::lab
