// SPDX-License-Identifier: Apache-2.0
#include "transport/port_table.hh"

#include <algorithm>
#include <utility>

namespace lanyard::transport {

void PortTable::grow() {
  constexpr std::size_t places_min = 8;
  const std::size_t places = std::max(places_min, heads_.size() * 2);
  const auto old = std::exchange(heads_, std::vector<std::uint32_t>(places, none));
  for (std::uint32_t at : old) {
    while (at != none) {
      Held& held = held_[at];
      std::uint32_t& head = heads_[place_of(held.port())];
      at = std::exchange(held.next, std::exchange(head, at));
    }
  }
}

std::uint32_t PortTable::take_free() {
  if (free_ != none) return std::exchange(free_, held_[free_].next);
  held_.emplace_back();
  return static_cast<std::uint32_t>(held_.size() - 1);
}

PortHolder& PortTable::add(const PortHolder& holder) {
  if (ports_ == heads_.size()) grow();
  const Port port = holder.request.local.port;
  std::uint32_t& head = heads_[place_of(port)];
  std::uint32_t at = head;
  while (at != none && held_[at].port() != port) at = held_[at].next;
  if (at != none) return held_[at].others.emplace_back(holder);
  at = take_free();
  held_[at].first = holder;
  held_[at].next = std::exchange(head, at);
  ++ports_;
  return held_[at].first;
}

void PortTable::remove(const PortHolder& holder) {
  const Port port = holder.request.local.port;
  std::uint32_t* link = &heads_[place_of(port)];
  while (held_[*link].port() != port) link = &held_[*link].next;
  Held& held = held_[*link];
  if (&holder != &held.first) {
    held.others.erase(held.others.begin() + (&holder - held.others.data()));
  } else if (!held.others.empty()) {
    held.first = held.others.back();
    held.others.pop_back();
  } else {
    if (held.others.capacity() != 0) held.others = {};
    free_ = std::exchange(*link, std::exchange(held.next, free_));
    --ports_;
  }
}

}  // namespace lanyard::transport
