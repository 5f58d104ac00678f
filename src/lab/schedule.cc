// SPDX-License-Identifier: Apache-2.0
#include "lab/schedule.hh"

namespace lanyard::lab {
namespace {

constexpr std::size_t places_min = 16;

}  // namespace

// A row that is not the first loses soon, and no match above is played again.
void Schedule::add(const Due& due) {
  if (free_.empty()) resize(2 * places());
  const std::uint32_t place = free_.back();
  free_.pop_back();
  set(place, due);
  const Rank rank = rank_of(place);
  std::size_t match = (places() + place) / 2;
  // Its place may have won already, without a row, where no other has one.
  for (; match > 0 && rank <= rank_of(winners_[match]); match /= 2) winners_[match] = place;
  first_ = winners_[1];
}

void Schedule::drop_first() {
  times_[first_] = Instant::never();
  orders_[first_] = no_order;
  free_.push_back(first_);
  play_again(first_);
  if (size() < places() / 8 && places() > places_min) resize(places() / 4);
}

// The rows there are take the first places.
void Schedule::resize(std::size_t places) {
  std::size_t used = 0;
  for (std::size_t place = 0; place < rows_.size(); ++place) {
    if (orders_[place] == no_order) continue;
    times_[used] = times_[place];
    orders_[used] = orders_[place];
    rows_[used++] = rows_[place];
  }
  times_.resize(used);
  times_.resize(places, Instant::never());
  orders_.resize(used);
  orders_.resize(places, no_order);
  rows_.resize(places);
  free_.clear();
  for (std::size_t i = places; i > used; --i) free_.push_back(static_cast<std::uint32_t>(i - 1));
  winners_.resize(places);
  for (std::size_t match = places - 1; match > 0; --match) {
    const bool is_first_round = match >= places / 2;
    const std::uint32_t a =
        is_first_round ? static_cast<std::uint32_t>(2 * match - places) : winners_[2 * match];
    const std::uint32_t b = is_first_round ? a + 1 : winners_[2 * match + 1];
    winners_[match] = rank_of(b) < rank_of(a) ? b : a;
  }
  first_ = winners_[1];
}

}  // namespace lanyard::lab
