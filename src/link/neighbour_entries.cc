// SPDX-License-Identifier: Apache-2.0
// The book-keeping of the neighbour table: entries in one vector, two lists in order of use, one
// ordered map of timers.
#include "link/neighbour.hh"

namespace lanyard::link {

NeighbourTable::Entry* NeighbourTable::entry_of(const IpAddress& address) {
  if (latest_ != none && entries_[latest_].address == address) return &entries_[latest_];
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) return nullptr;
  latest_ = found->second;
  return &entries_[latest_];
}

NeighbourTable::Entry& NeighbourTable::create(Instant now, const IpAddress& address) {
  if (by_address_.size() >= config_.neighbours_max) make_room();
  Index index = static_cast<Index>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Entry& entry = entries_[index];
  entry.address = address;
  entry.last_used = now;
  by_address_.emplace(address, index);
  link_in(index);
  return entry;
}

void NeighbourTable::make_room() {
  // BI-06: whoever makes us ask for a hundred thousand neighbours evicts his own questions first;
  // neighbours that answered stay.
  const Index victim = unresolved_.oldest != none ? unresolved_.oldest : resolved_.oldest;
  if (victim == none) return;
  Entry& entry = entries_[victim];
  while (!entry.held.empty()) drop_oldest_held(entry);
  erase(victim);
}

void NeighbourTable::erase(Index index) {
  Entry& entry = entries_[index];
  while (!entry.held.empty()) drop_oldest_held(entry);
  stop(entry);
  if (entry.state != NeighbourState::permanent) link_out(index);
  by_address_.erase(entry.address);
  if (latest_ == index) latest_ = none;
  entry = Entry{};
  free_.push_back(index);
}

void NeighbourTable::learn(Instant now, Entry& entry, const MacAddress& mac, NeighbourState state) {
  const bool was_incomplete = entry.state == NeighbourState::incomplete;
  stop(entry);
  entry.mac = mac;
  if (was_incomplete) {
    // It moves from the list of the unresolved to that of the resolved.
    link_out(index_of(entry));
    entry.last_used = now;
    set_state(entry, state);
    link_in(index_of(entry));
    for (Packet& packet : entry.held) outcomes_.ready.push_back({mac, std::move(packet)});
    held_packets_ -= entry.held.size();
    // What was held goes out as a packet to a STALE neighbour would: it is probed if nobody
    // answers (RFC 4861 7.3.3).
    if (!entry.held.empty() && state == NeighbourState::stale) {
      set_state(entry, NeighbourState::delay);
      arm(entry, now + config_.delay_first_probe);
    }
    entry.held = std::vector<Packet>();
  }
  if (state == NeighbourState::reachable) {
    set_reachable(now, entry);
  } else if (!was_incomplete) {
    set_state(entry, state);
  }
}

void NeighbourTable::set_state(Entry& entry, NeighbourState state) {
  if (entry.state != state) outcomes_.changes.push_back({entry.address, state});
  entry.state = state;
}

void NeighbourTable::set_reachable(Instant now, Entry& entry) {
  entry.reachable_until = now + reachable_time_;
  entry.solicitations = 0;
  set_state(entry, NeighbourState::reachable);
}

void NeighbourTable::arm(Entry& entry, Instant deadline) {
  stop(entry);
  entry.timer = {deadline, ++next_timer_};
  timers_.emplace(entry.timer, index_of(entry));
}

void NeighbourTable::stop(Entry& entry) {
  if (entry.timer.first == Instant::never()) return;
  timers_.erase(entry.timer);
  entry.timer = {Instant::never(), 0};
}

void NeighbourTable::make_newest(Entry& entry) {
  const Index index = index_of(entry);
  link_out(index);
  link_in(index);
}

NeighbourTable::List& NeighbourTable::list_of(const Entry& entry) {
  return entry.state == NeighbourState::incomplete ? unresolved_ : resolved_;
}

NeighbourTable::Index NeighbourTable::index_of(const Entry& entry) const {
  return static_cast<Index>(&entry - entries_.data());
}

void NeighbourTable::link_in(Index index) {
  Entry& entry = entries_[index];
  List& list = list_of(entry);
  entry.older = list.newest;
  entry.newer = none;
  if (list.newest != none) entries_[list.newest].newer = index;
  list.newest = index;
  if (list.oldest == none) list.oldest = index;
}

void NeighbourTable::link_out(Index index) {
  Entry& entry = entries_[index];
  List& list = list_of(entry);
  (entry.newer != none ? entries_[entry.newer].older : list.newest) = entry.older;
  (entry.older != none ? entries_[entry.older].newer : list.oldest) = entry.newer;
}

}  // namespace lanyard::link
