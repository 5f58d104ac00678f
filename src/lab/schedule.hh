// SPDX-License-Identifier: Apache-2.0
// What is still to happen in a world, in its total order: (time, node, sequence). A tournament:
// each row has a place, each pair of places a match, won by the earlier row, each pair of matches
// another, up to the first of all. Where a row's matches stand is known before they are played, and
// who wins is chosen without a branch that nobody can foretell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/time.hh"
#include "lab/due.hh"

namespace lanyard::lab {

class Schedule {
 public:
  Schedule() { resize(16); }
  void add(Instant at, std::uint32_t owner, DueKind kind, std::uint32_t index) {
    add({at, owner, kind, index, next_sequence()});
  }
  // For what is added only later, once it is the next of its own: its place in the order is taken
  // now.
  [[nodiscard]] std::uint64_t next_sequence() { return ++sequence_; }
  void add(const Due& due);
  [[nodiscard]] bool is_empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const { return rows_.size() - free_.size(); }
  [[nodiscard]] Instant next_at() const { return times_[first_]; }
  // What is next: to be taken away, or another put in its place, before anything is added.
  [[nodiscard]] Due first() const {
    const std::uint64_t order = orders_[first_];
    return {times_[first_], static_cast<std::uint32_t>(order >> sequence_bits), rows_[first_].kind,
            rows_[first_].index, order & ((std::uint64_t{1} << sequence_bits) - 1)};
  }
  void drop_first();
  void replace_first(const Due& due) {
    set(first_, due);
    play_again(first_);
  }

 private:
  // 2^20 nodes (lab_nodes_max is less), and 17 million million events.
  static constexpr int sequence_bits = 44;
  static constexpr std::uint64_t no_order = ~std::uint64_t{0};
  struct Row {
    std::uint32_t index = 0;
    DueKind kind = DueKind::service;
  };
  // Time and order as one number.
  __extension__ using Rank = unsigned __int128;
  [[nodiscard]] Rank rank_of(std::size_t place) const {
    return Rank{static_cast<std::uint64_t>(times_[place].count_ns())} << 64 | orders_[place];
  }
  void set(std::uint32_t place, const Due& due) {
    times_[place] = due.at;
    orders_[place] = std::uint64_t{due.owner} << sequence_bits | due.sequence;
    rows_[place] = {due.index, due.kind};
  }
  // The row there, which won all its matches, is another.
  void play_again(std::uint32_t place) {
    std::uint32_t winner = place, other = place ^ 1U;
    for (std::size_t match = (places() + place) / 2;; match /= 2) {
      winner = rank_of(other) < rank_of(winner) ? other : winner;
      winners_[match] = winner;
      if (match == 1) break;
      other = winners_[match ^ 1U];
    }
    first_ = winner;
  }
  [[nodiscard]] std::size_t places() const { return rows_.size(); }
  void resize(std::size_t places);

  // By place, of which there are 2^n; where no row is, the last of all ranks.
  std::vector<Instant> times_;
  std::vector<std::uint64_t> orders_;  // owner, then sequence
  std::vector<Row> rows_;
  // The place that won match i: of the winners of 2i and 2i + 1, or, in the first round, of two
  // places side by side.
  std::vector<std::uint32_t> winners_;
  std::vector<std::uint32_t> free_;  // places
  std::uint32_t first_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace lanyard::lab
